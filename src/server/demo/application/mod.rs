//! Shop, the demo's third-party application: a stranger that knows the provider by its discovery document alone and
//! imports nothing of it. This is what any relying party does; the checks are in [`relying_party`].

mod pages;
mod relying_party;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::relying_party::{Answer, Departure, Refusal, RelyingParty, SignedIn};
use crate::server::cli::Failure;

const COOKIE_NAME: &str = "shop-session";

/// What the application is told. Its client secret comes on the first line of standard input.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// The provider
    #[arg(long)]
    issuer: String,
    /// Its name there
    #[arg(long)]
    client_id: String,
    /// Where to listen; 0 takes a free port
    #[arg(long)]
    port: u16,
}

#[derive(Clone)]
struct Shop(Arc<Inner>);

struct Inner {
    provider: RelyingParty,
    sessions: Mutex<HashMap<String, Session>>,
}

/// What the application knows about a browser.
#[derive(Clone, Default)]
struct Session {
    /// Sent to the provider to sign in, maybe from several tabs.
    departures: Vec<Arc<Departure>>,
    user: Option<Arc<SignedIn>>,
    /// Sent to the provider to sign out, with this `state`.
    signing_out: Option<String>,
}

/// So many sign-ins of one browser are remembered; who begins more forgets the oldest.
const DEPARTURES: usize = 10;

/// Runs the application until standard input closes.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let (client_secret, parent_is_gone) = read_standard_input()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = TcpListener::bind(address).await.map_err(Failure::new)?;
    let port = listener.local_addr().map_err(Failure::new)?.port();
    let address = format!("http://localhost:{port}");
    let provider = RelyingParty::new(options.issuer, options.client_id, client_secret, &address);
    let shop =
        Shop(Arc::new(Inner { provider: provider.map_err(Failure::new)?, sessions: Mutex::default() }));
    let mut out = std::io::stdout();
    writeln!(out, "{address}").and_then(|()| out.flush()).map_err(Failure::new)?;
    tokio::select! {
        served = axum::serve(listener, shop.router()).into_future() => served.map_err(Failure::new),
        _ = parent_is_gone => Ok(()),
    }
}

/// The first line, and word of the end.
fn read_standard_input() -> Result<(String, oneshot::Receiver<()>), Failure> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(Failure::new)?;
    let (end, ended) = oneshot::channel();
    std::thread::spawn(move || {
        // Whatever ends the input, ends the application.
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        drop(end);
    });
    Ok((line.trim().to_owned(), ended))
}

impl Shop {
    fn router(self) -> Router {
        Router::new()
            .route("/", get(home))
            .route("/sign-in", post(sign_in))
            .route("/callback", get(callback))
            .route("/sign-out", post(sign_out))
            .route("/signed-out", get(signed_out))
            .route("/style.css", get(|| async { ([(CONTENT_TYPE, "text/css")], pages::STYLE) }))
            .with_state(self)
    }

    fn session(&self, headers: &HeaderMap) -> Session {
        cookie(headers).and_then(|name| self.sessions().get(&name).cloned()).unwrap_or_default()
    }

    /// Puts a new session in the place of the browser's old one, under a new cookie.
    fn renew(&self, headers: &HeaderMap, session: Session, response: impl IntoResponse) -> Response {
        let name = relying_party::unguessable();
        let set_cookie = format!("{COOKIE_NAME}={name}; HttpOnly; SameSite=Lax; Path=/");
        let mut sessions = self.sessions();
        if let Some(old) = cookie(headers) {
            sessions.remove(&old);
        }
        sessions.insert(name, session);
        ([(SET_COOKIE, set_cookie)], response).into_response()
    }

    fn forget(&self, headers: &HeaderMap) {
        if let Some(name) = cookie(headers) {
            self.sessions().remove(&name);
        }
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, HashMap<String, Session>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split("; ")).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value.to_owned())
}

async fn home(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    match shop.session(&headers).user {
        Some(user) => pages::signed_in(&shop.0.provider, &user),
        None => pages::home(&shop.0.provider, false),
    }
}

async fn sign_in(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    match shop.0.provider.depart().await {
        Ok(departure) => {
            let redirect = Redirect::to(departure.address.as_str());
            let mut session = shop.session(&headers);
            session.departures.insert(0, Arc::new(departure));
            session.departures.truncate(DEPARTURES);
            shop.renew(&headers, session, redirect)
        }
        Err(refusal) => refuse(&shop, &refusal),
    }
}

async fn callback(State(shop): State<Shop>, headers: HeaderMap, Query(answer): Query<Answer>) -> Response {
    let mut session = shop.session(&headers);
    let Some(at) = session.departures.iter().position(|departure| departure.expects(&answer)) else {
        return refuse(&shop, &Refusal::new("the answer is not for this browser (state)"));
    };
    let departure = session.departures.remove(at);
    match shop.0.provider.arrive(&departure, answer).await {
        Ok(user) => {
            session.user = Some(Arc::new(user));
            shop.renew(&headers, session, Redirect::to("/"))
        }
        Err(refusal) => shop.renew(&headers, session, refuse(&shop, &refusal)),
    }
}

async fn sign_out(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    let Some(user) = shop.session(&headers).user else {
        return Redirect::to("/").into_response();
    };
    let state = relying_party::unguessable();
    match shop.0.provider.sign_out_address(&user, &state).await {
        Ok(address) => {
            let session = Session { signing_out: Some(state), ..Session::default() };
            shop.renew(&headers, session, Redirect::to(address.as_str()))
        }
        Err(refusal) => refuse(&shop, &refusal),
    }
}

#[derive(Deserialize)]
struct SignedOut {
    state: Option<String>,
}

async fn signed_out(
    State(shop): State<Shop>,
    headers: HeaderMap,
    Query(answer): Query<SignedOut>,
) -> Response {
    let expected = shop.session(&headers).signing_out;
    if expected.is_none() || expected != answer.state {
        return refuse(&shop, &Refusal::new("no sign-out was begun in this browser"));
    }
    shop.forget(&headers);
    pages::home(&shop.0.provider, true)
}

fn refuse(shop: &Shop, refusal: &Refusal) -> Response {
    (StatusCode::BAD_REQUEST, pages::problem(&shop.0.provider, refusal)).into_response()
}
