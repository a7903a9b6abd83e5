//! The reset of a browser that holds a link or a ticket: whose account it is about, and whether it still counts.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;

use crate::account::authenticator_snapshot;
use crate::account::ending::Spared;
use crate::account::participant::Participant;
use crate::account::resets::PasswordChange;
use crate::audit::{self, Entry};
use crate::crypto::secret;
use crate::domain::audit::Actor;
use crate::domain::authenticator::{Authenticator, Held};
use crate::domain::ceremony::Ceremony;
use crate::domain::event::Event;
use crate::domain::ids::{Hash, InteractionId};
use crate::domain::passkey::{Passkey, RpId};
use crate::domain::reset::Reset;
use crate::domain::tenant::Tenant;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::http::{ContentSecurity, Cookies};
use crate::interaction::page_request::{PageReader, PageRequest};
use crate::interaction::step::links::FIRST;
use crate::provider::{Idp, Internal};
use crate::storage::{self, Tx, authenticators, interactions, passkeys, resets, users};
use crate::views::{Body, ResetVoidView, WayBack};

/// A link that counts, in the hands of this browser.
#[derive(Clone)]
pub(super) struct ResetSession {
    pub(super) page_request: Arc<PageRequest>,
    /// The hash of the secret in the cookie: forms are bound to it.
    pub(super) secret: Hash,
    pub(super) reset: Reset,
    pub(super) user: User,
    pub(super) tenant: Arc<Tenant>,
    /// The active authenticator.
    pub(super) authenticator: Option<Authenticator>,
    /// Every passkey, also those for other host names.
    pub(super) passkeys: Vec<Passkey>,
    pub(super) now: Time,
}

impl ResetSession {
    /// The reset that the cookie opens. A link or ticket is void once what the user was given has ended, the user has
    /// another address, or may not sign in.
    pub(super) async fn load(page_request: &Arc<PageRequest>) -> Result<Option<Self>, Internal> {
        let Some(secret) = page_request.cookies().hash(Cookies::RESET) else { return Ok(None) };
        let (idp, now) = (&page_request.idp, page_request.idp.now());
        let mut reader = idp.db().read();
        let found = resets::by_secret(&mut reader.tx(), &page_request.issuer.id, &secret, now).await?;
        let Some(mut reset) = found else { return Ok(None) };
        let found = users::credentials_by_id(&mut reader.tx(), &reset.user).await?;
        let Some(found) = found else { return Ok(None) };
        let authenticator = authenticators::active(&mut reader.tx(), &reset.user).await?;
        let passkeys = passkeys::of_user(&mut reader.tx(), &reset.user).await?;
        let user = found.user;
        let Some(tenant) = idp.catalogue().tenant(&user.tenant).await? else { return Ok(None) };
        let here = page_request.issuer.tenant.as_ref().is_none_or(|tenant| *tenant == user.tenant);
        let may_sign_in = here && !tenant.disabled && !user.disabled && user.directory.is_none();
        let stands = reset.epoch == user.epoch + tenant.epoch;
        let reached = reset.progress.sent_to.is_none() || reset.progress.sent_to == user.address();
        if !(may_sign_in && stands && reached) {
            return Ok(None);
        }
        let authenticator = authenticator.map(|stored| stored.authenticator);
        // What was enrolled elsewhere since, by a login, is not replaced from here, and old proofs enrol nothing.
        let held = authenticator_snapshot::ids(authenticator.as_ref(), &passkeys);
        if held != reset.progress.replaces || !reset.may_enrol(now) {
            reset.progress.enrols = None;
        }
        let page_request = Arc::clone(page_request);
        Ok(Some(Self { page_request, secret, reset, user, tenant, authenticator, passkeys, now }))
    }

    pub(super) fn idp(&self) -> &Idp {
        &self.page_request.idp
    }

    /// The ceremony of the user's credentials.
    pub(super) fn ceremony(&self) -> &Ceremony {
        &self.reset.progress.ceremony
    }

    /// The user as the ceremony's participant.
    pub(super) fn participant(&self) -> Participant<'_> {
        Participant {
            user: &self.user,
            tenant: &self.tenant,
            issuer: &self.page_request.issuer,
            passkeys: &self.passkeys,
            locale: self.tenant.locale,
        }
    }

    /// The row that recovery codes not yet stored are sealed for.
    pub(super) fn codes_row(&self) -> String {
        format!("resets/{}", self.reset.link)
    }

    /// The name under which the forms are sealed.
    pub(super) fn form_name(&self) -> String {
        format!("reset {}", self.user.id)
    }

    /// Draws a page.
    pub(super) fn page(&self, status: StatusCode, body: Body) -> Response {
        let locale = self.page_request.locale(&[], self.user.locale(), Some(self.tenant.locale));
        let reader = PageReader { locale, user: Some(&self.user), tenant: Some(&self.tenant) };
        self.page_request.page(status, &reader, body, ContentSecurity::Leaving)
    }

    /// The authenticators that the user holds as of this write.
    pub(super) async fn held(&self, tx: &mut Tx<'_>) -> storage::Result<Vec<Held>> {
        let rp = RpId::of(&self.page_request.issuer.url);
        let authenticator = authenticators::active(tx, &self.user.id).await?;
        let passkeys = passkeys::of_user(tx, &self.user.id).await?;
        let passkeys = passkeys.iter().map(|passkey| passkey.held(rp.as_ref()));
        Ok(authenticator.iter().map(|stored| stored.authenticator.held()).chain(passkeys).collect())
    }

    /// Records what happened to the user of this reset.
    pub(super) fn record(&self, tx: &mut Tx<'_>, event: Event) -> storage::Result<()> {
        let entry = Entry::new(self.now, Actor::User(self.user.id.clone()), event);
        let network = self.page_request.network.as_deref();
        audit::record(tx, entry.of_tenant(&self.user.tenant).with_network(network))
    }

    /// Stores the progress, and records the event that changed it, if any; `false` if the write lost a race.
    pub(super) async fn save(&self, event: Option<Event>) -> Result<bool, Internal> {
        let session = self.clone();
        let saved = self.idp().db().write(move |tx| {
            let (session, event) = (session.clone(), event.clone());
            async move {
                let saved = resets::save(tx, &session.reset).await?;
                if let Some(event) = event.filter(|_| saved) {
                    session.record(tx, event)?;
                }
                Ok(saved)
            }
            .boxed()
        });
        Ok(saved.await?)
    }

    /// Changes the password and records it. The login that waits no longer shows a lock that has ended. [`storage::Error::Conflict`]: it lost a race against another change.
    pub(super) async fn change(&self, tx: &mut Tx<'_>, change: &PasswordChange) -> storage::Result<()> {
        let spared = Spared { session: None, reset: Some(&self.reset.link) };
        if !change.apply(tx, spared).await? {
            return Err(storage::Error::Conflict);
        }
        self.record(tx, Event::PasswordChanged { user: self.user.id.clone() })?;
        let Some(id) = &self.reset.progress.login else { return Ok(()) };
        let waiting = interactions::by_id(tx, id, &self.reset.issuer, self.now).await?;
        if let Some(mut waiting) = waiting.filter(|waiting| waiting.progress.is_locked()) {
            waiting.progress.refusal = None;
            interactions::save(tx, &waiting).await?;
        }
        Ok(())
    }

    /// Back to the login that waits in this browser.
    pub(super) async fn login(&self) -> Result<Option<String>, Internal> {
        waiting_login(&self.page_request, self.reset.progress.login.as_ref()).await
    }

    /// Back to the application that it was for.
    pub(super) async fn back(&self) -> Result<Option<WayBack>, Internal> {
        let Some(id) = &self.reset.progress.client else { return Ok(None) };
        let client = self.idp().catalogue().client(&self.page_request.issuer.id, id).await?;
        let client = client.filter(|client| !client.disabled);
        Ok(client.and_then(|client| self.page_request.way_back_to(&client)))
    }
}

/// The first page of a login that is not over and belongs to this browser.
pub(super) async fn waiting_login(
    page_request: &PageRequest,
    id: Option<&InteractionId>,
) -> Result<Option<String>, Internal> {
    let (Some(id), Some(browser)) = (id, page_request.browser()) else { return Ok(None) };
    let now = page_request.idp.now();
    let mut reader = page_request.idp.db().read();
    let found = interactions::by_id(&mut reader.tx(), id, &page_request.issuer.id, now).await?;
    let ours =
        found.filter(|login| login.browser.as_ref().is_some_and(|bound| secret::equal(bound, &browser)));
    // Where the browser carries the request, only a page whose address does leads back.
    let carried = page_request.carried();
    let ours = ours.filter(|login| !login.carried || carried.is_some());
    Ok(ours.map(|login| {
        let carried = carried.filter(|_| login.carried);
        page_request.login_address(id, &login.request.client, FIRST, carried.as_deref())
    }))
}

/// The page for every link that is void.
pub(super) fn void(page_request: &PageRequest) -> Response {
    let reference = Some(page_request.refuse("reset_void", None));
    let mails = page_request.idp.account().mails_resets(page_request.tenant.as_deref());
    let again = mails.then(|| page_request.forgotten_address(None));
    page_request.notice(StatusCode::GONE, Body::ResetVoid(ResetVoidView { again, reference }))
}
