//! A route as data: the router is built from these rows, and so are the tests that must cover every route.

use std::borrow::Cow;

use axum::Router;
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware;
use axum::routing::MethodRouter;

use super::BearerGuard;
use super::cors;
use crate::provider::Idp;

/// What a public document answers.
const DOCUMENT: &[Method] = &[Method::GET, Method::HEAD, Method::OPTIONS];

/// What a route demands before it does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: public documents and entrances.
    Open,
    /// The browser that the login in progress is bound to.
    Browser,
    /// A client's authentication.
    Client,
    /// An access token with the guard's scope.
    Bearer(BearerGuard),
}

/// One row of the route table.
pub(crate) struct Route {
    path: Cow<'static, str>,
    methods: &'static [Method],
    access: Access,
    handler: MethodRouter<Idp>,
    for_pages: bool,
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
        Self { path: path.into(), methods, access, handler, for_pages: false }
    }

    /// A public document, which pages of any origin may read.
    pub(crate) fn document(path: impl Into<Cow<'static, str>>, handler: MethodRouter<Idp>) -> Self {
        Self::new(path, DOCUMENT, Access::Open, handler.options(cors::public))
    }

    /// The same route, whose answers pages of the issuer's clients may read (see `cors`).
    pub(crate) fn for_pages(self) -> Self {
        Self { for_pages: true, ..self }
    }

    /// The row without its handler.
    pub(crate) fn info(&self) -> RouteInfo {
        RouteInfo { path: self.path.clone(), methods: self.methods, access: self.access }
    }

    /// Adds the route to a router, behind the row's guard.
    ///
    /// axum answers HEAD by running the GET handler; a route that does not name HEAD must not, because a GET here may issue
    /// a code. The refusal of a method names the allowed ones (RFC 9110 §15.5.6) and needs no token: the guard stands before
    /// the handlers alone.
    pub(crate) fn mount(self, router: Router<Idp>, idp: &Idp) -> Router<Idp> {
        let handler = match self.access {
            Access::Bearer(guard) => {
                let enforce = move |state, request, next| guard.enforce(state, request, next);
                self.handler.route_layer(middleware::from_fn_with_state(idp.clone(), enforce))
            }
            Access::Open | Access::Browser | Access::Client => self.handler,
        };
        let allowed = self.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let methods = HeaderValue::try_from(&allowed).unwrap_or(HeaderValue::from_static("GET"));
        let refuse = || async { (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, allowed)]) };
        let handler = handler.fallback(refuse.clone());
        let is_bare_get = self.methods.contains(&Method::GET) && !self.methods.contains(&Method::HEAD);
        let handler = if is_bare_get { handler.head(refuse) } else { handler };
        if !self.for_pages {
            return router.route(&self.path, handler);
        }
        let share = move |state, request, next| cors::share(state, methods.clone(), request, next);
        router.route(&self.path, handler.layer(middleware::from_fn_with_state(idp.clone(), share)))
    }
}
