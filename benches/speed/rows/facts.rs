//! Memory, what a flood leaves on the disk, start, and the size of the binary.

use std::process::Command;
use std::time::Instant;

use super::House;
use crate::Plan;
use crate::http::{Connection, form, get};
use crate::load::CLIENTS;
use crate::login::{Visit, sign_in};
use crate::place::Place;
use crate::process::Server;
use crate::report::{Report, short, spread};
use crate::world;

const MIB: f64 = 1024.0 * 1024.0;
/// What the hashes of two cores keep.
const HASHES: f64 = 2.0 * 19.0;

pub(super) fn measure(plan: &Plan, report: &mut Report) {
    if plan.wants("memory") {
        memory(plan, report);
    }
    if plan.wants("waiting") {
        waiting(plan, report);
    }
    if plan.wants("start") {
        start(plan, report, "start to first discovery, one tenant, ms", 30.0, |_| {});
        start(plan, report, "start to first discovery, many tenants and users, ms", 150.0, |place| {
            world::add_tenants(place, plan.many / 100);
            world::add_users(place, plan.many);
        });
    }
    if plan.wants("binary") {
        let size = std::fs::metadata(env!("CARGO_BIN_EXE_vestibule")).unwrap().len() as f64 / MIB;
        report.line("binary, MiB", short(size), String::new(), String::new(), ("none", true));
    }
}

fn memory(plan: &Plan, report: &mut Report) {
    let house = House::delivered(plan);
    let mut connection = Connection::open(house.server.address);
    connection.ask(&get("/.well-known/openid-configuration", ""));
    let rest = house.server.resident() as f64 / MIB;
    report.line(
        "memory at rest, MiB",
        short(rest),
        String::new(),
        String::new(),
        ("at most 20", rest <= 20.0),
    );
    drop(connection);
    let quarters: Vec<_> = (0..4)
        .map(|_| {
            operations(&house, plan.operations / 4);
            house.server.resident() as f64 / MIB
        })
        .collect();
    let all: Vec<_> = quarters.iter().map(|&quarter| short(quarter)).collect();
    let last = quarters[3];
    report.line(
        &format!("memory after {} mixed operations, MiB", plan.operations),
        short(last),
        format!("after each quarter: {}", all.join(", ")),
        format!("{} without the hashes' {HASHES}", short(last - HASHES)),
        ("at most 40, and flat", last - HASHES <= 40.0 && last <= quarters[1] * 1.1),
    );
}

/// Mostly what programs ask; one in a thousand is a whole login.
fn operations(house: &House, number: u64) {
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                let mut connection = Connection::open(house.server.address);
                let username = format!("user{client}");
                let visit = Visit { username: &username, client: "es256", scope: "openid profile" };
                let mut userinfo = Vec::new();
                for operation in 0..number / CLIENTS as u64 {
                    if operation % 1000 == 0 {
                        let tokens = sign_in(&mut connection, &visit);
                        let token = tokens["access_token"].as_str().unwrap();
                        userinfo = get("/userinfo", &format!("Authorization: Bearer {token}\r\n"));
                    }
                    match operation % 3 {
                        0 => drop(connection.ask(&userinfo)),
                        1 => drop(connection.ask(&get("/jwks", ""))),
                        _ => drop(connection.ask(&get("/.well-known/openid-configuration", ""))),
                    }
                }
            });
        }
    });
}

/// The growth of the database under a flood of login requests that are never answered, each from a network of its own and
/// with the longest `state` that its row has room for.
fn waiting(plan: &Plan, report: &mut Report) {
    let place = Place::new(plan.database.as_deref());
    place.apply(&world::delivered());
    let server = Server::start(|address| {
        let mut command = place.vestibule();
        command.args(["serve", "--listen", address, "--trusted-proxies", "127.0.0.1"]);
        command
    });
    let before = place.size();
    let halves: Vec<_> = (0..2)
        .map(|half| {
            flood(&server, half, plan.operations / 2);
            place.size().saturating_sub(before) as f64 / MIB
        })
        .collect();
    report.line(
        &format!("waiting: MiB on the disk after {} login requests without an answer", plan.operations),
        short(halves[1]),
        format!("after half of them: {}", short(halves[0])),
        String::new(),
        ("at most 64", halves[1] <= 64.0),
    );
}

fn flood(server: &Server, half: u64, number: u64) {
    let query = form(&[
        ("response_type", "code"),
        ("client_id", "es256"),
        ("redirect_uri", world::REDIRECT_URI),
        ("scope", "openid"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("state", &"s".repeat(400)),
    ]);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS as u64 {
            let query = &query;
            scope.spawn(move || {
                let mut connection = Connection::open(server.address);
                for n in 0..number / CLIENTS as u64 {
                    let (high, low) = (n >> 16, n & 0xffff);
                    let network =
                        format!("X-Forwarded-For: 2001:{half:x}{client:02x}:{high:x}:{low:x}::1\r\n");
                    let answer = connection.send(&get(&format!("/authorize?{query}"), &network));
                    assert_eq!(answer.status, 303, "{}", answer.text());
                }
            });
        }
    });
}

/// From the start of the process to a good answer: the clock's time, the second start and later ones.
fn start(plan: &Plan, report: &mut Report, name: &str, most: f64, fill: impl FnOnce(&Place)) {
    let house = House::delivered(plan);
    fill(&house.place);
    let House { server, place } = house;
    drop(server);
    let mut times: Vec<f64> = (0..plan.rounds * 2).map(|_| first_answer(&place)).collect();
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    report.line(
        name,
        spread(times),
        String::new(),
        String::new(),
        (&format!("at most {most}"), median <= most),
    );
}

fn first_answer(place: &Place) -> f64 {
    let mut begun = None;
    let server = Server::start(|address| {
        let mut command: Command = place.vestibule();
        command.args(["serve", "--listen", address]);
        begun = Some(Instant::now());
        command
    });
    Connection::open(server.address).ask(&get("/.well-known/openid-configuration", ""));
    begun.unwrap().elapsed().as_secs_f64() * 1e3
}
