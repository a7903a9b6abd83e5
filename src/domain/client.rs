//! A registered client, by the member names of RFC 7591, and what it is allowed.

mod algorithm;
mod authentication;
mod localized;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

pub use algorithm::{AssertionAlgorithm, MacAlgorithm, SigningAlgorithm};
pub use authentication::{ClientAuthentication, ClientKeys};

use super::audience::Resource;
use super::epoch::Epoch;
use super::ids::{ClientId, IssuerId, TenantId};
use super::redirect_uri::{FreePorts, RedirectUri};
use super::scope::{self, Scope};

/// One client of one issuer.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// The `client_id`.
    pub id: ClientId,
    /// The issuer it belongs to.
    pub issuer: IssuerId,
    /// A disabled client is as good as unknown.
    pub disabled: bool,
    /// Its epoch and its tenant's together; only the store changes them.
    pub epoch: Epoch,
    /// How it proves itself at the token endpoint.
    pub authentication: ClientAuthentication,
    /// Everything else that was registered.
    pub metadata: ClientMetadata,
}

impl Client {
    /// Can it keep a secret? (RFC 6749 §2.1)
    pub const fn is_public(&self) -> bool {
        matches!(self.authentication, ClientAuthentication::None)
    }

    /// Must its authorization requests carry a `code_challenge` (RFC 9700 §2.1.1)?
    pub const fn must_use_pkce(&self) -> bool {
        self.is_public() || self.metadata.require_pkce
    }

    /// What its sealed secret is bound to: its id alone, so that an export can be brought back after the tenant was
    /// removed, whose issuer then has another id.
    pub fn secret_row(&self) -> String {
        format!("clients/{}/secret", self.id)
    }

    /// The registered URI that the request's `redirect_uri` names, if any.
    pub fn redirect_uri(&self, requested: &str) -> Option<&RedirectUri> {
        self.metadata.redirect_uri(requested)
    }

    /// Where its pages can be: the origins of its web addresses.
    pub fn origins(&self) -> impl Iterator<Item = String> {
        let addresses = self.metadata.redirect_uris.iter().filter_map(|uri| Url::parse(uri.as_str()).ok());
        let web = addresses.filter(|url| matches!(url.scheme(), "http" | "https"));
        web.map(|url| url.origin().ascii_serialization())
    }

    /// Has it public keys registered, of which it holds the private ones?
    pub const fn has_keys(&self) -> bool {
        matches!(self.authentication, ClientAuthentication::PrivateKeyJwt(_))
    }

    /// The sector in which users have names of their own (OpenID Connect Core §8.1): the host of
    /// `sector_identifier_uri`, or the one of its redirect URIs; a sector of its own for a client on the user's machine.
    /// `None`: it knows users by their public names.
    pub fn sector(&self) -> Option<String> {
        let metadata = &self.metadata;
        if metadata.subject_type == SubjectType::Public {
            return None;
        }
        let addresses = metadata.redirect_uris.iter().filter(|uri| !uri.is_loopback());
        let addresses = addresses.map(RedirectUri::as_str);
        let mut hosts =
            metadata.sector_identifier_uri.as_deref().into_iter().chain(addresses).filter_map(host);
        // Every application on the user's machine is at `localhost`: sharing that host makes no common sector.
        Some(hosts.next().unwrap_or_else(|| format!("client {}/{}", self.issuer, self.id)))
    }

    /// Its name where no language is known.
    pub fn name(&self) -> &str {
        self.metadata.client_name.as_deref().unwrap_or_else(|| self.id.as_str())
    }
}

/// Registered metadata; member names as in RFC 7591 §2, OpenID Connect Registration §2, then our own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of its own")]
pub struct ClientMetadata {
    /// What the user reads.
    pub client_name: Option<String>,
    /// Where codes may be sent.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where the browser may be sent after sign-out.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// `web` or `native`; a native client may use any port of a loopback address.
    pub application_type: ApplicationType,
    /// Ours: it may use any port of `http://localhost` too.
    pub localhost_redirects: bool,
    /// What the client may exchange at the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// What the client may ask for at the authorization endpoint.
    pub response_types: Vec<ResponseType>,
    /// The scopes it may ask for; `None` = all that exist.
    pub scope: Option<Scope>,
    /// How it knows users.
    pub subject_type: SubjectType,
    /// Whose host is its sector; a list of the redirect URIs of the sector's clients is published there.
    pub sector_identifier_uri: Option<String>,
    /// The one algorithm of its assertions; `None` = any that fits its method.
    pub token_endpoint_auth_signing_alg: Option<AssertionAlgorithm>,
    /// The algorithm of its ID tokens.
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// `max_age` where a request has none.
    pub default_max_age: Option<u64>,
    /// `acr_values` where a request has none.
    pub default_acr_values: Vec<String>,
    /// Where the user reads about the client.
    pub client_uri: Option<String>,
    /// The client's logo on the login page.
    pub logo_uri: Option<String>,
    /// The client's privacy policy.
    pub policy_uri: Option<String>,
    /// The client's terms of service.
    pub tos_uri: Option<String>,
    /// Members in other languages, by their names with a language tag (RFC 7591 §2.2): `client_name#de`.
    pub localized: BTreeMap<String, String>,
    /// How to reach the people who are responsible for the client.
    pub contacts: Vec<String>,
    /// The software that the client is an installation of.
    pub software_id: Option<String>,
    /// The version of that software.
    pub software_version: Option<String>,
    /// Where a login at this client can be started (OpenID Connect Core §4).
    pub initiate_login_uri: Option<String>,
    /// Ours: the APIs for which it may ask for tokens, by the names that `resource` gives them (RFC 8707). Why not
    /// `resources`: in this house a Resource is a self-service portal.
    pub audiences: Vec<Resource>,
    /// Ours: the API that its tokens are for where no `resource` is asked for; it may name that one, too.
    pub default_audience: Option<Resource>,
    /// Ours: the names of the API that this client is. It may introspect the tokens that are meant for it.
    pub own_audiences: Vec<Resource>,
    /// Ours: the user is asked before anything is given away.
    pub require_consent: bool,
    /// Ours: ID tokens hold the claims of the granted scopes too, for applications that never call UserInfo.
    pub id_token_claims: bool,
    /// Ours: the name of the claim with the user's roles.
    pub roles_claim: String,
    /// Ours: the name of the claim with the user's groups.
    pub groups_claim: String,
    /// Ours: the tenants whose groups a client of the root issuer reads by their bare names (see [`super::group`]).
    pub groups_of: Vec<TenantId>,
    /// The algorithm of its UserInfo answers; `None` = plain JSON.
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// The algorithm of introspection answers that it asks for as JWTs (RFC 9701 §6).
    pub introspection_signed_response_alg: SigningAlgorithm,
    /// Must it push its authorization requests (RFC 9126 §6)?
    pub require_pushed_authorization_requests: bool,
    /// The one algorithm of its request objects; `None` = any that is known (OpenID Connect Registration §2).
    pub request_object_signing_alg: Option<SigningAlgorithm>,
    /// Must its authorization requests be request objects that it signed (RFC 9101 §10.5)?
    pub require_signed_request_object: bool,
    /// Ours: must it use PKCE (RFC 7636)? A public client must in any case.
    pub require_pkce: bool,
    /// Ours: may it end its users' sessions from its back end, by an ID token alone that has not expired?
    pub backend_logout: bool,
    /// Ours: what its access tokens look like.
    pub access_token_format: TokenFormat,
    /// Ours: the algorithm of its access tokens; by default that of its ID tokens.
    pub access_token_signed_response_alg: Option<SigningAlgorithm>,
    /// Ours: seconds an access token lives.
    pub access_token_lifetime: u64,
    /// Ours: seconds after the login beyond which nothing is refreshed, however often it was.
    pub refresh_token_lifetime: u64,
    /// Ours: seconds a refresh token with `offline_access` may lie unused.
    pub refresh_token_idle: u64,
}

impl Default for ClientMetadata {
    fn default() -> Self {
        Self {
            client_name: None,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            application_type: ApplicationType::Web,
            localhost_redirects: false,
            grant_types: vec![GrantType::AuthorizationCode],
            response_types: vec![ResponseType::Code],
            scope: None,
            subject_type: SubjectType::Public,
            sector_identifier_uri: None,
            token_endpoint_auth_signing_alg: None,
            id_token_signed_response_alg: SigningAlgorithm::Rs256,
            default_max_age: None,
            default_acr_values: Vec::new(),
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            localized: BTreeMap::new(),
            contacts: Vec::new(),
            software_id: None,
            software_version: None,
            initiate_login_uri: None,
            audiences: Vec::new(),
            default_audience: None,
            own_audiences: Vec::new(),
            require_consent: false,
            id_token_claims: false,
            roles_claim: scope::ROLES.to_owned(),
            groups_claim: scope::GROUPS.to_owned(),
            groups_of: Vec::new(),
            userinfo_signed_response_alg: None,
            introspection_signed_response_alg: SigningAlgorithm::Rs256,
            require_pushed_authorization_requests: false,
            request_object_signing_alg: None,
            require_signed_request_object: false,
            require_pkce: false,
            backend_logout: false,
            access_token_format: TokenFormat::Jwt,
            access_token_signed_response_alg: None,
            access_token_lifetime: 300,
            refresh_token_lifetime: 30 * 24 * 3600,
            refresh_token_idle: 14 * 24 * 3600,
        }
    }
}

impl ClientMetadata {
    /// The registered URI that the request's `redirect_uri` names, if any.
    pub fn redirect_uri(&self, requested: &str) -> Option<&RedirectUri> {
        self.redirect_uris.iter().find(|uri| uri.matches(requested, self.free_ports()))
    }

    /// The loopback hosts on which it may use any port (RFC 8252 §7.3).
    pub fn free_ports(&self) -> FreePorts {
        FreePorts {
            addresses: self.application_type == ApplicationType::Native,
            localhost: self.localhost_redirects,
        }
    }

    /// How long an access token lives.
    pub const fn access_token_lifetime(&self) -> Duration {
        Duration::from_secs(self.access_token_lifetime)
    }

    /// How long after the login tokens can be refreshed.
    pub const fn refresh_token_lifetime(&self) -> Duration {
        Duration::from_secs(self.refresh_token_lifetime)
    }

    /// How long a refresh token with `offline_access` may lie unused.
    pub const fn refresh_token_idle(&self) -> Duration {
        Duration::from_secs(self.refresh_token_idle)
    }

    /// May the client use this grant type?
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// The algorithm of access tokens.
    pub fn access_token_alg(&self) -> SigningAlgorithm {
        self.access_token_signed_response_alg.unwrap_or(self.id_token_signed_response_alg)
    }
}

fn host(address: &str) -> Option<String> {
    Url::parse(address).ok()?.host_str().map(str::to_owned)
}

/// `subject_type` of OpenID Connect Registration §2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectType {
    /// A user has the same name everywhere.
    #[default]
    Public,
    /// A user has another name in every sector.
    Pairwise,
}

/// `application_type` of OpenID Connect Registration §2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApplicationType {
    /// Runs on a server or in a browser.
    #[default]
    Web,
    /// Runs on the user's machine.
    Native,
}

/// What an access token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenFormat {
    /// RFC 9068: an API can read it without asking.
    Jwt,
    /// A random text; only introspection tells what it means.
    Opaque,
}

/// The grant types of the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1
    AuthorizationCode,
    /// RFC 6749 §6
    RefreshToken,
    /// RFC 6749 §4.4
    ClientCredentials,
}

impl GrantType {
    /// Every grant type, in the order of discovery. A test holds that the token endpoint has one handler for each.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The value of `grant_type` of each.
    pub const NAMES: [&'static str; 3] = {
        let [first, second, third] = Self::ALL;
        [first.as_str(), second.as_str(), third.as_str()]
    };

    /// The value of `grant_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

/// The response types of the authorization endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseType {
    /// RFC 6749 §4.1
    Code,
}

impl ResponseType {
    /// Every response type, in the order of discovery.
    pub const ALL: [Self; 1] = [Self::Code];

    /// The value of `response_type` of each.
    pub const NAMES: [&'static str; 1] = {
        let [first] = Self::ALL;
        [first.as_str()]
    };

    /// The value of `response_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_those_that_registrations_are_stored_with() {
        assert_eq!(json!(GrantType::ALL), json!(GrantType::NAMES));
        assert_eq!(json!(ResponseType::ALL), json!(ResponseType::NAMES));
    }
}
