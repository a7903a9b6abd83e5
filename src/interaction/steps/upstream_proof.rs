//! A second factor is needed, and the upstream provider at which the user signs in has not vouched for one (SEED1-5).
//!
//! There is nothing to enrol here, and no mail to send: the page says where it is done, and leads there once more.

use axum::http::StatusCode;
use futures_util::FutureExt;

use super::{Showing, Shown, Step, Taking, enrolling};
use crate::domain::policy::Need;
use crate::domain::upstream::{Owner, Upstream};
use crate::interaction::finish::Outcome;
use crate::interaction::login::Login;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::views::{self, Body, Form};

pub(super) struct UpstreamProof;

impl Step for UpstreamProof {
    fn name(&self) -> &'static str {
        "upstream_proof"
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::UpstreamProof { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, mut form: Form) -> Showing<'a> {
        async move {
            let (Need::UpstreamProof { reason, .. }, Some(upstream)) = (need, own(login).await?) else {
                return Ok(Shown::late(login));
            };
            if form.reference.is_none() {
                form.reference =
                    Some(login.visitor.refuse("upstream_proof", Some(upstream.name.to_string())));
            }
            let page = views::UpstreamProof {
                form,
                duty: enrolling::duty(*reason),
                is_resellers: matches!(upstream.owner, Owner::Reseller(_)),
                activation: upstream.rules.activation_url.clone(),
                upstream: upstream.title,
            };
            Ok(Shown::Refusal(StatusCode::FORBIDDEN, Body::UpstreamProof(page)))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, _: &'a Need, form: &'a Parameters) -> Taking<'a> {
        async move {
            let end = match own(&login).await? {
                Some(upstream) if form.get("again").is_some() => {
                    Outcome::RedirectUpstream(login.way_to(&upstream))
                }
                _ => Outcome::Conflict,
            };
            Ok((login, end))
        }
        .boxed()
    }
}

/// The provider at which the user signs in, if people may sign in there here.
pub(super) async fn own(login: &Login) -> Result<Option<Upstream>, Internal> {
    let account = login.person.as_ref().and_then(|person| person.user.upstream.as_ref());
    let Some(account) = account else { return Ok(None) };
    let offered = login.upstreams().await?;
    let own = offered.iter().find(|stored| stored.upstream.id == account.upstream);
    Ok(own.map(|stored| stored.upstream.clone()))
}
