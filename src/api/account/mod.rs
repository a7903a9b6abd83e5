//! What users may do with their own account.

pub(super) mod sessions;

use axum::http::Method;
use axum::routing::{delete, get};

use super::guard;
use crate::domain::scope::ACCOUNT_SESSIONS;
use crate::http::Route;

/// Every route.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            "/api/account/sessions",
            &[Method::GET, Method::DELETE],
            guard::token_with(ACCOUNT_SESSIONS),
            get(sessions::list).delete(sessions::end_all),
        ),
        Route::new(
            "/api/account/sessions/{id}",
            &[Method::DELETE],
            guard::token_with(ACCOUNT_SESSIONS),
            delete(sessions::end),
        ),
    ]
}
