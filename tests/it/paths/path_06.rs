//! Path 6: an administrator without a second factor, one second before the duty begins.

use serde_json::json;

use crate::login::enter;
use crate::recovery::activation::{before_the_date, works};

#[tokio::test]
async fn a_second_before_the_date_the_client_is_reached_and_the_banner_was_shown() {
    for activation in ["inline", "mail"] {
        let (idp, shop) = works(activation).await;
        idp.clock().advance(before_the_date());
        let mut browser = idp.browser();
        let banner = enter(&mut browser, &shop, "anna").await;
        assert_eq!(banner.step(), Some("notice"), "{activation}: {}", banner.body);
        assert!(banner.body.contains("2 March 2026"), "{}", banner.body);
        let back = browser.submit(&banner, &[("skip", "yes")]).await;
        let tokens = shop.redeem(&back).await;
        assert_eq!(tokens.id_token["acr"], "urn:vestibule:acr:1fa", "{activation}");
        assert_eq!(tokens.id_token["amr"], json!(["pwd"]));
        let bert = enter(&mut idp.browser(), &shop, "bert").await;
        assert!(bert.parameter("code").is_some(), "who is no administrator sees none");
    }
}
