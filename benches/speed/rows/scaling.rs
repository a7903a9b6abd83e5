//! Does an operation cost more when there is a lot of everything?

use std::time::Duration;

use super::costs::{login_cost, userinfo_cost};
use super::{Goal, House, Row, compare};
use crate::Plan;
use crate::ceilings::Bench;
use crate::http::get;
use crate::load::cost_of;
use crate::process::Server;
use crate::report::{Report, short};
use crate::world;

/// What an operation costs at this server, given the number of its last tenant.
type Cost = Box<dyn Fn(&Server, i64, Duration) -> f64>;

pub(super) fn measure(plan: &Plan, report: &mut Report, bench: &Bench) {
    if !plan.wants("scaling") {
        return;
    }
    let small = House::without_hashes(plan);
    let large = House::without_hashes(plan);
    let tenant = |n: i64| format!("/t/t{n}.test/.well-known/openid-configuration");
    world::add_tenants(&small.place, 1);
    let tenants = plan.many / 100;
    world::add_tenants(&large.place, tenants);
    let before = large.place.size();
    world::add_users(&large.place, plan.many);
    let bytes = (large.place.size() - before) / plan.many.unsigned_abs();
    let goal = ("at most 1024", bytes <= 1024);
    report.line(
        "scaling: database bytes for a user",
        bytes.to_string(),
        format!("{} users", plan.many),
        String::new(),
        goal,
    );
    // One login, so that there is a grant to be copied.
    userinfo_cost(&large.server, Duration::ZERO);
    world::add_grants(&large.place, plan.many);
    let (few, many) = (&small.server, &large.server);
    let pair = |name, most, cost: Cost| Row {
        name,
        beside: "with few",
        goal: Goal::Times(most),
        measure: Box::new(move |_, long| (cost(many, tenants, long), cost(few, 1, long))),
    };
    let rows = [
        pair("scaling: login beside many users", 1.25, Box::new(|server, _, long| login_cost(server, long))),
        pair(
            "scaling: discovery beside many tenants",
            1.3,
            Box::new(move |server, last, long| cost_of(server, long, &get(&tenant(last), ""))),
        ),
        pair(
            "scaling: UserInfo beside many grants",
            1.25,
            Box::new(|server, _, long| userinfo_cost(server, long)),
        ),
    ];
    compare(plan, report, bench, &rows);
    memory(plan, report, &small, &large);
}

/// Tenants without requests cost their rows only.
fn memory(plan: &Plan, report: &mut Report, small: &House, large: &House) {
    let at_rest = |house: &House| Server::without_hashes(&house.place).resident();
    let grown = at_rest(large).saturating_sub(at_rest(small)) as f64 / (plan.many / 100) as f64;
    let goal = ("at most 4096", grown <= 4096.0);
    report.line(
        "scaling: bytes of memory for a tenant never used",
        short(grown),
        String::new(),
        String::new(),
        goal,
    );
}
