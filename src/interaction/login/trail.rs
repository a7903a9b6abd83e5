//! The audit entries of a login: what happened in a step is recorded in the step's write, each end with its decisions.

use super::Login;
use crate::audit::{self, Entry};
use crate::domain::audit::{Actor, AuditSubject, Decision};
use crate::domain::error::ErrorCode;
use crate::domain::event::Event;
use crate::domain::fact::Fact;
use crate::storage::{self, Tx};

/// The part of a keyed hash that names a typed name.
const NAME: &str = "typed names";

impl Login {
    /// Notes the name that was typed, for the entry about its refusal. It is kept as a keyed hash: people type passwords
    /// into the field of the name.
    pub(in crate::interaction) fn typed_name(&mut self, tenant: &str, username: &str) {
        let both = format!("{}/{}", tenant.to_lowercase(), username.to_lowercase());
        self.typed = Some(self.idp().sealer().keyed_hash(NAME, &both));
    }

    /// Notes that the client gets an error instead of a code.
    pub(super) fn tell_refused(&mut self, error: ErrorCode) {
        self.tell(self.refused_event(error));
    }

    /// Queues the entry about an error that the client gets without a page and without a write: a browser's session alone
    /// proves nothing in this login.
    pub(in crate::interaction) fn refuse_at_once(&self, error: ErrorCode) {
        let entry = self.entry(self.refused_event(error));
        self.idp().refuse(Entry { actor: Actor::Anonymous, ..entry });
    }

    fn refused_event(&self, error: ErrorCode) -> Event {
        let user = self.user.as_ref().map(|login_user| login_user.user.id.clone());
        let (issuer, client) = (self.interaction.issuer.clone(), self.validated.client().id.clone());
        Event::LoginRefused { issuer, user, client, error: error.as_str() }
    }

    /// Records what happened in this step. What an unknown user was refused waits for the commit and is queued then.
    pub(super) fn record(&mut self, tx: &mut Tx<'_>) -> storage::Result<()> {
        for event in std::mem::take(&mut self.events) {
            let entry = self.entry(event);
            if entry.is_refusal() {
                self.refusals.push(entry);
            } else {
                audit::record(tx, entry)?;
            }
        }
        Ok(())
    }

    /// Queues what was refused in a step that is written.
    pub(super) fn queue_refusals(mut self) -> Self {
        for entry in std::mem::take(&mut self.refusals) {
            self.idp().refuse(entry);
        }
        self
    }

    fn entry(&self, event: Event) -> Entry {
        let is_first_factor = matches!(event, Event::LoginFailed { .. } | Event::UpstreamFailed { .. });
        let user = self.user.as_ref().filter(|_| !is_first_factor).map(|login_user| &login_user.user);
        let acting = match event.subject() {
            Some(AuditSubject::User(user)) => Some(user),
            _ => user.map(|user| user.id.clone()),
        };
        let is_end = matches!(event, Event::LoginCompleted { .. } | Event::LoginRefused { .. });
        let actor = acting.map_or(Actor::Anonymous, Actor::User);
        let mut entry = Entry::new(self.now, actor, event)
            .with_network(self.page_request.network.as_deref())
            .of_grant(&self.interaction.grant);
        entry.tenant = user.map(|user| user.tenant.clone());
        if entry.subject.is_none() {
            entry.subject = self.typed.clone().filter(|_| is_first_factor).map(AuditSubject::Name);
        }
        if is_end { entry.decided(self.decisions()) } else { entry }
    }

    /// What decided this login, in order: the session, and each fact with the time of its proof.
    fn decisions(&self) -> Vec<Decision> {
        let session = match (&self.session, self.own_session()) {
            (None, _) => "none",
            (Some(_), None) => "not_used",
            (Some(_), Some(_)) => "used",
        };
        let mut all = vec![Decision { about: "session", outcome: session.to_owned(), at: None }];
        let facts = self.facts();
        let decided =
            |fact: &Fact| Decision { about: "fact", outcome: fact.kind.name().to_owned(), at: Some(fact.at) };
        all.extend(facts.list().iter().map(decided));
        all
    }
}
