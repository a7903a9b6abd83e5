//! The life of signing keys: published before they sign, gone when nothing they signed is alive.

use std::time::Duration;

use serde_json::Value;
use vestibule::domain::client::SigningAlgorithm;
use vestibule::domain::ids::IssuerId;
use vestibule::testing::{Application, Browser, TestIdp};
use vestibule::{KeyState, KeyStatus, Rotated, Rotation};

const WORLD: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "One"
    [[users]]
    tenant = "one.test"
    username = "anna"
    password = "correct horse battery staple"
    [[clients]]
    client_id = "shop"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://shop.test/callback"]
    post_logout_redirect_uris = ["https://shop.test/bye"]
"#;

/// Twice what `/jwks` lets clients keep.
const LEAD: u64 = 600;
/// The longest token and the difference of clocks.
const LINGER: u64 = 300 + 60;

struct House {
    idp: TestIdp,
    shop: Application,
    browser: Browser,
}

impl House {
    async fn new() -> Self {
        let idp = TestIdp::with(WORLD).await;
        let shop = idp.application("shop", "https://shop.test/callback");
        let browser = idp.browser();
        Self { idp, shop, browser }
    }

    fn wait(&self, seconds: u64) {
        self.idp.clock().advance(Duration::from_secs(seconds));
    }

    /// The `kid`s in the key set.
    async fn published(&self) -> Vec<String> {
        let answer = self.idp.browser().get(&format!("{}/jwks", TestIdp::ISSUER)).await;
        let keys = answer.json()["keys"].take();
        let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        keys.as_array().unwrap().iter().map(kid).collect()
    }

    /// The algorithms in the key set.
    async fn algorithms(&self) -> Vec<String> {
        let answer = self.idp.browser().get(&format!("{}/jwks", TestIdp::ISSUER)).await;
        let keys = answer.json()["keys"].take();
        let mut names: Vec<_> =
            keys.as_array().unwrap().iter().map(|key| key["alg"].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    }

    /// Lets the shop want its tokens signed with this, and housekeeping look at that.
    async fn sign_with(&self, algorithm: &str) {
        let shop =
            format!("[[clients]]\nclient_id = \"shop\"\nid_token_signed_response_alg = \"{algorithm}\"");
        self.idp.idp().apply(&shop).await.unwrap();
        self.idp.idp().tend_keys().await.unwrap();
    }

    /// Signs Anna in and gives the access token with the `kid` of its key.
    async fn token(&mut self) -> (String, String) {
        let page = self.browser.get(&self.shop.authorization_url("openid")).await;
        let answer = if page.url.path().contains("/login/") {
            let fields =
                [("tenant", "one.test"), ("username", "anna"), ("password", "correct horse battery staple")];
            self.browser.submit(&page, &fields).await
        } else {
            page
        };
        let token = self.shop.redeem(&answer).await.access_token;
        let kid = kid(&token);
        (token, kid)
    }

    async fn opens(&self, token: &str) -> bool {
        self.shop.userinfo(token).await.status == 200
    }

    async fn rotate(&self, rotation: Rotation) -> Rotated {
        let rotated = self.idp.idp().rotate_key(&IssuerId::root(), SigningAlgorithm::Rs256, rotation).await;
        rotated.unwrap()
    }

    async fn states(&self) -> Vec<(KeyState, bool)> {
        let keys = self.idp.idp().keys().await.unwrap();
        let own = |key: &&KeyStatus| key.algorithm == SigningAlgorithm::Rs256;
        keys.iter().filter(own).map(|key| (key.state, key.published)).collect()
    }
}

fn kid(jwt: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let header = URL_SAFE_NO_PAD.decode(jwt.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_stays_until_its_last_token_is_dead() {
    let mut house = House::new().await;
    let (_, old) = house.token().await;
    assert_eq!(house.published().await.len(), 2);
    let Rotated::Key(next) = house.rotate(Rotation::Gentle).await else { panic!("no new key") };
    assert_eq!(house.states().await, [(KeyState::Active, true), (KeyState::Next, true)]);
    assert!(house.published().await.contains(&next.id.to_string()));

    house.wait(LEAD - 1);
    let (last, signed_by) = house.token().await;
    assert_eq!(signed_by, old, "not before everybody can know it");
    house.wait(1);
    let (_, signed_by) = house.token().await;
    assert_eq!(signed_by, next.id.to_string());
    assert_eq!(house.states().await, [(KeyState::Retired, true), (KeyState::Active, true)]);
    assert!(house.opens(&last).await && house.published().await.contains(&old));

    house.wait(298);
    house.idp.idp().tend_keys().await.unwrap();
    assert!(house.opens(&last).await && house.published().await.contains(&old), "its last token lives");
    house.wait(LINGER - 298);
    house.idp.idp().tend_keys().await.unwrap();
    assert_eq!(house.states().await, [(KeyState::Retired, false), (KeyState::Active, true)]);
    assert!(!house.published().await.contains(&old));
}

/// A verifier that knows RSA and EC alone may stumble over other keys.
#[tokio::test]
async fn a_key_that_few_verifiers_know_is_published_while_a_client_uses_it() {
    let standard = ["ES256", "RS256"];
    let mut house = House::new().await;
    assert_eq!(house.algorithms().await, standard);
    for name in ["Ed25519", "EdDSA"] {
        house.sign_with(name).await;
        assert!(house.algorithms().await.contains(&name.to_owned()));
        let (token, first) = house.token().await;
        assert!(house.published().await.contains(&first));

        house.sign_with("RS256").await;
        assert!(
            house.published().await.contains(&first) && house.opens(&token).await,
            "its last token lives"
        );
        house.wait(LINGER - 61);
        house.sign_with(name).await;
        house.wait(61);
        house.sign_with(name).await;
        assert_eq!(house.token().await.1, first, "it was wanted again in time");

        house.sign_with("RS256").await;
        house.wait(LINGER);
        house.idp.idp().tend_keys().await.unwrap();
        assert_eq!(house.algorithms().await, standard);
        house.sign_with(name).await;
        let (token, second) = house.token().await;
        assert!(second != first && house.published().await.contains(&second) && house.opens(&token).await);
        house.sign_with("RS256").await;
        house.wait(LINGER);
        house.idp.idp().tend_keys().await.unwrap();
    }
    house.wait(90 * 24 * 3600);
    house.idp.idp().tend_keys().await.unwrap();
    let expected = ["ES256", "ES256", "RS256", "RS256"];
    assert_eq!(house.algorithms().await, expected, "what is unused is not rotated");
}

/// Each issuer's own clients decide, as far as they are enabled.
#[tokio::test]
async fn a_tenants_client_brings_no_key_to_the_root_issuer() {
    let house = House::new().await;
    let client = r#"
        [[clients]]
        tenant = "one.test"
        client_id = "desk"
        token_endpoint_auth_method = "none"
        redirect_uris = ["https://desk.test/callback"]
        userinfo_signed_response_alg = "Ed25519"
    "#;
    house.idp.idp().apply(client).await.unwrap();
    assert_eq!(house.algorithms().await, ["ES256", "RS256"]);
    let address = format!("{}/t/one.test/jwks", TestIdp::ISSUER);
    let answer = house.idp.browser().get(&address).await;
    assert_eq!((answer.json()["keys"].as_array().unwrap().len(), answer.body.matches("OKP").count()), (3, 1));
    let disabled = "[[clients]]\ntenant = \"one.test\"\nclient_id = \"desk\"\ndisabled = true";
    house.idp.idp().apply(disabled).await.unwrap();
    house.idp.idp().tend_keys().await.unwrap();
    house.wait(LINGER);
    house.idp.node().await.idp().tend_keys().await.unwrap();
    let answer = house.idp.browser().get(&address).await;
    assert_eq!(answer.json()["keys"].as_array().unwrap().len(), 2, "{}", answer.body);
}

#[tokio::test]
async fn a_next_key_is_not_overtaken() {
    let house = House::new().await;
    house.published().await;
    let Rotated::Key(first) = house.rotate(Rotation::Gentle).await else { panic!("no new key") };
    assert_eq!(house.rotate(Rotation::Gentle).await, Rotated::Waiting(first));
}

#[tokio::test]
async fn a_key_that_is_not_trusted_is_gone_with_all_that_it_signed() {
    let mut house = House::new().await;
    let (token, old) = house.token().await;
    assert!(house.opens(&token).await);
    house.rotate(Rotation::Now).await;
    assert!(!house.opens(&token).await);
    assert!(!house.published().await.contains(&old));
    let (fresh, signed_by) = house.token().await;
    assert!(house.opens(&fresh).await && signed_by != old);
    assert_eq!(house.states().await, [(KeyState::Active, true)]);
}

#[tokio::test]
async fn of_many_that_rotate_at_once_one_makes_the_key() {
    let house = House::new().await;
    house.published().await;
    let all = futures_util::future::join_all((0..8).map(|_| house.rotate(Rotation::Gentle))).await;
    let made = all.iter().filter(|rotated| matches!(rotated, Rotated::Key(_))).count();
    assert_eq!(made, 1, "{all:?}");
    assert_eq!(house.states().await.len(), 2);
}

#[tokio::test]
async fn housekeeping_rotates_what_is_due() {
    let house = House::new().await;
    house.published().await;
    house.wait(90 * 24 * 3600 - 1);
    house.idp.idp().tend_keys().await.unwrap();
    assert_eq!(house.states().await.len(), 1);
    house.wait(1);
    house.idp.idp().tend_keys().await.unwrap();
    house.idp.idp().tend_keys().await.unwrap();
    assert_eq!(house.states().await, [(KeyState::Active, true), (KeyState::Next, true)]);
    assert_eq!(house.published().await.len(), 4, "every algorithm has its next");
}

#[tokio::test]
async fn an_id_token_is_a_good_hint_after_its_key_has_left() {
    let mut house = House::new().await;
    let page = house.browser.get(&house.shop.authorization_url("openid")).await;
    let fields = [("tenant", "one.test"), ("username", "anna"), ("password", "correct horse battery staple")];
    let answer = house.browser.submit(&page, &fields).await;
    let id_token = house.shop.redeem(&answer).await.response["id_token"].as_str().unwrap().to_owned();
    house.rotate(Rotation::Gentle).await;
    house.wait(LEAD + LINGER);
    house.idp.idp().tend_keys().await.unwrap();
    assert_eq!(house.published().await.len(), 2);
    let hint = [("prompt", "none"), ("id_token_hint", id_token.as_str())];
    let answer = house.browser.get(&house.shop.authorization_url_with("openid", &hint)).await;
    assert!(answer.parameter("code").is_some(), "{}", answer.url);
}
