//! Tells clients that sessions have ended (OpenID Connect Back-Channel Logout 1.0).
//!
//! A round has two steps. First the ended sessions become notices: one for each client that was signed in and has
//! registered `backchannel_logout_uri`. Then the notices that are due are claimed and sent. Any node may do either; a
//! conditional statement decides which one does. The write that ended the session waits for none of this.
//!
//! A notice for an address below one of the provider's own issuers goes through its router, because a provider behind a
//! proxy may not reach itself by its public name. All others go out through `outbound` and its guard.

use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::future::join_all;
use tower::ServiceExt;
use url::Url;

use crate::domain::client::Client;
use crate::domain::issuer::Issuer;
use crate::domain::time::Time;
use crate::protocol::logout::logout_request;
use crate::provider::{Idp, Internal};
use crate::storage::ended_sessions::{self, EndedSession};
use crate::storage::logout_notices::{self, ClaimedNotice, NoticeOutcome};

/// Ended sessions and notices per round.
const BATCH: i64 = 32;
/// Interval at which the work that other nodes left is looked for.
const POLL: Duration = Duration::from_secs(5);
/// How long a claim lasts: more than a request may take.
const LEASE: Duration = Duration::from_mins(1);
/// How long a client in our own router may take.
const OWN_DEADLINE: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
const ANSWER: usize = 64 * 1024;
/// Seconds until the next try, by the number of tries before; after that an hour.
const PAUSES: [u64; 5] = [5, 30, 120, 600, 1800];
/// Tries after which a notice is given up: about a day.
const TRIES: i64 = 28;

/// Gives the router that serves the addresses below our own issuers.
type OwnRouter<'a> = &'a (dyn Fn() -> Router + Sync);

/// Why a notice was not accepted.
enum Refused {
    /// It may be accepted later.
    Transient(String),
    /// Another try makes no difference.
    Permanent(String),
}

impl Idp {
    /// Sends logout tokens forever.
    pub(super) async fn logout_lane(&self) {
        // Built with the first notice for an address of our own: most providers never need it.
        let own = LazyLock::new(|| self.host_router());
        let mut news = self.db().messages();
        let mark = self.parts().lanes.of_logout_tokens();
        loop {
            mark.go_on();
            match self.tell_clients(&|| Router::clone(&own)).await {
                Ok(0) => {
                    tokio::select! {
                        _ = news.changed() => {}
                        () = tokio::time::sleep(POLL) => {}
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(reference = %error.reference(), "logout tokens could not be sent");
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    /// One round; returns the number of sessions and notices that were processed.
    pub(crate) async fn tell_clients(&self, own: OwnRouter<'_>) -> Result<usize, Internal> {
        let now = self.now();
        // An idle provider pays one read and no write.
        if !logout_notices::any_due(&mut self.db().read().tx(), now).await? {
            return Ok(0);
        }
        let announced = self.announce_ended_sessions().await?;
        let claim = self.db().write(move |tx| Box::pin(logout_notices::claim(tx, now, LEASE, BATCH)));
        let claimed = claim.await?;
        let delivered = join_all(claimed.iter().map(|notice| self.deliver_notice(notice, own))).await;
        delivered.into_iter().collect::<Result<(), _>>()?;
        Ok(announced + claimed.len())
    }

    /// Writes the notices of sessions that have ended.
    async fn announce_ended_sessions(&self) -> Result<usize, Internal> {
        let ended = ended_sessions::unannounced(&mut self.db().read().tx(), BATCH).await?;
        let all = ended.len();
        for session in ended {
            let mut told = Vec::new();
            for id in &session.clients {
                let client = self.catalogue().client(&session.issuer, id).await?;
                told.extend(client.filter(|client| client.metadata.backchannel_logout_uri.is_some()));
            }
            let now = self.now();
            let announced = self.db().write(move |tx| {
                let (session, told): (EndedSession, Vec<_>) = (session.clone(), told.clone());
                Box::pin(async move {
                    if ended_sessions::claim(tx, &session.id).await? {
                        for client in &told {
                            logout_notices::enqueue(tx, &session, &client.id, now).await?;
                        }
                    }
                    Ok(())
                })
            });
            announced.await?;
        }
        Ok(all)
    }

    async fn deliver_notice(&self, notice: &ClaimedNotice, own: OwnRouter<'_>) -> Result<(), Internal> {
        let outcome = match self.send_notice(notice, own).await {
            Ok(()) => NoticeOutcome::Sent,
            Err(refused) => outcome(notice.tries, refused, self.now()),
        };
        let ClaimedNotice { client, session, tries, .. } = notice;
        match &outcome {
            NoticeOutcome::Sent => tracing::info!(%client, %session, "the client was told of the logout"),
            NoticeOutcome::Retry(_, reason) => {
                tracing::info!(%client, %session, tries, reason, "the client could not be told of the logout; it is tried again");
            }
            NoticeOutcome::Failed(reason) => {
                tracing::warn!(%client, %session, tries, reason, "the client could not be told of the logout");
            }
        }
        let notice = notice.clone();
        let recorded = self.db().write(move |tx| {
            let (notice, outcome) = (notice.clone(), outcome.clone());
            Box::pin(async move { logout_notices::finish(tx, &notice, &outcome).await })
        });
        recorded.await?;
        Ok(())
    }

    async fn send_notice(&self, notice: &ClaimedNotice, own: OwnRouter<'_>) -> Result<(), Refused> {
        let ClaimedNotice { session, client, issuer, user, .. } = notice;
        let found = self.catalogue().issuer_by_id(issuer).await.map_err(transient)?;
        let issuer = found.ok_or_else(|| permanent("the issuer no longer exists or is disabled"))?;
        let found = self.catalogue().client(&issuer.id, client).await.map_err(transient)?;
        let client = found.ok_or_else(|| permanent("the client no longer exists or is disabled"))?;
        let uri = address(&client)?;
        let request = logout_request(self, &issuer, &client, uri.as_str(), user, session).await;
        let request = request
            .map_err(|error| Refused::Transient(format!("an internal error ({})", error.reference())))?;
        let status = if self.is_own(&uri, &issuer) {
            ask_own(own(), request).await?
        } else {
            self.outbound().admits(&uri).map_err(|refusal| permanent(&refusal.to_string()))?;
            self.outbound().send(request, ANSWER).await.map_err(transient)?.status()
        };
        match status {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
            // §2.8: the token is invalid in the eyes of the client, or its logout failed.
            StatusCode::BAD_REQUEST => Err(permanent("the client answered with the status 400")),
            status => Err(Refused::Transient(format!("the client answered with the status {status}"))),
        }
    }

    /// Returns whether an address lies below the root issuer or the issuer of the session.
    fn is_own(&self, uri: &Url, issuer: &Issuer) -> bool {
        let below = |own: &str| {
            let own = Url::parse(own).ok().filter(|own| own.origin() == uri.origin());
            let rest = own.as_ref().and_then(|own| uri.path().strip_prefix(own.path().trim_end_matches('/')));
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        below(self.settings().issuer.as_str()) || below(issuer.url.as_str())
    }
}

fn address(client: &Client) -> Result<Url, Refused> {
    let uri = client.metadata.backchannel_logout_uri.as_deref();
    let uri = uri.ok_or_else(|| permanent("the client has no backchannel_logout_uri any more"))?;
    Url::parse(uri).map_err(|error| permanent(&error.to_string()))
}

/// Sends the request through our own router.
async fn ask_own(own: Router, request: Request<Vec<u8>>) -> Result<StatusCode, Refused> {
    let answer = own.oneshot(request.map(Body::from));
    let answer = tokio::time::timeout(OWN_DEADLINE, answer).await.map_err(transient)?;
    let Ok(answer) = answer;
    Ok(answer.status())
}

fn transient(error: impl std::fmt::Display) -> Refused {
    Refused::Transient(error.to_string())
}

fn permanent(reason: &str) -> Refused {
    Refused::Permanent(reason.to_owned())
}

/// What follows from a try that failed.
fn outcome(tries: i64, refused: Refused, now: Time) -> NoticeOutcome {
    let reason = match refused {
        Refused::Permanent(reason) => return NoticeOutcome::Failed(reason),
        Refused::Transient(reason) => reason,
    };
    if tries >= TRIES {
        return NoticeOutcome::Failed(reason);
    }
    let before = usize::try_from(tries - 1).unwrap_or_default();
    let pause = PAUSES.get(before).copied().unwrap_or(3600);
    NoticeOutcome::Retry(now.plus(Duration::from_secs(pause)), reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let now = Time::from_unix(1_800_000_000);
        let refused = || Refused::Transient("down".to_owned());
        for (tries, pause) in [(1, 5), (2, 30), (3, 120), (4, 600), (5, 1800), (6, 3600), (27, 3600)] {
            let retry = NoticeOutcome::Retry(now.plus(Duration::from_secs(pause)), "down".to_owned());
            assert_eq!(outcome(tries, refused(), now), retry, "{tries}");
        }
        assert_eq!(outcome(28, refused(), now), NoticeOutcome::Failed("down".to_owned()));
        let refused = Refused::Permanent("400".to_owned());
        assert_eq!(outcome(1, refused, now), NoticeOutcome::Failed("400".to_owned()));
    }
}
