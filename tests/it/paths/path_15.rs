//! Path 15: a hardware authenticator whose clock is six hours slow, where users may find it again by two codes.

use std::time::Duration;

use vestibule::ext::Clock;
use vestibule::testing::totp;

use super::shop::TWO;
use super::{PageRequest, Shop, house, provider, told};
use crate::login::{DOMAIN, SECRET};

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(&house("resync = true")).await;
    let shop = Shop::of(&idp).await;
    let device = format!(
        "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\n[[users.authenticators]]\nkind = \"totp\"\nsecret = \"{SECRET}\"\nserial = \"T-1\""
    );
    idp.idp().apply(&device).await.unwrap();
    let slow = |seconds: u64| totp(SECRET, idp.clock().now().minus(Duration::from_secs(6 * 3600 + seconds)));

    shop.sign_in(visitor, "bert").await;
    assert_eq!(visitor.step().await, "second_factor");
    assert!(visitor.text().await.contains("Enter the code from your device."), "{}", visitor.text().await);
    let otp = visitor.address().await;
    visitor.open(&otp.replace("second_factor", "resync")).await;
    assert_eq!(visitor.step().await, "second_factor", "not before a code was wrong");
    visitor.submit(&[("code", &slow(0))]).await;
    visitor.follow("/resync").await;
    assert_eq!(visitor.step().await, "resync");
    visitor.look("15-resync").await;
    visitor.submit(&[("code", &slow(0)), ("next_code", &slow(0))]).await;
    assert!(visitor.text().await.contains("The codes were not accepted."), "{}", visitor.text().await);
    let (first, second) = (slow(30), slow(0));
    visitor.submit(&[("code", &first), ("next_code", &second)]).await;
    assert_eq!(shop.id_token(visitor).await["acr"], TWO, "in, by these two codes");

    visitor.elsewhere().await;
    shop.sign_in(visitor, "bert").await;
    for used in [&first, &second] {
        visitor.submit(&[("code", used)]).await;
        assert_eq!(visitor.step().await, "second_factor", "both are used up");
    }
    for later in [Duration::from_secs(30), Duration::from_hours(1)] {
        idp.clock().advance(later);
        visitor.elsewhere().await;
        shop.sign_in(visitor, "bert").await;
        visitor.submit(&[("code", &slow(0))]).await;
        assert_eq!(shop.id_token(visitor).await["acr"], TWO, "the device is known to be slow, for good");
    }
}
