//! Mistakes in members.

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The member, for example `policy.session_idle` or `redirect_uris[1]`; empty if it is about the thing itself.
    pub(crate) member: String,
    /// What is wrong, in words that follow the member's name: `must be an email address`.
    pub(crate) problem: String,
}

impl Mistake {
    /// A mistake about the thing itself.
    pub(super) const fn of_thing(problem: String) -> Self {
        Self { member: String::new(), problem }
    }
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.member.as_str() {
            "" => f.write_str(&self.problem),
            member => write!(f, "{member}: {}", self.problem),
        }
    }
}

/// The mistakes of one thing, in the order in which they were found.
#[derive(Clone, Debug, Default)]
pub(super) struct Mistakes(pub(super) Vec<Mistake>);

impl Mistakes {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a mistake in a member.
    pub(super) fn at(&mut self, member: &str, problem: impl std::fmt::Display) {
        self.0.push(Mistake { member: member.to_owned(), problem: problem.to_string() });
    }

    /// Returns the value, or adds the mistake.
    pub(super) fn keep<T>(&mut self, member: &str, result: Result<T, impl std::fmt::Display>) -> Option<T> {
        result.map_err(|problem| self.at(member, problem)).ok()
    }
}
