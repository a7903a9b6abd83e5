//! Path 8: a linked administrator, the duty has begun, the upstream provider vouches for one factor. Blocked, with the way
//! to the provider, and no mail.

use super::{PageRequest, Shop, told};
use crate::upstream::{ALWAYS, World};

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let world = World::new(ALWAYS).await;
    let shop = Shop::of(&world.idp).await;
    shop.send(visitor, &[]).await;
    assert!(visitor.text().await.contains("Login with North Systems account"), "{}", visitor.text().await);
    visitor.follow("/with/").await;
    world.present(visitor, "nick").await;
    assert_eq!(visitor.step().await, "upstream_proof");
    let text = visitor.text().await;
    assert!(text.contains("Activate it in the reseller portal"), "{text}");
    assert!(world.idp.mailbox().await.is_empty(), "no mail");
    let blocked = visitor.address().await;
    shop.send(visitor, &[("prompt", "none")]).await;
    assert_eq!(shop.error(visitor).await.as_deref(), Some("login_required"), "and no session");

    // Without the second factor, once more is no way in; and no step of an enrolment here is.
    visitor.open(&blocked).await;
    visitor.submit(&[]).await;
    world.present(visitor, "nick").await;
    assert_eq!(visitor.step().await, "upstream_proof");
    for step in ["enrol", "choose_method", "second_factor", "recovery", "notice"] {
        visitor.open(&blocked.replace("upstream_proof", step)).await;
        assert_eq!(visitor.step().await, "upstream_proof", "{step}");
    }
    visitor.submit(&[("cancel", "yes")]).await;
    assert_eq!(shop.error(visitor).await.as_deref(), Some("access_denied"));
}
