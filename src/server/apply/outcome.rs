//! The outcome of an `apply`: what it changed, or why it changed nothing.

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
    pub(super) fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}
