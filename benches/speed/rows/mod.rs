//! The rows of the table.

mod beside;
mod costs;
mod crowd;
mod facts;
mod scaling;
mod storm;

use std::time::Duration;

use crate::Plan;
use crate::ceilings::{self, Ceilings};
use crate::peer::Peer;
use crate::place::Place;
use crate::process::Server;
use crate::report::{Report, median, short, spread};
use crate::world;

/// Measures everything that the plan wants.
pub(crate) fn measure(plan: &Plan, report: &mut Report) {
    let bench = ceilings::Bench::new(plan.database.as_deref());
    let delivered = House::delivered(plan);
    let cheap = House::without_hashes(plan);
    compare(plan, report, &bench, &costs::rows(&delivered, &cheap));
    beside_a_peer(plan, report, &bench, (&delivered, &cheap));
    crowd::measure(plan, report, &delivered, &cheap);
    drop(cheap);
    storm::measure(plan, report, &delivered);
    drop(delivered);
    scaling::measure(plan, report, &bench);
    facts::measure(plan, report);
}

fn beside_a_peer(plan: &Plan, report: &mut Report, bench: &ceilings::Bench, houses: (&House, &House)) {
    if !plan.wants("peer") {
        return;
    }
    let Some(peer) = Peer::start(&plan.node) else {
        report.left_out("a peer", "no Node, or not installed: `npm ci --prefix benches/peer`");
        return;
    };
    beside::warm_up(&peer, plan.long * 2);
    compare(plan, report, bench, &beside::rows(houses.0, houses.1, &peer));
}

/// A provider with its rows.
pub(crate) struct House {
    pub(crate) server: Server,
    pub(crate) place: Place,
}

impl House {
    fn delivered(plan: &Plan) -> Self {
        let place = Place::new(plan.database.as_deref());
        place.apply(&world::delivered());
        Self { server: Server::serve(&place), place }
    }

    fn without_hashes(plan: &Plan) -> Self {
        let place = Place::new(plan.database.as_deref());
        place.apply_without_hashes(&world::without_hashes());
        Self { server: Server::without_hashes(&place), place }
    }
}

/// Gives a cost and what it is compared with.
type Measure<'a> = Box<dyn Fn(&Ceilings, Duration) -> (f64, f64) + 'a>;

/// A row whose figure is a proportion of two costs.
struct Row<'a> {
    name: &'static str,
    /// What it is compared with, in words.
    beside: &'a str,
    goal: Goal,
    measure: Measure<'a>,
}

enum Goal {
    /// The ceiling is at least this part of the cost.
    Part(f64),
    /// The cost is at most so many times what it is compared with.
    Times(f64),
}

/// Measures rows and ceilings by turns, so that what slows the machine down slows both.
fn compare(plan: &Plan, report: &mut Report, bench: &ceilings::Bench, rows: &[Row<'_>]) {
    let rows: Vec<_> = rows.iter().filter(|row| plan.wants(row.name)).collect();
    let mut measured = vec![Vec::new(); rows.len()];
    for _ in 0..if rows.is_empty() { 0 } else { plan.rounds } {
        let ceilings = bench.measure(plan.long / 2);
        report.ceilings(ceilings);
        for (row, measured) in rows.iter().zip(&mut measured) {
            measured.push((row.measure)(&ceilings, plan.long));
        }
    }
    for (row, measured) in rows.iter().zip(measured) {
        let proportion = |&(cost, beside): &(f64, f64)| match row.goal {
            Goal::Part(_) => beside / cost,
            Goal::Times(_) => cost / beside,
        };
        let mut figures: Vec<f64> = measured.iter().map(proportion).collect();
        figures.sort_by(f64::total_cmp);
        let (goal, met) = match row.goal {
            Goal::Part(least) => (format!("at least {least}"), median(&figures) >= least),
            Goal::Times(most) => (format!("at most {most}"), median(&figures) <= most),
        };
        let mut besides: Vec<f64> = measured.iter().map(|pair| pair.1).collect();
        besides.sort_by(f64::total_cmp);
        let beside = format!("{}: {}", row.beside, short(median(&besides)));
        report.line(
            row.name,
            spread(measured.iter().map(|pair| pair.0)),
            beside,
            spread(figures),
            (&goal, met),
        );
    }
}
