//! The access token of a session: refreshed, ended, and used for calls.

use std::time::Duration;

use super::{party, portal, session, sign_in, world};
use crate::rp::{RpError, SessionApplication};

#[tokio::test]
async fn an_expired_access_token_is_refreshed_once_for_all_who_need_it() {
    let idp = world().await;
    let here = portal(&idp);
    let node = idp.node().await;
    let there = portal(&node);
    let cookie = sign_in(&here, &mut idp.browser(), "anna").await;
    let (one, two) = (session(&here, &cookie).await.unwrap(), session(&there, &cookie).await.unwrap());
    let first = one.access_token().await.unwrap();
    assert_eq!(first, one.tokens().access_token, "valid still");
    idp.clock().advance(Duration::from_mins(10));
    let (a, b, c) = tokio::join!(one.access_token(), two.access_token(), one.access_token());
    let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
    assert!(a != first && a == b && b == c);
    // A refresh token that was used twice would have revoked everything.
    idp.clock().advance(Duration::from_mins(10));
    assert_ne!(one.access_token().await.unwrap(), a);
    assert_eq!(one.account_sessions().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_ends_when_the_provider_refreshes_no_more() {
    let idp = world().await;
    let portal = portal(&idp);
    let mut browser = idp.browser();
    let (kept, lost) =
        (sign_in(&portal, &mut browser, "anna").await, sign_in(&portal, &mut idp.browser(), "anna").await);
    let kept_session = session(&portal, &kept).await.unwrap();
    assert_eq!(kept_session.end_other_account_sessions().await.unwrap(), 1);
    idp.clock().advance(Duration::from_mins(10));
    let ended = session(&portal, &lost).await.unwrap().access_token().await;
    assert!(matches!(ended, Err(RpError::Ended)), "{ended:?}");
    assert!(session(&portal, &lost).await.is_none(), "the row is gone");
    kept_session.access_token().await.unwrap();
}

#[tokio::test]
async fn the_users_sessions_are_listed_and_ended() {
    let idp = world().await;
    let portal = portal(&idp);
    let mut desk = idp.browser();
    let cookie = sign_in(&portal, &mut desk, "anna").await;
    sign_in(&portal, &mut idp.browser(), "anna").await;
    sign_in(&portal, &mut idp.browser(), "ben").await;
    let anna = session(&portal, &cookie).await.unwrap();
    let listed = anna.account_sessions().await.unwrap();
    assert_eq!(listed.iter().map(|session| session.current).filter(|current| *current).count(), 1);
    let [other] = listed.iter().filter(|session| !session.current).collect::<Vec<_>>()[..] else {
        panic!("{listed:?}")
    };
    let application = SessionApplication { client_id: "portal".to_owned(), client_name: "Portal".to_owned() };
    assert_eq!(other.applications, [application]);
    anna.end_account_session(&other.id).await.unwrap();
    let again = anna.end_account_session(&other.id).await;
    assert!(
        matches!(&again, Err(RpError::Api { status: 404, kind }) if kind.starts_with("urn:")),
        "{again:?}"
    );
    assert_eq!(anna.account_sessions().await.unwrap().len(), 1);
    assert_eq!(anna.end_other_account_sessions().await.unwrap(), 0);
}

#[tokio::test]
async fn a_call_without_the_scope_is_refused() {
    let idp = world().await;
    let office = party(&idp, "office", "another-secret-of-at-least-32-characters", &[]);
    let cookie = sign_in(&office, &mut idp.browser(), "anna").await;
    let anna = session(&office, &cookie).await.unwrap();
    let refused = anna.account_sessions().await;
    assert!(matches!(refused, Err(RpError::Api { status: 403, .. })), "{refused:?}");
    // It has no refresh token: its tokens end, and with them its session.
    idp.clock().advance(Duration::from_hours(1));
    assert!(matches!(anna.access_token().await, Err(RpError::Ended)));
}
