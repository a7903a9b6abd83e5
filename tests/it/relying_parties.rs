//! Applications of strangers sign in against `vestibule serve`: openid-client from npm and Authlib from `PyPI`, each in a
//! program of its own in `tests/relying_parties/`. Why not in Rust: what our own client takes, our own server sent; these
//! libraries discover, validate and refuse here as they do everywhere else.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::serve::Folder;
use super::support::optional;
use super::support::process::{Running, run, vestibule};

pub(super) const SUITE: &str = "relying parties of strangers";

/// A running provider with the users and clients of `apply.json`.
pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) folder: Folder,
    _process: Running,
}

impl Provider {
    fn start(name: &str) -> Self {
        let folder = Folder::new(name);
        folder.write("apply.json", &document(&folder).to_string());
        Self::start_in(folder, "apply.json")
    }

    /// Applies this file of the folder and serves from there.
    pub(super) fn start_in(folder: Folder, document: &str) -> Self {
        let free = free_address();
        let issuer = format!("http://{free}");
        let applied = run(folder.path(), &["apply", "--issuer", &issuer, document]);
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        let arguments = ["serve", "--issuer", &issuer, "--listen", &free, "--log-format", "json"];
        let mut process = Running::start(vestibule(folder.path(), &arguments));
        process.wait_for_log("\"ready\"");
        Self { issuer, folder, _process: process }
    }

    /// Lets a program sign in here; what it says is the test's verdict.
    fn is_relied_on_by(&self, program: &mut Command) {
        let ended = program.arg(&self.issuer).arg(self.folder.path()).output().unwrap();
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(ended.status.success() && said.contains(": all as expected"), "{said}");
    }
}

/// `apply.json` with a fresh key as that of the client `office`; its private half goes into the folder.
fn document(folder: &Folder) -> Value {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    folder.write("key.pem", &key.serialize_pem());
    // A point that is not compressed: 4, x, y (SEC 1 §2.3.3).
    let point = key.public_key_raw();
    let [x, y] = [&point[1..33], &point[33..]].map(|number| URL_SAFE_NO_PAD.encode(number));
    let mut document: Value = serde_json::from_str(include_str!("../relying_parties/apply.json")).unwrap();
    let mut clients = document["clients"].as_array_mut().unwrap().iter_mut();
    let office = clients.find(|client| client["client_id"] == "office").unwrap();
    office["jwks"] = json!({ "keys": [
        { "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "office", "x": x, "y": y }
    ] });
    document
}

/// A loopback address that is free now. Issuers and redirect URIs name their port, so it has to be known before anything
/// listens there.
pub(super) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

pub(super) fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/relying_parties")
}

#[test]
fn openid_client_signs_in() {
    // Node looks for a module's libraries beside the module, so it goes to where they were installed.
    let Some(installed) = optional(SUITE, "VESTIBULE_TEST_OPENID_CLIENT") else { return };
    for module in ["browser.mjs", "main.mjs"] {
        let here = programs().join("openid-client").join(module);
        std::fs::copy(here, Path::new(&installed).join(module)).unwrap();
    }
    let provider = Provider::start("openid-client");
    provider.is_relied_on_by(Command::new("node").current_dir(installed).arg("main.mjs"));
}

#[test]
fn authlib_signs_in() {
    let Some(python) = optional(SUITE, "VESTIBULE_TEST_AUTHLIB") else { return };
    let provider = Provider::start("authlib");
    // -B: nothing compiled is left in the source tree.
    provider.is_relied_on_by(Command::new(python).arg("-B").arg(programs().join("authlib/main.py")));
}
