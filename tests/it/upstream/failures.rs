//! For every failure of an upstream provider there is a page with a way to the local form, and no wrong user is signed
//! in.

use tokio::net::TcpListener;

use super::evil::{Evil, Mood, Say, Signed};
use super::*;

/// A provider whose upstream provider is malicious.
struct House {
    evil: Evil,
    idp: TestIdp,
    url: String,
    shop: Application,
}

/// A browser that was sent away, and what its answer must fit.
struct Departure {
    page: Answer,
    state: String,
    nonce: String,
}

impl House {
    async fn new() -> Self {
        let evil = Evil::start().await;
        let (listener, url) = listen().await;
        let idp = provider(&url, &evil.url, &house(&evil.url, NEVER)).await;
        Self::at(listener, url, evil, idp)
    }

    /// One that does not wait for an answer.
    async fn impatient() -> Self {
        let evil = Evil::start().await;
        let (listener, url) = listen().await;
        let mut settings = settings(&url, &evil.url);
        settings.upstream_deadline = Duration::from_millis(200);
        let idp = TestIdp::with_settings(settings, &house(&evil.url, NEVER)).await;
        Self::at(listener, url, evil, idp)
    }

    fn at(listener: TcpListener, url: String, evil: Evil, idp: TestIdp) -> Self {
        serve(listener, idp.router());
        let shop = idp.application("shop", "https://shop.test/callback");
        Self { evil, idp, url, shop }
    }

    async fn leave(&self, browser: &mut Browser) -> Departure {
        self.leave_with(browser, &[]).await
    }

    async fn leave_with(&self, browser: &mut Browser, more: &[(&str, &str)]) -> Departure {
        let page = open(browser, &self.shop, more).await;
        let there = browser.get(&way(&page)).await;
        assert!(there.url.as_str().starts_with(&format!("{}/authorize?", self.evil.url)), "{}", there.url);
        let parameter = |name| there.parameter(name).unwrap_or_else(|| panic!("no {name}: {}", there.url));
        assert_eq!(parameter("code_challenge_method"), "S256");
        assert_eq!(parameter("redirect_uri"), format!("{}/login/from/north-login", self.url));
        Departure { page, state: parameter("state"), nonce: parameter("nonce") }
    }

    /// The claims of an ID token that is as it should be.
    fn claims(&self, departure: &Departure) -> Value {
        let now = self.idp.idp().now().unix();
        json!({ "iss": self.evil.url, "sub": "nora-of-north", "aud": "vestibule", "exp": now + 300, "iat": now,
                "nonce": departure.nonce, "auth_time": now })
    }

    fn return_address(&self, departure: &Departure) -> String {
        self.address(&[("state", &departure.state), ("code", "c"), ("iss", &self.evil.url)])
    }

    fn address(&self, parameters: &[(&str, &str)]) -> String {
        let base = format!("{}/login/from/north-login", self.url);
        Url::parse_with_params(&base, parameters).unwrap().into()
    }
}

/// The page that was left, with a form and a reason.
fn is_back(page: &Answer, reason: &str) {
    assert_eq!((page.step(), page.status), (Some("identify"), StatusCode::OK), "{} {}", page.url, page.body);
    assert!(page.body.contains(reason), "{reason}: {}", page.body);
    assert!(page.body.contains("name=\"password\"") && page.body.contains("Reference"), "{}", page.body);
}

const AWAY: &str = "is not responding";
const REFUSED: &str = "was cancelled or refused";
const UNPROVED: &str = "service was not accepted";

#[tokio::test]
async fn an_honest_answer_signs_in() {
    let house = House::new().await;
    let mut browser = network::browser();
    let departure = house.leave(&mut browser).await;
    house.evil.say(Say { claims: house.claims(&departure), signed: Some(Signed::Well), ..Say::default() });
    let back = browser.get(&house.return_address(&departure)).await;
    let back = travel(&mut browser, back).await;
    assert_eq!(back.step(), Some("notice"), "{} {}", back.url, back.body);
}

/// Everything that makes an ID token none.
#[tokio::test]
async fn a_token_with_one_thing_wrong_signs_nobody_in() {
    let house = House::new().await;
    let now = house.idp.idp().now().unix();
    let lies: [(&str, Value); 18] = [
        ("iss", json!("https://login.north.test")),
        ("iss", Value::Null),
        ("aud", json!("another")),
        ("aud", json!(["vestibule", "another"])),
        ("azp", json!("another")),
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("exp", json!(now - 11)),
        ("exp", Value::Null),
        ("iat", json!(now + 11)),
        ("nbf", json!(now + 11)),
        ("nbf", serde_json::from_str(&format!("{}.5", now + 10)).unwrap()),
        ("nbf", json!("soon")),
        ("sub", json!("")),
        ("sub", json!("nora\nof-north")),
        ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
        ("auth_time", json!(now - 13 * 3600)),
        ("auth_time", json!(now + 11)),
    ];
    for (claim, lie) in lies {
        let mut browser = network::browser();
        let departure = house.leave(&mut browser).await;
        let mut claims = house.claims(&departure);
        match &lie {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(claim)),
            lie => claims[claim] = lie.clone(),
        }
        house.evil.say(Say { claims, signed: Some(Signed::Well), ..Say::default() });
        let back = browser.get(&house.return_address(&departure)).await;
        is_back(&back, UNPROVED);
        let silent = open(&mut browser, &house.shop, &[("prompt", "none")]).await;
        assert_eq!(silent.parameter("error").as_deref(), Some("login_required"), "{claim} {lie}");
    }
}

/// The provider's clock may be ten seconds ahead.
#[tokio::test]
async fn a_token_of_a_clock_that_is_a_little_ahead_counts() {
    let house = House::new().await;
    let mut browser = network::browser();
    let departure = house.leave(&mut browser).await;
    let mut claims = house.claims(&departure);
    let ahead = house.idp.idp().now().unix() + 10;
    for claim in ["iat", "nbf", "auth_time"] {
        claims[claim] = json!(ahead);
    }
    house.evil.say(Say { claims, signed: Some(Signed::Well), ..Say::default() });
    let back = browser.get(&house.return_address(&departure)).await;
    assert_eq!(travel(&mut browser, back).await.step(), Some("notice"));
}

#[tokio::test]
async fn a_token_that_only_the_provider_could_have_signed_is_signed_by_it() {
    let house = House::new().await;
    for signed in
        [None, Some(Signed::Forged), Some(Signed::Hmac), Some(Signed::ClientSecret), Some(Signed::Renewed)]
    {
        let mut browser = network::browser();
        let departure = house.leave(&mut browser).await;
        house.evil.say(Say { claims: house.claims(&departure), signed, ..Say::default() });
        let back = browser.get(&house.return_address(&departure)).await;
        is_back(&back, UNPROVED);
    }
}

#[tokio::test]
async fn a_key_that_is_newer_than_what_is_known_is_asked_for_once() {
    let house = House::new().await;
    let mut browser = network::browser();
    let departure = house.leave(&mut browser).await;
    assert_eq!(house.evil.asked(), 1, "metadata is kept");
    house.evil.rotate();
    house.evil.say(Say { claims: house.claims(&departure), signed: Some(Signed::Renewed), ..Say::default() });
    let back = browser.get(&house.return_address(&departure)).await;
    assert_eq!(travel(&mut browser, back).await.step(), Some("notice"));
    assert_eq!(house.evil.asked(), 2);
    // An unknown `kid` does not cause another fetch so soon.
    let departure = house.leave(&mut network::browser()).await;
    assert_eq!(house.evil.asked(), 2, "{}", departure.state);
}

#[tokio::test]
async fn an_hmac_counts_where_the_settings_say_so() {
    let house = House::new().await;
    let hmac = "[[upstreams]]\nname = \"north-login\"\nid_token_signed_response_alg = \"HS256\"";
    house.idp.idp().apply(hmac).await.unwrap();
    for (signed, comes_in) in [(Signed::ClientSecret, true), (Signed::Hmac, false), (Signed::Well, false)] {
        let mut browser = network::browser();
        let departure = house.leave(&mut browser).await;
        house.evil.say(Say { claims: house.claims(&departure), signed: Some(signed), ..Say::default() });
        let back = browser.get(&house.return_address(&departure)).await;
        assert_eq!(travel(&mut browser, back).await.step() == Some("notice"), comes_in, "{signed:?}");
    }
}

/// RFC 9207: an answer of another provider, or of one that does not say whose it is although it always does.
#[tokio::test]
async fn an_answer_that_was_mixed_up_is_not_redeemed() {
    let house = House::new().await;
    for iss in [None, Some("https://login.north.test"), Some("")] {
        let mut browser = network::browser();
        let departure = house.leave(&mut browser).await;
        house.evil.say(Say {
            claims: house.claims(&departure),
            signed: Some(Signed::Well),
            ..Say::default()
        });
        let mut parameters = vec![("state", departure.state.as_str()), ("code", "c")];
        parameters.extend(iss.map(|iss| ("iss", iss)));
        is_back(&browser.get(&house.address(&parameters)).await, UNPROVED);
    }
    let mut browser = network::browser();
    let departure = house.leave(&mut browser).await;
    let elsewhere = house.return_address(&departure).replace("from/north-login", "from/south-login");
    assert_eq!(browser.get(&elsewhere).await.step(), Some("identify"), "another provider's address");
}

#[tokio::test]
async fn a_provider_that_is_away_leaves_the_local_form() {
    let house = House::new().await;
    for mood in [Mood::Broken, Mood::Imposter, Mood::Endless, Mood::Scripted] {
        house.evil.say(Say { mood, ..Say::default() });
        let mut browser = network::browser();
        let page = open(&mut browser, &house.shop, &[]).await;
        let back = browser.get(&way(&page)).await;
        is_back(&back, AWAY);
        let fields = [("tenant", DOMAIN), ("username", "bert"), ("password", PASSWORD)];
        assert!(browser.submit(&back, &fields).await.parameter("code").is_some(), "{mood:?}");
    }
    house.evil.say(Say::default());
    let mut browser = network::browser();
    let departure = house.leave(&mut browser).await;
    house.evil.say(Say { token_error: true, ..Say::default() });
    is_back(&browser.get(&house.return_address(&departure)).await, UNPROVED);
    let departure = house.leave(&mut browser).await;
    house.evil.say(Say { mood: Mood::Broken, ..Say::default() });
    is_back(&browser.get(&house.return_address(&departure)).await, UNPROVED);
}

/// One that takes a connection and never says anything: before the user leaves, and when the user is back.
#[tokio::test]
async fn a_provider_that_never_answers_is_away() {
    let house = House::impatient().await;
    house.evil.say(Say { mood: Mood::Silent, ..Say::default() });
    let mut browser = network::browser();
    let page = open(&mut browser, &house.shop, &[]).await;
    is_back(&browser.get(&way(&page)).await, AWAY);

    house.evil.say(Say::default());
    let departure = house.leave(&mut browser).await;
    house.evil.say(Say { mood: Mood::Silent, ..Say::default() });
    let back = browser.get(&house.return_address(&departure)).await;
    is_back(&back, AWAY);
    let fields = [("tenant", DOMAIN), ("username", "bert"), ("password", PASSWORD)];
    assert!(browser.submit(&back, &fields).await.parameter("code").is_some(), "and the local form works");
}

#[tokio::test]
async fn who_cancels_there_is_back_here_and_locks_nobody_out() {
    let house = House::new().await;
    let mut browser = network::browser();
    for error in ["access_denied", "login_required", "server_error", "<script>"] {
        let departure = house.leave(&mut browser).await;
        let parameters = [("state", departure.state.as_str()), ("error", error), ("iss", &house.evil.url)];
        let back = browser.get(&house.address(&parameters)).await;
        is_back(&back, REFUSED);
        assert!(!back.body.contains("<script>alert"), "{}", back.body);
    }
    let page = open(&mut browser, &house.shop, &[]).await;
    let fields = [("tenant", DOMAIN), ("username", "bert"), ("password", PASSWORD)];
    assert!(browser.submit(&page, &fields).await.parameter("code").is_some());
}

#[tokio::test]
async fn an_answer_counts_once_and_in_the_browser_that_left() {
    let house = House::new().await;
    let (mut browser, mut other) = (network::browser(), network::browser());
    let departure = house.leave(&mut browser).await;
    house.evil.say(Say { claims: house.claims(&departure), signed: Some(Signed::Well), ..Say::default() });
    let address = house.return_address(&departure);
    let stolen = other.get(&address).await;
    assert_eq!((stolen.step(), stolen.status), (Some("expired"), StatusCode::FORBIDDEN), "{}", stolen.body);
    house.leave(&mut other).await;
    assert_eq!(other.get(&address).await.step(), Some("expired"), "nor one with a login of its own");
    let (a, b) = (&mut browser.clone(), &mut browser);
    let (first, second) = tokio::join!(a.get(&address), b.get(&address));
    let come_in = [&first, &second].into_iter().filter(|page| page.step() == Some("notice")).count();
    assert!(come_in >= 1, "{} {}", first.body, second.body);
    let back = a.submit(if first.step() == Some("notice") { &first } else { &second }, &[]).await;
    assert!(back.parameter("code").is_some(), "{} {}", back.url, back.body);
    let replayed = b.get(&address).await;
    assert_eq!((replayed.step(), replayed.status), (Some("expired"), StatusCode::GONE), "{}", replayed.body);
}

#[tokio::test]
async fn a_replay_leads_to_where_the_login_is() {
    let house = House::new().await;
    let mut browser = network::browser();
    let departure = house.leave(&mut browser).await;
    house.evil.say(Say { claims: house.claims(&departure), signed: Some(Signed::Well), ..Say::default() });
    let address = house.return_address(&departure);
    assert_eq!(browser.get(&address).await.step(), Some("notice"));
    let used = house.evil.asked();
    assert_eq!(browser.get(&address).await.step(), Some("notice"), "the login goes on where it is");
    assert_eq!(house.evil.asked(), used);
}

#[tokio::test]
async fn each_of_two_tabs_comes_back() {
    let house = House::new().await;
    let mut browser = network::browser();
    let page = open(&mut browser, &house.shop, &[]).await;
    let mut departures = Vec::new();
    for _ in 0..2 {
        let there = browser.get(&way(&page)).await;
        let (state, nonce) = (there.parameter("state").unwrap(), there.parameter("nonce").unwrap());
        departures.push(Departure { page: page.clone(), state, nonce });
    }
    let denied =
        [("state", departures[0].state.as_str()), ("error", "access_denied"), ("iss", &house.evil.url)];
    is_back(&browser.get(&house.address(&denied)).await, REFUSED);
    house.evil.say(Say {
        claims: house.claims(&departures[1]),
        signed: Some(Signed::Well),
        ..Say::default()
    });
    let back = browser.get(&house.return_address(&departures[1])).await;
    assert_eq!(back.step(), Some("notice"), "{}", back.body);
}

#[tokio::test]
async fn nonsense_is_a_page_and_never_a_fault() {
    let house = House::new().await;
    let mut browser = network::browser();
    let departure = house.leave(&mut browser).await;
    let state = departure.state.as_str();
    for query in [
        String::new(),
        "state=".to_owned(),
        format!("state={state}x&code=c"),
        format!("state={state}&state={state}&code=c"),
        format!("state={state}&code=c&code=d"),
        "state=%00&code=%ff".to_owned(),
        format!("code=c&iss={}", house.evil.url),
    ] {
        let page = browser.get(&format!("{}/login/from/north-login?{query}", house.url)).await;
        assert_eq!((page.step(), page.status), (Some("expired"), StatusCode::GONE), "{query}");
    }
    let long = format!("{}&x={}", house.return_address(&departure), "y".repeat(6000));
    assert!(browser.get(&long).await.status.as_u16() < 500);
    assert_eq!(departure.page.step(), Some("identify"));
}

/// A provider that was asked when the user signed in, and does not say.
#[tokio::test]
async fn who_does_not_say_when_is_not_fresh() {
    let house = House::new().await;
    let mut browser = network::browser();
    for more in [[("prompt", "login")], [("max_age", "60")]] {
        let departure = house.leave_with(&mut browser, &more).await;
        let mut claims = house.claims(&departure);
        claims.as_object_mut().unwrap().remove("auth_time");
        house.evil.say(Say { claims, signed: Some(Signed::Well), ..Say::default() });
        is_back(&browser.get(&house.return_address(&departure)).await, UNPROVED);
        let departure = house.leave_with(&mut browser, &more).await;
        let mut claims = house.claims(&departure);
        claims["auth_time"] = json!(house.idp.idp().now().unix() - 71);
        house.evil.say(Say { claims, signed: Some(Signed::Well), ..Say::default() });
        is_back(&browser.get(&house.return_address(&departure)).await, UNPROVED);
    }
    let departure = house.leave(&mut browser).await;
    let mut claims = house.claims(&departure);
    claims.as_object_mut().unwrap().remove("auth_time");
    house.evil.say(Say { claims, signed: Some(Signed::Well), ..Say::default() });
    let notice = browser.get(&house.return_address(&departure)).await;
    let back = browser.submit(&notice, &[]).await;
    let token = house.shop.redeem(&back).await.id_token;
    let twelve_hours_ago = house.idp.idp().now().unix() - 12 * 3600;
    assert_eq!(token["auth_time"], twelve_hours_ago, "no younger than it was asked to be");
    assert!(!token.contains_key("amr"), "nothing was said of methods");
}
