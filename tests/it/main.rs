//! The one integration-test binary.

// Tells clippy that helpers are tests too; the target is never built otherwise.
#![cfg(test)]

mod account;
mod apply;
mod architecture;
mod audit;
mod back_channel;
mod browser;
mod budgets;
mod delivery;
mod demo;
mod directory;
mod embedding;
mod ending;
mod examples;
mod figures;
mod groups;
mod head;
mod hosts;
mod keys;
mod log;
mod login;
mod nodes;
mod openapi;
#[cfg(feature = "otel")]
mod otel;
mod pages;
mod passkeys;
mod paths;
mod people;
mod proxies;
mod readme;
mod recipes;
mod recovery;
mod redirects;
mod relying_parties;
mod rotation;
mod routes;
mod serve;
mod spec;
mod storage;
mod support;
pub(crate) mod upstream;
