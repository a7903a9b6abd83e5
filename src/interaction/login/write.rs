//! The write closure of a step: the change, and with it the login's next state or its end.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Due, Login, Outcome};
use crate::domain::interaction::Interaction;
use crate::interaction::login_user::LoginUser;
use crate::provider::Internal;
use crate::storage::{self, Tx, interactions, pushed_requests, users};

impl Login {
    /// Stores the login as it is, or ends it if nothing is missing any more.
    pub(in crate::interaction) fn store(self) -> BoxFuture<'static, Result<(Self, Outcome), Internal>> {
        self.write(|login, _| async move { Ok(login) }.boxed())
    }

    /// Changes the login and stores it, in one write: with its end, if nothing is missing any more, and with the audit
    /// entries of both.
    ///
    /// The change may be made more than once, each time from the same state.
    pub(in crate::interaction) fn write<C>(
        self,
        change: C,
    ) -> BoxFuture<'static, Result<(Self, Outcome), Internal>>
    where
        C: for<'t, 'c> Fn(Self, &'t mut Tx<'c>) -> BoxFuture<'t, storage::Result<Self>>
            + Send
            + Sync
            + 'static,
    {
        let (db, change, before) = (self.idp().db().clone(), Arc::new(change), self.clone());
        async move {
            let written = db.write(move |tx| {
                let (login, change) = (self.clone(), Arc::clone(&change));
                async move {
                    let (mut login, outcome) = change(login, tx).await?.advance(tx).await?;
                    login.record(tx)?;
                    Ok((login, outcome))
                }
                .boxed()
            });
            let (login, outcome) = match written.await {
                Err(storage::Error::Conflict) => return Ok((before, Outcome::Conflict)),
                written => written?,
            };
            Ok((login.queue_refusals(), outcome))
        }
        .boxed()
    }

    /// Stores the login's next state, or ends it. [`storage::Error::Conflict`] rolls back an end that lost a race.
    pub(in crate::interaction) async fn advance(
        mut self,
        tx: &mut Tx<'_>,
    ) -> storage::Result<(Self, Outcome)> {
        if !self.stored {
            self.claim_pushed_request(tx).await?;
        } else if self.interaction.progress.has_first_factor() {
            self.end_waiting();
        }
        let outcome = match self.next() {
            Due::Ask(_) if !self.stored => {
                interactions::queue_insert(tx, &self.interaction)?;
                self.stored = true;
                Outcome::NextStep
            }
            Due::Ask(_) if interactions::save(tx, &self.interaction).await? => Outcome::NextStep,
            Due::Ask(_) => Outcome::Conflict,
            Due::Refuse(code) => {
                self.close(tx)?;
                self.tell_refused(code);
                Outcome::Refused(code)
            }
            Due::Done => self.complete(tx).await?,
        };
        Ok((self, outcome))
    }

    /// Consumes the pushed request that a login begins with; of two concurrent logins one succeeds.
    pub(in crate::interaction) async fn claim_pushed_request(&self, tx: &mut Tx<'_>) -> storage::Result<()> {
        let Some(hash) = self.validated.pushed() else { return Ok(()) };
        let Interaction { id, expires_at, .. } = &*self.interaction;
        let ours = pushed_requests::claim(tx, hash, id, *expires_at, self.now).await?;
        if ours { Ok(()) } else { Err(storage::Error::Conflict) }
    }

    /// Removes the row of the login; of two concurrent requests one may answer.
    pub(super) fn close(&self, tx: &mut Tx<'_>) -> storage::Result<()> {
        if self.stored { interactions::queue_remove(tx, &self.interaction.id) } else { Ok(()) }
    }

    /// Makes the write a conflict if the user's epoch was raised since it was read: an event that ends what the user was
    /// given ends this login too. Where a session answers, its client learns so from the code, which is void.
    pub(super) fn hold_epoch(&self, tx: &mut Tx<'_>, login_user: &LoginUser) -> storage::Result<()> {
        if self.interaction.progress.has_first_factor() {
            users::queue_epoch_check(tx, &login_user.user.id, login_user.user.epoch)?;
        }
        Ok(())
    }
}
