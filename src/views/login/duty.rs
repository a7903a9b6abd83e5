//! The reason why a page asks for a new authenticator.

/// Why an authenticator must be enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Administrators need one (SEED1-3).
    Administrator,
    /// Everybody in the tenant needs one.
    Tenant,
    /// The application asked for two factors.
    Application,
    /// A recovery code was used, so the old authenticator is gone.
    Replacement,
    /// No duty: the user chose it, for example from the announcement.
    Chosen,
}

impl Duty {
    /// The key of the reason.
    pub(in crate::views) const fn reason(self) -> &'static str {
        match self {
            Self::Administrator => "enrol.administrator",
            Self::Tenant => "enrol.tenant",
            Self::Application => "enrol.application",
            Self::Replacement => "enrol.replacement",
            Self::Chosen => "enrol.chosen",
        }
    }
}
