//! A browser without a network: a cookie jar that calls a router.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{
    ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, REFRESH, SET_COOKIE, USER_AGENT,
};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use tower::ServiceExt;
use url::{Position, Url, form_urlencoded};

use super::form::HtmlForm;

/// Maximum size of a page, in bytes.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Keeps cookies per host, and follows redirects within the hosts whose router it knows.
#[derive(Clone, Debug)]
pub struct Browser {
    router: Router,
    cookies: BTreeMap<(String, String), String>,
    languages: String,
    user_agent: Option<String>,
    address: Option<SocketAddr>,
    host: Option<String>,
}

/// The response to a request, after redirects.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The URL of the response; for a redirect away from the provider, its target.
    pub url: Url,
    /// The status of the last response.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as text.
    pub body: String,
}

impl Browser {
    /// A browser connected to this router.
    pub fn new(router: Router) -> Self {
        Self {
            router,
            cookies: BTreeMap::new(),
            languages: "en".to_owned(),
            user_agent: None,
            address: None,
            host: None,
        }
    }

    /// The same browser with its cookies, routed to another node.
    #[must_use]
    pub fn moved_to(&self, router: Router) -> Self {
        Self { router, ..self.clone() }
    }

    /// Sets `Accept-Language`.
    #[must_use]
    pub fn speaking(mut self, languages: &str) -> Self {
        languages.clone_into(&mut self.languages);
        self
    }

    /// Sets `User-Agent`.
    #[must_use]
    pub fn calling_itself(mut self, user_agent: &str) -> Self {
        self.user_agent = Some(user_agent.to_owned());
        self
    }

    /// Sets the client's address.
    #[must_use]
    pub const fn from_address(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// The current cookies, by host and name.
    pub const fn cookies(&mut self) -> &mut BTreeMap<(String, String), String> {
        &mut self.cookies
    }

    /// Opens a URL and follows redirects.
    pub async fn get(&mut self, url: &str) -> Answer {
        let answer = self.send(Method::GET, url, &[], None).await;
        self.follow(answer).await
    }

    /// Posts a form to a URL and follows redirects.
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.post_once(url, fields).await;
        self.follow(answer).await
    }

    /// Posts a form without following redirects.
    pub async fn post_once(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(
            Method::POST,
            url,
            &[(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")],
            Some(body),
        )
        .await
    }

    /// Fills in the first form of a page and presses its first submit button. Hidden fields are included; a field named
    /// here replaces one that the page prefilled. Redirects are followed.
    pub async fn submit(&mut self, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let form =
            HtmlForm::first(&page.body).unwrap_or_else(|| panic!("no form on {}: {}", page.url, page.body));
        let pairs = form.filled(fields);
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let action = page.url.join(&form.action).unwrap_or_else(|error| panic!("{}: {error}", form.action));
        self.post(action.as_str(), &pairs).await
    }

    /// Sends one request with this browser's cookies, without following redirects.
    pub async fn send(
        &mut self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let url = Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        let host = url[Position::BeforeHost..Position::AfterPort].to_owned();
        self.host.get_or_insert_with(|| host.clone());
        let mut request = Request::builder()
            .method(method.clone())
            .uri(&url[Position::BeforePath..Position::AfterQuery])
            .header(HOST, &host)
            .header(ACCEPT_LANGUAGE, &self.languages);
        if let Some(user_agent) = &self.user_agent {
            request = request.header(USER_AGENT, user_agent);
        }
        if let Some(cookies) = self.cookie_header(&host) {
            request = request.header(COOKIE, cookies);
        }
        if method == Method::POST && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("origin")) {
            request = request.header(ORIGIN, url.origin().ascii_serialization());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(address) = self.address {
            request = request.extension(ConnectInfo(address));
        }
        let request =
            request.body(Body::from(body.unwrap_or_default())).unwrap_or_else(|error| panic!("{error}"));
        let response = self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        self.store_cookies(&host, response.headers());
        Answer::read(url, response).await
    }

    async fn follow(&mut self, mut answer: Answer) -> Answer {
        for _ in 0..10 {
            let Some(target) = answer.redirect() else { return answer };
            let host = &target[Position::BeforeHost..Position::AfterPort];
            if self.host.as_deref() != Some(host) {
                answer.url = target;
                return answer;
            }
            answer = self.send(Method::GET, target.as_str(), &[], None).await;
        }
        panic!("redirected in circles at {}", answer.url)
    }

    fn cookie_header(&self, host: &str) -> Option<String> {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .filter(|((at, _), _)| at == host)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn store_cookies(&mut self, host: &str, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().unwrap_or_default();
            let pair = text.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            let key = (host.to_owned(), name.to_owned());
            if text.contains("Max-Age=0") {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
    }
}

impl Answer {
    async fn read(url: Url, response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes =
            axum::body::to_bytes(body, BODY_LIMIT).await.unwrap_or_else(|error| panic!("{url}: {error}"));
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Self { url, status: parts.status, headers: parts.headers, body }
    }

    /// The step of the hosted login that this page shows: the value of `data-step`.
    pub fn step(&self) -> Option<&str> {
        let (_, rest) = self.body.split_once("data-step=\"")?;
        rest.split_once('"').map(|(step, _)| step)
    }

    /// The target of a redirect, or of a page that forwards automatically.
    pub fn redirect(&self) -> Option<Url> {
        let text = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        let target = match text(REFRESH) {
            Some(refresh) => refresh.strip_prefix("0; url=")?,
            None => text(LOCATION).filter(|_| self.status.is_redirection())?,
        };
        self.url.join(target).ok()
    }

    /// A query parameter of the URL.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.url, self.body))
    }
}
