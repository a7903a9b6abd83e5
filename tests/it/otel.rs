//! Spans at a collector: those of a login, under one id, and nothing that was typed.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::Value;

use super::serve::Folder;
use super::support::network::browser_at;
use super::support::process::{Running, run, vestibule};
use super::support::{listen, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_spans_of_a_login_arrive() {
    let (listener, collector) = listen().await;
    let taken: Arc<Mutex<Vec<u8>>> = Arc::default();
    let sink = taken.clone();
    let take = move |headers: HeaderMap, body: Bytes| {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        sink.lock().unwrap().extend_from_slice(&body);
        async {}
    };
    serve(listener, Router::new().route("/v1/traces", post(take)));
    let folder = Folder::new("otel");
    folder.write("house.toml", super::login::HOUSE);
    assert!(run(folder.path(), &["apply", "house.toml"]).status.success());
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--otlp", &collector];
    let mut process = Running::start(vestibule(folder.path(), &arguments));
    let ready: Value = serde_json::from_str(&process.wait_for_log("\"ready\"")).unwrap();
    let address = ready["fields"]["listen"].as_str().unwrap().to_owned();

    let mut browser = browser_at(&address);
    let ask = "http://localhost:8080/authorize?response_type=code&client_id=shop&scope=openid&\
               redirect_uri=https%3A%2F%2Fshop.test%2Fcallback&\
               code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let page = browser.get(ask).await;
    let fields = [("tenant", "123456.sms"), ("username", "bert"), ("password", super::login::PASSWORD)];
    let back = browser.submit(&page, &fields).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
    process.terminate();
    let (code, log) = process.end();
    assert_eq!(code, Some(0), "{log}");

    let taken = taken.lock().unwrap().clone();
    let holds = |text: &str| taken.windows(text.len()).any(|window| window == text.as_bytes());
    for text in ["vestibule", "/authorize", "/login/{interaction}/{step}", "login", "POST"] {
        assert!(holds(text), "{text}");
    }
    for text in ["bert", super::login::PASSWORD, &back.parameter("code").unwrap()] {
        assert!(!holds(text), "{text}");
    }
}
