//! OpenID Connect Back-Channel Logout 1.0: every way out of a session tells each of its clients once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use futures_util::future::join_all;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value, json};
use vestibule::domain::ids::SessionId;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::message::Delivery;
use vestibule::domain::outbound::AllowedHost;
use vestibule::domain::settings::Settings;
use vestibule::testing::{Answer, Application, Browser, TestIdp};

use crate::account::{PORTAL, SESSIONS};
use crate::login::{DOMAIN, HOUSE, PASSWORD, enter, open, sign_in};
use crate::support::{listen, serve};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A client that hears of logouts, and answers as it is told.
#[derive(Clone)]
pub(crate) struct Receiver(Arc<Mutex<Inbox>>);

struct Inbox {
    status: StatusCode,
    posts: Vec<Post>,
}

#[derive(Clone, Debug)]
pub(crate) struct Post {
    path: String,
    content_type: String,
    fields: Vec<(String, String)>,
}

impl Post {
    fn token(&self) -> &str {
        let [(name, token)] = self.fields.as_slice() else { panic!("{:?}", self.fields) };
        assert_eq!(
            (name.as_str(), self.content_type.as_str()),
            ("logout_token", "application/x-www-form-urlencoded")
        );
        token
    }

    /// The claims of the token, whose signature is checked with the issuer's published keys.
    async fn claims(&self, idp: &TestIdp, client: &str) -> Map<String, Value> {
        let jwks = idp.browser().get(&format!("{}/jwks", TestIdp::ISSUER)).await;
        let jwks: JwkSet = serde_json::from_str(&jwks.body).unwrap();
        let header = decode_header(self.token()).unwrap();
        assert_eq!(header.typ.as_deref(), Some("logout+jwt"));
        let key = DecodingKey::from_jwk(jwks.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut validation = Validation::new(header.alg);
        validation.validate_exp = false;
        validation.set_audience(&[client]);
        validation.set_issuer(&[TestIdp::ISSUER]);
        decode::<Map<String, Value>>(self.token(), &key, &validation).unwrap().claims
    }
}

impl Receiver {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Inbox { status: StatusCode::OK, posts: Vec::new() })))
    }

    pub(crate) fn router(&self) -> Router {
        let inbox = self.0.clone();
        let heard = async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            assert_eq!(method, Method::POST);
            let fields = url::form_urlencoded::parse(&body).into_owned().collect();
            let content_type = headers["content-type"].to_str().unwrap().to_owned();
            let mut inbox = inbox.lock().unwrap();
            inbox.posts.push(Post { path: uri.path().to_owned(), content_type, fields });
            (inbox.status, [("location", "/elsewhere")]).into_response()
        };
        Router::new().fallback(heard)
    }

    fn answers(&self, status: StatusCode) {
        self.0.lock().unwrap().status = status;
    }

    /// What was posted since the last time, by path.
    pub(crate) fn taken(&self) -> Vec<Post> {
        let mut posts = std::mem::take(&mut self.0.lock().unwrap().posts);
        posts.sort_by(|one, other| one.path.cmp(&other.path));
        posts
    }

    fn paths(&self) -> Vec<String> {
        self.taken().into_iter().map(|post| post.path).collect()
    }
}

/// A provider whose clients `shop` and `clinic` hear of logouts at a loopback port; `desk` and `careful` do not.
struct World {
    idp: TestIdp,
    shop: Application,
    receiver: Receiver,
    address: String,
}

impl World {
    async fn new() -> Self {
        let (listener, address) = listen().await;
        let receiver = Receiver::new();
        serve(listener, receiver.router());
        let mut settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
        settings.outbound.allow = vec![AllowedHost::parse("127.0.0.1").unwrap()];
        let idp = TestIdp::with_settings(settings, HOUSE).await;
        let clinic = "[[clients]]\nclient_id = \"clinic\"\ntoken_endpoint_auth_method = \"none\"\n\
                      redirect_uris = [\"https://clinic.test/callback\"]\nsubject_type = \"pairwise\"\n\
                      id_token_signed_response_alg = \"ES256\"\n";
        idp.idp().apply(clinic).await.unwrap();
        let world =
            Self { shop: idp.application("shop", "https://shop.test/callback"), idp, receiver, address };
        for client in ["shop", "clinic"] {
            world.hears(client, &format!("{}/{client}", world.address)).await;
        }
        world
    }

    async fn hears(&self, client: &str, uri: &str) {
        let document = format!("[[clients]]\nclient_id = \"{client}\"\nbackchannel_logout_uri = \"{uri}\"\n");
        self.idp.idp().apply(&document).await.unwrap();
    }

    fn application(&self, client: &str) -> Application {
        self.idp.application(client, &format!("https://{client}.test/callback"))
    }

    /// Bert's browser, signed in at the shop, and the session's id.
    async fn signed_in(&self) -> (Browser, SessionId, String) {
        let mut browser = self.idp.browser();
        let back = enter(&mut browser, &self.shop, "bert").await;
        let tokens = self.shop.redeem(&back).await;
        let hint = tokens.response["id_token"].as_str().unwrap().to_owned();
        (browser, SessionId::new(tokens.id_token["sid"].as_str().unwrap()), hint)
    }

    async fn sent(&self) -> Vec<String> {
        self.idp.send_logout_tokens().await;
        self.receiver.paths()
    }

    async fn state(&self, session: &SessionId) -> (Delivery, i64) {
        let notices = self.idp.idp().logout_notices(session).await.unwrap();
        let [notice] = notices.as_slice() else { panic!("{notices:?}") };
        (notice.delivery.clone(), notice.tries)
    }
}

fn logout(hint: &str) -> String {
    format!("{}/logout?id_token_hint={hint}", TestIdp::ISSUER)
}

async fn sign_out(browser: &mut Browser, hint: &str) {
    assert_eq!(browser.get(&logout(hint)).await.step(), Some("signed_out"));
}

#[tokio::test]
async fn each_client_of_the_session_gets_one_token() {
    let world = World::new().await;
    let (mut browser, session, hint) = world.signed_in().await;
    let clinic = world.application("clinic");
    let pairwise = clinic.redeem(&open(&mut browser, &clinic, &[]).await).await.id_token;
    let back = open(&mut browser, &world.application("careful"), &[]).await;
    let back = browser.submit(&back, &[("allow", "yes")]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
    assert_eq!(world.sent().await, [] as [String; 0], "nothing has ended");

    sign_out(&mut browser, &hint).await;
    world.idp.send_logout_tokens().await;
    let posts = world.receiver.taken();
    assert_eq!(posts.iter().map(|post| post.path.as_str()).collect::<Vec<_>>(), ["/clinic", "/shop"]);
    let now = world.idp.idp().now().unix();
    let bert = claims_of(&hint);
    for (post, client, sub, sid) in [
        (&posts[1], "shop", &bert["sub"], &bert["sid"]),
        (&posts[0], "clinic", &pairwise["sub"], &pairwise["sid"]),
    ] {
        let mut claims = post.claims(&world.idp, client).await;
        assert!(claims.remove("jti").is_some_and(|jti| jti.as_str().unwrap().len() == 36));
        let expected = json!({
            "iss": TestIdp::ISSUER, "aud": client, "iat": now, "exp": now + 120,
            "sub": sub, "sid": sid, "events": { EVENT: {} },
        });
        assert_eq!(Value::Object(claims), expected);
    }
    let notices = world.idp.idp().logout_notices(&session).await.unwrap();
    let told: Vec<_> = notices.iter().map(|notice| (notice.client.as_str(), &notice.delivery)).collect();
    assert_eq!(told, [("clinic", &Delivery::Sent), ("shop", &Delivery::Sent)]);
    sign_out(&mut browser, &hint).await;
    assert_eq!(world.sent().await, [] as [String; 0], "it ended once");
}

#[tokio::test]
async fn the_account_api_tells_them_too() {
    let world = World::new().await;
    world.idp.idp().apply(PORTAL).await.unwrap();
    world.hears("portal", &format!("{}/portal", world.address)).await;
    let portal = world.application("portal");
    let (mut others, session, _) = world.signed_in().await;
    let mut browser = world.idp.browser();
    let page = browser.get(&portal.authorization_url("openid account:sessions")).await;
    let back = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    let tokens = portal.redeem(&back).await;
    let call = async |method: Method, path: String| -> Answer {
        let bearer = format!("Bearer {}", tokens.access_token);
        let url = format!("{}{path}", TestIdp::ISSUER);
        world.idp.browser().send(method, &url, &[("authorization", &bearer)], None).await
    };
    let ended = call(Method::DELETE, format!("{SESSIONS}/{session}")).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert_eq!(world.sent().await, ["/shop"]);
    let again = enter(&mut others, &world.shop, "bert").await;
    assert!(again.parameter("code").is_some());
    assert_eq!(call(Method::DELETE, format!("{SESSIONS}?keep=current")).await.json(), json!({ "ended": 1 }));
    assert_eq!(world.sent().await, ["/shop"]);
    assert_eq!(call(Method::DELETE, SESSIONS.to_owned()).await.json(), json!({ "ended": 1 }));
    assert_eq!(world.sent().await, ["/portal"]);
}

#[tokio::test]
async fn another_user_in_the_same_browser_ends_the_session_before() {
    let world = World::new().await;
    let (mut browser, _, _) = world.signed_in().await;
    let page = open(&mut browser, &world.application("careful"), &[("prompt", "login")]).await;
    let fields = [("tenant", "other.sms"), ("username", "bert"), ("password", "another horse")];
    let page = browser.submit(&page, &fields).await;
    let back = browser.submit(&page, &[("allow", "yes")]).await;
    assert!(back.parameter("code").is_some(), "{} {}", back.url, back.body);
    assert_eq!(world.sent().await, ["/shop"]);
}

/// The background work does it all by itself: the sweep ends the session, the lane tells the client.
#[tokio::test]
async fn a_session_that_expires_is_told_too() {
    let world = World::new().await;
    let (_, session, _) = world.signed_in().await;
    world.idp.clock().advance(Duration::from_hours(25));
    let housekeeping = tokio::spawn(world.idp.idp().clone().housekeeping());
    let told = async {
        while world
            .idp
            .idp()
            .logout_notices(&session)
            .await
            .unwrap()
            .iter()
            .all(|n| n.delivery != Delivery::Sent)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), told).await.unwrap();
    housekeeping.abort();
    assert_eq!(world.receiver.paths(), ["/shop"]);
}

#[tokio::test]
async fn two_sign_outs_at_once_and_two_nodes_send_one_token() {
    let world = World::new().await;
    let node = world.idp.node().await;
    let (browser, _, hint) = world.signed_in().await;
    let signing_out = (0..4).map(|at| {
        let mut browser = if at % 2 == 0 { browser.clone() } else { browser.moved_to(node.router()) };
        let hint = &hint;
        async move { browser.get(&logout(hint)).await.status }
    });
    assert!(join_all(signing_out).await.iter().all(|status| *status == StatusCode::OK));
    tokio::join!(world.idp.send_logout_tokens(), node.send_logout_tokens());
    assert_eq!(world.receiver.paths(), ["/shop"]);
}

#[tokio::test]
async fn a_client_that_fails_is_asked_again() {
    let world = World::new().await;
    let (mut browser, session, hint) = world.signed_in().await;
    world.receiver.answers(StatusCode::SERVICE_UNAVAILABLE);
    sign_out(&mut browser, &hint).await;
    assert_eq!(world.sent().await, ["/shop"]);
    assert_eq!(world.state(&session).await, (Delivery::Waiting, 1));
    assert_eq!(world.sent().await, [] as [String; 0], "not at once");
    world.idp.clock().advance(Duration::from_secs(5));
    world.receiver.answers(StatusCode::FOUND);
    assert_eq!(world.sent().await, ["/shop"], "a redirect is not followed");
    assert_eq!(world.state(&session).await, (Delivery::Waiting, 2));
    world.idp.clock().advance(Duration::from_secs(30));
    world.receiver.answers(StatusCode::NO_CONTENT);
    assert_eq!(world.sent().await, ["/shop"]);
    assert_eq!(world.state(&session).await, (Delivery::Sent, 3));
    world.idp.clock().advance(Duration::from_hours(2));
    assert_eq!(world.sent().await, [] as [String; 0]);
}

#[tokio::test]
async fn a_client_that_is_down_or_refuses_or_lies_inside_is_seen() {
    let world = World::new().await;
    for (uri, status, delivery) in [
        (
            format!("{}/shop", world.address),
            StatusCode::BAD_REQUEST,
            "the client answered with the status 400",
        ),
        ("https://10.0.0.7/shop".to_owned(), StatusCode::OK, "the address is not public"),
    ] {
        world.receiver.answers(status);
        world.hears("shop", &uri).await;
        let (mut browser, session, hint) = world.signed_in().await;
        sign_out(&mut browser, &hint).await;
        world.sent().await;
        let (Delivery::Failed(reason), 1) = world.state(&session).await else { panic!("{uri}") };
        assert!(reason.contains(delivery), "{reason}");
    }
    let (listener, nowhere) = listen().await;
    drop(listener);
    world.hears("shop", &nowhere).await;
    let (mut browser, session, hint) = world.signed_in().await;
    sign_out(&mut browser, &hint).await;
    world.sent().await;
    assert_eq!(world.state(&session).await, (Delivery::Waiting, 1));
}

/// A relying party in this process is reached without a socket.
#[tokio::test]
async fn an_address_of_our_own_goes_through_the_router() {
    let world = World::new().await;
    world.hears("shop", "https://id.test/portal/backchannel_logout").await;
    let (mut browser, session, hint) = world.signed_in().await;
    sign_out(&mut browser, &hint).await;
    let own = Receiver::new();
    world.idp.send_logout_tokens_through(&own.router()).await;
    assert_eq!(own.paths(), ["/portal/backchannel_logout"]);
    assert_eq!(world.state(&session).await, (Delivery::Sent, 1));
}

#[tokio::test]
async fn the_registration_is_checked_and_exported() {
    let world = World::new().await;
    let client = "[[clients]]\nclient_id = \"desk\"\ntenant = \"123456.sms\"\nbackchannel_logout_uri = ";
    for uri in ["http://rp.test/out", "https://rp.test/#x", "/out", "https://u:p@rp.test/"] {
        let wrong = world.idp.idp().apply(&format!("{client}\"{uri}\"\n")).await.unwrap_err().to_string();
        assert!(wrong.contains("clients[0].backchannel_logout_uri"), "{wrong}");
    }
    let members = format!("{client}\"https://rp.test/out\"\nbackchannel_logout_session_required = true\n");
    world.idp.idp().apply(&members).await.unwrap();
    let exported = world.idp.idp().export().await.unwrap();
    assert!(exported.contains("backchannel_logout_uri = \"https://rp.test/out\""), "{exported}");
    assert!(exported.contains("backchannel_logout_session_required = true"), "{exported}");
    world.idp.idp().apply(&format!("{client}\"\"\n")).await.unwrap();
    assert!(!world.idp.idp().export().await.unwrap().contains("https://rp.test/out"));
    assert_eq!(DOMAIN, "123456.sms");
}

fn claims_of(jwt: &str) -> Map<String, Value> {
    jsonwebtoken::dangerous::insecure_decode::<Map<String, Value>>(jwt).unwrap().claims
}
