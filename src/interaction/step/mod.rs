//! What all steps of a login share: the trait, the names under which steps lead to others, and the code of more than one.
//!
//! Nothing here knows a step. `links` offers other ways to the same need, `refusals` notes and shows what was wrong with a
//! post, `proving` proves a second factor and `verdicts` counts wrong codes, `sending` sends codes, `enrolling` enrols, `passkeys`
//! asks the browser.

pub(super) mod enrolling;
pub(super) mod links;
pub(super) mod passkeys;
pub(super) mod proving;
pub(super) mod refusals;
pub(super) mod sending;
pub(super) mod verdicts;

use axum::http::StatusCode;
use futures_util::future::BoxFuture;

use super::login::{Login, Outcome};
use crate::domain::policy::Need;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{Body, Form};

/// A page in the making.
pub(super) type Showing<'a> = BoxFuture<'a, Result<StepView, Internal>>;

/// A post that is being taken.
pub(super) type Submitting<'a> = BoxFuture<'a, Result<(Login, Outcome), Internal>>;

/// One step: it has a page and meets one kind of need.
pub(super) trait Step: Sync {
    /// The last part of its address.
    fn name(&self) -> &'static str;

    /// Whether its page answers this need.
    fn meets(&self, need: &Need) -> bool;

    /// The page. It is only asked for while the need is the next one and nothing is locked. The form holds the problems of
    /// the last post already.
    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a>;

    /// Takes what was posted from the page, and writes what follows from it.
    fn submit<'a>(&'a self, login: Login, need: &'a Need, form: &'a Parameters) -> Submitting<'a>;
}

/// The result of showing a page.
pub(super) enum StepView {
    /// The page.
    Page(Body),
    /// The page, which says that nothing can be done here now.
    Refusal(StatusCode, Body),
    /// Something had to be written first.
    Changed(Box<Login>, Outcome),
}

impl StepView {
    /// The login is no longer as it was when the page was chosen; the engine is asked again.
    pub(super) fn late(login: &Login) -> Self {
        Self::Changed(Box::new(login.clone()), Outcome::Conflict)
    }
}
