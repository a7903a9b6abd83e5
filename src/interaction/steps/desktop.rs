//! The name of the office computer, asked for once in a new enrolment; it may be skipped (SEED0-5 to SEED0-8).
//!
//! That it was asked is written in the user's row and not in the login, so it is not asked again in another tab, another
//! browser or tomorrow, however far the enrolment came.

use futures_util::FutureExt;

use crate::domain::event::Event;
use crate::domain::policy::Need;
use crate::domain::user::ComputerName;
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::refusals::{invalid, missing};
use crate::interaction::step::{Showing, Step, StepView, Submitting};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::users;
use crate::views::{self, Body, Field, Form};

const NAME: &str = "desktop";

/// No more of what was typed is kept for the page.
const KEPT: usize = 300;

pub(super) struct DesktopNameStep;

impl Step for DesktopNameStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::DesktopName)
    }

    fn show<'a>(&'a self, login: &'a Login, _: &'a Need, form: Form) -> Showing<'a> {
        let typed = login.input().desktop;
        let stored = login.user.as_ref().and_then(|login_user| login_user.user.personal_desktop.as_ref());
        let name = typed.or_else(|| stored.map(|name| name.as_str().to_owned())).unwrap_or_default();
        async { Ok(StepView::Page(Body::Desktop(views::DesktopView { form, name }))) }.boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            if form.get("skip").is_some() {
                return answered(login, None).await;
            }
            let typed = form.get(Field::PersonalDesktop.name()).unwrap_or_default();
            login.keep_input(|input| input.desktop = Some(typed.chars().take(KEPT).collect()));
            if typed.trim().is_empty() {
                return missing(login, NAME, &[Field::PersonalDesktop]).await;
            }
            if let Ok(name) = ComputerName::parse(typed) {
                return answered(login, Some(name)).await;
            }
            invalid(login, NAME, Field::PersonalDesktop).await
        }
        .boxed()
    }
}

/// Notes the answer, so that the question is not asked again.
async fn answered(mut login: Login, name: Option<ComputerName>) -> Result<(Login, Outcome), Internal> {
    login.keep_input(|input| input.desktop = None);
    login.interaction.progress.refusal = None;
    let Some(login_user) = &mut login.user else { return Ok((login, Outcome::Conflict)) };
    let user = login_user.user.id.clone();
    login_user.desktop_unasked = false;
    if name.is_some() {
        login.tell(Event::UserChanged { user: user.clone(), change: "personal_desktop" });
    }
    let written = login.write(move |login, tx| {
        let (user, name) = (user.clone(), name.clone());
        async move {
            users::desktop_asked(tx, &user, name.as_ref(), login.now).await?;
            Ok(login)
        }
        .boxed()
    });
    written.await
}
