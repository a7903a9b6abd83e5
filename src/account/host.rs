//! The host's own directory, as the account asks it: with a deadline.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::error::Error;
use crate::domain::tenant::Tenant;
use crate::ext::{Directory, Unavailable};

/// The host's directory, and how long it may take.
#[derive(Clone, Copy)]
pub(crate) struct Host<'a> {
    pub(super) directory: &'a dyn Directory,
    deadline: Duration,
}

impl<'a> Host<'a> {
    pub(crate) const fn new(directory: &'a dyn Directory, deadline: Duration) -> Self {
        Self { directory, deadline }
    }

    pub(super) fn holds(&self, tenant: &Tenant) -> bool {
        self.directory.holds(&tenant.domain)
    }

    pub(super) async fn ask<T>(&self, question: BoxFuture<'a, Result<T, Unavailable>>) -> Result<T, Error> {
        match tokio::time::timeout(self.deadline, question).await {
            Ok(answer) => Ok(answer?),
            Err(late) => Err(Unavailable::new(late).into()),
        }
    }
}
