//! Sign-in, sign-out, and the rows between.

use std::time::Duration;

use super::{log_in, portal, response, session, sign_in, world};
use crate::crypto::secret;
use crate::domain::ids::ClientId;
use crate::ext::Clock;
use crate::rp::RpError;
use crate::storage::rp_sessions;
use crate::testing::TestIdp;

#[tokio::test]
async fn a_user_signs_in_and_out() {
    let idp = world().await;
    let (portal, mut browser) = (portal(&idp), idp.browser());
    let (url, first) = portal.begin_sign_in(None).await.unwrap();
    assert!(session(&portal, &first).await.is_none(), "nobody has signed in yet");
    let back = log_in(&mut browser, &url, "anna").await;
    let cookie = portal.complete_sign_in(Some(&first), &response(&back)).await.unwrap();
    assert_ne!(cookie, first, "a new cookie with the sign-in");
    assert!(session(&portal, &first).await.is_none(), "the old cookie is worth nothing");
    let signed_in = session(&portal, &cookie).await.unwrap();
    assert_eq!(signed_in.tokens().userinfo["name"], "Anna Example");
    assert_eq!(signed_in.tokens().userinfo["sub"], signed_in.subject().as_str());

    let (url, leaving) = signed_in.begin_sign_out().await.unwrap();
    assert!(session(&portal, &cookie).await.is_none() && session(&portal, &leaving).await.is_none());
    let left = browser.get(url.as_str()).await;
    assert!(
        left.url.as_str().starts_with("https://portal.test/signed-out?state="),
        "{} {}",
        left.url,
        left.body
    );
    let state = left.parameter("state");
    let other = portal.complete_sign_out(Some(&leaving), Some("other")).await;
    assert!(matches!(other, Err(RpError::Refused(_))), "{other:?}");
    portal.complete_sign_out(Some(&leaving), state.as_deref()).await.unwrap();
    let again = portal.complete_sign_out(Some(&leaving), state.as_deref()).await;
    assert!(matches!(again, Err(RpError::Refused(_))), "{again:?}");
}

#[tokio::test]
async fn the_row_tells_neither_the_cookie_nor_a_token() {
    let idp = world().await;
    let portal = portal(&idp);
    let cookie = sign_in(&portal, &mut idp.browser(), "anna").await;
    let (client, hash, now) = (ClientId::new("portal"), secret::hash(&cookie), idp.clock().now());
    let mut reader = idp.idp().db().read();
    let row = rp_sessions::by_cookie(&mut reader.tx(), TestIdp::ISSUER, &client, &hash, now).await;
    let row = row.unwrap().unwrap();
    let tokens = session(&portal, &cookie).await.unwrap().tokens;
    assert_ne!(row.cookie.as_str(), cookie);
    assert!(row.sealed.starts_with("v1.") && row.sid.is_some());
    for secret in [&tokens.access_token, &tokens.id_token, tokens.refresh_token.as_ref().unwrap()] {
        assert!(!row.sealed.contains(secret));
    }
}

#[tokio::test]
async fn a_response_counts_once_and_in_its_own_browser() {
    let idp = world().await;
    let portal = portal(&idp);
    let (url, cookie) = portal.begin_sign_in(None).await.unwrap();
    let (_, other) = portal.begin_sign_in(None).await.unwrap();
    let back = log_in(&mut idp.browser(), &url, "anna").await;
    for cookie in [None, Some(other.as_str()), Some("unknown")] {
        let refused = portal.complete_sign_in(cookie, &response(&back)).await;
        assert!(matches!(&refused, Err(RpError::Refused(why)) if why.contains("(state)")), "{refused:?}");
    }
    let answer = response(&back);
    let (one, two) = tokio::join!(
        portal.complete_sign_in(Some(&cookie), &answer),
        portal.complete_sign_in(Some(&cookie), &answer)
    );
    assert_eq!([&one, &two].iter().filter(|outcome| outcome.is_ok()).count(), 1, "{one:?} {two:?}");
}

#[tokio::test]
async fn a_response_of_another_provider_is_refused() {
    let idp = world().await;
    let portal = portal(&idp);
    for (name, value) in [("iss", "https://evil.test"), ("error", "access_denied"), ("code", "other")] {
        let (url, cookie) = portal.begin_sign_in(None).await.unwrap();
        let mut back = log_in(&mut idp.browser(), &url, "anna").await;
        let mut pairs: Vec<_> = back.query_pairs().into_owned().collect();
        pairs.retain(|(key, _)| key != name);
        pairs.push((name.to_owned(), value.to_owned()));
        back.query_pairs_mut().clear().extend_pairs(pairs);
        let refused = portal.complete_sign_in(Some(&cookie), &response(&back)).await;
        assert!(matches!(refused, Err(RpError::Refused(_))), "{name}: {refused:?}");
        assert!(session(&portal, &cookie).await.is_none());
    }
}

#[tokio::test]
async fn several_tabs_may_be_on_their_way() {
    let idp = world().await;
    let (portal, mut browser) = (portal(&idp), idp.browser());
    let (first, cookie) = portal.begin_sign_in(None).await.unwrap();
    let (second, same) = portal.begin_sign_in(Some(&cookie)).await.unwrap();
    assert_eq!(cookie, same);
    let back = log_in(&mut browser, &first, "anna").await;
    let cookie = portal.complete_sign_in(Some(&cookie), &response(&back)).await.unwrap();
    let back = log_in(&mut browser, &second, "anna").await;
    let cookie = portal.complete_sign_in(Some(&cookie), &response(&back)).await.unwrap();
    assert!(session(&portal, &cookie).await.is_some());
}

#[tokio::test]
async fn a_session_ends_in_its_time_and_at_every_node() {
    let idp = world().await;
    let here = portal(&idp);
    let node = idp.node().await;
    let there = portal(&node);
    let cookie = sign_in(&here, &mut idp.browser(), "anna").await;
    let found = session(&there, &cookie).await.unwrap();
    let (_, leaving) = found.begin_sign_out().await.unwrap();
    assert!(session(&here, &cookie).await.is_none(), "ended at the other node");
    assert!(session(&here, &leaving).await.is_none());

    let cookie = sign_in(&here, &mut idp.browser(), "anna").await;
    idp.clock().advance(Duration::from_hours(8) - Duration::from_secs(1));
    assert!(session(&there, &cookie).await.is_some());
    idp.clock().advance(Duration::from_secs(1));
    assert!(session(&there, &cookie).await.is_none(), "the lifetime is over");
}
