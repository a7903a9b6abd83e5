//! What all pages of an enrolment share: how long it may take, what voids it, and what its first code brings about.
//!
//! A secret stays the same for its login until it is void: after ten wrong codes or a quarter of an hour, when another
//! way is chosen, or when another enrolment of the same user is begun, for of two tabs one must win.

use std::ops::ControlFlow;

use futures_util::FutureExt;

use super::links;
use crate::account::authenticator_snapshot::{self, AuthenticatorSnapshot};
use crate::account::ending::{self, Spared};
use crate::account::factors::{self, Confirmation, Confirmed, EnrolmentSecret};
use crate::account::recovery::NewCodes;
use crate::crypto::random;
use crate::domain::authenticator::{Authenticator, Kind, Method};
use crate::domain::credential_change::CredentialChange;
use crate::domain::event::Event;
use crate::domain::fact::FactKind;
use crate::domain::form::Problem;
use crate::domain::ids::UserId;
use crate::domain::interaction::Enrolment;
use crate::domain::policy::{EnrolmentReason, Need};
use crate::domain::tenant::Tenant;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::interaction::login::Login;
use crate::interaction::login::Outcome;
use crate::interaction::login_user::LoginUser;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, Tx, authenticators};
use crate::views::{self, Duty, Form};

/// The reason in the pages' words.
pub(in crate::interaction) const fn duty(reason: EnrolmentReason) -> Duty {
    match reason {
        EnrolmentReason::Recovery => Duty::Replacement,
        EnrolmentReason::AdminDuty => Duty::Administrator,
        EnrolmentReason::TenantRule => Duty::Tenant,
        EnrolmentReason::ClientWish => Duty::Application,
        EnrolmentReason::OwnWish => Duty::Chosen,
    }
}

/// The page with the secret; there is no other way to choose.
pub(in crate::interaction) fn secret_page(
    shown: &EnrolmentSecret,
    user: &User,
    tenant: &Tenant,
    form: Form,
    duty: Duty,
) -> views::EnrolView {
    let account = user.username.to_string();
    let uri = shown.uri(&tenant.name, &account).map(|uri| uri.to_string()).unwrap_or_default();
    views::EnrolView { form, duty, uri, secret: shown.groups(), account, others: false }
}

/// The enrolment of this login, as long as it is good.
pub(in crate::interaction) async fn begun(
    login: &Login,
    login_user: &LoginUser,
) -> Result<Option<factors::Enrolment>, Internal> {
    let begun = login.interaction.progress.enrolment.as_ref();
    Ok(login.idp().account().enrolment(&login_user.user.id, begun, login.now).await?)
}

/// What every page of an enrolment begins with: it is somebody's, and offers another way besides, and none where the
/// enrolment was the user's own wish.
pub(in crate::interaction) async fn enter(
    mut login: Login,
    need: &Need,
    form: &Parameters,
) -> Result<ControlFlow<(Login, Outcome), (Login, Box<LoginUser>)>, Internal> {
    let (Some(login_user), Need::Destination(due) | Need::Enrolment(due)) = (login.user.clone(), need) else {
        return Ok(ControlFlow::Break((login, Outcome::Conflict)));
    };
    if due.reason == EnrolmentReason::OwnWish && form.get("skip").is_some() {
        login.learn(FactKind::NoticeSeen { enrol: false });
        return Ok(ControlFlow::Break(login.store().await?));
    }
    if due.others && form.get("another").is_some() {
        login.interaction.progress.method = None;
        return Ok(ControlFlow::Break(abandon(login, &login_user).await?));
    }
    Ok(ControlFlow::Continue((login, login_user)))
}

/// Notes the enrolment of a new authenticator.
pub(in crate::interaction) fn note(login: &mut Login, authenticator: &Authenticator) {
    login.interaction.progress.enrolment = Some(Enrolment::begin(authenticator, login.now));
}

/// Begins an enrolment; one that was begun before is void.
pub(in crate::interaction) async fn begin(
    login: &Login,
    login_user: &LoginUser,
    kind: Kind,
) -> Result<(Login, Outcome), Internal> {
    let start = login.idp().account().start_enrolment(&login_user.user.id, kind)?;
    let mut login = login.clone();
    note(&mut login, &start.authenticator);
    let written = login.write(move |login, tx| {
        let start = start.clone();
        async move {
            start.settle(tx).await?;
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// Another way or another destination is chosen: what was begun is destroyed.
pub(in crate::interaction) async fn abandon(
    mut login: Login,
    login_user: &LoginUser,
) -> Result<(Login, Outcome), Internal> {
    let progress = &mut login.interaction.progress;
    (progress.enrolment, progress.refusal) = (None, None);
    let user = login_user.user.id.clone();
    let written = login.write(move |login, tx| {
        let user = user.clone();
        async move {
            authenticators::remove_pending(tx, &user).await?;
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// The next page begins anew, and says so.
pub(in crate::interaction) async fn void(mut login: Login) -> Result<(Login, Outcome), Internal> {
    note_void(&mut login);
    login.store().await
}

fn note_void(login: &mut Login) {
    let begun = login.interaction.progress.enrolment.take().map(|begun| begun.method);
    let problem = match begun {
        Some(Method::Sms | Method::Mail) => Problem::DestinationVoid,
        _ => Problem::EnrolmentVoid,
    };
    login.refuse(links::enrolment(begun), problem, None);
}

/// Takes what was typed as the first code.
pub(in crate::interaction) async fn prove(
    mut login: Login,
    login_user: Box<LoginUser>,
    enrolment: factors::Enrolment,
    code: &str,
    step: &'static str,
) -> Result<(Login, Outcome), Internal> {
    let confirmation = login.idp().account().confirmation(enrolment, &login.code_scope(), code)?;
    if let Some(confirmation) = confirmation {
        return confirm(login, login_user, confirmation, step).boxed().await;
    }
    note_wrong(&mut login, step);
    login.store().await
}

fn note_wrong(login: &mut Login, step: &str) {
    let reference = random::reference();
    let Some(enrolment) = &mut login.interaction.progress.enrolment else { return };
    if !enrolment.survives_wrong_code() {
        return note_void(login);
    }
    if let Some(login_user) = &login.user {
        let (issuer, user) = (login.interaction.issuer.clone(), login_user.user.id.clone());
        login.tell(Event::SecondFactorFailed { issuer, user, reference: reference.clone() });
    }
    login.refuse(step, Problem::WrongCode, Some(reference));
}

/// The first code proves the new authenticator, makes it the only one and is used up.
async fn confirm(
    login: Login,
    login_user: Box<LoginUser>,
    confirmation: Confirmation,
    step: &'static str,
) -> Result<(Login, Outcome), Internal> {
    let enrolled = Enrolled::new(&login, &login_user)?;
    let had_one = login_user.authenticator.is_some();
    let before = holdings(&login, login_user);
    let written = login.write(move |mut login, tx| {
        let (confirmation, before, enrolled) = (confirmation.clone(), before.clone(), enrolled.clone());
        async move {
            let method = confirmation.authenticator.kind.method();
            login.authorise(tx, CredentialChange::Enrolment(method))?;
            match confirmation.settle(tx, &before, login.now).await? {
                Confirmed::Yes => {}
                Confirmed::Wrong => {
                    note_wrong(&mut login, step);
                    return Ok(login);
                }
                Confirmed::Expired => {
                    login.refuse(step, Problem::CodeExpired, None);
                    return Ok(login);
                }
                Confirmed::Void => {
                    note_void(&mut login);
                    return Ok(login);
                }
            }
            if let Some(login_user) = &mut login.user {
                login_user.authenticator = Some(confirmation.authenticator);
                login_user.passkeys.retain(|passkey| before.lost.as_ref() != Some(&passkey.rp));
            }
            let supersedes = had_one || before.lost.is_some();
            enrolled.settle(&mut login, tx, confirmation.proves, supersedes).await?;
            Ok(login)
        }
        .boxed()
    });
    written.await
}

/// What the user holds when an enrolment ends: what is enrolled takes the context of what a recovery code said to be lost.
pub(in crate::interaction) fn holdings(login: &Login, login_user: Box<LoginUser>) -> AuthenticatorSnapshot {
    AuthenticatorSnapshot {
        ids: authenticator_snapshot::ids(login_user.authenticator.as_ref(), &login_user.passkeys),
        lost: login_user.rp.filter(|_| login.facts_proved_here().is_recovering()),
    }
}

/// What a new authenticator brings about in its login.
#[derive(Clone, Debug)]
pub(in crate::interaction) struct Enrolled {
    user: UserId,
    codes: NewCodes,
    at: Time,
}

impl Enrolled {
    pub(in crate::interaction) fn new(login: &Login, login_user: &LoginUser) -> Result<Self, Internal> {
        let LoginUser { user, tenant, .. } = login_user;
        let codes = login.idp().account().new_recovery_codes(user, tenant, &login.codes_row())?;
        Ok(Self { user: user.id.clone(), codes, at: login.proof_time(&user.id) })
    }

    /// Gives the user what comes with it. The new authenticator has proved this. If it supersedes another, whatever that
    /// one had opened ends, except this login and the session it is in.
    pub(in crate::interaction) async fn settle(
        self,
        login: &mut Login,
        tx: &mut Tx<'_>,
        proved: FactKind,
        supersedes: bool,
    ) -> storage::Result<()> {
        self.codes.settle(tx).await?;
        if supersedes {
            let session = login.own_session().map(|session| session.id.clone());
            ending::end(tx, &self.user, Spared { session: session.as_ref(), reset: None }).await?;
            login.carry_over(session.as_ref());
        }
        let progress = &mut login.interaction.progress;
        (progress.method, progress.enrolment) = (None, None);
        progress.recovery_codes = Some(self.codes.sealed);
        login.learn_at(&self.user, proved, self.at);
        login.tell(Event::AuthenticatorEnrolled { user: self.user });
        Ok(())
    }
}
