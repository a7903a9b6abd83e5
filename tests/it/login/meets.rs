//! Requests that meet another one of the same browser: a sign-out, a second tab.
//!
//! The host's directory is asked after the session was read and before anything is written. What it does there happens
//! in between, in every run.

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use vestibule::domain::ids::DirectoryKey;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::domain::tenant::TenantDomain;
use vestibule::domain::user::Username;
use vestibule::ext::{BoxFuture, Directory, DirectoryUser, Unavailable};
use vestibule::testing::{Application, Browser, TestIdp};

use super::{DOMAIN, HOUSE, error, open};

const PASSWORD: &str = "the host's";

/// Knows one user, and does something once when it is asked for that user again.
#[derive(Clone, Default)]
struct Host(Arc<Mutex<Option<BoxFuture<'static, ()>>>>);

impl Host {
    fn meanwhile(&self, act: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock().unwrap() = Some(Box::pin(act));
    }

    fn has_acted(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }
}

fn erna() -> DirectoryUser {
    DirectoryUser::new("1", Username::parse("erna").unwrap())
}

impl Directory for Host {
    fn holds(&self, tenant: &TenantDomain) -> bool {
        tenant.as_str() == DOMAIN
    }

    fn find<'a>(
        &'a self,
        _: &'a TenantDomain,
        username: &'a Username,
    ) -> BoxFuture<'a, Result<Option<DirectoryUser>, Unavailable>> {
        let found = Some(erna()).filter(|erna| erna.username.key() == username.key());
        Box::pin(async { Ok(found) })
    }

    fn check_password<'a>(
        &'a self,
        _: &'a TenantDomain,
        key: Option<&'a DirectoryKey>,
        password: &'a str,
    ) -> BoxFuture<'a, Result<bool, Unavailable>> {
        Box::pin(async move { Ok(key == Some(&erna().key) && password == PASSWORD) })
    }

    fn by_key<'a>(
        &'a self,
        _: &'a TenantDomain,
        _: &'a DirectoryKey,
    ) -> BoxFuture<'a, Result<Option<DirectoryUser>, Unavailable>> {
        let act = self.0.lock().unwrap().take();
        Box::pin(async {
            if let Some(act) = act {
                act.await;
            }
            Ok(Some(erna()))
        })
    }
}

/// Erna is signed in, in this browser.
struct World {
    host: Host,
    idp: TestIdp,
    shop: Application,
    browser: Browser,
}

impl World {
    async fn new() -> Self {
        let host = Host::default();
        let (directory, settings) = (host.clone(), Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap()));
        let idp = TestIdp::with_parts(settings, HOUSE, |parts| parts.directory(directory)).await;
        let shop = idp.application("shop", "https://shop.test/callback");
        let mut browser = idp.browser();
        let page = open(&mut browser, &shop, &[]).await;
        let fields = [("tenant", DOMAIN), ("username", "erna"), ("password", PASSWORD)];
        assert!(browser.submit(&page, &fields).await.parameter("code").is_some());
        Self { host, idp, shop, browser }
    }

    /// Lets a sign-out come in between.
    async fn sign_out_meanwhile(&self) {
        let mut elsewhere = self.browser.clone();
        let page = elsewhere.get(&format!("{}/logout", TestIdp::ISSUER)).await;
        assert_eq!(page.step(), Some("confirm_sign_out"));
        self.host.meanwhile(async move {
            assert_eq!(elsewhere.submit(&page, &[]).await.step(), Some("signed_out"));
        });
    }
}

#[tokio::test]
async fn a_request_that_meets_a_sign_out_asks_who_it_is() {
    let mut world = World::new().await;
    world.sign_out_meanwhile().await;
    let answer = open(&mut world.browser, &world.shop, &[]).await;
    assert!(world.host.has_acted());
    assert_eq!((answer.status, answer.step()), (StatusCode::OK, Some("identify")), "{}", answer.url);
}

#[tokio::test]
async fn a_silent_request_that_meets_a_sign_out_gets_login_required() {
    for mode in ["query", "form_post"] {
        let mut world = World::new().await;
        world.sign_out_meanwhile().await;
        let more = [("prompt", "none"), ("response_mode", mode)];
        let answer = open(&mut world.browser, &world.shop, &more).await;
        assert!(world.host.has_acted());
        match mode {
            "query" => assert_eq!(error(&answer).as_deref(), Some("login_required"), "{}", answer.url),
            _ => assert!(answer.body.contains("login_required"), "{}", answer.body),
        }
    }
}

#[tokio::test]
async fn a_pushed_request_that_meets_a_sign_out_is_not_used_up() {
    for (more, step) in [(&[][..], Some("identify")), (&[("prompt", "none")][..], None)] {
        let mut world = World::new().await;
        let address = world.shop.pushed_url("openid", more).await;
        world.sign_out_meanwhile().await;
        let answer = world.browser.get(&address).await;
        assert!(world.host.has_acted());
        assert_eq!(answer.step(), step, "{} {}", answer.url, answer.body);
        let refused = error(&answer);
        assert_eq!(refused.as_deref(), step.is_none().then_some("login_required"), "{}", answer.url);
    }
}

/// The login of a form on another site is bound to the browser that opens it; two tabs may at the same time.
#[tokio::test]
async fn a_login_that_the_browsers_other_tab_opened_first_goes_on() {
    let mut world = World::new().await;
    let address =
        url::Url::parse(&world.shop.authorization_url_with("openid", &[("prompt", "login")])).unwrap();
    let parameters: Vec<_> = address.query_pairs().collect();
    let fields: Vec<_> = parameters.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    let endpoint = format!("{}/authorize", TestIdp::ISSUER);
    let page = world.idp.browser().post_once(&endpoint, &fields).await.redirect().unwrap();
    let (mut other, opened) = (world.browser.clone(), page.clone());
    world.host.meanwhile(async move {
        assert_eq!(other.get(opened.as_str()).await.step(), Some("identify"));
    });
    let mut stranger = world.idp.browser();
    let answer = world.browser.get(page.as_str()).await;
    assert!(world.host.has_acted());
    assert_eq!((answer.status, answer.step()), (StatusCode::OK, Some("identify")), "{}", answer.body);
    let refused = stranger.get(page.as_str()).await;
    assert_eq!((refused.status, refused.step()), (StatusCode::GONE, Some("expired")));
}
