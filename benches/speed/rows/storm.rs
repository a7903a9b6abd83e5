//! 64 people sign in at once while programs ask as evenly as ever: whose answers get slower, and by how much?

use std::thread;
use std::time::{Duration, Instant};

use super::House;
use crate::Plan;
use crate::http::{Connection, get, post};
use crate::login::{Visit, basic, to_code};
use crate::report::{Report, short};

/// People who sign in at the same moment.
const STORM: u16 = 64;
/// More of them than may wait.
const FLOOD: u16 = 256;
/// Steady requests in a second, and on how many connections.
const RATE: u32 = 500;
const STEADY: u32 = 10;

pub(super) fn measure(plan: &Plan, report: &mut Report, house: &House) {
    if !plan.wants("storm") {
        return;
    }
    let long = plan.long * 5;
    let quiet = percentile(&mut steady(house, long), 0.99);
    let (mut beside, logins) = while_steady(house, long, STORM);
    let stormy = percentile(&mut beside, 0.99);
    report.line(
        "storm of 64 logins: the p99 of 500 requests a second, ms",
        short(stormy),
        format!("quiet: {}", short(quiet)),
        short(stormy / quiet),
        ("at most 3", stormy / quiet <= 3.0),
    );
    let told = |logins: &[Login]| logins.iter().filter(|login| login.status == 503).count();
    let (_, flood) = while_steady(house, long, FLOOD);
    let mut refusals: Vec<_> =
        flood.iter().filter(|login| login.status == 503).map(|login| login.millis).collect();
    let (refused, slowest) = (refusals.len(), percentile(&mut refusals, 1.0));
    let fair = flood.iter().chain(&logins).all(|login| login.status == 303 || login.retry_after);
    report.line(
        "flood of 256 logins: the slowest 503, ms",
        short(slowest),
        format!("{refused} of {} refused, {} in the storm of 64", flood.len(), told(&logins)),
        if fair { "all with Retry-After" } else { "without Retry-After" }.to_owned(),
        ("at most 100", slowest <= 100.0 && fair),
    );
}

/// How the browser's part of a login ended, and how long its last answer took.
struct Login {
    status: u16,
    retry_after: bool,
    millis: f64,
}

/// Steady requests, and storms of logins one after the other beside them.
fn while_steady(house: &House, long: Duration, people: u16) -> (Vec<f64>, Vec<Login>) {
    thread::scope(|scope| {
        let storms = scope.spawn(|| {
            let end = Instant::now() + long;
            let mut logins = Vec::new();
            while Instant::now() < end {
                logins.extend(storm(house, people));
            }
            logins
        });
        let times = steady(house, long);
        (times, storms.join().unwrap())
    })
}

/// So many people at once.
fn storm(house: &House, people: u16) -> Vec<Login> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..people).map(|number| scope.spawn(move || login(house, number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn login(house: &House, number: u16) -> Login {
    let visit = Visit { username: &format!("user{number}"), client: "es256", scope: "openid" };
    let mut connection = Connection::open_from((number / 64 + 1).to_le_bytes()[0], house.server.address);
    let answer = to_code(&mut connection, &visit).unwrap_or_else(|answer| answer);
    let retry_after = answer.header("retry-after").is_some();
    Login { status: answer.status, retry_after, millis: answer.took.as_secs_f64() * 1e3 }
}

/// Requests sent at their times, whether or not the earlier ones are answered; the time of each in milliseconds,
/// counted from when it should have been sent.
fn steady(house: &House, long: Duration) -> Vec<f64> {
    let every = Duration::from_secs(1) * STEADY / RATE;
    let requests = mix();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..STEADY)
            .map(|number| {
                let requests = &requests;
                scope.spawn(move || {
                    let mut connection = Connection::open(house.server.address);
                    let mut due = Instant::now() + every * number / STEADY;
                    let end = due + long;
                    let mut times = Vec::new();
                    for request in requests.iter().cycle().skip(number as usize) {
                        if due >= end {
                            break;
                        }
                        thread::sleep(due.saturating_duration_since(Instant::now()));
                        connection.ask(request);
                        times.push(millis(due));
                        due += every;
                    }
                    times
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// What programs ask by turns.
fn mix() -> Vec<Vec<u8>> {
    let token = post("/token", &basic("es256"), "grant_type=client_credentials");
    vec![get("/.well-known/openid-configuration", ""), token]
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// The value below which this part of all lies.
fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in the list")]
    let at = (last as f64 * part).round() as usize;
    values.get(at).copied().unwrap_or_default()
}
