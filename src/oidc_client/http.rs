//! The HTTP client behind `openidconnect`: the guarded client for providers elsewhere, or the provider's own router.
//!
//! Why a router: a relying party in the same process then needs no socket, and works behind a proxy that cannot reach
//! itself. The provider sees an ordinary request either way.

use std::pin::Pin;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::HOST;
use axum::http::{HeaderValue, Uri};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use tower::ServiceExt;
use url::Url;

use crate::outbound::{AddressRefusal, Outbound, OutboundError};

/// The longest response in bytes; metadata, key sets and tokens are far shorter.
const LIMIT: usize = 256 * 1024;

/// Sends the requests of a client. Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) enum HttpClient {
    /// Over the network, with the guard of [`crate::outbound`].
    Network(Outbound),
    /// To a router in this process.
    InProcess(Router),
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The request names no host.
    #[error("the address has no host")]
    NoHost,
    /// The router's response is longer than 256 KiB, or broke off.
    #[error("the response cannot be read: {0}")]
    Body(#[from] axum::Error),
}

impl HttpClient {
    /// Sends a request and reads the response, whatever its status.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        match self {
            Self::Network(outbound) => Ok(outbound.send(request, LIMIT).await?),
            Self::InProcess(router) => call(router.clone(), request).await,
        }
    }

    /// Whether a browser may be sent to this address: a provider could name any.
    pub(super) fn admits(&self, url: &Url) -> Result<(), AddressRefusal> {
        match self {
            Self::Network(outbound) => outbound.admits(url),
            Self::InProcess(_) => Ok(()),
        }
    }
}

/// Calls the router as a connection of HTTP/1.1 would: the path as the target, the host in its header.
async fn call(router: Router, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let mut request = request.map(Body::from);
    let authority = request.uri().authority().ok_or(HttpError::NoHost)?;
    let host = HeaderValue::from_str(authority.as_str()).map_err(|_| HttpError::NoHost)?;
    request.headers_mut().insert(HOST, host);
    if let Some(target) = request.uri().path_and_query().cloned() {
        *request.uri_mut() = Uri::from(target);
    }
    let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
    let (parts, body) = response.into_parts();
    Ok(HttpResponse::from_parts(parts, to_bytes(body, LIMIT).await?.to_vec()))
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
