//! Operations per second with 16, 64 and 256 concurrent clients: more clients must not lower the rate, and no request may
//! fail. The exception is a login that finds the hashing queue full: it is answered 503 with Retry-After.
//!
//! Measured in wall-clock time, with the server on all cores: waiting costs no CPU time.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::House;
use crate::Plan;
use crate::http::{Answer, Connection, form, get, post};
use crate::login::{Visit, basic, enter, open, redeem, sign_in_again};
use crate::report::{Report, median, short};
use crate::world::USERS;

/// How many clients there are; the first number is what the others are held against.
const CROWDS: [usize; 3] = [16, 64, 256];
/// The part of the first crowd's rate that the others must have.
const LEAST: f64 = 0.9;
/// How many clients come from one address.
const OF_ONE_ADDRESS: usize = 64;

/// What a client does again and again.
type Work = Box<dyn FnMut(&mut Connection) -> Result<(), Trouble>>;

/// Why an operation came to nothing.
enum Trouble {
    /// The answer to a password: 503, and how long to wait.
    ComeBack(Duration),
    /// Any other answer.
    Error,
}

impl From<Answer> for Trouble {
    fn from(answer: Answer) -> Self {
        println!("{}: {}", answer.status, answer.text().chars().take(200).collect::<String>());
        Self::Error
    }
}

/// Prepares the n-th client.
type Client = fn(usize, &mut Connection) -> Work;

/// Every operation, whether it is asked of the provider whose hashes cost something, and whether it may be refused.
const OPERATIONS: [(&str, bool, Client); 11] = [
    ("discovery", false, |_, _| same(get("/.well-known/openid-configuration", ""))),
    ("JWKS", false, |_, _| same(get("/jwks", ""))),
    ("client_credentials, JWT RS256", false, |_, _| client_credentials("rs256")),
    ("client_credentials, JWT ES256", false, |_, _| client_credentials("es256")),
    ("introspection, JWT", false, |number, connection| introspection("es256", number, connection)),
    ("introspection, opaque token", false, |number, connection| introspection("opaque", number, connection)),
    ("UserInfo", false, userinfo),
    ("refresh with rotation", false, refresh),
    ("single sign-on", false, single_sign_on),
    ("login without its hash", false, login),
    ("whole login", true, login),
];

/// What a crowd was answered.
#[derive(Default)]
struct Crowd {
    /// Successes in a second.
    rate: f64,
    /// Answers that are neither a success nor a login's 503 with Retry-After.
    errors: usize,
    refused: usize,
    /// Below this are 99 of 100 times, in milliseconds.
    p99: f64,
}

pub(super) fn measure(plan: &Plan, report: &mut Report, delivered: &House, cheap: &House) {
    for (operation, hashes, client) in OPERATIONS {
        let name = format!("at once: {operation}, a second");
        if !plan.wants(&name) {
            continue;
        }
        let house = if hashes { delivered } else { cheap };
        let mut rounds: Vec<[Crowd; 3]> = Vec::new();
        for _ in 0..plan.rounds.min(3) {
            rounds.push(CROWDS.map(|crowd| ask(house, crowd, plan.long * 4, client)));
        }
        tell(report, &name, &rounds);
    }
}

fn tell(report: &mut Report, name: &str, rounds: &[[Crowd; 3]]) {
    let middle = |figure: &dyn Fn(&[Crowd; 3]) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(figure).collect();
        all.sort_by(f64::total_cmp);
        median(&all)
    };
    let parts = [1, 2].map(|crowd| middle(&|round| round[crowd].rate / round[0].rate));
    let errors: usize = rounds.iter().flatten().map(|crowd| crowd.errors).sum();
    let refused: usize = rounds.iter().flatten().map(|crowd| crowd.refused).sum();
    let rate = |crowd: usize| short(middle(&|round| round[crowd].rate));
    let met = errors == 0 && parts.iter().all(|part| *part >= LEAST);
    report.line(
        name,
        format!("64: {}, 256: {}; p99 of 256: {} ms", rate(1), rate(2), short(middle(&|round| round[2].p99))),
        format!("16: {}", rate(0)),
        format!("{}, {}; {errors} errors, {refused} told to come back", short(parts[0]), short(parts[1])),
        ("at least 0.9, without an error", met),
    );
}

/// So many clients at once, each sending its next request when the last is answered. The last answers are waited for, and
/// so is the time that they take: of a large crowd they are many.
fn ask(house: &House, crowd: usize, long: Duration, client: Client) -> Crowd {
    let prepared = Barrier::new(crowd);
    let clients: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..crowd)
            .map(|number| {
                let prepared = &prepared;
                scope.spawn(move || one(house, number, long, client, prepared))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut times: Vec<f64> = clients.iter().flat_map(|(_, times, _)| times).copied().collect();
    times.sort_by(f64::total_cmp);
    let p99 = times.get(times.len().saturating_sub(1) * 99 / 100).copied().unwrap_or_default();
    let took = clients.iter().map(|(_, _, took)| *took).max().unwrap_or(long);
    let mut all = Crowd { rate: times.len() as f64 / took.as_secs_f64(), p99, ..Crowd::default() };
    for (one, ..) in clients {
        all.errors += one.errors;
        all.refused += one.refused;
    }
    all
}

/// One client: what it was told, how long each success took in milliseconds, and when it had the last answer.
fn one(
    house: &House,
    number: usize,
    long: Duration,
    client: Client,
    prepared: &Barrier,
) -> (Crowd, Vec<f64>, Duration) {
    let address = u8::try_from(number / OF_ONE_ADDRESS + 1).unwrap();
    let mut work = client(number, &mut Connection::open_from(address, house.server.address));
    prepared.wait();
    // Opened only now: one that waited for the last client to be prepared may have been closed for its idleness.
    let mut connection = Connection::open_from(address, house.server.address);
    let start = Instant::now();
    let end = start + long;
    let (mut told, mut times) = (Crowd::default(), Vec::new());
    while Instant::now() < end {
        let begun = Instant::now();
        match work(&mut connection) {
            Ok(()) => times.push(begun.elapsed().as_secs_f64() * 1e3),
            Err(Trouble::ComeBack(pause)) => {
                told.refused += 1;
                thread::sleep(pause.min(end.saturating_duration_since(Instant::now())));
            }
            Err(Trouble::Error) => told.errors += 1,
        }
    }
    (told, times, start.elapsed())
}

fn same(request: Vec<u8>) -> Work {
    Box::new(move |connection| success(connection.send(&request)).map(drop))
}

fn success(answer: Answer) -> Result<Answer, Trouble> {
    if answer.status == 200 { Ok(answer) } else { Err(answer.into()) }
}

fn client_credentials(client: &str) -> Work {
    same(post("/token", &basic(client), "grant_type=client_credentials"))
}

fn introspection(client: &'static str, number: usize, connection: &mut Connection) -> Work {
    let (tokens, _) = signed_in(client, "openid profile", number, connection);
    let token = form(&[("token", tokens["access_token"].as_str().unwrap())]);
    same(post("/introspect", &basic(client), &token))
}

fn userinfo(number: usize, connection: &mut Connection) -> Work {
    let (tokens, _) = signed_in("es256", "openid profile", number, connection);
    let token = tokens["access_token"].as_str().unwrap();
    same(get("/userinfo", &format!("Authorization: Bearer {token}\r\n")))
}

/// Each client goes on with the successor of its own token.
fn refresh(number: usize, connection: &mut Connection) -> Work {
    let (tokens, _) = signed_in("es256", "openid offline_access", number, connection);
    let mut token = tokens["refresh_token"].as_str().unwrap().to_owned();
    Box::new(move |connection| {
        let parameters = form(&[("grant_type", "refresh_token"), ("refresh_token", &token)]);
        let answer = success(connection.send(&post("/token", &basic("es256"), &parameters)))?;
        answer.json()["refresh_token"].as_str().unwrap().clone_into(&mut token);
        Ok(())
    })
}

/// Authorization, code and tokens by the session that the browser has.
fn single_sign_on(number: usize, connection: &mut Connection) -> Work {
    let (_, cookies) = signed_in("es256", "openid profile", number, connection);
    let username = format!("user{number}");
    Box::new(move |connection| {
        let visit = Visit { username: &username, client: "es256", scope: "openid profile" };
        Ok(sign_in_again(connection, &visit, &cookies).map(drop)?)
    })
}

/// From the application's redirect to its tokens; each time the next person's.
fn login(_: usize, _: &mut Connection) -> Work {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mut username = String::new();
    let mut waiting = None;
    Box::new(move |connection| {
        if waiting.is_none() {
            username = format!("user{}", NEXT.fetch_add(1, Ordering::Relaxed) % USERS);
        }
        let visit = Visit { username: &username, client: "es256", scope: "openid profile" };
        let (page, cookies) = match waiting.take() {
            Some(opened) => opened,
            None => open(connection, &visit)?,
        };
        match enter(connection, &visit, &page, &cookies) {
            Ok(back) => Ok(redeem(connection, &visit, &back).map(drop)?),
            Err(answer) => {
                let after = answer.header("retry-after").filter(|_| answer.status == 503);
                let Some(seconds) = after.and_then(|after| after.parse().ok()) else {
                    return Err(answer.into());
                };
                // The same page is sent again: a new one for each try would fill the network's waiting requests.
                waiting = Some((page, cookies));
                Err(Trouble::ComeBack(Duration::from_secs(seconds)))
            }
        }
    })
}

/// The n-th user's tokens and the cookies of the session. Clients are prepared all at once: one that is told to come back
/// sends the same page again.
fn signed_in(client: &str, scope: &str, number: usize, connection: &mut Connection) -> (Value, String) {
    let visit = Visit { username: &format!("user{number}"), client, scope };
    let again = |answer: &Answer| {
        assert_eq!(answer.status, 503, "{}", answer.text());
        thread::sleep(Duration::from_millis(100));
    };
    loop {
        let (page, cookies) = match open(connection, &visit) {
            Ok(opened) => opened,
            Err(answer) => {
                again(&answer);
                continue;
            }
        };
        let back = loop {
            match enter(connection, &visit, &page, &cookies) {
                Ok(back) => break back,
                Err(answer) => again(&answer),
            }
        };
        match redeem(connection, &visit, &back) {
            Ok(tokens) => return (tokens.json(), back.cookies()),
            Err(answer) => again(&answer),
        }
    }
}
