//! `vestibule serve` as a process: what it refuses to start with, how it is, and how it ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::process::{Running, run, vestibule};

/// A folder that goes with its test.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vestibule-serve-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    /// Runs the binary in here; returns whether it succeeded, and what it said.
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = run(&self.0, arguments);
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

pub(super) struct Served {
    process: Running,
    pub(super) address: String,
}

impl Served {
    pub(super) fn start(folder: &Folder) -> Self {
        Self::start_with(folder, &[])
    }

    fn start_with(folder: &Folder, more: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0", "--log-format", "json"], more].concat();
        let mut process = Running::start(vestibule(&folder.0, &arguments));
        let ready: Value = serde_json::from_str(&process.wait_for_log("\"ready\"")).unwrap();
        let address = ready["fields"]["listen"].as_str().unwrap().to_owned();
        Self { process, address }
    }

    fn get(&self, path: &str) -> String {
        exchange(&mut TcpStream::connect(&self.address).unwrap(), &head("GET", path, ""))
    }
}

/// A request as the default issuer's host gets it, on a connection of its own.
fn head(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n{more}\r\n")
}

fn exchange(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_empty_folder_is_enough_and_the_next_step_is_told() {
    let folder = Folder::new("empty");
    let mut served = Served::start(&folder);
    assert!(served.process.line().contains("The database is empty"));
    assert!(served.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(served.get("/readyz").starts_with("HTTP/1.1 200"));
    let nowhere = served.get("/nowhere");
    assert!(nowhere.starts_with("HTTP/1.1 404"), "{nowhere}");
    assert!(nowhere.to_lowercase().contains("x-frame-options: deny"), "{nowhere}");
    let discovery = served.get("/.well-known/openid-configuration");
    assert!(discovery.contains("\"issuer\":\"http://localhost:8080\""), "{discovery}");
}

/// A proxy that does not pass the `Host` header on is found in the log, and nothing from outside breaks its line.
#[test]
fn a_host_that_is_no_issuer_is_named_in_the_log() {
    let folder = Folder::new("host");
    let mut served = Served::start(&folder);
    let path = "/.well-known/openid-configuration";
    let endless = "very-long.".repeat(60);
    for (head, logged) in [
        ("HTTP/1.1\r\nHost: backend.internal:8080", r#"\"backend.internal:8080\""#.to_owned()),
        ("HTTP/1.1\r\nHost: \u{e4}\u{202e}", r#"\"\""#.to_owned()),
        ("HTTP/1.0", r#"\"\""#.to_owned()),
        (&format!("HTTP/1.1\r\nHost: {endless}"), format!(r#"\"{}\""#, &endless[..260])),
    ] {
        let request = format!("GET {path} {head}\r\nConnection: close\r\n\r\n");
        let answer = exchange(&mut TcpStream::connect(&served.address).unwrap(), &request);
        assert!(answer.contains(" 421 "), "{head}: {answer}");
        assert!(answer.ends_with("No issuer has this host. Use http://localhost:8080\n"), "{head}: {answer}");
        let line = served.process.wait_for_log("no issuer");
        assert!(line.contains("WARN") && line.contains(&format!(r#""host":"{logged}""#)), "{line}");
        assert!(line.contains(r#""issuer":"http://localhost:8080""#), "{line}");
    }
}

#[test]
fn apply_works_beside_a_running_server_and_export_brings_everything_back() {
    let folder = Folder::new("apply");
    let served = Served::start(&folder);
    folder.write(
        "a.toml",
        "[[tenants]]\ndomain = \"123456.sms\"\n[[users]]\ntenant = \"123456.sms\"\nusername = \"anna\"",
    );
    let tenant = "/t/123456.sms/.well-known/openid-configuration";
    assert!(served.get(tenant).starts_with("HTTP/1.1 404"));
    assert_eq!(
        folder.run(&["apply", "a.toml"]),
        (true, "created tenant 123456.sms\ncreated user 123456.sms/anna\n".into())
    );
    let appeared = (0..50).any(|_| served.get(tenant).starts_with("HTTP/1.1 200"));
    assert!(appeared, "{}", served.get(tenant));
    assert_eq!(folder.run(&["apply", "a.toml"]), (true, "nothing changed\n".into()));

    let (exported, text) = folder.run(&["export"]);
    assert!(exported && text.contains("username = \"anna\""), "{text}");
    assert_eq!(folder.run(&["export", "b.json"]), (true, String::new()));
    let other = ["--database", "sqlite://other.db"];
    assert!(folder.run(&[&["apply", "b.json"][..], &other].concat()).0);
    assert_eq!(folder.run(&[&["export"][..], &other].concat()), (true, text));
}

/// A server looks for changes every 250 ms; `apply` ends when every server must have looked.
#[test]
fn when_apply_ends_a_running_server_goes_by_it() {
    let folder = Folder::new("seen");
    let served = Served::start(&folder);
    let asked = |round: usize| {
        let answer = served.get(&format!(
            "/authorize?client_id=shop&response_type=code&redirect_uri=https%3A%2F%2Fshop.test%2F{round}&\
             code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        ));
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    for round in 0..8 {
        folder.write(
            "a.toml",
            &format!(
                "[[clients]]\nclient_id = \"shop\"\ntoken_endpoint_auth_method = \"none\"\n\
                 redirect_uris = [\"https://shop.test/{round}\"]"
            ),
        );
        assert!(folder.run(&["apply", "a.toml"]).0);
        if round > 0 {
            assert_eq!(asked(round - 1), "400", "the address was removed before apply ended");
        }
        assert_eq!(asked(round), "303", "and the other one added");
    }
}

#[cfg(unix)]
#[test]
fn what_holds_secrets_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new("secrets");
    assert!(folder.run(&["export", "all.toml"]).0);
    let key = folder.0.join("keys/master.key");
    for file in [&key, &folder.0.join("all.toml")] {
        assert_eq!(
            std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            file.display()
        );
    }
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (started, said) = folder.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(!started && said.contains("master.key"), "{said}");
}

/// A server that runs goes on with what it holds; one that starts does so with the old key until that is forgotten.
#[test]
fn the_master_key_is_replaced_under_a_running_server() {
    let folder = Folder::new("master-key");
    let served = Served::start(&folder);
    let keys = |served: &Served| served.get("/jwks").rsplit("\r\n").next().unwrap().to_owned();
    let published = keys(&served);
    assert!(published.contains("\"kid\""), "{published}");
    let master = folder.0.join("keys/master.key");
    let old = std::fs::read_to_string(&master).unwrap();
    let (rotated, said) = folder.run(&["keys", "rotate-master"]);
    assert!(rotated && said.contains("master.key is new"), "{said}");
    let new = std::fs::read_to_string(&master).unwrap();
    assert_ne!(old, new);
    assert_eq!(keys(&served), published);
    drop(served);

    let opens_with = |key: &str| {
        std::fs::write(&master, key).unwrap();
        let served = Served::start(&folder);
        assert_eq!(keys(&served), published, "the same keys are opened");
        drop(served);
    };
    opens_with(&old);
    let (forgotten, said) = folder.run(&["keys", "forget-master"]);
    assert!(!forgotten && said.contains("does not have the current one"), "{said}");
    opens_with(&new);
    let (rotated, said) = folder.run(&["keys", "rotate-master"]);
    assert!(!rotated && said.contains("forget-master"), "{said}");
    assert_eq!(std::fs::read_to_string(&master).unwrap(), new, "a refusal changes nothing");
    assert!(folder.run(&["keys", "forget-master"]).0);
    opens_with(&new);
    std::fs::write(&master, &old).unwrap();
    let (started, said) = folder.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(!started && said.contains("not the master key of this database"), "{said}");
}

/// Under a running server, with what the command says.
#[test]
fn signing_keys_are_rotated_where_they_are_used() {
    let folder = Folder::new("keys");
    let client = |algorithm: &str| {
        let text = format!(
            "[[clients]]\nclient_id = \"c\"\ntoken_endpoint_auth_method = \"none\"\nredirect_uris = \
             [\"https://c.test/\"]\nid_token_signed_response_alg = \"{algorithm}\"\n"
        );
        folder.write("client.toml", &text);
        let (applied, said) = folder.run(&["apply", "client.toml"]);
        assert!(applied, "{said}");
    };
    client("RS256");
    let served = Served::start(&folder);
    let published = || -> usize { served.get("/jwks").matches("\"kid\"").count() };
    let rotate = |more: &[&str]| {
        let (rotated, said) = folder.run(&[&["keys", "rotate"], more].concat());
        assert!(rotated, "{said}");
        said
    };
    assert_eq!(published(), 2);
    let said = rotate(&[]);
    assert_eq!(said.matches(" next, signs from ").count(), 2, "{said}");
    assert_eq!(published(), 4);
    let said = rotate(&[]);
    assert_eq!(said.matches(": no new key was made, because ").count(), 2, "{said}");
    assert!(said.contains(" is published already and signs from ") && said.contains("--now"), "{said}");

    client("Ed25519");
    assert_eq!(published(), 5);
    let said = rotate(&[]);
    assert!(said.contains(" Ed25519 ") && said.matches("no new key was made").count() == 2, "{said}");
    assert!(rotate(&["--algorithm", "Ed25519"]).contains("Ed25519: no new key was made"));
    assert_eq!(published(), 6);

    client("RS256");
    assert!(!rotate(&[]).contains("Ed25519"));
    let said = rotate(&["--now"]);
    assert!(said.contains("Ed25519: keys removed, because no client uses them"), "{said}");
    assert_eq!(said.matches(" active, signs from ").count(), 2, "{said}");
    assert_eq!(published(), 2);
}

#[test]
fn refuses_to_start_with_mistakes_and_names_them_all() {
    let folder = Folder::new("mistakes");
    folder.write(
        "vestibule.toml",
        "issuer = \"http://id.example.test\"\nlog_format = \"xml\"\n[pigeon]\nsmtp = \"x\"",
    );
    let (started, said) = folder.run(&["serve", "--listen", "nowhere", "--database", "mysql://x"]);
    assert!(!started);
    for part in [
        "issuer in vestibule.toml",
        "log_format in",
        "pigeon in vestibule.toml: unknown",
        "--listen",
        "--database",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(!folder.0.join("keys").exists(), "nothing is made before the settings are right");
    let (started, said) = folder.run(&["serve", "--listne", "127.0.0.1:0"]);
    assert!(!started && said.contains("--listne"), "{said}");
    folder.write("vestibule.toml", "");
    folder.write("bad.toml", "[[users]]\ntenant = \"nowhere\"\nusername = \"a b\"\nemail = \"x\"");
    let (applied, said) = folder.run(&["apply", "bad.toml"]);
    assert!(
        !applied && said.contains("bad.toml: users[0].email") && said.contains("users[0].username"),
        "{said}"
    );
}

/// What a client that trusts this certificate alone gets; `None` if it does not like what it is shown.
async fn get_over_tls(served: &Served, trusted: &str) -> Option<String> {
    let certificate = reqwest::Certificate::from_pem(trusted.as_bytes()).unwrap();
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let client = reqwest::Client::builder().tls_certs_only([certificate]).no_proxy().build().unwrap();
    let port = served.address.rsplit_once(':').unwrap().1;
    let url = format!("https://localhost:{port}/.well-known/openid-configuration");
    let answer = client.get(url).header("Host", "localhost:8080").send().await.ok()?;
    Some(answer.text().await.unwrap())
}

#[cfg(unix)]
#[tokio::test]
async fn speaks_tls_and_takes_a_renewed_certificate_without_a_restart() {
    let pair = || {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    };
    let ((old, old_key), (new, new_key)) = (pair(), pair());
    let folder = Folder::new("tls");
    folder.write("cert.pem", &old);
    folder.write("key.pem", &old_key);
    let arguments = ["--issuer", "https://localhost:8080", "--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let mut served = Served::start_with(&folder, &arguments);
    let discovery = get_over_tls(&served, &old).await.unwrap();
    assert!(discovery.contains("\"issuer\":\"https://localhost:8080\""), "{discovery}");
    assert!(get_over_tls(&served, &new).await.is_none());
    let plain = exchange(&mut TcpStream::connect(&served.address).unwrap(), &head("GET", "/", ""));
    assert!(!plain.contains("HTTP/1.1 200"), "{plain}");

    folder.write("cert.pem", &new);
    served.process.hang_up();
    served.process.wait_for_log("the new certificate is invalid");
    assert!(get_over_tls(&served, &old).await.is_some(), "its key is not there yet");
    folder.write("key.pem", &new_key);
    served.process.hang_up();
    served.process.wait_for_log("using the new certificate");
    assert!(get_over_tls(&served, &new).await.is_some());
    assert!(get_over_tls(&served, &old).await.is_none());
    served.process.terminate();
    let (code, log) = served.process.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("PRIVATE KEY"), "{log}");

    folder.write("key.pem", "not a key");
    let (started, said) = folder.run(&[&["serve", "--listen", "127.0.0.1:0"][..], &arguments].concat());
    assert!(!started && said.contains("tls.key: key.pem"), "{said}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a process has the clock on the wall")]
fn drains_after_sigterm_and_finishes_what_is_under_way() {
    let folder = Folder::new("drain");
    let served = Served::start(&folder);
    let mut under_way = TcpStream::connect(&served.address).unwrap();
    let length = "Content-Length: 29\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    under_way.write_all(head("POST", "/token", length).as_bytes()).unwrap();
    let begun = Instant::now();
    served.process.terminate();
    let red = || served.get("/readyz").starts_with("HTTP/1.1 503");
    assert!(
        std::iter::repeat_with(red).take_while(|_| begun.elapsed() < Duration::from_secs(1)).any(|red| red)
    );
    let answer = exchange(&mut under_way, "grant_type=authorization_code");
    assert!(answer.starts_with("HTTP/1.1 401") || answer.starts_with("HTTP/1.1 400"), "{answer}");
    let (code, log) = served.process.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(log.contains("all requests are finished"), "{log}");
}
