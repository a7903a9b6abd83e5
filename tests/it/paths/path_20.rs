//! Path 20: two tabs, and the second is finished first. What is sent from the first is led to its application, for who is
//! signed in by then: no second login, no error page.

use super::{PageRequest, Shop, identify, provider, told};
use crate::login::HOUSE;

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(HOUSE).await;
    let shop = Shop::of(&idp).await;
    shop.send(visitor, &[]).await;
    assert_eq!(visitor.step().await, "identify");
    visitor.tab(1).await;
    shop.sign_in(visitor, "bert").await;
    let second = shop.id_token(visitor).await;
    visitor.tab(0).await;
    // Whatever is typed there: it is not looked at.
    identify(visitor, "bert", "wrong").await;
    let first = shop.id_token(visitor).await;
    assert_eq!((&first["sub"], &first["sid"]), (&second["sub"], &second["sid"]));
    assert_eq!(first["auth_time"], second["auth_time"]);
}
