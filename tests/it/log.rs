//! What the log says: everything about a login under one id, and no secret at any level.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::ext::{Clock, LogObserver, SystemClock};
use vestibule::testing::{Answer, Browser, TestIdp, totp};

use super::login::{self, PASSWORD, code, open, shown_codes, shown_secret, sign_in};
use super::support::network::browser_at;
use super::support::process::{Running, run, vestibule};

/// A log in memory.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Memory {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Memory {
    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A second subscriber, beside which `tracing` asks every subscriber whether it wants an event. With only one in the process
/// it asks the thread that meets the event first, which may be another test's, and remembers its no for all threads.
pub(crate) fn second_subscriber() -> tracing::Dispatch {
    tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new())
}

/// The test runs on one thread, so its own subscriber sees all that the provider says.
#[tokio::test]
async fn one_id_leads_through_a_whole_login() {
    let log = Memory::default();
    let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::DEBUG);
    let _running = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).finish());
    let _second = second_subscriber();
    let settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    let idp = TestIdp::with_parts(settings, login::HOUSE, |parts| parts.observer(LogObserver)).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let refused = sign_in(&mut browser, &page, "tina", "wrong").await;
    let page = sign_in(&mut browser, &refused, "tina", PASSWORD).await;
    let back = browser.submit(&page, &[("code", &code(&idp))]).await;
    shop.redeem(&back).await;
    shop.token(&back.parameter("code").unwrap()).await;

    let lines = log.lines();
    let answered: Vec<_> = lines.iter().filter(|line| line["fields"]["message"] == "answered").collect();
    let login_of = |line: &Value| line["span"]["login"].as_str().map(str::to_owned);
    let ids: Vec<_> = answered.iter().map(|line| login_of(line)).collect();
    assert!(ids.len() >= 8 && ids[0].is_some(), "{ids:?}");
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let id = ids[0].clone().unwrap();
    let routes: Vec<_> = answered.iter().map(|line| line["span"]["route"].as_str().unwrap()).collect();
    assert_eq!((routes[0], *routes.last().unwrap()), ("/authorize", "/token"));
    for line in &answered {
        assert_eq!(line["span"]["issuer"], "https://id.test");
        assert!(line["span"]["status"].as_u64().is_some(), "{line}");
    }
    // What the user was shown is found under the same id, and so is what an operator asks first.
    let with = |text: &str| lines.iter().find(|line| line["fields"].to_string().contains(text)).expect(text);
    let reference = reference(&refused);
    for text in [reference.as_str(), "LoginCompleted", "the code was redeemed", "CodeReused"] {
        assert_eq!(login_of(with(text)).as_ref(), Some(&id), "{text}");
    }
    let page_id = refused.url.path().split('/').nth(2).unwrap();
    assert_ne!(page_id, id, "what stands in page addresses is not for the log");
}

const CLIENTS: &str = r#"
    [[clients]]
    client_id = "poster"
    client_secret = "a-secret-of-at-least-32-characters"
    token_endpoint_auth_method = "client_secret_post"
    redirect_uris = ["https://poster.test/callback"]
    [[clients]]
    client_id = "either"
    client_secret = "a-secret-of-at-least-32-characters"
    redirect_uris = ["https://either.test/callback"]
"#;

/// The `Authorization` header and the parameters of a token request, and the fields of the line it leaves.
type Attempt<'a> = (Option<&'a str>, &'a [(&'a str, &'a str)], Value);

/// One line at `info` for each client authentication that failed: who, how, and how it was registered.
#[tokio::test]
async fn a_failed_client_authentication_is_one_line() {
    let log = Memory::default();
    let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO);
    let _running = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).finish());
    let _second = second_subscriber();
    let idp = TestIdp::with(CLIENTS).await;
    let secret = ("client_secret", "a-secret-of-at-least-32-characters");
    let wrong = ("client_secret", "canary");
    let basic_of_poster = "Basic cG9zdGVyOngteA==";
    let swapped = ("client_id", "a-secret-of-at-least-32-characters");
    let (post, basic) = ("client_secret_post", "client_secret_basic");
    let either = "client_secret_basic or client_secret_post";
    let mismatch = "another method than the registered one";
    let several = "more than one client authentication";
    let malformed = "the Authorization header is not Basic";
    let table: [Attempt<'_>; 8] = [
        (None, &[("client_id", "poster"), secret], Value::Null),
        (
            None,
            &[("client_id", "poster"), wrong],
            json!({ "client": "poster", "used": post, "registered": post, "reason": "wrong secret" }),
        ),
        (
            None,
            &[("client_id", "either"), wrong],
            json!({ "client": "either", "used": post, "registered": either, "reason": "wrong secret" }),
        ),
        (
            Some(basic_of_poster),
            &[],
            json!({ "client": "poster", "used": basic, "registered": post, "reason": mismatch }),
        ),
        (
            Some(basic_of_poster),
            &[("client_id", "poster"), secret],
            json!({ "client": "poster", "reason": several }),
        ),
        (
            None,
            &[("client_id", "nobody"), wrong],
            json!({ "client": "nobody", "used": post, "reason": "unknown client" }),
        ),
        (None, &[swapped, ("client_secret", "poster")], json!({ "used": post, "reason": "unknown client" })),
        (Some("Bearer x"), &[], json!({ "reason": malformed })),
    ];
    for (header, more, expected) in table {
        let before = log.lines().len();
        let answer = ask_for_tokens(&idp, header, more).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{}", answer.body);
        let mut told: Vec<Value> =
            log.lines().split_off(before).iter().map(|line| line["fields"].clone()).collect();
        for fields in &mut told {
            let message = fields.as_object_mut().unwrap().remove("message").unwrap();
            assert_eq!(message, "client authentication failed");
        }
        let expected: Vec<Value> = Some(expected).into_iter().filter(|line| !line.is_null()).collect();
        assert_eq!(told, expected, "{header:?} {more:?}");
    }
}

async fn ask_for_tokens(idp: &TestIdp, header: Option<&str>, more: &[(&str, &str)]) -> Answer {
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(header.map(|header| ("authorization", header)));
    let mut body = url::form_urlencoded::Serializer::new("grant_type=authorization_code&code=x".to_owned());
    let body = body.extend_pairs(more).finish();
    idp.browser().send(axum::http::Method::POST, "https://id.test/token", &headers, Some(body)).await
}

/// The code that a page shows to be quoted: two groups of four.
fn reference(page: &Answer) -> String {
    let is_one = |word: &&str| {
        let digit = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
        word.len() == 9 && word.as_bytes()[4] == b'-' && word.replace('-', "").chars().all(digit)
    };
    let mut words = page.body.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.find(is_one).expect(&page.body).to_owned()
}

const HOUSE: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "One"
    [tenants.policy]
    mfa = "required"
    [[users]]
    tenant = "one.test"
    username = "anna"
    password = "canary-password-of-anna"
    email = "canary-mail@one.test"
    [[clients]]
    client_id = "shop"
    client_secret = "canary-client-secret-of-more-than-32-characters"
    token_endpoint_auth_method = "client_secret_post"
    redirect_uris = ["https://shop.test/callback"]
    grant_types = ["authorization_code", "refresh_token"]
"#;

const CLIENT_SECRET: &str = "canary-client-secret-of-more-than-32-characters";
const VERIFIER: &str = "canary-verifier-of-forty-three-characters-or-more";
const ISSUER: &str = "http://localhost:8080";

/// A provider in a process of its own that logs everything there is into a file.
struct Talkative {
    folder: std::path::PathBuf,
    process: Running,
    address: String,
    /// What must not be said, by its kind.
    canaries: Vec<(&'static str, String)>,
}

impl Talkative {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("vestibule-log-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("house.toml"), HOUSE).unwrap();
        let applied = run(&folder, &["apply", "house.toml"]);
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--log", "trace", "--log-format", "json"];
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let process = Running::start_logging_to(vestibule(&folder, &arguments), log);
        let address = loop {
            let log = std::fs::read_to_string(folder.join("log")).unwrap();
            let ready = log.lines().find(|line| line.contains("\"ready\"") && line.ends_with('}'));
            if let Some(line) = ready {
                let ready: Value = serde_json::from_str(line).unwrap();
                break ready["fields"]["listen"].as_str().unwrap().to_owned();
            }
            std::thread::yield_now();
        };
        Self { folder, process, address, canaries: Vec::new() }
    }

    fn canary(&mut self, kind: &'static str, value: impl Into<String>) -> String {
        let value = value.into();
        assert!(!value.is_empty(), "{kind}");
        self.canaries.push((kind, value.clone()));
        value
    }

    /// Asks the token endpoint, with the client's secret or another.
    async fn token(&self, secret: &str, parameters: &[(&str, &str)]) -> Answer {
        self.post("/token", secret, parameters).await
    }

    async fn post(&self, path: &str, secret: &str, parameters: &[(&str, &str)]) -> Answer {
        let mut all = vec![("client_id", "shop"), ("client_secret", secret)];
        all.extend_from_slice(parameters);
        browser_at(&self.address).post_once(&format!("{ISSUER}{path}"), &all).await
    }

    /// The log, without the times, in which any number may stand.
    fn end(self) -> (String, Vec<(&'static str, String)>) {
        self.process.terminate();
        let code = self.process.wait();
        assert_eq!(code, Some(0));
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap();
        let untimed = log.lines().map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
            line.as_object_mut().unwrap().remove("timestamp");
            line.to_string()
        });
        let untimed = untimed.collect::<Vec<_>>().join("\n");
        std::fs::remove_dir_all(&self.folder).unwrap();
        (untimed, self.canaries)
    }
}

/// Types what is not right, then what is; enrols, and comes back with a code.
async fn sign_in_somehow(house: &mut Talkative, browser: &mut Browser) -> Answer {
    let challenge = challenge(VERIFIER);
    let parameters = [
        ("client_id", "shop".to_owned()),
        ("redirect_uri", "https://shop.test/callback".to_owned()),
        ("response_type", "code".to_owned()),
        ("scope", "openid email offline_access".to_owned()),
        ("prompt", "consent".to_owned()),
        ("state", house.canary("state", "canary-state")),
        ("nonce", house.canary("nonce", "canary-nonce")),
        ("login_hint", house.canary("login_hint", "canary-hint")),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256".to_owned()),
    ];
    let url = url::Url::parse_with_params(&format!("{ISSUER}/authorize"), &parameters).unwrap();
    let page = browser.get(url.as_str()).await;
    let interaction = page.url.path().split('/').nth(2).unwrap().to_owned();
    house.canary("the id in page addresses", interaction);
    let tries = [
        ("tenant typed", "canary-tenant.test", "canary-name-1", "canary-wrong-1"),
        ("name typed", "one.test", "canary-name-2", "canary-wrong-2"),
        ("password typed into the box of the name", "one.test", "canary-password-of-anna", "canary-wrong-3"),
        ("wrong password", "one.test", "anna", "canary-wrong-4"),
    ];
    let mut page = page;
    for (kind, tenant, username, password) in tries {
        for canary in [tenant, username, password].into_iter().filter(|text| text.starts_with("canary")) {
            house.canary(kind, canary);
        }
        page = browser
            .submit(&page, &[("tenant", tenant), ("username", username), ("password", password)])
            .await;
        assert_eq!(page.step(), Some("identify"), "{}", page.body);
    }
    let password = house.canary("password", "canary-password-of-anna");
    let page =
        browser.submit(&page, &[("tenant", "one.test"), ("username", "anna"), ("password", &password)]).await;
    assert_eq!(page.step(), Some("enrol"), "{}", page.body);
    let secret = house.canary("authenticator's secret", shown_secret(&page));
    let wrong = house.canary("wrong code", "canary-code");
    let page = browser.submit(&page, &[("code", &wrong)]).await;
    let right = house.canary("code of an authenticator", totp(&secret, SystemClock.now()));
    let page = browser.submit(&page, &[("code", &right)]).await;
    assert_eq!(page.step(), Some("recovery_codes"), "{}", page.body);
    for code in shown_codes(&page) {
        house.canary("recovery code", code);
    }
    let mut page = browser.submit(&page, &[("stored", "yes")]).await;
    while page.step().is_some() {
        page = browser.submit(&page, &[]).await;
    }
    page
}

/// RFC 7636 §4.2
fn challenge(verifier: &str) -> String {
    use base64::Engine;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
}

/// Redeems the code, wrongly and rightly, and uses what it gives.
async fn use_everything(house: &mut Talkative, browser: &mut Browser, back: &Answer) {
    let code = house.canary("code", back.parameter("code").expect(&back.body));
    house.canary("client's secret", CLIENT_SECRET);
    house.canary("code_verifier", VERIFIER);
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://shop.test/callback"),
        ("code_verifier", VERIFIER),
    ];
    let wrong = house.canary("wrong client secret", "canary-wrong-client-secret");
    assert_eq!(house.token(&wrong, &redeem).await.status, 401);
    let tokens = house.token(CLIENT_SECRET, &redeem).await.json();
    let text = |name: &str| tokens[name].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned();
    let access = house.canary("access token", text("access_token"));
    let refresh = house.canary("refresh token", text("refresh_token"));
    let id_token = house.canary("ID token", text("id_token"));
    for jwt in [&access, &id_token] {
        house.canary("signature of a JWT", jwt.rsplit('.').next().unwrap());
    }
    let bearer = format!("Bearer {access}");
    let userinfo = format!("{ISSUER}/userinfo");
    let told = browser.send(axum::http::Method::GET, &userinfo, &[("authorization", &bearer)], None).await;
    assert_eq!(told.status, 200);
    house.canary("email address", "canary-mail");
    assert_eq!(house.post("/introspect", CLIENT_SECRET, &[("token", &access)]).await.status, 200);
    let refreshed = house
        .token(CLIENT_SECRET, &[("grant_type", "refresh_token"), ("refresh_token", &refresh)])
        .await
        .json();
    let next = house.canary("next refresh token", refreshed["refresh_token"].as_str().unwrap());
    assert_eq!(house.post("/revoke", CLIENT_SECRET, &[("token", &next)]).await.status, 200);
    assert_eq!(house.token(CLIENT_SECRET, &redeem).await.status, 400);
    let bad = house.canary("unknown code", "canary-unknown-code");
    let parameters = [("grant_type", "authorization_code"), ("code", bad.as_str())];
    assert_eq!(house.token(CLIENT_SECRET, &parameters).await.status, 400);
    for (kind, cookie) in browser.cookies().values().enumerate() {
        house.canary(["a cookie", "another cookie", "a third cookie"][kind.min(2)], cookie.clone());
    }
    let page = browser.get(&format!("{ISSUER}/logout?id_token_hint={id_token}")).await;
    assert_eq!(page.status, 200);
}

/// Whatever the binary says when it is asked for everything, by itself and by all crates that it is made of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_logged_at_any_level() {
    let mut house = Talkative::start();
    let mut browser = browser_at(&house.address);
    let back = sign_in_somehow(&mut house, &mut browser).await;
    use_everything(&mut house, &mut browser, &back).await;
    let master_key = std::fs::read_to_string(house.folder.join("keys/master.key")).unwrap();
    house.canary("master key", master_key.trim());
    let (log, canaries) = house.end();
    for word in ["\"DEBUG\"", "/login/{interaction}/{step}", "\"login\":", "WrongPassword"] {
        assert!(log.contains(word), "it is not talkative: {word} is not in\n{log}");
    }
    assert!(canaries.len() >= 40, "{}", canaries.len());
    let is_word = |at: usize, length: usize| {
        let bytes = log.as_bytes();
        let joins = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        !joins(at.checked_sub(1).and_then(|before| bytes.get(before))) && !joins(bytes.get(at + length))
    };
    for (kind, canary) in canaries {
        let found = log.match_indices(&canary).find(|(at, _)| is_word(*at, canary.len()));
        if let Some((at, _)) = found {
            let line = log[..at].rfind('\n').map_or(0, |line| line + 1);
            panic!("{kind} {canary}: {}", log[line..].lines().next().unwrap_or_default());
        }
    }
}
