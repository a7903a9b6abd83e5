//! Memory, start, and the size of the binary.

use std::process::Command;
use std::time::Instant;

use super::House;
use crate::Plan;
use crate::http::{Connection, get};
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
