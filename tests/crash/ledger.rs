//! What was acknowledged, what was checked, and what turned out wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What must never happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Broken {
    /// A code that was handed out is not good.
    CodeLost,
    /// A code was good twice.
    CodeTwice,
    /// The last token of a family does not work.
    RefreshLost,
    /// A token has two successors.
    Fork,
    /// A session that was there is not.
    SessionLost,
    /// A request was refused, or not answered in time, while the process lived.
    Refused,
    /// A mail that was acknowledged was never sent.
    MailLost,
}

impl Broken {
    const ALL: [Self; 7] = [
        Self::CodeLost,
        Self::CodeTwice,
        Self::RefreshLost,
        Self::Fork,
        Self::SessionLost,
        Self::Refused,
        Self::MailLost,
    ];
}

/// Everything that was counted.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    kills: u32,
    acknowledged: u64,
    sign_ins: u64,
    worked: Duration,
    slowest_start: Duration,
    cut_off: u64,
    cut_off_before: u64,
    came_back: u64,
    mails_asked: usize,
    mails_sent: usize,
    checks: u64,
    broken: BTreeMap<Broken, u64>,
}

impl Ledger {
    /// Writes that were acknowledged, and sign-ins that they made.
    pub(crate) fn acknowledged(&mut self, writes: u64, sign_ins: u64) {
        self.acknowledged += writes;
        self.sign_ins += sign_ins;
    }

    /// A round of load came to its end.
    pub(crate) fn worked(&mut self, long: Duration) {
        self.kills += 1;
        self.worked += long;
    }

    /// The provider listens again.
    pub(crate) fn restarted(&mut self, took: Duration) {
        self.slowest_start = self.slowest_start.max(took);
    }

    /// A request was cut off; had its write not been done, or was it repeated with the same result?
    pub(crate) fn cut_off(&mut self, good: bool) {
        self.cut_off += 1;
        self.cut_off_before += u64::from(good);
    }

    /// Requests that were told to come back, which they did.
    pub(crate) fn came_back(&mut self, times: u64) {
        self.came_back += times;
    }

    /// Reset mails that were acknowledged, and mails that reached the mail server.
    pub(crate) fn mails(&mut self, asked: usize, sent: usize) {
        self.mails_asked += asked;
        self.mails_sent += sent;
    }

    /// One comparison.
    pub(crate) fn check(&mut self, holds: bool, broken: Broken) {
        self.checks += 1;
        if !holds {
            *self.broken.entry(broken).or_default() += 1;
        }
    }

    /// Was every answer right?
    pub(crate) fn is_clean(&self) -> bool {
        self.broken.is_empty() && self.checks > 0
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = u128::from(self.sign_ins) * 1000 / self.worked.as_millis().max(1);
        writeln!(f, "kills                      {}", self.kills)?;
        writeln!(f, "sign-ins                   {} ({rate} per second)", self.sign_ins)?;
        writeln!(f, "writes acknowledged        {}", self.acknowledged)?;
        writeln!(f, "requests cut off           {} ({} good afterwards)", self.cut_off, self.cut_off_before)?;
        writeln!(f, "slowest start              {} ms", self.slowest_start.as_millis())?;
        writeln!(f, "told to come back          {}", self.came_back)?;
        writeln!(f, "reset mails                {} asked for, {} sent", self.mails_asked, self.mails_sent)?;
        writeln!(f, "checks                     {}", self.checks)?;
        for broken in Broken::ALL {
            let times = self.broken.get(&broken).copied().unwrap_or_default();
            writeln!(f, "{:27}{times}", format!("{broken:?}"))?;
        }
        Ok(())
    }
}
