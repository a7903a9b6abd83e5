//! Declarative set-up: a document says what should be there, and only what differs is written.
//!
//! What is valid, and how it is changed, `management` knows; here is the document: its syntax, its lists, the files that it
//! names, and where in it a mistake is. [`read`] checks every member by itself; [`plan`] has every entry validated against
//! the store; then all changes are written in one closure. Nothing is written while there is a single mistake, and all
//! mistakes are told at once.

mod export;
mod logos;
mod outcome;
mod plan;
mod read;

use std::path::Path;
use std::sync::Arc;

pub use self::outcome::{Applied, ApplyError};
pub(crate) use self::read::Syntax;
use crate::audit::{self, Entry};
use crate::domain::audit::Actor;
use crate::provider::Idp;

impl Idp {
    /// Brings the store to what a document (TOML) says: resellers, tenants, upstreams, groups, users, scopes,
    /// APIs, clients. What it does not name is left alone.
    ///
    /// ```no_run
    /// # async fn example(idp: vestibule::Idp) -> Result<(), vestibule::ApplyError> {
    /// let applied = idp.apply(r#"
    ///     [[tenants]]
    ///     domain = "123456.sms"
    ///     name = "Example Works"
    /// "#).await?;
    /// println!("{applied}");
    /// # Ok(()) }
    /// ```
    ///
    /// When this returns, every node answers by the change: where clients or tenants were changed, that takes a quarter of
    /// a second.
    pub async fn apply(&self, document: &str) -> Result<Applied, ApplyError> {
        self.seen_by_every_node(self.apply_text(document, Syntax::Toml, None)).await
    }

    /// The same from a `.toml` or `.json` file; images that it names are read beside it.
    pub async fn apply_file(&self, path: &Path) -> Result<Applied, ApplyError> {
        let mistake = |problem: &dyn std::fmt::Display| ApplyError::Mistakes(vec![problem.to_string()]);
        let syntax = Syntax::of(path).ok_or_else(|| mistake(&"must be a .toml or .json file"))?;
        let text = std::fs::read_to_string(path).map_err(|error| mistake(&error))?;
        self.seen_by_every_node(self.apply_text(&text, syntax, path.parent())).await
    }

    /// The same from text, without waiting for other nodes; images that it names are in `folder`.
    pub(crate) async fn apply_text(
        &self,
        text: &str,
        syntax: Syntax,
        folder: Option<&Path>,
    ) -> Result<Applied, ApplyError> {
        let (document, mistakes) = read::read(text, syntax, folder);
        let (changes, applied) = plan::plan(self, &document, mistakes).await?;
        if !changes.is_empty() {
            let (changes, now) = (Arc::new(changes), self.now());
            let written = self.db().write(move |tx| {
                let changes = Arc::clone(&changes);
                Box::pin(async move {
                    for change in changes.iter() {
                        change.apply(tx).await?;
                        audit::record(tx, Entry::new(now, Actor::Console, change.event()))?;
                    }
                    Ok(())
                })
            });
            written.await.map_err(ApplyError::failed)?;
        }
        Ok(applied)
    }

    /// Everything that [`Idp::apply`] can bring back, as the document that does so. It holds secrets.
    pub async fn export(&self) -> Result<String, ApplyError> {
        self.export_as(Syntax::Toml).await
    }
}
