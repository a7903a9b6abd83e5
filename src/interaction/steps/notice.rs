//! The second-factor duty is announced to administrators, with the offer to enrol at once (SEED1-2, SEED1-7).

use futures_util::FutureExt;

use crate::domain::fact::FactKind;
use crate::domain::policy::Need;
use crate::interaction::login::Login;
use crate::interaction::step::{Showing, Step, StepView, Submitting};
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Form, NoticeUpstream};

pub(super) struct NoticeStep;

impl Step for NoticeStep {
    fn name(&self) -> &'static str {
        "notice"
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Notice { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let Need::Notice { from } = *need else { return Ok(StepView::late(login)) };
            let upstream = login.own_upstream().await?;
            let upstream = upstream.map(|upstream| NoticeUpstream {
                title: upstream.title,
                activation: upstream.rules.activation_url,
            });
            Ok(StepView::Page(Body::Notice(views::NoticeView { form, from, upstream })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        if form.get("skip").is_some() {
            login.learn(FactKind::NoticeSeen { enrol: false });
        } else if form.get("enable").is_some() {
            login.learn(FactKind::NoticeSeen { enrol: true });
        }
        login.store().boxed()
    }
}
