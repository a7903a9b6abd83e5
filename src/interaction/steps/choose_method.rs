//! The choice of the second factor to enrol, if there are several; a final page if there is no choice.

use axum::http::StatusCode;
use futures_util::FutureExt;

use crate::domain::fact::FactKind;
use crate::domain::policy::{EnrolmentReason, Need};
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::refusals::missing;
use crate::interaction::step::{Showing, Step, StepView, Submitting, enrolling};
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Field, Form, RefusalReason, RefusedView};

const NAME: &str = "choose_method";

pub(super) struct ChooseMethodStep;

impl Step for ChooseMethodStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Method { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        let shown = match need {
            Need::Method { methods, .. } if methods.is_empty() => no_method(login),
            Need::Method { reason, methods } => {
                let (duty, methods) = (enrolling::duty(*reason), methods.clone());
                StepView::Page(Body::ChooseMethod(views::ChooseMethodView { form, duty, methods }))
            }
            _ => StepView::late(login),
        };
        async { Ok(shown) }.boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, need: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let Need::Method { reason, methods } = need else { return Ok((login, Outcome::Conflict)) };
            if *reason == EnrolmentReason::OwnWish && form.get("skip").is_some() {
                login.learn(FactKind::NoticeSeen { enrol: false });
                return login.store().await;
            }
            let word = form.get(Field::Method.name());
            let Some(chosen) = methods.iter().find(|method| Some(method.as_str()) == word) else {
                return missing(login, NAME, &[Field::Method]).await;
            };
            let progress = &mut login.interaction.progress;
            (progress.method, progress.refusal) = (Some(*chosen), None);
            progress.ceremony.enrolment = None;
            login.store().await
        }
        .boxed()
    }
}

fn no_method(login: &Login) -> StepView {
    let reference = Some(login.page_request.refuse("no_mfa_method", None));
    let refused = RefusedView { refusal: RefusalReason::NoMethod, detail: None, reference, back: None };
    StepView::Refusal(StatusCode::FORBIDDEN, Body::Refused(refused))
}
