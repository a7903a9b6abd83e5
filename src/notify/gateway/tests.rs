//! Runs the gateway against a local server: the requests it receives, how its responses are classified, and what is not
//! sent twice.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use axum::response::Redirect;
use axum::routing::any;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::form_urlencoded;

use super::*;
use crate::domain::contact::PhoneNumber;
use crate::domain::ids::MessageId;

/// A received request.
#[derive(Clone, Debug)]
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }

    fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// A server that gives the configured responses one after the other.
#[derive(Clone)]
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    async fn start(answers: &[(u16, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let server = Self { address: listener.local_addr().unwrap(), asked: asked.clone() };
        let answers = answers.to_vec();
        let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let body = String::from_utf8(body.to_vec()).unwrap();
            let mut asked = asked.lock().unwrap();
            asked.push(Asked { method, uri, headers, body });
            let (status, text) = answers.get(asked.len() - 1).copied().unwrap_or((200, "OK"));
            async move { (StatusCode::from_u16(status).unwrap(), text) }
        };
        let router = Router::new().fallback(any(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn settings(url: String, body: &str) -> GatewaySettings {
    GatewaySettings { url, method: "POST".to_owned(), body: Some(body.to_owned()), ..Default::default() }
}

fn gateway(settings: &GatewaySettings) -> Gateway {
    Gateway::new(settings, &OutboundSettings::default()).unwrap()
}

fn sms(text: &str) -> OutgoingSms {
    let to = PhoneNumber::parse("+4915112345678", None).unwrap();
    OutgoingSms { id: MessageId::new("0b7e"), to, text: text.to_owned() }
}

const HOSTILE: &str = "\"},\"to\":\"+1900\"}\\\r\n&To=%2B1900\0 ü {number} {id} + \u{2028}@id.test #493817";

#[tokio::test]
async fn json_arrives_as_it_was_meant() {
    let server = Server::start(&[]).await;
    let gateway = gateway(&GatewaySettings {
        headers: vec![("X-Api-Key".to_owned(), "k".to_owned())],
        ..settings(server.url("/sms?ref={id}"), r#"{"to":["{number}"],"m":{"text":"Hi {text}"},"n":1}"#)
    });
    gateway.send(&sms(HOSTILE)).await.unwrap();
    let [asked] = &server.asked()[..] else { panic!("not one request") };
    assert_eq!((asked.method.as_str(), asked.uri.to_string().as_str()), ("POST", "/sms?ref=0b7e"));
    assert_eq!((asked.header("x-api-key"), asked.header("content-type")), ("k", "application/json"));
    assert_eq!(asked.header("idempotency-key"), "\"0b7e\"");
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let text = format!("Hi {HOSTILE}");
    assert_eq!(body, json!({ "to": ["+4915112345678"], "m": { "text": text }, "n": 1 }));
}

#[tokio::test]
async fn a_form_arrives_as_it_was_meant_and_the_password_in_a_header() {
    let server = Server::start(&[]).await;
    let url = server.url("/Messages.json").replace("http://", "http://AC1:p%40ss%C3%BC@");
    gateway(&settings(url, "To={number}&From=%2B49157&Body={text}")).send(&sms(HOSTILE)).await.unwrap();
    let [asked] = &server.asked()[..] else { panic!("not one request") };
    assert_eq!(asked.header("authorization"), format!("Basic {}", BASE64_STANDARD.encode("AC1:p@ssü")));
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(asked.header("host"), server.address.to_string());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(asked.form(), [pair("To", "+4915112345678"), pair("From", "+49157"), pair("Body", HOSTILE)]);
}

#[tokio::test]
async fn an_xml_document_arrives_as_it_was_meant() {
    let body = "<?xml version=\"1.0\"?><sms ref=\"{id}\"><to>{number}</to><text>{text}</text></sms>";
    for content_type in [None, Some("text/xml; charset=utf-8"), Some("application/soap+xml")] {
        let server = Server::start(&[]).await;
        let named = content_type.map(|value| ("Content-Type".to_owned(), value.to_owned()));
        let settings =
            GatewaySettings { headers: named.into_iter().collect(), ..settings(server.url("/sms"), body) };
        gateway(&settings)
            .send(&sms("</text><to>+1900</to> & \"ü\" {id}\n\n@id.test #493817"))
            .await
            .unwrap();
        let [asked] = &server.asked()[..] else { panic!("not one request") };
        assert_eq!(asked.header("content-type"), content_type.unwrap_or("application/xml; charset=utf-8"));
        assert_eq!(
            asked.body,
            "<?xml version=\"1.0\"?><sms ref=\"0b7e\"><to>+4915112345678</to><text>&lt;/text&gt;&lt;to&gt;+1900\
             &lt;/to&gt; &amp; &quot;ü&quot; {id}&#10;&#10;@id.test #493817</text></sms>"
        );
    }
}

#[tokio::test]
async fn a_plain_body_is_the_text_itself() {
    let server = Server::start(&[]).await;
    let settings = GatewaySettings {
        headers: vec![("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned())],
        method: "PUT".to_owned(),
        ..settings(server.url("/to/{number}"), "{text}")
    };
    let text = "Ihr Code & \"mehr\" <ü>: {id}\n\n@id.test #493817";
    gateway(&settings).send(&sms(text)).await.unwrap();
    let [asked] = &server.asked()[..] else { panic!("not one request") };
    assert_eq!((asked.uri.path(), asked.body.as_str()), ("/to/%2B4915112345678", text));
    assert_eq!(asked.header("content-type"), "text/plain; charset=utf-8");
}

#[tokio::test]
async fn the_number_is_written_as_the_gateway_wants_it() {
    for (format, number, in_address) in [
        ("e164", "+4915112345678", "/%2B4915112345678"),
        ("digits", "4915112345678", "/4915112345678"),
        ("00", "004915112345678", "/004915112345678"),
    ] {
        let server = Server::start(&[]).await;
        let settings = GatewaySettings {
            number_format: NumberFormat::parse(format).unwrap(),
            ..settings(server.url("/{number}"), "to={number}&text={text}")
        };
        gateway(&settings).send(&sms("493817")).await.unwrap();
        let [asked] = &server.asked()[..] else { panic!("not one request") };
        assert_eq!(asked.uri.path(), in_address);
        assert_eq!(asked.form()[0], ("to".to_owned(), number.to_owned()));
    }
    assert!(NumberFormat::parse("+").is_err());
}

#[tokio::test]
async fn an_address_holds_all_of_it_and_leads_nowhere_else() {
    let server = Server::start(&[]).await;
    let settings = GatewaySettings {
        url: server.url("/send/{number}?key=k&text={text}"),
        method: "get".to_owned(),
        ..Default::default()
    };
    gateway(&settings).send(&sms(HOSTILE)).await.unwrap();
    let [asked] = &server.asked()[..] else { panic!("not one request") };
    assert_eq!((asked.method.as_str(), asked.uri.path()), ("GET", "/send/%2B4915112345678"));
    let query: Vec<_> = form_urlencoded::parse(asked.uri.query().unwrap().as_bytes()).into_owned().collect();
    assert_eq!(query, [("key".to_owned(), "k".to_owned()), ("text".to_owned(), HOSTILE.to_owned())]);
}

#[tokio::test]
async fn answers_decide_whether_it_is_tried_again_and_nothing_confidential_is_told() {
    let server = Server::start(&[(500, "493817"), (429, ""), (400, "493817"), (200, "ERR 493817")]).await;
    let url = server.url("/send?key=hidden");
    let gateway = gateway(&GatewaySettings {
        success: Some("OK".to_owned()),
        ..settings(url, "to={number}&text={text}")
    });
    let mut said = Vec::new();
    for _ in 0..5 {
        said.push(gateway.send(&sms("493817")).await);
    }
    assert!(matches!(said[0], Err(DeliveryError::Transient(_))), "{said:?}");
    assert!(matches!(said[1], Err(DeliveryError::Transient(_))), "{said:?}");
    assert!(matches!(said[2], Err(DeliveryError::Permanent(_))), "{said:?}");
    assert!(matches!(said[3], Err(DeliveryError::Permanent(_))), "{said:?}");
    assert_eq!(said[4], Ok(()));
    assert_eq!(server.asked().len(), 5, "one request for each try");
    let told = format!("{said:?} {gateway:?}");
    for confidential in ["493817", "hidden", "+4915112345678", "127.0.0.1"] {
        assert!(!told.contains(confidential), "{confidential}: {told}");
    }
}

/// A gateway that accepts the request and does not respond, and an address where no server listens.
#[tokio::test]
async fn who_does_not_answer_is_asked_again_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/send?key=hidden", listener.local_addr().unwrap());
    let mut gateway = gateway(&settings(url, "to={number}&text={text}"));
    let host = AllowedHost::parse("127.0.0.1").unwrap();
    let open = OutboundSettings { allow: vec![host], ..Default::default() };
    gateway.outbound = Outbound::with_deadline(&open, Duration::from_millis(50)).unwrap();
    let silent = gateway.send(&sms("493817")).await;
    drop(listener);
    let nobody = gateway.send(&sms("493817")).await;
    for said in [silent, nobody] {
        let Err(DeliveryError::Transient(reason)) = said else { panic!("{said:?}") };
        assert!(!reason.contains("hidden") && !reason.contains("493817"), "{reason}");
    }
}

#[tokio::test]
async fn a_redirect_takes_nothing_elsewhere() {
    let elsewhere = Server::start(&[]).await;
    let target = elsewhere.url("/");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/send", listener.local_addr().unwrap());
    let router = Router::new().fallback(any(move || async move { Redirect::temporary(&target) }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let said = gateway(&settings(url, "to={number}&text={text}")).send(&sms("493817")).await;
    assert!(matches!(said, Err(DeliveryError::Permanent(_))), "{said:?}");
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn mistakes_are_told_by_their_member_and_without_what_may_be_secret() {
    let good = || settings("https://u:hidden@sms.test/send".to_owned(), "to={number}&text={text}");
    let url = |url: &str| GatewaySettings { url: url.to_owned(), ..good() };
    let body = |body: &str| GatewaySettings { body: Some(body.to_owned()), ..good() };
    let header = |name: &str, value: &str| GatewaySettings {
        headers: vec![(name.to_owned(), value.to_owned())],
        ..good()
    };
    let problem = |settings: &GatewaySettings| Gateway::new(settings, &OutboundSettings::default()).err();
    assert_eq!(problem(&good()), None);
    for (settings, member) in [
        (url("sms.test"), "url"),
        (url("ftp://sms.test/"), "url"),
        (url("https://hidden"), "url"),
        (url("https://{number}.test/"), "url"),
        (url("https://hidden@{id}/"), "url"),
        (url("{text}://sms.test/"), "url"),
        (url("https://sms.test/a b"), "url"),
        (url("https://sms.test/?hidden={nummer}"), "url"),
        (url("http://sms.test/hidden"), "url"),
        (url("http://localhost.sms.test/"), "url"),
        (body("to={number}&hidden"), "body"),
        (body("text={text}&hidden"), "body"),
        (body("to={number}&text={txt}"), "body"),
        (body(r#"{"to":{number},"text":"{text}"}"#), "body"),
        (body(r#"{"to":"{number}","text":"{text}","key":"hidden"#), "body"),
        (GatewaySettings { method: "DELETE".to_owned(), ..good() }, "method"),
        (GatewaySettings { method: "GET".to_owned(), ..good() }, "body"),
        (GatewaySettings { method: "GET".to_owned(), body: None, ..good() }, "url"),
        (header("X Key", "hidden"), "headers"),
        (header("X-Key", "hidden\r\nX: y"), "headers"),
        (header("Content-Type", "text/xml"), "body"),
        (header("Content-Type", "text/html"), "headers"),
        (header("Content-Type", "text/plain; charset=iso-8859-1"), "headers"),
        (body("<sms><to>{number}</to><![CDATA[{text}]]></sms>"), "body"),
        (body("<sms><to>{number}</to><text>{text}hidden</sms>"), "body"),
    ] {
        let error = problem(&settings).unwrap_or_else(|| panic!("{} {:?}", settings.url, settings.body));
        assert_eq!(error.member, member, "{} {:?} {error}", settings.url, settings.body);
        assert!(!error.to_string().contains("hidden"), "{error}");
    }
}

#[test]
fn plain_http_needs_the_operators_word() {
    let settings = settings("http://gateway.internal:8080/send".to_owned(), "to={number}&text={text}");
    assert_eq!(Gateway::new(&settings, &OutboundSettings::default()).unwrap_err().member, "url");
    let allow = vec![AllowedHost::parse("gateway.internal").unwrap()];
    assert!(Gateway::new(&settings, &OutboundSettings { allow, ..Default::default() }).is_ok());
}
