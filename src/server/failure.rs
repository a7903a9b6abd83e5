//! The failure of a command, with one text for each problem.

/// A command failed: one text per problem.
pub(super) struct Failure(pub(super) Vec<String>);

impl Failure {
    /// A failure with one problem.
    pub(super) fn new(problem: impl std::fmt::Display) -> Self {
        Self(vec![problem.to_string()])
    }
}
