//! One session of one browser, and everything that the provider acknowledged to it.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{HOST, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::Value;
use url::form_urlencoded;
use vestibule::testing::{Answer, Browser};

use crate::ledger::{Broken, Ledger};

const SECRET: &str = "a secret of at least 32 characters, for one shop";
const CALLBACK: &str = "https://shop.test/callback";
/// The newest families of one round that are checked afterwards.
const KEPT: usize = 32;
/// A request that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(8);
/// Before a client that is told to come back does so.
const PAUSE: Duration = Duration::from_millis(200);
/// The status where no answer came: the process was killed, or the request hung.
const CUT_OFF: StatusCode = StatusCode::BAD_GATEWAY;

/// What the client knows of the sign-in that it is about.
#[derive(Debug, Default)]
enum Standing {
    /// Nothing that must be there was acknowledged.
    #[default]
    Nothing,
    /// A code was handed out, and not used.
    Code(String),
    /// A code was presented, and no answer came.
    CodeInFlight(String),
    /// The family's last token, and the one before if this one was its successor.
    Family(String),
    /// A token was presented, and no answer came.
    FamilyInFlight(String),
}

/// A browser that is signed in, with its application.
pub(crate) struct Client {
    issuer: String,
    browser: Browser,
    standing: Standing,
    /// A code that was redeemed, with nothing of its family in use any more.
    spent_codes: Vec<String>,
    /// Tokens with the one successor that each was seen to have.
    successors: Vec<(String, String)>,
    acknowledged: u64,
    sign_ins: u64,
    /// How often it was told to come back, and did.
    came_back: u64,
}

impl Client {
    /// Signs in on the pages, with a password.
    pub(crate) async fn sign_in(issuer: &str) -> Self {
        let mut browser = Browser::new(over_the_network());
        let page = browser.get(&authorization_url(issuer, "login")).await;
        let fields =
            [("tenant", "one.test"), ("username", "anna"), ("password", "correct horse battery staple")];
        let answer = browser.submit(&page, &fields).await;
        assert!(answer.parameter("code").is_some(), "{} {}", answer.url, answer.body);
        Self {
            issuer: issuer.to_owned(),
            browser,
            standing: Standing::Nothing,
            spent_codes: Vec::new(),
            successors: Vec::new(),
            acknowledged: 0,
            sign_ins: 0,
            came_back: 0,
        }
    }

    /// Signs in again and again until the time is over or the provider is gone, which it must not be before.
    pub(crate) async fn work(&mut self, end: Instant) -> Option<Broken> {
        while Instant::now() < end {
            if !self.step().await {
                return (Instant::now() < end).then_some(Broken::Refused);
            }
        }
        None
    }

    /// One request; `false` if no answer came.
    async fn step(&mut self) -> bool {
        match std::mem::take(&mut self.standing) {
            Standing::Nothing => {
                let answer = self.authorize().await;
                match answer.parameter("code") {
                    Some(code) => self.standing = Standing::Code(code),
                    None => return false,
                }
            }
            Standing::Code(code) => {
                let answer = self.redeem(&code).await;
                if answer.status != StatusCode::OK {
                    self.standing = Standing::CodeInFlight(code);
                    return false;
                }
                self.standing = Standing::Family(refresh_token(&answer));
                self.spent_codes.push(code);
                forget_oldest(&mut self.spent_codes);
            }
            Standing::Family(token) => {
                let answer = self.refresh(&token).await;
                if answer.status != StatusCode::OK {
                    self.standing = Standing::FamilyInFlight(token);
                    return false;
                }
                // The family is left behind with its last token, and asked for after the next crash.
                self.successors.push((token, refresh_token(&answer)));
                forget_oldest(&mut self.successors);
                self.sign_ins += 1;
            }
            standing => self.standing = standing,
        }
        self.acknowledged += 1;
        true
    }

    /// Holds everything acknowledged before the crash against what the provider says now.
    pub(crate) async fn reckon(&mut self, ledger: &mut Ledger) {
        ledger.acknowledged(std::mem::take(&mut self.acknowledged), std::mem::take(&mut self.sign_ins));
        ledger.came_back(std::mem::take(&mut self.came_back));
        match std::mem::take(&mut self.standing) {
            Standing::Nothing => {}
            Standing::Code(code) => {
                let kept = self.redeem(&code).await.status == StatusCode::OK;
                ledger.check(kept, Broken::CodeLost);
            }
            Standing::CodeInFlight(code) => {
                // Used or not: after this it is used, and only once in all.
                let first = self.redeem(&code).await.status == StatusCode::OK;
                let again = self.redeem(&code).await.status == StatusCode::OK;
                ledger.check(!again, Broken::CodeTwice);
                ledger.cut_off(first);
            }
            Standing::Family(token) => {
                let kept = self.refresh(&token).await.status == StatusCode::OK;
                ledger.check(kept, Broken::RefreshLost);
            }
            Standing::FamilyInFlight(token) => {
                let first = self.refresh(&token).await;
                let again = self.refresh(&token).await;
                let kept = first.status == StatusCode::OK && again.status == StatusCode::OK;
                ledger.check(kept, Broken::RefreshLost);
                ledger.check(kept && refresh_token(&first) == refresh_token(&again), Broken::Fork);
                ledger.cut_off(kept);
            }
        }
        if let Some((token, successor)) = self.successors.last().cloned() {
            // Within the grace the old token gives the successor that it gave before the crash.
            let again = self.refresh(&token).await;
            let same = again.status == StatusCode::OK && refresh_token(&again) == successor;
            ledger.check(same, Broken::Fork);
        }
        let there = self.authorize().await.parameter("code").is_some();
        ledger.check(there, Broken::SessionLost);
    }

    /// Checks the newest families of the round and their codes. It takes longer than the grace of a used token, so it
    /// follows [`Self::reckon`] of all clients.
    pub(crate) async fn reckon_families(&mut self, ledger: &mut Ledger) {
        let (successors, spent) =
            (std::mem::take(&mut self.successors), std::mem::take(&mut self.spent_codes));
        for (_, successor) in &successors {
            let kept = self.refresh(successor).await.status == StatusCode::OK;
            ledger.check(kept, Broken::RefreshLost);
        }
        for code in spent {
            let again = self.redeem(&code).await.status == StatusCode::OK;
            ledger.check(!again, Broken::CodeTwice);
        }
    }

    async fn authorize(&mut self) -> Answer {
        let url = authorization_url(&self.issuer, "none");
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.browser.get(&url).await;
            if !self.is_told_to_come_back(&answer, end).await {
                return answer;
            }
        }
    }

    /// Waits if the provider is too busy and says so, which is no refusal.
    async fn is_told_to_come_back(&mut self, answer: &Answer, end: Instant) -> bool {
        let told =
            answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.headers.contains_key(RETRY_AFTER);
        let again = told && Instant::now() < end;
        if again {
            self.came_back += 1;
            tokio::time::sleep(PAUSE).await;
        }
        again
    }

    async fn redeem(&mut self, code: &str) -> Answer {
        self.token(&[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)]).await
    }

    async fn refresh(&mut self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    async fn token(&mut self, parameters: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(parameters).append_pair("client_id", "shop").append_pair("client_secret", SECRET);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let (url, body) = (format!("{}/token", self.issuer), body.finish());
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.browser.send(Method::POST, &url, &headers, Some(body.clone())).await;
            if !self.is_told_to_come_back(&answer, end).await {
                return answer;
            }
        }
    }
}

fn authorization_url(issuer: &str, prompt: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("client_id", "shop"), ("redirect_uri", CALLBACK), ("response_type", "code")])
        .extend_pairs([("scope", "openid offline_access"), ("prompt", prompt)])
        .finish();
    format!("{issuer}/authorize?{query}")
}

fn refresh_token(answer: &Answer) -> String {
    answer.json().get("refresh_token").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn forget_oldest<T>(kept: &mut Vec<T>) {
    let surplus = kept.len().saturating_sub(KEPT);
    kept.drain(..surplus);
}

/// The test kit's browser over real HTTP; an answer that never comes is told as one of its own.
pub(crate) fn over_the_network() -> Router {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    let http = http.timeout(PATIENCE);
    let http = http.build().unwrap();
    Router::new().fallback(move |request: Request| forward(http.clone(), request))
}

async fn forward(http: reqwest::Client, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let host = parts.headers.get(HOST).unwrap().to_str().unwrap();
    let url = format!("http://{host}{}", parts.uri);
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = CUT_OFF;
    let Ok(answer) = http.request(parts.method, url).headers(parts.headers).body(body).send().await else {
        return response;
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    if let Ok(body) = answer.bytes().await {
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        *response.body_mut() = Body::from(body);
    }
    response
}
