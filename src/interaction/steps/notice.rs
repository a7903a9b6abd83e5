//! The second-factor duty is announced to administrators, with the offer to enrol at once (SEED1-2, SEED1-7).

use futures_util::FutureExt;

use super::{Showing, Shown, Step, Taking, upstream_proof};
use crate::domain::fact::FactKind;
use crate::domain::policy::Need;
use crate::interaction::login::Login;
use crate::protocol::parameters::Parameters;
use crate::views::{self, Body, Form, NoticeUpstream};

pub(super) struct Notice;

impl Step for Notice {
    fn name(&self) -> &'static str {
        "notice"
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::Notice { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, need: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let Need::Notice { from } = *need else { return Ok(Shown::late(login)) };
            let upstream = upstream_proof::own(login).await?;
            let upstream = upstream.map(|upstream| NoticeUpstream {
                title: upstream.title,
                activation: upstream.rules.activation_url,
            });
            Ok(Shown::Page(Body::Notice(views::Notice { form, from, upstream })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, mut login: Login, _: &'a Need, form: &'a Parameters) -> Taking<'a> {
        if form.get("skip").is_some() {
            login.learn(FactKind::NoticeSeen { enrol: false });
        } else if form.get("enable").is_some() {
            login.learn(FactKind::NoticeSeen { enrol: true });
        }
        login.store().boxed()
    }
}
