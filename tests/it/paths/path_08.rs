//! Path 8: a linked administrator, the duty has begun, the upstream provider vouches for one factor. Blocked, with the way
//! to the provider, and no mail.

use axum::http::StatusCode;

use crate::support::network;
use crate::upstream::{ALWAYS, World};

#[tokio::test]
async fn a_linked_administrator_without_a_second_factor_is_sent_to_the_reseller_portal() {
    let world = World::new(ALWAYS).await;
    let mut browser = network::browser();
    let page = world.open(&mut browser, &[]).await;
    assert!(page.body.contains("Login with North Systems account"), "{}", page.body);
    let there = world.depart(&mut browser, &page).await;
    let blocked = world.vouch(&mut browser, &there, "nick").await;
    assert_eq!(
        (blocked.step(), blocked.status),
        (Some("upstream_proof"), StatusCode::FORBIDDEN),
        "{}",
        blocked.url
    );
    assert!(blocked.body.contains("Activate it in the reseller portal"), "{}", blocked.body);
    assert!(blocked.body.contains("https://portal.north.test/2fa"), "{}", blocked.body);
    assert!(world.idp.mailbox().await.is_empty(), "no mail");
    let silent = world.open(&mut browser, &[("prompt", "none")]).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("login_required"), "and no session");
    // Without the second factor, once more is no way in; and no step of an enrolment here is.
    let there = world.depart(&mut browser, &blocked).await;
    let still = world.vouch(&mut browser, &there, "nick").await;
    assert_eq!(still.step(), Some("upstream_proof"), "{}", still.url);
    for step in ["enrol", "choose_method", "second_factor", "recovery", "notice"] {
        let page = browser.get(&still.url.as_str().replace("upstream_proof", step)).await;
        assert_eq!(page.step(), Some("upstream_proof"), "{step}");
    }
    let back = browser.submit(&still, &[("cancel", "yes")]).await;
    assert_eq!(back.parameter("error").as_deref(), Some("access_denied"), "{}", back.url);
}
