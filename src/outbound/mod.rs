//! The one client for everything that the provider asks for by itself: clients' keys, gateways, upstream providers.
//!
//! Whoever may name an address to be fetched could aim at what only the provider reaches (server-side request forgery).
//! So there is one way out, and it is guarded: https only; addresses of the Internet only, looked at as they are
//! connected to (see [`guard`]); no redirects, which would be a second address that nobody has checked; no proxy out of
//! the environment, which would resolve names behind our back; one deadline for connecting and one for all of it; answers
//! read in pieces and only up to a limit that the caller names. Hosts that the settings `allow` are let through, over
//! plain http too.
//!
//! Requests and answers are those of the crate `http`, as openidconnect wants them from an HTTP client.

mod guard;
#[cfg(test)]
mod tests;
mod tls;

use std::time::Duration;

use axum::http;
use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use reqwest::redirect;
use serde::de::DeserializeOwned;
use url::Url;

use crate::domain::outbound::{AllowedHost, Outbound as Settings};

/// How long connecting may take, with the name looked up and TLS agreed upon.
const CONNECT: Duration = Duration::from_secs(3);
/// How long a request may take until its answer is read.
const TOTAL: Duration = Duration::from_secs(10);

/// Asks others, with care. Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    /// Resolves names to public addresses alone.
    guarded: reqwest::Client,
    /// For what the settings allow.
    open: reqwest::Client,
    allow: Vec<AllowedHost>,
}

/// Why there is no answer; the texts are for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    /// The address may not be asked.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No connection, no trust, no answer in time, or nothing that is HTTP.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// More bytes than the caller wants.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// Another status than 200; redirects are not followed.
    #[error("the answer has the status {0}")]
    Status(StatusCode),
    /// Not the JSON that was expected.
    #[error("the answer is not what was expected: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// Why an address may not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Plain http, another scheme, or no host.
    #[error("only https addresses are fetched (unless [outbound] allow names the host)")]
    NotHttps,
    /// It leads to this machine or its neighbours.
    #[error("the address is not one of the Internet (unless [outbound] allow names the host)")]
    Inside,
}

impl Outbound {
    /// A client that obeys these settings; the error names the member that is wrong.
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        Self::with_deadline(settings, TOTAL)
    }

    /// The same with another deadline, so that tests need not wait.
    pub(crate) fn with_deadline(settings: &Settings, total: Duration) -> Result<Self, String> {
        let tls = tls::config(&settings.ca)?;
        let client = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .user_agent("vestibule")
                .connect_timeout(CONNECT)
                .timeout(total)
        };
        let guarded = client().https_only(true).dns_resolver(guard::PublicAddresses);
        let built = |builder: reqwest::ClientBuilder| builder.build().map_err(|error| with_sources(&error));
        Ok(Self { guarded: built(guarded)?, open: built(client())?, allow: settings.allow.clone() })
    }

    /// Sends a request and reads its answer, whatever its status, if it has at most `limit` bytes.
    pub(crate) async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limit: usize,
    ) -> Result<http::Response<Vec<u8>>, OutboundError> {
        // The client's errors name the address, in which there may be a key.
        let failed = |error: reqwest::Error| no_answer(&error.without_url());
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let answer = self.client_for(request.url())?.execute(request).await;
        let mut answer = answer.map_err(failed)?;
        let mut response = http::Response::new(Vec::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        while let Some(piece) = answer.chunk().await.map_err(failed)? {
            if response.body().len() + piece.len() > limit {
                return Err(OutboundError::TooLong(limit));
            }
            response.body_mut().extend_from_slice(&piece);
        }
        Ok(response)
    }

    /// The JSON document at this address, of at most `limit` bytes. What `Content-Type` says of it does not matter.
    pub(crate) async fn get_json<T: DeserializeOwned>(
        &self,
        url: &Url,
        limit: usize,
    ) -> Result<T, OutboundError> {
        let mut request = http::Request::new(Vec::new());
        *request.uri_mut() = url.as_str().parse().map_err(|error| no_answer(&error))?;
        request.headers_mut().insert(ACCEPT, http::HeaderValue::from_static("application/json"));
        let answer = self.send(request, limit).await?;
        match answer.status() {
            StatusCode::OK => {
                // Some servers begin a document with a byte order mark, which a reader may ignore (RFC 8259 §8.1).
                let body = answer.body();
                Ok(serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))?)
            }
            status => Err(OutboundError::Status(status)),
        }
    }

    /// May this address be asked? Names are looked up only when it is.
    pub(crate) fn admits(&self, url: &Url) -> Result<(), Refusal> {
        self.client_for(url).map(drop)
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, Refusal> {
        let speaks_http = matches!(url.scheme(), "http" | "https");
        if speaks_http && self.allow.iter().any(|allowed| allowed.covers(url)) {
            return Ok(&self.open);
        }
        guard::admit(url).map(|()| &self.guarded)
    }
}

fn no_answer(error: &dyn std::error::Error) -> OutboundError {
    OutboundError::Unreachable(with_sources(error))
}

/// The client says that it failed; its sources say why.
fn with_sources(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
