//! Redirects between provider and applications in a real Chromium, which holds them against the content security
//! policy of the page that was left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::Html;
use axum::routing::get;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::testing::{Application, TestIdp};

use crate::support::chromium::{Chromium, Habits, browse};
use crate::support::{listen, serve};

/// A provider, an application whose callback redirects on to another origin, and what stands there.
struct World {
    idp: TestIdp,
    /// Its clients are `plain`, `careful` and, without the hop, `direct`.
    issuer: String,
    /// The callback.
    hop: String,
    /// How often it was called.
    hops: Arc<AtomicUsize>,
    /// Where it leads.
    arrival: String,
}

impl World {
    async fn new() -> Self {
        let (last, arrival) = listen().await;
        let arrived = async || Html("<!doctype html><h1>Arrived</h1>");
        serve(last, Router::new().route("/", get(arrived)).route("/callback", get(arrived)));
        let (callback, hop) = listen().await;
        let (hop, hops) = (format!("{hop}/hop"), Arc::new(AtomicUsize::new(0)));
        let (calls, target) = (Arc::clone(&hops), format!("{arrival}/"));
        let redirect = async move || {
            calls.fetch_add(1, Ordering::Relaxed);
            (StatusCode::FOUND, [(LOCATION, target)])
        };
        serve(callback, Router::new().route("/hop", get(redirect.clone()).post(redirect)));
        let (listener, issuer) = listen().await;
        let document = format!(
            r#"
            [[tenants]]
            domain = "one.test"
            name = "Example Works"
            [[users]]
            tenant = "one.test"
            username = "bert"
            password = "correct horse battery staple"
            [[clients]]
            client_id = "plain"
            token_endpoint_auth_method = "none"
            redirect_uris = ["{hop}"]
            [[clients]]
            client_id = "careful"
            token_endpoint_auth_method = "none"
            redirect_uris = ["{hop}"]
            require_consent = true
            [[clients]]
            client_id = "direct"
            token_endpoint_auth_method = "none"
            redirect_uris = ["{arrival}/callback"]
            post_logout_redirect_uris = ["{arrival}/"]
        "#
        );
        let idp = TestIdp::with_settings(Settings::new(IssuerUrl::parse(&issuer).unwrap()), &document).await;
        serve(listener, idp.router());
        Self { idp, issuer, hop, hops, arrival }
    }

    fn application(&self, client: &str) -> Application {
        Application::new(&self.idp, &self.issuer, client, &self.hop)
    }

    async fn open(&self, browser: &Chromium, client: &str, more: &[(&str, &str)]) {
        browser.open(&self.application(client).authorization_url_with("openid", more)).await;
        assert_eq!(browser.step().await, "identify");
    }

    async fn sign_in(&self, browser: &Chromium) {
        for (field, value) in
            [("tenant", "one.test"), ("username", "bert"), ("password", "correct horse battery staple")]
        {
            browser.fill(field, value).await;
        }
        browser.submit().await;
    }

    /// Has the browser been at the callback once more, and is it where that leads?
    async fn is_there(&self, browser: &Chromium) {
        browser.wait_for_address(&self.arrival).await;
        assert_eq!(browser.text("h1").await, "Arrived");
        assert_eq!(self.hops.swap(0, Ordering::Relaxed), 1);
        browser.forget_cookies().await;
    }
}

async fn goes_through(habits: Habits) {
    let world = World::new().await;
    browse(habits, async |browser| {
        world.open(browser, "plain", &[]).await;
        world.sign_in(browser).await;
        world.is_there(browser).await;

        world.open(browser, "careful", &[]).await;
        world.sign_in(browser).await;
        assert_eq!(browser.step().await, "consent");
        browser.submit().await;
        world.is_there(browser).await;

        world.open(browser, "plain", &[]).await;
        browser.follow("main form [name=cancel]").await;
        world.is_there(browser).await;

        world.open(browser, "plain", &[("response_mode", "form_post")]).await;
        world.sign_in(browser).await;
        if !habits.javascript {
            assert_eq!(browser.step().await, "form_post");
            browser.submit().await;
        }
        world.is_there(browser).await;
        let complaints = browser.complaints().await;
        let own: Vec<_> = complaints.iter().filter(|said| !said.contains("favicon")).collect();
        assert!(own.is_empty(), "{own:?}");
    })
    .await;
}

/// Chromium and Safari apply `form-action` to every redirect that follows a form.
#[tokio::test]
async fn a_login_ends_at_a_callback_that_redirects_on() {
    goes_through(Habits::default()).await;
}

#[tokio::test]
async fn and_without_scripts() {
    goes_through(Habits { javascript: false, ..Habits::default() }).await;
}

/// The application's page, which signs its user out by a form.
async fn leave(Query(fields): Query<BTreeMap<String, String>>) -> Html<String> {
    let field = |name: &str| format!("<input type=hidden name={name} value=\"{}\">", fields[name]);
    let (hint, target) = (field("id_token_hint"), field("post_logout_redirect_uri"));
    Html(format!("<main><form method=post action=\"{}\">{hint}{target}<button>Leave</button>", fields["to"]))
}

/// Another site's form brings no cookies that are `SameSite=Lax`.
#[tokio::test]
async fn another_sites_form_signs_its_user_out_at_once() {
    let world = World::new().await;
    let (listener, shop) = listen().await;
    serve(listener, Router::new().route("/leave", get(leave)));
    let shop = shop.replace("127.0.0.1", "localhost");
    let application =
        Application::new(&world.idp, &world.issuer, "direct", &format!("{}/callback", world.arrival));
    browse(Habits::default(), async |browser| {
        browser.open(&application.authorization_url("openid")).await;
        world.sign_in(browser).await;
        browser.wait_for_address(&world.arrival).await;
        let address = url::Url::parse(&browser.address().await).unwrap();
        let (_, code) = address.query_pairs().find(|(name, _)| name == "code").unwrap();
        let tokens = application.token(&code).await.json();
        let (logout, bye) = (format!("{}/logout", world.issuer), format!("{}/", world.arrival));
        let fields = [
            ("to", logout.as_str()),
            ("id_token_hint", tokens["id_token"].as_str().unwrap()),
            ("post_logout_redirect_uri", &bye),
        ];
        let page = url::Url::parse_with_params(&format!("{shop}/leave"), fields).unwrap();
        browser.open(page.as_str()).await;
        browser.submit().await;
        browser.wait_for_address(&bye).await;
        browser.open(&application.authorization_url("openid")).await;
        assert_eq!(browser.step().await, "identify", "the session is over");
    })
    .await;
}
