//! A login out of its rows: for a new request, for a page of a login in progress, and for the user who signs in.

use std::sync::Arc;

use futures_util::FutureExt;

use super::{Login, carried, trust};
use crate::crypto::random;
use crate::crypto::secret::Secret;
use crate::domain::ids::{GrantId, InteractionId, UserId};
use crate::domain::interaction::{Interaction, Progress};
use crate::http::{Cookies, trace};
use crate::interaction::login_user::LoginUser;
use crate::interaction::page_request::PageRequest;
use crate::protocol::authorize::{self, AuthorizeError, Validated};
use crate::provider::Internal;
use crate::storage::{interactions, sessions};

impl Login {
    /// A login for a new request; nothing is stored yet.
    pub(in crate::interaction) async fn begin(
        page_request: PageRequest,
        validated: Validated,
    ) -> Result<Self, Internal> {
        let now = page_request.idp.now();
        let interaction = Interaction {
            id: InteractionId::new(Secret::generate().expose()),
            issuer: page_request.issuer.id.clone(),
            grant: GrantId::new(random::uuid()),
            request: validated.request().clone(),
            browser: None,
            network: None,
            carried: false,
            progress: Progress::default(),
            epoch: validated.client().epoch,
            requested_at: now,
            expires_at: now.plus(page_request.idp.settings().interaction_lifetime),
            version: 0,
        };
        let mut login = Self::assemble(page_request, validated, interaction, false).boxed().await?;
        login.begin_waiting()?;
        Ok(login)
    }

    /// The login with this id; `None` if it is over. Whether the browser may see it, the caller decides.
    pub(in crate::interaction) async fn resume(
        page_request: PageRequest,
        id: &str,
    ) -> Result<Option<Self>, AuthorizeError> {
        let Some(id) = InteractionId::named(id) else { return Ok(None) };
        let (idp, now) = (page_request.idp.clone(), page_request.idp.now());
        let found = {
            let mut reader = idp.db().read();
            interactions::by_id(&mut reader.tx(), &id, &page_request.issuer.id, now)
                .await
                .map_err(Internal::from)?
        };
        let Some(mut interaction) = found else { return Ok(None) };
        let sealed = page_request.carried().filter(|_| interaction.carried);
        if interaction.carried {
            let request = sealed.as_deref().and_then(|sealed| carried::open(&idp, &id, sealed));
            let Some(request) = request else { return Ok(None) };
            interaction.request = request;
        }
        let validated = authorize::resume(&idp, &page_request.issuer, interaction.request.clone()).await?;
        if interaction.epoch != validated.client().epoch {
            return Ok(None);
        }
        let mut login = Self::assemble(page_request, validated, interaction, true).boxed().await?;
        login.carried = sealed.map(Arc::from);
        Ok(Some(login))
    }

    async fn assemble(
        page_request: PageRequest,
        validated: Validated,
        interaction: Interaction,
        stored: bool,
    ) -> Result<Self, Internal> {
        trace::login(&interaction.grant);
        let now = page_request.idp.now();
        let cookie = page_request.cookies().hash(Cookies::SESSION);
        let mut login = Self {
            page_request: Arc::new(page_request),
            validated: Arc::new(validated),
            interaction: Box::new(interaction),
            carried: None,
            stored,
            session: None,
            user: None,
            browser: None,
            trusted: None,
            known: None,
            dropped: false,
            now,
            events: Vec::new(),
            refusals: Vec::new(),
            typed: None,
        };
        if cookie.is_none() && !login.interaction.progress.has_first_factor() {
            login.drop_facts_of_others();
            return Ok(login);
        }
        let (idp, issuer) = (login.idp().clone(), Arc::clone(&login.page_request.issuer));
        let mut reader = idp.db().read();
        let mut tx = reader.tx();
        if let Some(cookie) = cookie {
            login.session = sessions::by_cookie(&mut tx, &issuer.id, &cookie, now).await?.map(Box::new);
        }
        if let Some(id) = login.claimed_user() {
            let client = login.validated.client();
            login.user = LoginUser::load(&mut tx, &idp, &issuer, client, &id).await?.map(Box::new);
        }
        login.recheck_directory().await?;
        // A session that was idle for too long no longer signs its user in.
        if !login.interaction.progress.has_first_factor() && login.own_session().is_none() {
            login.user = None;
        }
        login.drop_facts_of_others();
        login.recognise_browser().await?;
        Ok(login)
    }

    /// Looks up whether this browser is one that the user trusts.
    async fn recognise_browser(&mut self) -> Result<(), Internal> {
        self.browser = match &self.user {
            Some(login_user) => trust::known(&self.page_request, login_user).await?,
            None => None,
        };
        Ok(())
    }

    /// Updates a user of the host's directory as the directory has them now; `None` if they are gone or disabled there.
    async fn recheck_directory(&mut self) -> Result<(), Internal> {
        if let Some(login_user) = self.user.take() {
            let user = self.idp().account().recheck_directory(login_user.user.clone()).await?;
            self.user = user.map(|user| Box::new(LoginUser { user, ..*login_user }));
        }
        Ok(())
    }

    /// Reads the user whose first factor was right.
    pub(in crate::interaction) async fn identify(&mut self, user: &UserId) -> Result<(), Internal> {
        let idp = self.idp();
        let mut reader = idp.db().read();
        let issuer = &self.page_request.issuer;
        let found = LoginUser::load(&mut reader.tx(), idp, issuer, self.validated.client(), user).await?;
        self.user = found.map(Box::new);
        self.recognise_browser().await
    }
}
