//! A request whose user is not known yet: it counts in its network, and its row stays small.
//!
//! A row has 1 KiB. A request with longer parts (`state`, `claims`) is sealed for its row and carried by the browser in the
//! addresses of its pages, and stored when a first factor is proved or the browser leaves for an upstream provider, which
//! sends nothing of ours back but a `state`. A pushed request is stored already and is not carried.

use std::sync::Arc;

use super::Login;
use crate::domain::ids::InteractionId;
use crate::domain::interaction::Interaction;
use crate::domain::request::AuthorizationRequest;
use crate::provider::{Idp, Internal};
use crate::storage::{self, interactions};

impl Login {
    /// Makes a new login, of a user who is not known, count in its network, and its row small.
    pub(super) fn begin_waiting(&mut self) -> Result<(), Internal> {
        if self.user.is_some() {
            return Ok(());
        }
        // Where the host does not tell addresses, each request is a network of its own and counts in the whole alone.
        let network = self.page_request.network.as_deref().unwrap_or_else(|| self.interaction.id.as_str());
        self.interaction.network = Some(self.idp().sealer().keyed_hash("waiting requests", network));
        if self.validated.pushed().is_none() && !interactions::fits(&self.interaction)? {
            let plain = serde_json::to_vec(self.request()).map_err(storage::Error::encoding)?;
            let sealed = self.idp().sealer().seal(&plain, &row(&self.interaction.id))?;
            self.interaction.carried = true;
            self.carried = Some(Arc::from(sealed));
        }
        Ok(())
    }

    /// Stores the request whole and stops counting it in its network: the first factor is proved.
    pub(super) fn end_waiting(&mut self) {
        self.interaction.network = None;
        self.interaction.carried = false;
        self.carried = None;
    }

    /// The row with the whole request, where the browser carries it now; it still counts in its network.
    pub(in crate::interaction) fn whole(&self) -> Option<Interaction> {
        let whole = Interaction { carried: false, ..(*self.interaction).clone() };
        self.interaction.carried.then_some(whole)
    }
}

/// The request that a page's address carries, if it was sealed for this login.
pub(super) fn open(idp: &Idp, id: &InteractionId, sealed: &str) -> Option<AuthorizationRequest> {
    let plain = idp.sealer().open(sealed, &row(id)).ok()?;
    serde_json::from_slice(&plain).ok()
}

fn row(id: &InteractionId) -> String {
    format!("interactions/{id}/request")
}
