//! This binary as a server: the bare answer that others are measured by, and a provider whose hashes cost nothing.

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tower::ServiceExt;
use vestibule::Idp;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::{PasswordCost, Settings};

use crate::http::AUTHORITY;
use crate::runtime;

/// As long as a discovery document.
const BODY: [u8; 1600] = [b'x'; 1600];

/// `role apply FILE`, `role bare ADDRESS` or `role provider ADDRESS`
pub(crate) fn run(role: &str, argument: &str) {
    runtime().block_on(async {
        if role == "apply" {
            let idp = without_hashes().await;
            idp.apply_file(Path::new(argument)).await.unwrap();
            return;
        }
        let listener = TcpListener::bind(argument).await.unwrap();
        let app = match role {
            "bare" => {
                Router::new().route("/", get(|| async { ([(CONTENT_TYPE, "application/json")], &BODY[..]) }))
            }
            _ => without_hashes().await.router(),
        };
        serve(listener, app).await;
    });
}

async fn without_hashes() -> Idp {
    let mut settings = Settings::new(IssuerUrl::parse(&format!("http://{AUTHORITY}")).unwrap());
    settings.password_cost = PasswordCost::CHEAPEST;
    let database = std::env::var("VESTIBULE_DATABASE").unwrap();
    Idp::builder(settings).database(database).build().await.unwrap()
}

/// The same stack as the product's listener.
async fn serve(listener: TcpListener, app: Router) {
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let app = app.clone();
        let service = service_fn(move |request| answer(app.clone(), peer, request));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new());
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    app: Router,
    peer: SocketAddr,
    mut request: hyper::Request<hyper::body::Incoming>,
) -> Result<axum::response::Response, std::convert::Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    app.oneshot(Request::from(request.map(axum::body::Body::new))).await
}
