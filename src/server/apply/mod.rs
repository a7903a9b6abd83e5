//! Declarative set-up: a document says what should be there, and only what differs is written.
//!
//! What is valid, and how it is changed, `management` knows; here is the document: its syntax, its lists, the files that it
//! names, and where in it a mistake is. [`read`] checks every member by itself; [`plan`] has every entry validated against
//! the store; then all changes are written in one closure. Nothing is written while there is a single mistake, and all
//! mistakes are told at once.

mod export;
mod logos;
mod plan;
mod read;

use std::path::Path;
use std::sync::Arc;

pub(crate) use self::read::Syntax;
use crate::provider::Idp;

/// What a document changed, each thing by its natural key: `user 123456.sms/anna`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// What is new.
    pub created: Vec<String>,
    /// What is different now.
    pub changed: Vec<String>,
    /// What is gone.
    pub removed: Vec<String>,
    /// Consequences that the operator should know, one sentence each.
    pub notes: Vec<String>,
}

impl Applied {
    /// Was everything as the document says already?
    pub const fn is_nothing(&self) -> bool {
        self.created.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl std::fmt::Display for Applied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_nothing() {
            return f.write_str("nothing changed");
        }
        let parts = [("created", &self.created), ("changed", &self.changed), ("removed", &self.removed)];
        let lines =
            parts.into_iter().flat_map(|(verb, things)| things.iter().map(move |thing| (verb, thing)));
        for (i, (verb, thing)) in lines.enumerate() {
            let line_break = if i > 0 { "\n" } else { "" };
            write!(f, "{line_break}{verb} {thing}")?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "\nnote: {note}"))
    }
}

/// Why a document was not applied. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The document is wrong: one text per mistake, each with its place, such as `users[2].email: …`.
    #[error("{}", .0.join("\n"))]
    Mistakes(Vec<String>),
    /// The store or the keys failed.
    #[error("{0}")]
    Failed(String),
}

impl ApplyError {
    fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

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
            let changes = Arc::new(changes);
            let written = self.db().write(move |tx| {
                let changes = Arc::clone(&changes);
                Box::pin(async move {
                    for change in changes.iter() {
                        change.apply(tx).await?;
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
