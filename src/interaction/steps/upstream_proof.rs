//! A second factor is needed, and the upstream provider at which the user signs in has not vouched for one (SEED1-5).
//!
//! There is nothing to enrol here, and no mail to send: the page says where it is done, and leads there once more.

use axum::http::StatusCode;
use futures_util::FutureExt;

use crate::domain::policy::Need;
use crate::domain::upstream::Owner;
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::{Showing, Step, StepView, Submitting, enrolling};
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Form};

pub(super) struct UpstreamProofStep;

impl Step for UpstreamProofStep {
    fn name(&self) -> &'static str {
        "upstream_proof"
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::UpstreamProof { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, mut form: Form) -> Showing<'a> {
        async move {
            let (Need::UpstreamProof { reason, .. }, Some(upstream)) = (need, login.own_upstream().await?)
            else {
                return Ok(StepView::late(login));
            };
            if form.reference.is_none() {
                form.reference =
                    Some(login.page_request.refuse("upstream_proof", Some(upstream.name.to_string())));
            }
            let page = views::UpstreamProofView {
                form,
                duty: enrolling::duty(*reason),
                is_resellers: matches!(upstream.owner, Owner::Reseller(_)),
                activation: upstream.rules.activation_url.clone(),
                upstream: upstream.title,
            };
            Ok(StepView::Refusal(StatusCode::FORBIDDEN, Body::UpstreamProof(page)))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let outcome = match login.own_upstream().await? {
                Some(upstream) if form.get("again").is_some() => {
                    Outcome::RedirectUpstream(login.way_to(&upstream))
                }
                _ => Outcome::Conflict,
            };
            Ok((login, outcome))
        }
        .boxed()
    }
}
