//! One table, and what has to be known to read it.

use std::fmt;
use std::process::Command;

use crate::Plan;
use crate::ceilings::Ceilings;
use crate::quiet::Ticks;

/// One of them.
type Ceiling = fn(&Ceilings) -> f64;

/// All that was measured.
pub(crate) struct Report {
    setting: String,
    begun: Ticks,
    ceilings: Vec<Ceilings>,
    lines: Vec<[String; 5]>,
}

/// Its name, family and model, and the widest vectors that it computes with: hashes and signatures depend on them.
fn processor() -> String {
    const NAMES: &str = "awk -F'\t*: ' '!($1 in seen) { seen[$1] = $2 } END { print seen[\"model name\"] \", family \" \
        seen[\"cpu family\"] \", model \" seen[\"model\"] }' /proc/cpuinfo; uname -sr";
    #[cfg(target_arch = "x86_64")]
    let vectors = match (is_x86_feature_detected!("avx512f"), is_x86_feature_detected!("avx2")) {
        (true, _) => ", AVX-512",
        (false, true) => ", AVX2",
        (false, false) => ", SSE2",
    };
    #[cfg(not(target_arch = "x86_64"))]
    let vectors = "";
    said("sh", &["-c", NAMES]).replace('\n', &format!("{vectors}; "))
}

impl Report {
    pub(crate) fn new(plan: &Plan) -> Self {
        let Plan { rounds, long, .. } = plan;
        let store = if plan.database.is_some() { "PostgreSQL" } else { "SQLite" };
        let arguments: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
        let setting = format!(
            "- {}, commit {}\n- `cargo bench -- {}`; {rounds} rounds of {} ms, {store}\n- {} cores, {}; load average at the \
             beginning {}",
            said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            said("git", &["describe", "--always", "--dirty"]),
            arguments.join(" "),
            long.as_millis(),
            std::thread::available_parallelism().unwrap(),
            processor(),
            said("cut", &["-d ", "-f1", "/proc/loadavg"]),
        );
        println!("{setting}");
        Self { setting, begun: Ticks::now(), ceilings: Vec::new(), lines: Vec::new() }
    }

    pub(crate) fn ceilings(&mut self, ceilings: Ceilings) {
        self.ceilings.push(ceilings);
    }

    /// Adds a line: what, how much, beside what, the figure the goal is about, the goal and whether it is met.
    pub(crate) fn line(
        &mut self,
        name: &str,
        cost: String,
        beside: String,
        figure: String,
        goal: (&str, bool),
    ) {
        let verdict = format!("{}: {}", goal.0, if goal.1 { "met" } else { "**not met**" });
        println!("{name}: {cost} | {beside} | {figure} | {verdict}");
        self.lines.push([name.to_owned(), cost, beside, figure, verdict]);
    }

    /// Adds a line for what was not measured.
    pub(crate) fn left_out(&mut self, name: &str, why: &str) {
        println!("{name}: not measured, {why}");
        let line = [name, "not measured", "", "", why];
        self.lines.push(line.map(str::to_owned));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# What it costs\n\nMade by `cargo bench`; `benches/README.md` says how to read it.\n\n{}\n- {}\n",
            self.setting,
            self.begun.others_since()
        )?;
        writeln!(f, "| ceiling | CPU time, µs: median (least to most) |\n|---|---|")?;
        let of: [(&str, Ceiling); 7] = [
            ("S, RS256 signature", |c| c.rs256),
            ("S, ES256 signature", |c| c.es256),
            ("Argon2id, 19 MiB, 2 passes", |c| c.argon2),
            ("the same by the reference implementation", |c| c.reference_argon2),
            ("H, bare axum answer", |c| c.http),
            ("R, indexed read", |c| c.read),
            ("W, durable write of two statements, 16 callers", |c| c.write),
        ];
        for (name, figure) in of {
            writeln!(f, "| {name} | {} |", spread(self.ceilings.iter().map(figure)))?;
        }
        writeln!(
            f,
            "\n| what | server CPU time per operation, µs | beside, µs | figure | goal |\n|---|---|---|---|---|"
        )?;
        self.lines.iter().try_for_each(|line| writeln!(f, "| {} |", line.join(" | ")))
    }
}

/// Median, least and most.
pub(crate) fn spread(values: impl IntoIterator<Item = f64>) -> String {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else { return "-".to_owned() };
    format!("{} ({} to {})", short(median(&values)), short(*least), short(*most))
}

/// The one in the middle of sorted values.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

/// Three digits that count.
pub(crate) fn short(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    output.map_or_else(|_| "?".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
