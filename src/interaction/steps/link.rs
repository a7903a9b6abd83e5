//! A user who is signed in upstream and linked with no account here: they type the code of their invitation (see
//! `account::linking`).
//!
//! The page is the same whether there is an invitation or not, and whether the account behind it does not exist, is disabled
//! or belongs to another tenant.

use futures_util::FutureExt;

use crate::crypto::random;
use crate::domain::event::{Event, UpstreamFailure};
use crate::domain::fact::FactKind;
use crate::domain::form::Problem;
use crate::domain::interaction::UnlinkedUpstreamUser;
use crate::domain::message::AccountNotice;
use crate::domain::policy::Need;
use crate::domain::upstream::{Upstream, UpstreamAccount};
use crate::interaction::login::{Login, Outcome};
use crate::interaction::step::links::FIRST;
use crate::interaction::step::refusals::missing;
use crate::interaction::step::verdicts::count_wrong_code;
use crate::interaction::step::{Showing, Step, StepView, Submitting, links};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::upstreams::StoredUpstream;
use crate::views::{self, Body, Field, Form};

const NAME: &str = links::LINK;

pub(super) struct LinkStep;

impl Step for LinkStep {
    fn name(&self) -> &'static str {
        NAME
    }

    fn meets(&self, need: &Need) -> bool {
        matches!(need, Need::FirstFactor { .. })
    }

    fn show<'a>(&'a self, login: &'a Login, _: &'a Need, form: Form) -> Showing<'a> {
        async move {
            let Some((_, upstream)) = unlinked_user(login).await? else { return Ok(StepView::late(login)) };
            let identify = login.address(FIRST);
            Ok(StepView::Page(Body::Link(views::LinkView { form, upstream: upstream.title, identify })))
        }
        .boxed()
    }

    fn submit<'a>(&'a self, login: Login, _: &'a Need, form: &'a Parameters) -> Submitting<'a> {
        async move {
            let Some((unlinked, upstream)) = unlinked_user(&login).await? else {
                return Ok((login, Outcome::Conflict));
            };
            match form.get("code") {
                Some(code) => take(login, unlinked, upstream, code).boxed().await,
                None => missing(login, NAME, &[Field::Invitation]).await,
            }
        }
        .boxed()
    }
}

/// The user who is signed in upstream in this login, and the provider.
async fn unlinked_user(login: &Login) -> Result<Option<(UnlinkedUpstreamUser, Upstream)>, Internal> {
    let Some(unlinked) = login.interaction.progress.unlinked.clone() else { return Ok(None) };
    let offered = login.upstreams().await?;
    // A provider that was given another issuer since knows others by the same names.
    let upstream = offered.iter().find(|StoredUpstream { upstream, .. }| {
        upstream.id == unlinked.vouched.upstream && upstream.issuer == unlinked.issuer
    });
    Ok(upstream.map(|stored| (unlinked, stored.upstream.clone())))
}

/// Takes the invitation. The account is looked up before, so that the page after it is its own; whether the invitation
/// still stands, the write decides.
async fn take(
    mut login: Login,
    unlinked: UnlinkedUpstreamUser,
    upstream: Upstream,
    code: &str,
) -> Result<(Login, Outcome), Internal> {
    let redemption = login.idp().account().redemption(&upstream.id, &unlinked.subject, code).await?;
    let Some(redemption) = redemption else {
        return wrong(login, &upstream).await;
    };
    login.identify(&redemption.user).await?;
    if !login.may_sign_in_at(&upstream).await? {
        return wrong(login, &upstream).await;
    }
    let Some(mut login_user) = login.user.clone() else { return wrong(login, &upstream).await };
    let event = AccountNotice::AccountLinked { upstream: upstream.title };
    let notice = login.idp().account().notice(&login_user.user, &login_user.tenant, event)?;
    let subject = Some(unlinked.subject);
    login_user.user.upstream = Some(UpstreamAccount { upstream: upstream.id.clone(), subject });
    let at = login.moment(&redemption.user, unlinked.at);
    let proves = FactKind::Upstream(unlinked.vouched);
    login.interaction.progress.first_factor_proved(&redemption.user, login_user.epoch(), proves, at);
    login.tell(Event::AccountLinked { user: redemption.user.clone(), upstream: upstream.name });
    let written = login.write(move |mut login, tx| {
        let (redemption, notice) = (redemption.clone(), notice.clone());
        async move {
            // Lost the race: the page that is shown again re-reads the account.
            if !redemption.consume(tx, login.now).await? {
                return Err(crate::storage::Error::Conflict);
            }
            login.carry_over(None);
            if let Some(notice) = &notice {
                notice.enqueue(tx).await?;
            }
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// No such invitation. A few of them, and the login starts again.
async fn wrong(mut login: Login, upstream: &Upstream) -> Result<(Login, Outcome), Internal> {
    login.user = None;
    let reference = random::reference();
    count_wrong_code(&mut login, NAME, Problem::WrongInvitation, &reference);
    login.tell(Event::UpstreamFailed {
        issuer: login.interaction.issuer.clone(),
        upstream: upstream.name.clone(),
        reason: UpstreamFailure::WrongInvitation,
        hint: None,
        reference,
    });
    login.store().await
}
