//! A peer to measure beside: oidc-provider of npm (benches/peer), where it is installed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::http::{Connection, form, get, post};
use crate::load::{cost, cost_of};
use crate::login::basic;
use crate::process::Server;

/// Where its program is, and what npm has put beside it.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer");

/// The peer, running: in memory, with as few settings as these requests need.
pub(crate) struct Peer {
    server: Server,
    /// It and its Node, with their versions.
    pub(crate) name: String,
}

impl Peer {
    /// Starts it on this Node; `None` if either is not there.
    pub(crate) fn start(node: &str) -> Option<Self> {
        let package = Path::new(FOLDER).join("node_modules/oidc-provider/package.json");
        let package: Value = serde_json::from_slice(&std::fs::read(package).ok()?).unwrap();
        let version = Command::new(node).arg("--version").output().ok()?;
        let version = String::from_utf8(version.stdout).unwrap();
        let server = Server::start(|address| {
            let (_, port) = address.split_once(':').unwrap();
            let mut command = Command::new(node);
            command.args([&format!("{FOLDER}/server.mjs"), port]);
            command
        });
        let name = format!("oidc-provider {}, Node {}", package["version"].as_str().unwrap(), version.trim());
        Some(Self { server, name })
    }

    /// Lets it compile what it will run, which is not counted.
    pub(crate) fn warm_up(&self, long: Duration) {
        self.discovery(long);
        self.client_credentials(long);
        self.refresh(long);
    }

    /// What an answer of the metadata costs, in microseconds of CPU time, as all of these.
    pub(crate) fn discovery(&self, long: Duration) -> f64 {
        cost_of(&self.server, long, &get("/.well-known/openid-configuration", ""))
    }

    /// A JWT, signed with RS256.
    pub(crate) fn client_credentials(&self, long: Duration) -> f64 {
        cost_of(&self.server, long, &post("/token", &basic("rs256"), "grant_type=client_credentials"))
    }

    /// A rotation: the access token is a JWT, signed with ES256.
    pub(crate) fn refresh(&self, long: Duration) -> f64 {
        cost(&self.server, long, |number, connection| {
            // Each asks for tokens of its own, and takes another of them than its neighbours.
            let text = |token: &Value| token.as_str().unwrap().to_owned();
            let mut token = text(&connection.ask(&get("/tokens", "")).json()[number]);
            move |connection: &mut Connection| {
                let parameters = form(&[("grant_type", "refresh_token"), ("refresh_token", &token)]);
                token = text(
                    &connection.ask(&post("/token", &basic("es256"), &parameters)).json()["refresh_token"],
                );
            }
        })
    }
}
