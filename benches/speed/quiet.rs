//! Was the machine ours? What others spend meanwhile changes every figure: caches, clock speed, how many share a commit.

use std::fmt;

/// What others may take of the machine before the report says so.
const QUIET: f64 = 0.05;

/// A reading of the machine's clock ticks, of all its cores together.
pub(crate) struct Ticks {
    all: u64,
    /// Neither idle nor waiting for a disk; what a host of virtual machines took away is busy too.
    busy: u64,
    /// Spent by this process and by those that it started and that have ended.
    own: u64,
}

impl Ticks {
    /// Now. See proc(5): `cpu user nice system idle iowait irq softirq steal guest guest_nice`; guests count as user.
    pub(crate) fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/stat").unwrap();
        let cores: Vec<u64> = numbers(stat.lines().next().unwrap()).take(8).collect();
        let all = cores.iter().sum();
        let own = std::fs::read_to_string("/proc/self/stat").unwrap();
        // Behind the name, which may hold spaces: utime, stime, cutime and cstime are the 12th to 15th word.
        let (_, own) = own.rsplit_once(')').unwrap();
        let own = own.split_whitespace().skip(11).take(4).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Self { all, busy: all - cores[3] - cores[4], own }
    }

    /// The part of the machine that others took since then.
    pub(crate) fn others_since(&self) -> Others {
        let now = Self::now();
        let others = (now.busy - self.busy).saturating_sub(now.own - self.own);
        Others(others as f64 / (now.all - self.all).max(1) as f64)
    }
}

fn numbers(line: &str) -> impl Iterator<Item = u64> {
    line.split_whitespace().filter_map(|word| word.parse().ok())
}

/// A part of the machine, 0 to 1.
pub(crate) struct Others(f64);

impl fmt::Display for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.0 * 100.0;
        if self.0 <= QUIET {
            write!(f, "quiet: others took {percent:.0} % of the machine meanwhile")
        } else {
            write!(
                f,
                "**not quiet**: others took {percent:.0} % of the machine meanwhile, so the figures with H, R, W or a clock \
                 in them show an order of magnitude"
            )
        }
    }
}
