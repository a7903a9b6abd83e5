//! What users may do with their own account.

mod sessions;

use axum::http::Method;
use axum::routing::{delete, get};

use crate::http::{Access, Route};

/// Every route.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            "/api/account/sessions",
            &[Method::GET, Method::DELETE],
            Access::Bearer,
            get(sessions::list).delete(sessions::end_all),
        ),
        Route::new("/api/account/sessions/{id}", &[Method::DELETE], Access::Bearer, delete(sessions::end)),
    ]
}
