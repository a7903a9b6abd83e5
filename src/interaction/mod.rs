//! The hosted login: owner of `/authorize`, of the pages below `/login/` and of sign-out.

mod engine;
