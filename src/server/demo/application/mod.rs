//! Shop, the demo's third-party application: a process of its own, on another port, that knows the provider by its
//! discovery document alone. It is a relying party ([`crate::rp`]) with pages.

mod pages;

use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::crypto::seal::Sealer;
use crate::ext::SystemClock;
use crate::rp::{Handle, RelyingParty, RpError, RpSettings, SignInResponse};
use crate::server::failure::Failure;
use crate::storage::Db;

const COOKIE_NAME: &str = "shop-session";
/// Requested besides `openid`.
const SCOPES: [&str; 3] = ["profile", "email", "phone"];
const SESSION_LIFETIME: Duration = Duration::from_hours(12);

/// The options of the application. Its client secret comes on the first line of standard input.
#[derive(clap::Args, Debug)]
pub(crate) struct ApplicationOptions {
    /// The provider
    #[arg(long)]
    issuer: String,
    /// Its name there
    #[arg(long)]
    client_id: String,
    /// Where to listen; 0 takes a free port
    #[arg(long)]
    port: u16,
    /// Where its sessions are stored
    #[arg(long)]
    database: String,
}

type Shop = State<Arc<RelyingParty>>;

/// Runs the application until standard input closes.
pub(crate) async fn run(options: ApplicationOptions) -> Result<(), Failure> {
    let (client_secret, parent_is_gone) = read_standard_input()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = TcpListener::bind(address).await.map_err(Failure::new)?;
    let port = listener.local_addr().map_err(Failure::new)?.port();
    let address = format!("http://localhost:{port}");
    let party = relying_party(options, client_secret, &address).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{address}").and_then(|()| out.flush()).map_err(Failure::new)?;
    tokio::select! {
        served = axum::serve(listener, router(party)).into_future() => served.map_err(Failure::new),
        _ = parent_is_gone => Ok(()),
    }
}

/// The relying party, with a database of its own. Its sealing keys are not kept: everything ends with the demo.
async fn relying_party(
    options: ApplicationOptions,
    client_secret: String,
    address: &str,
) -> Result<RelyingParty, Failure> {
    let db = Db::open(&options.database).await.map_err(Failure::new)?;
    db.migrate().await.map_err(Failure::new)?;
    let (sealer, clock) = (Arc::new(Sealer::generate()), Arc::new(SystemClock));
    let handle = Handle::over_network(db, sealer, clock, &options.issuer).map_err(Failure::new)?;
    let settings = RpSettings {
        issuer: options.issuer,
        client_id: options.client_id,
        client_secret,
        redirect_uri: format!("{address}/callback"),
        post_logout_redirect_uri: format!("{address}/signed-out"),
        scopes: SCOPES.map(str::to_owned).to_vec(),
        session_lifetime: SESSION_LIFETIME,
    };
    Ok(RelyingParty::new(handle, settings))
}

/// The first line, and a receiver of the end of the input.
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

fn router(party: RelyingParty) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/sign-in", post(sign_in))
        .route("/callback", get(callback))
        .route("/sign-out", post(sign_out))
        .route("/signed-out", get(signed_out))
        .route("/backchannel-logout", post(backchannel_logout))
        .route("/style.css", get(|| async { ([(CONTENT_TYPE, "text/css")], pages::STYLE) }))
        .with_state(Arc::new(party))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split("; ")).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, value)| value)
}

fn with_cookie(value: &str, redirect: &str) -> Response {
    let cookie = format!("{COOKIE_NAME}={value}; HttpOnly; SameSite=Lax; Path=/");
    ([(SET_COOKIE, cookie)], Redirect::to(redirect)).into_response()
}

async fn home(State(party): Shop, headers: HeaderMap) -> Response {
    match party.session(cookie(&headers)).await {
        Ok(Some(session)) => pages::signed_in(&party, &session),
        Ok(None) => pages::home(&party, false),
        Err(error) => refuse(&party, &error),
    }
}

async fn sign_in(State(party): Shop, headers: HeaderMap) -> Response {
    match party.begin_sign_in(cookie(&headers)).await {
        Ok((url, cookie)) => with_cookie(&cookie, url.as_str()),
        Err(error) => refuse(&party, &error),
    }
}

async fn callback(
    State(party): Shop,
    headers: HeaderMap,
    Query(response): Query<SignInResponse>,
) -> Response {
    match party.complete_sign_in(cookie(&headers), &response).await {
        Ok(cookie) => with_cookie(&cookie, "/"),
        Err(error) => refuse(&party, &error),
    }
}

async fn sign_out(State(party): Shop, headers: HeaderMap) -> Response {
    let begun = match party.session(cookie(&headers)).await {
        Ok(Some(session)) => session.begin_sign_out().await,
        Ok(None) => return Redirect::to("/").into_response(),
        Err(error) => Err(error),
    };
    match begun {
        Ok((url, cookie)) => with_cookie(&cookie, url.as_str()),
        Err(error) => refuse(&party, &error),
    }
}

#[derive(Deserialize)]
struct SignOutResponse {
    state: Option<String>,
}

async fn signed_out(
    State(party): Shop,
    headers: HeaderMap,
    Query(response): Query<SignOutResponse>,
) -> Response {
    match party.complete_sign_out(cookie(&headers), response.state.as_deref()).await {
        Ok(()) => pages::home(&party, true),
        Err(error) => refuse(&party, &error),
    }
}

#[derive(Deserialize)]
struct BackchannelLogoutForm {
    logout_token: String,
}

/// Back-Channel Logout 1.0 §2.8: 200 once the sessions have ended, 400 for a token that is refused.
async fn backchannel_logout(State(party): Shop, Form(request): Form<BackchannelLogoutForm>) -> Response {
    let status = match party.back_channel_logout(&request.logout_token).await {
        Ok(_) => StatusCode::OK,
        Err(RpError::Refused(_)) => StatusCode::BAD_REQUEST,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, [(CACHE_CONTROL, "no-store")]).into_response()
}

fn refuse(party: &RelyingParty, error: &RpError) -> Response {
    (StatusCode::BAD_REQUEST, pages::problem(party, error)).into_response()
}
