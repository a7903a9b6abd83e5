//! The HTTP client for everything that the provider fetches or calls: clients' keys, gateways, upstream providers.
//!
//! A party that names a URL to be fetched could target systems that only the provider reaches (server-side request
//! forgery). The client therefore allows https only; public addresses only, checked when connecting (see [`guard`]); no
//! redirects, which would lead to unchecked addresses; no proxy from the environment, which would resolve names itself;
//! one deadline for connecting and one for the whole request; responses up to a limit that the caller sets. Hosts in
//! the setting `allow` are exempt, over plain http too.
//!
//! Requests and responses are those of the crate `http`, as openidconnect expects from an HTTP client.

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

/// Time limit for connecting, including name resolution and TLS handshake.
const CONNECT: Duration = Duration::from_secs(3);
/// Time limit for a request, including its response.
const TOTAL: Duration = Duration::from_secs(10);

/// The HTTP client. Clones share connections.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    /// Resolves names to public addresses only.
    guarded: reqwest::Client,
    /// For hosts that the settings allow.
    open: reqwest::Client,
    allow: Vec<AllowedHost>,
}

/// The reason why a request failed; the texts are for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    /// The URL must not be fetched.
    #[error(transparent)]
    Refused(#[from] AddressRefusal),
    /// The connection, TLS or the response failed, or timed out.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// The response exceeds the caller's limit.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// The status is not 200; redirects are not followed.
    #[error("the answer has the status {0}")]
    Status(StatusCode),
    /// The response is not the expected JSON.
    #[error("the answer is not what was expected: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// The reason why a URL must not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressRefusal {
    /// Plain http, another scheme, or no host.
    #[error("only https addresses are fetched (unless [outbound] allow names the host)")]
    NotHttps,
    /// It leads to this machine or its network.
    #[error("the address is not public (unless [outbound] allow names the host)")]
    Inside,
}

impl Outbound {
    /// Creates a client with these settings; the error names the invalid member.
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        Self::with_deadline(settings, TOTAL)
    }

    /// Like [`Self::new`], with another deadline, so that tests are fast.
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

    /// Sends a request and reads the response, whatever its status, if it has at most `limit` bytes.
    pub(crate) async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limit: usize,
    ) -> Result<http::Response<Vec<u8>>, OutboundError> {
        // Without the URL, which may contain a key.
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

    /// Fetches a JSON document of at most `limit` bytes; `Content-Type` is not checked.
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
                // Some servers send a byte order mark, which a parser may ignore (RFC 8259 §8.1).
                let body = answer.body();
                Ok(serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))?)
            }
            status => Err(OutboundError::Status(status)),
        }
    }

    /// Returns whether this URL may be fetched; its name is resolved only when fetching.
    pub(crate) fn admits(&self, url: &Url) -> Result<(), AddressRefusal> {
        self.client_for(url).map(drop)
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, AddressRefusal> {
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

/// The error with its sources, which contain the cause.
fn with_sources(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
