//! Codes, tokens and what they open, without the login pages: what a login came to is simply given.

mod apis;
mod assertions;
mod authority;
mod authorize;
mod client_auth;
mod client_keys;
mod code;
mod cors;
mod documents;
mod ed25519;
mod grants;
mod guesses;
mod hints;
mod introspect;
mod keyring;
mod pairwise;
mod par;
mod published;
mod request_object;
mod resources;
mod userinfo;

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::authorize::{AuthorizeError, CompletedLogin, Validated, issue_code, validate};
use super::parameters::Parameters;
use crate::crypto::random;
use crate::domain::acr::{Acr, AuthContext};
use crate::domain::ids::{ClientId, GrantId, IssuerId, SessionId, UserId};
use crate::domain::issuer::{Issuer, IssuerAddress, IssuerUrl};
use crate::domain::settings::Settings;
use crate::domain::tenant::TenantDomain;
use crate::domain::user::Username;
use crate::storage::users;
use crate::testing::{Answer, Application, TestIdp};

const WORLD: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "One"
    [[users]]
    tenant = "one.test"
    username = "anna"
    name = "Anna Example"
    email = "anna@example.test"
    [[clients]]
    client_id = "shop"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://shop.test/callback"]
    post_logout_redirect_uris = ["https://shop.test/bye"]
    [[clients]]
    client_id = "office"
    client_secret = "a secret: 100% of +it & more = 32 characters"
    token_endpoint_auth_method = "client_secret_basic"
    redirect_uris = ["https://office.test/callback"]
    id_token_signed_response_alg = "ES256"
    [[clients]]
    client_id = "poster"
    client_secret = "a secret of at least 32 characters, third"
    token_endpoint_auth_method = "client_secret_post"
    redirect_uris = ["https://poster.test/callback"]
    scope = "openid profile"
"#;

const OFFICE_SECRET: &str = "a secret: 100% of +it & more = 32 characters";
const POSTER_SECRET: &str = "a secret of at least 32 characters, third";

/// A provider, its root issuer, and somebody who can be signed in there.
struct House {
    idp: TestIdp,
    issuer: Arc<Issuer>,
    anna: UserId,
}

impl House {
    async fn new() -> Self {
        Self::with("").await
    }

    /// With more than `WORLD` in it.
    async fn with(more: &str) -> Self {
        Self::with_settings(Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap()), more).await
    }

    async fn with_settings(settings: Settings, more: &str) -> Self {
        Self::of(TestIdp::with_settings(settings, &format!("{WORLD}{more}")).await).await
    }

    /// A provider that has `WORLD` in it.
    async fn of(idp: TestIdp) -> Self {
        let catalogue = idp.idp().catalogue();
        let issuer = catalogue.issuer(&IssuerAddress::Root).await.unwrap().unwrap();
        let tenant =
            catalogue.tenant_by_domain(&TenantDomain::parse("one.test").unwrap()).await.unwrap().unwrap();
        let mut reader = idp.idp().db().read();
        let name = Username::parse("anna").ok();
        let anna =
            users::credentials(&mut reader.tx(), &tenant.id, name.as_ref()).await.unwrap().unwrap().user.id;
        Self { idp, issuer, anna }
    }

    /// The same at the issuer of a tenant.
    async fn at_tenant(self, domain: &str) -> Self {
        let address = IssuerAddress::Tenant(TenantDomain::parse(domain).unwrap());
        let issuer = self.idp.idp().catalogue().issuer(&address).await.unwrap().unwrap();
        Self { issuer, ..self }
    }

    fn shop(&self) -> Application {
        self.idp.application("shop", "https://shop.test/callback")
    }

    fn office(&self) -> Application {
        self.idp.application("office", "https://office.test/callback").secret(OFFICE_SECRET)
    }

    async fn validate(&self, query: &str) -> Result<Validated, AuthorizeError> {
        let parameters = Parameters::parse(query.as_bytes()).unwrap();
        validate(self.idp.idp(), &self.issuer, &parameters).await
    }

    /// What Anna's login at this address ends with.
    async fn code(&self, authorization_url: &str) -> String {
        let url = Url::parse(authorization_url).unwrap();
        let validated = self.validate(url.query().unwrap()).await.unwrap();
        let idp = self.idp.idp();
        let user = users::by_id(&mut idp.db().read().tx(), &self.anna).await.unwrap().unwrap();
        let tenant = idp.catalogue().tenant(&user.tenant).await.unwrap().unwrap();
        let login = CompletedLogin {
            epoch: user.epoch + tenant.epoch + validated.client().epoch,
            grant: GrantId::new(random::uuid()),
            user: self.anna.clone(),
            session: SessionId::new("a-session"),
            session_idle: Duration::from_mins(30),
            session_ends: idp.now().plus(Duration::from_hours(8)),
            context: AuthContext {
                auth_time: idp.now(),
                acr: Acr::TwoFactors,
                amr: ["pwd", "otp", "mfa"].map(str::to_owned).to_vec(),
            },
        };
        let code = issue_code(idp.settings(), &validated, login, idp.now());
        let value = code.value().to_owned();
        let write = idp.db().write(move |tx| {
            let code = code.clone();
            Box::pin(async move { code.queue_insert(tx) })
        });
        write.await.unwrap();
        value
    }

    /// An access token and an ID token of the shop.
    async fn tokens(&self, scope: &str) -> (String, String) {
        let code = self.code(&self.shop().authorization_url(scope)).await;
        let answer = self.shop().token(&code).await.json();
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        (text("access_token"), text("id_token"))
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let url = format!("{}{path}", TestIdp::ISSUER);
        self.idp.browser().send(method, &url, headers, Some(body.to_owned())).await
    }

    /// A token request with these headers and parameters.
    async fn token(&self, headers: &[(&str, &str)], parameters: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.send(Method::POST, "/token", &all, &form(parameters)).await
    }
}

fn form(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// Header or payload of a JWT.
fn part(jwt: &str, index: usize) -> Map<String, Value> {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let part = jwt.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Status and `error` of an answer.
fn error(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["error"].as_str().unwrap_or_default().to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn root() -> IssuerId {
    IssuerId::root()
}

fn client(id: &str) -> ClientId {
    ClientId::new(id)
}
