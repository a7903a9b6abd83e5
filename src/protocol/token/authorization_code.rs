//! An authorization code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.6).
//!
//! Whatever a client that proved itself presents is used up by that, fitting or not. A code that comes a second time
//! ends everything that was given for it.

use futures_util::future::BoxFuture;

use super::issue::{self, TokenIssuance, TokenResponse};
use super::{GrantHandler, TokenRequest};
use crate::audit::{self, Entry};
use crate::crypto::secret::{self, Secret};
use crate::domain::audit::Actor;
use crate::domain::client::GrantType;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::event::Event;
use crate::domain::ids::{ClientId, Hash, IssuerId};
use crate::domain::time::Time;
use crate::http::trace;
use crate::protocol::error::TokenError;
use crate::protocol::resource::ResourceRequest;
use crate::provider::Internal;
use crate::storage::codes::{Redeemed, Redemption};
use crate::storage::{self, Tx, codes, grants, refresh_tokens};

pub(super) struct AuthorizationCode;

impl GrantHandler for AuthorizationCode {
    fn grant_type(&self) -> GrantType {
        GrantType::AuthorizationCode
    }

    fn exchange<'a>(
        &'a self,
        request: &'a TokenRequest<'_>,
    ) -> BoxFuture<'a, Result<TokenResponse, TokenError>> {
        Box::pin(redeem(request))
    }
}

async fn redeem(request: &TokenRequest<'_>) -> Result<TokenResponse, TokenError> {
    let presented = CodeExchange::of(request)?;
    let work = presented.clone();
    let outcome = request
        .idp
        .db()
        .write(move |tx| {
            let presented = work.clone();
            Box::pin(async move { presented.redeem(tx).await })
        })
        .await
        .map_err(Internal::from)?;
    match outcome {
        ExchangeOutcome::Live(redeemed) => {
            trace::login(&redeemed.grant.id);
            let issued = issue(request, *redeemed, &presented.refresh_token).await;
            if matches!(issued, Err(TokenError::Internal(_))) {
                presented.give_back(request).await?;
            }
            if issued.is_ok() {
                tracing::info!("the code was redeemed");
            }
            issued
        }
        ExchangeOutcome::Reused => Err(refuse("used before")),
        ExchangeOutcome::Refused(hint) => Err(refuse(hint)),
    }
}

/// Tokens for the user as they are now: the host's directory may have changed its mind since the login.
async fn issue(
    request: &TokenRequest<'_>,
    redeemed: Redeemed,
    first: &Secret,
) -> Result<TokenResponse, TokenError> {
    let Redeemed { code, grant, user } = redeemed;
    let target = ResourceRequest::of(request.parameters, request.issuer, &request.client)?;
    let audience = target.narrowed(&grant.audience, &grant.scope)?;
    let still = request.idp.account().recheck_directory(user).await.map_err(Internal::from)?;
    let user = still.ok_or_else(|| refuse("the directory does not know the user any more"))?;
    let issuance = TokenIssuance {
        scope: grant.scope.clone(),
        audience,
        grant: &grant,
        user: &user,
        nonce: code.nonce.as_deref(),
        refresh_token: grant.refresh_idle.map(|_| first.expose().to_owned()),
        id_token_can_wait: false,
    };
    issue::tokens(request.idp, request.issuer, &request.client, issuance).await
}

/// The same description for every reason; only the log has the reason.
fn refuse(hint: &'static str) -> TokenError {
    let description =
        "the code is unknown, used, expired, or not for this client, redirect_uri and code_verifier";
    OAuthError::new(ErrorCode::InvalidGrant, description).with_hint(hint).into()
}

/// What the client presents with the code.
#[derive(Clone, Debug)]
struct CodeExchange {
    hash: Hash,
    issuer: IssuerId,
    client: ClientId,
    redirect_uri: Option<String>,
    verifier: Option<String>,
    /// What becomes the first of the family, if the grant can be refreshed.
    refresh_token: Secret,
    now: Time,
}

enum ExchangeOutcome {
    Live(Box<Redeemed>),
    Reused,
    Refused(&'static str),
}

impl CodeExchange {
    fn of(request: &TokenRequest<'_>) -> Result<Self, TokenError> {
        let parameters = request.parameters;
        let code = parameters
            .get("code")
            .ok_or_else(|| TokenError::new(ErrorCode::InvalidRequest, "code is missing"))?;
        Ok(Self {
            hash: secret::hash(code),
            issuer: request.issuer.id.clone(),
            client: request.client.id.clone(),
            redirect_uri: parameters.get("redirect_uri").map(str::to_owned),
            verifier: parameters.get("code_verifier").map(str::to_owned),
            refresh_token: Secret::generate(),
            now: request.idp.now(),
        })
    }

    async fn redeem(self, tx: &mut Tx<'_>) -> Result<ExchangeOutcome, storage::Error> {
        match codes::redeem(tx, &self.hash, self.now).await? {
            Redemption::Unknown => Ok(ExchangeOutcome::Refused(
                "unknown or expired, or user, session, client or redirect URI have ended",
            )),
            Redemption::Reused(grant) => {
                // Before the entry: the observer's line belongs to the login.
                trace::login(&grant);
                grants::revoke(tx, &grant, self.now).await?;
                let (issuer, client) = (self.issuer, self.client);
                let event = Event::CodeReused { issuer, client: client.clone() };
                audit::record(tx, Entry::new(self.now, Actor::Client(client), event).of_grant(&grant))?;
                Ok(ExchangeOutcome::Reused)
            }
            Redemption::Fresh(redeemed) => match self.fits(&redeemed) {
                Ok(()) => {
                    let grant = &redeemed.grant;
                    if let Some(expiry) = grant.refresh_token_expiry(self.now) {
                        refresh_tokens::queue_insert(tx, &self.refresh_token.hash(), &grant.id, expiry)?;
                    }
                    Ok(ExchangeOutcome::Live(redeemed))
                }
                Err(hint) => Ok(ExchangeOutcome::Refused(hint)),
            },
        }
    }

    /// Makes the code valid again, because nothing was issued for it: a busy host must not end a login.
    async fn give_back(&self, request: &TokenRequest<'_>) -> Result<(), TokenError> {
        let presented = self.clone();
        let given = request.idp.db().write(move |tx| {
            let presented = presented.clone();
            Box::pin(async move { codes::give_back(tx, &presented.hash, presented.now).await })
        });
        Ok(given.await.map_err(Internal::from)?)
    }

    fn fits(&self, Redeemed { code, grant, .. }: &Redeemed) -> Result<(), &'static str> {
        if grant.issuer != self.issuer || grant.client != self.client {
            return Err("given to another client");
        }
        // A clock that was set back would give an expired code its life again.
        if grant.created_at.is_ahead_of(self.now) {
            return Err("issued at a time that lies ahead of the clock");
        }
        if self.redirect_uri.as_deref() != Some(code.redirect_uri.as_str()) {
            return Err("another redirect_uri");
        }
        match (&code.code_challenge, &self.verifier) {
            (None, None) => Ok(()),
            (Some(challenge), Some(verifier)) if proves(verifier, challenge) => Ok(()),
            _ => Err("code_verifier does not fit"),
        }
    }
}

/// RFC 7636 §4.1 and §4.6: 43 to 128 unreserved characters whose SHA-256 is the challenge.
fn proves(verifier: &str, challenge: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(unreserved)
        && secret::equal(&secret::hash(verifier), &Hash::new(challenge))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_proves_its_challenge() {
        // RFC 7636 appendix B
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(proves(verifier, challenge));
        assert!(!proves(&format!("{verifier}\n"), challenge));
        assert!(!proves("", challenge));
        assert!(!proves(&"a".repeat(43), challenge));
    }

    #[test]
    fn verifiers_have_a_length_and_an_alphabet() {
        let proves_itself = |verifier: &str| proves(verifier, secret::hash(verifier).as_str());
        assert!(proves_itself(&"a".repeat(43)));
        assert!(proves_itself(&"~".repeat(128)));
        for bad in ["a".repeat(42), "a".repeat(129), format!("{} ", "a".repeat(42)), "\u{e4}".repeat(43)] {
            assert!(!proves_itself(&bad), "{bad}");
        }
    }
}
