//! The test kit's browser over real HTTP.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::response::Response;
use vestibule::testing::{Answer, Browser};

/// An HTTP client that follows nothing.
pub(crate) fn http() -> reqwest::Client {
    // Another test may have been first.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

/// A browser whose requests go to the hosts that they name.
pub(crate) fn browser() -> Browser {
    let http = http();
    Browser::new(Router::new().fallback(move |request: Request| forward(http.clone(), request)))
}

async fn forward(http: reqwest::Client, request: Request) -> Response {
    let host = request.headers().get(HOST).unwrap().to_str().unwrap().to_owned();
    forward_to(http, host, request).await
}

async fn forward_to(http: reqwest::Client, host: String, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let url = format!("http://{host}{}", parts.uri);
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let answer = http.request(parts.method, url).headers(parts.headers).body(body).send().await.unwrap();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = Body::from(answer.bytes().await.unwrap());
    response
}

/// A browser whose requests all go to this address, whichever host they name.
pub(crate) fn browser_at(address: &str) -> Browser {
    let (http, address) = (http(), address.to_owned());
    Browser::new(Router::new().fallback(move |request: Request| forward_to(http.clone(), address, request)))
}

/// Goes on from host to host until there is a page.
pub(crate) async fn arrive(browser: &mut Browser, mut answer: Answer) -> Answer {
    while answer.status.is_redirection() {
        answer = browser.get(answer.url.as_str()).await;
    }
    answer
}
