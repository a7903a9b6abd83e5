//! Two nodes over one store, and nothing that ties a browser or a client to either of them.
//!
//! `tests/run` runs these on PostgreSQL too, which is where several nodes are meant to be.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use vestibule::domain::client::SigningAlgorithm;
use vestibule::domain::ids::IssuerId;
use vestibule::testing::{Answer, Application, TestIdp};
use vestibule::{Rotated, Rotation};

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
    grant_types = ["authorization_code", "refresh_token"]
"#;

const FIELDS: [(&str, &str); 3] =
    [("tenant", "one.test"), ("username", "anna"), ("password", "correct horse battery staple")];

struct Nodes {
    one: TestIdp,
    two: TestIdp,
    shop_at_one: Application,
    shop_at_two: Application,
}

impl Nodes {
    async fn new() -> Self {
        let one = TestIdp::with(WORLD).await;
        let two = one.node().await;
        let shop = |node: &TestIdp| node.application("shop", "https://shop.test/callback");
        let (shop_at_one, shop_at_two) = (shop(&one), shop(&two));
        Self { one, two, shop_at_one, shop_at_two }
    }

    /// The answer to a login that one node began and the other finished.
    async fn signed_in(&self) -> Answer {
        let mut browser = self.one.browser();
        let page = browser.get(&self.shop_at_one.authorization_url("openid offline_access")).await;
        let mut elsewhere = browser.moved_to(self.two.router());
        elsewhere.submit(&page, &FIELDS).await
    }
}

async fn refresh(shop: &Application, token: &Value) -> Answer {
    let token = token.as_str().expect("a refresh token");
    shop.token_with(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

#[tokio::test]
async fn what_begins_at_one_goes_on_at_the_other() {
    let nodes = Nodes::new().await;
    let answer = nodes.signed_in().await;
    let tokens = nodes.shop_at_one.redeem(&answer).await;
    assert_eq!(nodes.shop_at_two.userinfo(&tokens.access_token).await.status, 200);
    let first = &tokens.response["refresh_token"];
    let second = refresh(&nodes.shop_at_one, first).await.json();
    assert_eq!(
        refresh(&nodes.shop_at_two, first).await.json()["refresh_token"],
        second["refresh_token"],
        "the grace holds across nodes"
    );
    let revoked = nodes.shop_at_two.revoke(second["refresh_token"].as_str().unwrap()).await;
    assert_eq!(revoked.status, 200);
    assert_eq!(refresh(&nodes.shop_at_one, &second["refresh_token"]).await.status, 400);
    let access = second["access_token"].as_str().unwrap();
    assert_eq!(nodes.shop_at_one.userinfo(access).await.status, 401);
}

#[tokio::test]
async fn a_code_that_both_nodes_get_at_once_is_redeemed_once() {
    let nodes = Nodes::new().await;
    let code = nodes.signed_in().await.parameter("code").unwrap();
    let shops = [&nodes.shop_at_one, &nodes.shop_at_two];
    let answers = join_all((0..16).map(|number| shops[number % 2].token(&code))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[tokio::test]
async fn both_nodes_give_the_same_successor() {
    let nodes = Nodes::new().await;
    let tokens = nodes.shop_at_one.redeem(&nodes.signed_in().await).await;
    let first = &tokens.response["refresh_token"];
    let shops = [&nodes.shop_at_one, &nodes.shop_at_two];
    let answers = join_all((0..16).map(|number| refresh(shops[number % 2], first))).await;
    let mut successors: Vec<Value> =
        answers.iter().map(|answer| answer.json()["refresh_token"].take()).collect();
    successors.dedup();
    assert!(successors.len() == 1 && successors[0].is_string(), "{successors:?}");
}

#[tokio::test]
async fn a_change_at_one_acts_at_the_other_after_its_next_look() {
    let nodes = Nodes::new().await;
    let tokens = nodes.shop_at_two.redeem(&nodes.signed_in().await).await;
    nodes.one.idp().apply("[[clients]]\nclient_id = \"shop\"\ndisabled = true").await.unwrap();
    nodes.one.clock().advance(Duration::from_secs(1));
    let refused = refresh(&nodes.shop_at_two, &tokens.response["refresh_token"]).await;
    assert_eq!(refused.json()["error"], "invalid_client");
}

#[tokio::test]
async fn a_key_made_at_one_is_published_by_the_other_before_it_signs() {
    let nodes = Nodes::new().await;
    nodes.shop_at_one.redeem(&nodes.signed_in().await).await;
    let root = IssuerId::root();
    let rotated = nodes.one.idp().rotate_key(&root, SigningAlgorithm::Rs256, Rotation::Gentle).await;
    let Ok(Rotated::Key(next)) = rotated else { panic!("no new key: {rotated:?}") };
    nodes.one.clock().advance(Duration::from_secs(1));
    let set = nodes.two.browser().get(&format!("{}/jwks", TestIdp::ISSUER)).await.json();
    let kids: Vec<&str> = set["keys"].as_array().unwrap().iter().filter_map(|k| k["kid"].as_str()).collect();
    assert!(kids.contains(&next.id.as_str()), "{kids:?}");
    nodes.one.clock().advance(nodes.one.idp().settings().key_lead());
    let tokens = nodes.shop_at_one.redeem(&nodes.signed_in().await).await;
    assert_eq!(nodes.shop_at_two.userinfo(&tokens.access_token).await.status, 200);
}

#[tokio::test]
async fn a_request_pushed_at_one_begins_a_login_at_the_other() {
    let nodes = Nodes::new().await;
    let url = nodes.shop_at_one.pushed_url("openid offline_access", &[]).await;
    let mut browser = nodes.two.browser();
    let page = browser.get(&url).await;
    let mut elsewhere = browser.moved_to(nodes.one.router());
    assert_eq!(elsewhere.get(&url).await.url, page.url, "a reload finds the login wherever it lands");
    let back = elsewhere.submit(&page, &FIELDS).await;
    nodes.shop_at_two.redeem(&back).await;
    let gone = nodes.two.browser().get(&url).await;
    assert_eq!(gone.status, 400, "{}", gone.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_request_that_both_nodes_get_at_once_begins_one_login() {
    let nodes = Nodes::new().await;
    let url = nodes.shop_at_one.pushed_url("openid", &[]).await;
    let come = async |number: usize| [&nodes.one, &nodes.two][number % 2].browser().get(&url).await;
    let pages = join_all((0..32).map(come)).await;
    assert_eq!(pages.iter().filter(|page| page.step() == Some("identify")).count(), 1);
    assert_eq!(pages.iter().filter(|page| page.status == 400).count(), 31);
}
