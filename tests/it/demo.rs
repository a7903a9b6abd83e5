//! The whole story of `vestibule demo`, over real HTTP between three strangers: browser, application, provider.

use axum::http::StatusCode;
use serde_json::Value;
use vestibule::ext::{Clock, SystemClock};
use vestibule::testing::{Answer, Browser, totp};

use super::support::network::{arrive, browser};
use super::support::process::{Running, vestibule};

/// A running demo, and what it says of itself.
pub(super) struct Demo {
    process: Running,
    told: Value,
}

impl Demo {
    pub(super) fn start() -> Self {
        let arguments = ["demo", "--json", "--port", "0", "--app-port", "0"];
        let mut command = vestibule(&std::env::temp_dir(), &arguments);
        command.env("TMPDIR", env!("CARGO_TARGET_TMPDIR"));
        let mut process = Running::start(command);
        let told = serde_json::from_str(&process.line()).unwrap();
        Self { process, told }
    }

    pub(super) fn address(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }

    pub(super) fn person(&self, username: &str) -> &Value {
        self.told["users"].as_array().unwrap().iter().find(|user| user["username"] == username).unwrap()
    }

    /// From the application's button to the page that follows the password.
    async fn sign_in(&self, browser: &mut Browser, username: &str) -> Answer {
        let home = browser.get(self.address("application")).await;
        let sent = browser.submit(&home, &[]).await;
        let login = arrive(browser, sent).await;
        assert_eq!(login.step(), Some("identify"), "{}", login.body);
        assert!(login.url.as_str().starts_with(self.address("issuer")), "{}", login.url);
        let field = |name: &str| self.person(username)[name].as_str().unwrap();
        let fields = ["tenant", "username", "password"].map(|name| (name, field(name)));
        let answer = browser.submit(&login, &fields).await;
        arrive(browser, answer).await
    }
}

/// A code of the authenticator application with this secret.
fn code(secret: &str) -> String {
    totp(secret, SystemClock.now())
}

#[tokio::test]
async fn signs_people_in_and_out() {
    let demo = Demo::start();
    let mut ben = browser();
    let home = demo.sign_in(&mut ben, "ben").await;
    for part in ["Hello, Ben Berger", "123456.sms", "urn:vestibule:acr:1fa", "at+jwt", "ben@example.test"] {
        assert!(home.body.contains(part), "{part} is not in {}", home.body);
    }
    let left = ben.submit(&home, &[]).await;
    let mut bye = arrive(&mut ben, left).await;
    if bye.step().is_some() {
        let confirmed = ben.submit(&bye, &[]).await;
        bye = arrive(&mut ben, confirmed).await;
    }
    assert!(bye.body.contains("You are signed out"), "{}", bye.body);
    // Neither application nor provider remembers: the password is asked for again.
    assert!(demo.sign_in(&mut ben, "ben").await.body.contains("Hello, Ben Berger"));
    let dora = demo.sign_in(&mut browser(), "dora").await;
    assert!(dora.body.contains("Hello, Dora Dubois") && dora.body.contains("north"), "{}", dora.body);
    demo.process.terminate();
    assert_eq!(demo.process.end().0, Some(0));
}

#[tokio::test]
async fn makes_an_administrator_enrol_and_asks_the_enrolled_one() {
    let demo = Demo::start();
    let mut anna = browser();
    let enrol = demo.sign_in(&mut anna, "anna").await;
    assert_eq!(enrol.step(), Some("enrol"), "{}", enrol.body);
    let (_, rest) = enrol.body.split_once("secret=").unwrap();
    let secret: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    let answer = anna.submit(&enrol, &[("code", &code(&secret))]).await;
    let stored = arrive(&mut anna, answer).await;
    assert_eq!(stored.step(), Some("recovery_codes"), "{}", stored.body);
    let answer = anna.submit(&stored, &[("stored", "yes")]).await;
    let home = arrive(&mut anna, answer).await;
    assert!(
        home.body.contains("Hello, Anna Arndt") && home.body.contains("urn:vestibule:acr:2fa"),
        "{}",
        home.body
    );

    let mut carla = browser();
    let asked = demo.sign_in(&mut carla, "carla").await;
    assert_eq!(asked.step(), Some("second_factor"), "{}", asked.body);
    let secret = demo.person("carla")["totp_secret"].as_str().unwrap();
    let answer = carla.submit(&asked, &[("code", &code(secret))]).await;
    let home = arrive(&mut carla, answer).await;
    assert!(
        home.body.contains("Hello, Carla Conrad") && home.body.contains("urn:vestibule:acr:2fa"),
        "{}",
        home.body
    );
}

#[tokio::test]
async fn shows_what_it_has_sent() {
    let demo = Demo::start();
    let page = browser().get(demo.address("mailbox")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("<h1>Mailbox</h1>") && page.body.contains("Nothing yet."), "{}", page.body);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
}

#[tokio::test]
async fn the_application_believes_no_answer_that_it_did_not_ask_for() {
    let demo = Demo::start();
    let application = demo.address("application");
    let mut stranger = browser();
    let answer = stranger.get(&format!("{application}/callback?code=x&state=y")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let home = stranger.get(application).await;
    stranger.submit(&home, &[]).await;
    let answer = stranger.get(&format!("{application}/callback?code=x&state=y")).await;
    assert!(answer.body.contains("not for this browser (state)"), "{}", answer.body);
}
