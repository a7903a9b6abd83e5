//! Name and password.

use super::{DOMAIN, PASSWORD, house, open, sign_in};

#[tokio::test]
async fn a_user_signs_in_and_the_application_gets_a_code() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = browser.get(&shop.authorization_url("openid profile")).await;
    assert_eq!(page.step(), Some("identify"), "{} {}", page.status, page.body);
    let back = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    let tokens = shop.redeem(&back).await;
    assert_eq!(tokens.id_token["tenant"], DOMAIN);
    assert_eq!(tokens.id_token["acr"], "urn:vestibule:acr:1fa");
    let again = open(&mut browser, &shop, &[]).await;
    assert_eq!(shop.redeem(&again).await.id_token["sub"], tokens.id_token["sub"]);
}
