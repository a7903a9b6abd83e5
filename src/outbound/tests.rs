//! The guarded client against servers on this machine, which the settings allow, and one that they do not allow.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Request, StatusCode, Uri};
use axum::response::Redirect;
use axum::routing::{any, get};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::{AddressRefusal, Outbound, OutboundError, Settings};
use crate::domain::outbound::AllowedHost;

const LIMIT: usize = 1000;

/// A server on this machine that counts connections.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        let listening = axum::serve::ListenerExt::tap_io(listener, move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        tokio::spawn(async move { axum::serve(listening, router).await });
        Self { address, connections }
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn allowing(hosts: &[&str]) -> Settings {
    let allow = hosts.iter().map(|host| AllowedHost::parse(host).unwrap()).collect();
    Settings { allow, ..Settings::default() }
}

fn outbound(hosts: &[&str]) -> Outbound {
    Outbound::new(&allowing(hosts)).unwrap()
}

async fn asked(outbound: &Outbound, url: &Url) -> Result<Value, OutboundError> {
    outbound.get_json(url, LIMIT).await
}

#[tokio::test]
async fn an_allowed_host_is_asked_over_plain_http_too() {
    let document = get(|| async { "\u{feff}{\"keys\":[]}" });
    let server = Server::start(Router::new().route("/", document)).await;
    let by_address = outbound(&[&server.address.to_string()]);
    assert_eq!(asked(&by_address, &server.url("/")).await.unwrap(), json!({ "keys": [] }));
    let by_name = outbound(&["localhost"]);
    let url = Url::parse(&format!("http://localhost:{}/", server.address.port())).unwrap();
    assert_eq!(asked(&by_name, &url).await.unwrap(), json!({ "keys": [] }));
}

/// 127.0.0.1 in every spelling, names that resolve to it, and other ports of an allowed host.
#[tokio::test]
async fn a_canary_inside_is_never_reached() {
    let canary = Server::start(Router::new().fallback(any(|| async { "{}" }))).await;
    let port = canary.address.port();
    let outbound = outbound(&["gateway.internal", "127.0.0.1:1"]);
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[::1]",
        "0",
        "0.0.0.0",
        "[::]",
        "localhost",
        "localhost.",
        "keys.localhost",
        "gateway.internal@127.0.0.1",
        "127.0.0.1#gateway.internal",
        "①②⑦.0.0.1",
    ] {
        for scheme in ["https", "http"] {
            let Ok(mut url) = Url::parse(&format!("{scheme}://{host}")) else { panic!("{host}") };
            url.set_port(Some(port)).unwrap();
            let refused = asked(&outbound, &url).await;
            assert!(matches!(refused, Err(OutboundError::Refused(_))), "{url}: {refused:?}");
        }
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let canary = Server::start(Router::new().fallback(any(|| async { "{}" }))).await;
    let target = canary.url("/").to_string();
    let server =
        Server::start(Router::new().route("/", get(move || async move { Redirect::temporary(&target) })));
    let server = server.await;
    let outbound = outbound(&[&server.address.to_string(), &canary.address.to_string()]);
    let answer = asked(&outbound, &server.url("/")).await;
    assert!(matches!(answer, Err(OutboundError::Status(StatusCode::TEMPORARY_REDIRECT))), "{answer:?}");
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn an_answer_has_a_status_a_form_and_an_end() {
    let body = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    let router = Router::new()
        .route("/fits", get(move || async move { body(LIMIT) }))
        .route("/long", get(move || async move { body(LIMIT + 1) }))
        .route(
            "/endless",
            get(|| async {
                let pieces = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 100]));
                axum::body::Body::from_stream(pieces)
            }),
        )
        .route("/html", get(|| async { "<p>" }))
        .route("/error", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "{}") }));
    let server = Server::start(router).await;
    let outbound = outbound(&[&server.address.to_string()]);
    assert!(asked(&outbound, &server.url("/fits")).await.is_ok());
    for path in ["/long", "/endless"] {
        let answer = asked(&outbound, &server.url(path)).await;
        assert!(matches!(answer, Err(OutboundError::TooLong(LIMIT))), "{path} {answer:?}");
    }
    let html = asked(&outbound, &server.url("/html")).await;
    assert!(matches!(html, Err(OutboundError::Malformed(_))), "{html:?}");
    let error = asked(&outbound, &server.url("/error")).await;
    assert!(matches!(error, Err(OutboundError::Status(StatusCode::INTERNAL_SERVER_ERROR))), "{error:?}");
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let outbound = Outbound::with_deadline(&allowing(&[&address]), Duration::from_millis(50)).unwrap();
    let url = Url::parse(&format!("http://{address}/")).unwrap();
    let answer = asked(&outbound, &url).await;
    assert!(matches!(answer, Err(OutboundError::Unreachable(_))), "{answer:?}");
}

#[tokio::test]
async fn a_request_goes_out_as_it_is() {
    async fn echo(uri: Uri, headers: HeaderMap, body: String) -> (StatusCode, String) {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        (StatusCode::ACCEPTED, format!("{uri} {:?} {:?} {body}", header("x-key"), header("user-agent")))
    }
    let server = Server::start(Router::new().route("/send", any(echo))).await;
    let outbound = outbound(&[&server.address.to_string()]);
    let request =
        Request::post(server.url("/send?to=1").as_str()).header("x-key", "k").body(b"hello".to_vec());
    let answer = outbound.send(request.unwrap(), LIMIT).await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let text = String::from_utf8(answer.into_body()).unwrap();
    assert_eq!(text, r#"/send?to=1 Some("k") Some("vestibule") hello"#);
}

#[test]
fn certificates_that_are_none_are_told() {
    let with = |pem: &str| Outbound::new(&Settings { ca: vec![pem.to_owned()], ..Settings::default() });
    assert_eq!(with("hello").unwrap_err(), "ca: holds no certificate in PEM");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(with(broken).unwrap_err().starts_with("ca: "));
}

#[test]
fn an_address_is_judged_before_it_is_asked() {
    let outbound = outbound(&["gateway.internal"]);
    let admits = |text: &str| outbound.admits(&Url::parse(text).unwrap());
    assert_eq!(admits("https://keys.example.com/"), Ok(()));
    assert_eq!(admits("http://gateway.internal/"), Ok(()));
    assert_eq!(admits("ftp://gateway.internal/"), Err(AddressRefusal::NotHttps));
    assert_eq!(admits("https://10.0.0.1/"), Err(AddressRefusal::Inside));
}

/// TLS with a certificate of an authority that only the settings trust.
#[cfg(feature = "server")]
#[tokio::test]
async fn trust_is_what_the_settings_add_to_the_usual() {
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 1024]).await;
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
    let mut settings = allowing(&["localhost"]);
    let stranger = asked(&Outbound::new(&settings).unwrap(), &url).await;
    assert!(matches!(stranger, Err(OutboundError::Unreachable(_))), "{stranger:?}");
    settings.ca.push(made.cert.pem());
    assert_eq!(asked(&Outbound::new(&settings).unwrap(), &url).await.unwrap(), json!({}));
    settings.allow.clear();
    let guarded = asked(&Outbound::new(&settings).unwrap(), &url).await;
    assert!(matches!(guarded, Err(OutboundError::Refused(_))), "{guarded:?}");
}
