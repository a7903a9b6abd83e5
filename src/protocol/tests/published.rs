//! What clients publish for us to fetch, at a server on this machine that the settings let through, and a canary that
//! they do not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};

use super::House;
use crate::domain::issuer::IssuerUrl;
use crate::domain::outbound::AllowedHost;
use crate::domain::settings::Settings;
use crate::testing::TestIdp;

/// One answer, whatever is asked, and how often somebody connected or asked.
#[derive(Clone)]
pub(super) struct Publisher {
    answer: Arc<Mutex<(StatusCode, String, String)>>,
    fetches: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    arrived: Arc<Notify>,
    gate: Arc<Semaphore>,
    /// Address and port.
    pub(super) address: String,
}

impl Publisher {
    pub(super) async fn start(document: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let publisher = Self {
            answer: Arc::new(Mutex::new((StatusCode::OK, String::new(), document.to_string()))),
            fetches: Arc::default(),
            connections: Arc::default(),
            arrived: Arc::default(),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            address: listener.local_addr().unwrap().to_string(),
        };
        let here = publisher.clone();
        let router = Router::new().fallback(move || async move { here.clone().respond().await });
        let connections = publisher.connections.clone();
        let listening = axum::serve::ListenerExt::tap_io(listener, move |_| {
            connections.fetch_add(1, Ordering::SeqCst);
        });
        tokio::spawn(async move { axum::serve(listening, router).await });
        publisher
    }

    /// A house whose settings let this server through, with more than `WORLD` in it.
    pub(super) async fn house(&self, more: &str) -> House {
        let mut settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
        settings.outbound.allow.push(AllowedHost::parse(&self.address).unwrap());
        House::with_settings(settings, more).await
    }

    async fn respond(self) -> impl IntoResponse {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        self.arrived.notify_one();
        let _open = self.gate.acquire().await.unwrap();
        let (status, location, body) = self.answer.lock().unwrap().clone();
        (status, [(LOCATION, location)], body)
    }

    pub(super) fn publish(&self, document: &Value) {
        self.answer(StatusCode::OK, "", &document.to_string());
    }

    pub(super) fn answer(&self, status: StatusCode, location: &str, body: &str) {
        *self.answer.lock().unwrap() = (status, location.to_owned(), body.to_owned());
    }

    /// Keeps everybody waiting who asks from now on.
    pub(super) fn hold(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Answers whoever waits.
    pub(super) fn release(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    /// Somebody has asked who was not waited for yet.
    pub(super) async fn arrival(&self) {
        self.arrived.notified().await;
    }

    pub(super) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}
