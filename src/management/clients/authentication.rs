//! How clients authenticate: the method, and the secret or keys that it needs, named or stored already.
//!
//! Of most secrets only a hash is stored. `client_secret_jwt` needs the secret itself: it is stored sealed, and shown
//! sealed. So what is shown gives no secret away, and a sealed secret can be given back only to the database that sealed
//! it.
//!
//! `jwks_uri` is not fetched here: changes can be made without a network, and the keys of today say nothing about those of
//! tomorrow. Only an address that could never be fetched is refused.

use url::Url;
use zeroize::Zeroizing;

use crate::crypto::jwt::VerifyingKey;
use crate::crypto::seal::SealError;
use crate::crypto::secret;
use crate::domain::client::{AssertionAlgorithm, Client, ClientAuthentication, ClientKeys};
use crate::domain::ids::Hash;
use crate::management::members::Members;
use crate::management::validation::Validation;

/// The members that may hold a secret.
const SECRETS: [&str; 3] = ["client_secret", "client_secret_hash", "client_secret_sealed"];

/// A client secret, or only its hash.
enum ClientSecret {
    Text(Zeroizing<String>),
    Hash(Hash),
}

impl ClientSecret {
    fn hash(self) -> Hash {
        match self {
            Self::Text(text) => secret::hash(&text),
            Self::Hash(hash) => hash,
        }
    }
}

impl Validation<'_, '_> {
    /// Returns how the client authenticates; `client` has all its other members.
    pub(super) fn authentication(
        &mut self,
        members: &Members,
        client: &mut Client,
        known: Option<&ClientAuthentication>,
    ) -> Option<ClientAuthentication> {
        if members.refuses(&["token_endpoint_auth_method"]) {
            self.check_named(members);
            return None;
        }
        let method = match members.text("token_endpoint_auth_method") {
            "" => known.and_then(ClientAuthentication::method),
            named => Some(named),
        };
        if client.metadata.require_signed_request_object && method != Some("private_key_jwt") {
            let place = members.path_of("require_signed_request_object");
            self.mistakes.at(&place, "needs keys: register jwks or jwks_uri");
        }
        self.refuse_useless(members, client, method.unwrap_or(ClientAuthentication::UNREGISTERED));
        match method {
            Some("none") => Some(ClientAuthentication::None),
            Some("private_key_jwt") => {
                self.client_keys(members, known).map(ClientAuthentication::PrivateKeyJwt)
            }
            Some("client_secret_jwt") => {
                self.sealed_secret(members, client, known).map(ClientAuthentication::ClientSecretJwt)
            }
            hashed => {
                let hash = self.secret(members, client, known)?.hash();
                Some(match hashed {
                    Some("client_secret_post") => ClientAuthentication::ClientSecretPost(hash),
                    Some(_) => ClientAuthentication::ClientSecretBasic(hash),
                    None => ClientAuthentication::ClientSecret(hash),
                })
            }
        }
    }

    /// Checks secrets and keys of a client whose method was refused.
    fn check_named(&mut self, members: &Members) {
        if members.names("client_secret") {
            self.named_secret(&members.path_of("client_secret"), members.text("client_secret"));
        }
        if members.names("client_secret_hash") {
            self.named_hash(members);
        }
        self.inline_keys(members);
        self.published_keys(members);
    }

    /// Refuses secrets, keys and algorithms that the method does not use.
    fn refuse_useless(&mut self, members: &Members, client: &mut Client, method: &str) {
        let secrets = SECRETS.iter().filter(|name| members.names(name)).count();
        if secrets > 1 {
            self.mistakes.at(members.path(), format!("one alone may be named of {}", SECRETS.join(", ")));
        }
        if secrets > 0 && !method.starts_with("client_secret") {
            self.mistakes.at(members.path(), format!("a client secret has no use with the method {method}"));
        }
        for name in ["jwks", "jwks_uri"] {
            if members.names(name) && method != "private_key_jwt" {
                self.mistakes.at(&members.path_of(name), format!("has no use with the method {method}"));
            }
        }
        let fits = match client.metadata.token_endpoint_auth_signing_alg {
            None => true,
            Some(AssertionAlgorithm::Signature(_)) => method == "private_key_jwt",
            Some(AssertionAlgorithm::Mac(_)) => method == "client_secret_jwt",
        };
        let name = "token_endpoint_auth_signing_alg";
        if !fits && members.names(name) {
            self.mistakes.at(&members.path_of(name), format!("does not fit the method {method}"));
        } else if !fits {
            // It was the former method's, and goes with it.
            client.metadata.token_endpoint_auth_signing_alg = None;
        }
    }

    fn client_keys(&mut self, members: &Members, known: Option<&ClientAuthentication>) -> Option<ClientKeys> {
        match (members.names("jwks"), members.names("jwks_uri"), known) {
            (true, true, _) => {
                self.mistakes.at(&members.path_of("jwks_uri"), "cannot stand beside jwks");
                None
            }
            (true, false, _) => self.inline_keys(members),
            (false, true, _) => self.published_keys(members),
            (false, false, Some(ClientAuthentication::PrivateKeyJwt(keys))) => Some(keys.clone()),
            (false, false, _) => {
                if !members.refuses(&["jwks", "jwks_uri"]) {
                    self.mistakes.at(&members.path_of("jwks"), "is missing, and so is jwks_uri");
                }
                None
            }
        }
    }

    /// Returns the key set that the members hold, if all its keys are valid.
    fn inline_keys(&mut self, members: &Members) -> Option<ClientKeys> {
        let set = members.get("jwks")?;
        self.mistakes.keep(&members.path_of("jwks"), VerifyingKey::from_set(set))?;
        Some(ClientKeys::Inline(set.clone()))
    }

    /// Returns the address of the key set that the client publishes, if it may be fetched.
    fn published_keys(&mut self, members: &Members) -> Option<ClientKeys> {
        if !members.names("jwks_uri") {
            return None;
        }
        let address = members.text("jwks_uri");
        let place = members.path_of("jwks_uri");
        let url = self.mistakes.keep(&place, Url::parse(address))?;
        self.mistakes.keep(&place, self.management.outbound.admits(&url))?;
        Some(ClientKeys::At(address.to_owned()))
    }

    /// Returns the secret sealed for its row; the stored one if it is equal, so that nothing changes.
    fn sealed_secret(
        &mut self,
        members: &Members,
        client: &Client,
        known: Option<&ClientAuthentication>,
    ) -> Option<String> {
        let place = members.path_of("client_secret");
        let ClientSecret::Text(text) = self.secret(members, client, known)? else {
            self.mistakes
                .at(&place, "must be named: client_secret_jwt needs the secret itself, not its hash");
            return None;
        };
        if let Some(AssertionAlgorithm::Mac(algorithm)) = client.metadata.token_endpoint_auth_signing_alg
            && text.len() < algorithm.secret_min()
        {
            let (name, min) = (algorithm.as_str(), algorithm.secret_min());
            self.mistakes.at(&place, format!("must have at least {min} characters for {name}"));
            return None;
        }
        let (sealer, row) = (self.management.sealer, client.secret_row());
        if let Some(ClientAuthentication::ClientSecretJwt(sealed)) = known
            && sealer.open(sealed, &row).is_ok_and(|opened| opened.as_slice() == text.as_bytes())
        {
            return Some(sealed.clone());
        }
        if members.names("client_secret_sealed") {
            return Some(members.text("client_secret_sealed").to_owned());
        }
        self.mistakes.keep(members.path(), sealer.seal(text.as_bytes(), &row))
    }

    /// Returns the secret that the members name, or else the stored one.
    fn secret(
        &mut self,
        members: &Members,
        client: &Client,
        known: Option<&ClientAuthentication>,
    ) -> Option<ClientSecret> {
        if members.names("client_secret_hash") {
            return self.named_hash(members).map(ClientSecret::Hash);
        }
        let place = members.path_of("client_secret");
        if members.names("client_secret") {
            return self.named_secret(&place, members.text("client_secret")).map(ClientSecret::Text);
        }
        if members.names("client_secret_sealed") {
            return self.named_sealed(members, client);
        }
        match known {
            Some(
                ClientAuthentication::ClientSecret(hash)
                | ClientAuthentication::ClientSecretBasic(hash)
                | ClientAuthentication::ClientSecretPost(hash),
            ) => Some(ClientSecret::Hash(hash.clone())),
            Some(ClientAuthentication::ClientSecretJwt(sealed)) => self.opened(&place, sealed, client),
            _ => {
                if !members.refuses(&SECRETS) {
                    self.mistakes.at(&place, "is missing");
                }
                None
            }
        }
    }

    fn named_hash(&mut self, members: &Members) -> Option<Hash> {
        let place = members.path_of("client_secret_hash");
        let hash = members.text("client_secret_hash");
        let shaped = secret::is_shaped(hash);
        if !shaped {
            self.mistakes.at(&place, "must be a SHA-256 in base64url, as export writes it");
        }
        shaped.then(|| Hash::new(hash))
    }

    fn named_sealed(&mut self, members: &Members, client: &Client) -> Option<ClientSecret> {
        let place = members.path_of("client_secret_sealed");
        let sealed = members.text("client_secret_sealed");
        if self.management.sealer.open(sealed, &client.secret_row()) == Err(SealError::OtherKey) {
            self.mistakes.at(&place, "was sealed by another database: name client_secret instead");
            return None;
        }
        self.opened(&place, sealed, client)
    }

    fn opened(&mut self, place: &str, sealed: &str, client: &Client) -> Option<ClientSecret> {
        let opened = self.mistakes.keep(place, self.management.sealer.open(sealed, &client.secret_row()))?;
        let text = self.mistakes.keep(place, std::str::from_utf8(&opened))?;
        Some(ClientSecret::Text(Zeroizing::new(text.to_owned())))
    }

    fn named_secret(&mut self, place: &str, text: &str) -> Option<Zeroizing<String>> {
        // RFC 6749 appendix A.2
        let visible = text.bytes().all(|b| matches!(b, 0x20..=0x7e));
        let min = ClientAuthentication::SECRET_MIN;
        if text.len() < min || !visible {
            self.mistakes.at(place, format!("must have at least {min} characters, all visible ASCII"));
            return None;
        }
        self.refuse_sample(place, text);
        Some(Zeroizing::new(text.to_owned()))
    }
}
