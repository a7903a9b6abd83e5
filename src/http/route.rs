//! A route as data: the router is built from these rows, and so are the tests that must not miss one.

use std::borrow::Cow;

use axum::Router;
use axum::http::header::ALLOW;
use axum::http::{Method, StatusCode};
use axum::routing::MethodRouter;

use super::state::Idp;

/// What a route demands before it does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: public documents and entrances.
    Open,
    /// The browser that the login in progress is bound to.
    Browser,
    /// A client's authentication.
    Client,
    /// An access token.
    Bearer,
}

/// One row of the route table.
pub(crate) struct Route {
    path: Cow<'static, str>,
    methods: &'static [Method],
    access: Access,
    handler: MethodRouter<Idp>,
}

/// A row of the route table as tests and operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// The path below the issuer, in axum's notation.
    pub path: Cow<'static, str>,
    /// The methods it answers.
    pub methods: &'static [Method],
    /// What it demands.
    pub access: Access,
}

impl Route {
    /// A route below each issuer. `methods` must name what `handler` answers.
    pub(crate) fn new(
        path: impl Into<Cow<'static, str>>,
        methods: &'static [Method],
        access: Access,
        handler: MethodRouter<Idp>,
    ) -> Self {
        Self { path: path.into(), methods, access, handler }
    }

    /// The row without its handler.
    pub(crate) fn info(&self) -> RouteInfo {
        RouteInfo { path: self.path.clone(), methods: self.methods, access: self.access }
    }

    /// Hangs the route into a router. axum answers HEAD by running the GET handler; a route that does not name HEAD
    /// must not, for a GET here may issue a code. What is refused learns what is not (RFC 9110 §15.5.6).
    pub(crate) fn mount(self, router: Router<Idp>) -> Router<Idp> {
        let allowed = self.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let refuse = || async { (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, allowed)]) };
        let handler = self.handler.fallback(refuse.clone());
        let is_bare_get = self.methods.contains(&Method::GET) && !self.methods.contains(&Method::HEAD);
        router.route(&self.path, if is_bare_get { handler.head(refuse) } else { handler })
    }
}
