//! A peer to measure beside: oidc-provider of npm (benches/peer), where it is installed.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::http::{Connection, get};
use crate::process::Server;

/// Where its program is, and what npm has put beside it.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer");

/// The peer, running: in memory, with as few settings as these requests need.
pub(crate) struct Peer {
    pub(crate) server: Server,
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

    /// The first refresh token of the n-th connection. Each asks for tokens of its own, and takes another of them than
    /// its neighbours.
    pub(crate) fn first_token(number: usize, connection: &mut Connection) -> String {
        connection.ask(&get("/tokens", "")).json()[number].as_str().unwrap().to_owned()
    }
}
