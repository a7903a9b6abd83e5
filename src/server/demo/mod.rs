//! `vestibule demo`: the whole story with one command, thrown away at the next start.

#![expect(clippy::print_stdout, reason = "the demo tells where everything is")]

mod application;
mod mailbox;
mod people;

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;

pub(crate) use self::application::{ApplicationOptions, run as run_application};
use self::people::{CLIENT_ID, DemoPerson, PEOPLE};
use super::apply::Syntax;
use super::failure::Failure;
use super::health::Health;
use super::listen::{self, Listener, ListenerLimits, Stop};
use crate::crypto::otp::OtpSecret;
use crate::crypto::secret::Secret;
use crate::domain::contact::Country;
use crate::domain::issuer::IssuerUrl;
use crate::domain::settings::Settings;
use crate::notify::Mailbox;
use crate::provider::Idp;

/// What can be said about a demo.
#[derive(clap::Args, Debug)]
pub(crate) struct DemoOptions {
    /// Port of the provider; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Port of the third-party application; 0 takes a free one
    #[arg(long, default_value_t = 8081)]
    app_port: u16,
    /// Print one line of JSON once everything is ready
    #[arg(long)]
    json: bool,
}

/// Runs provider and application until a signal.
pub(crate) async fn run(options: &DemoOptions) -> Result<(), Failure> {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN);
    log.try_init().map_err(Failure::new)?;
    let stop = Stop::listen().map_err(Failure::new)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let in_use = |error| Failure::new(format!("port {}: {error}; choose another with --port", options.port));
    let listener = TcpListener::bind(address).await.map_err(in_use)?;
    let port = listener.local_addr().map_err(Failure::new)?.port();
    let issuer = IssuerUrl::parse(&format!("http://localhost:{port}")).map_err(Failure::new)?;
    // Only the process that holds the port uses the folder.
    let folder = std::env::temp_dir().join(format!("vestibule-demo-{port}"));
    let mailbox = Mailbox::default();
    let idp = provider(&folder, issuer.clone(), &mailbox).await?;
    let client_secret = Secret::generate();
    let application = ApplicationProcess::start(&issuer, options.app_port, &client_secret, &folder)?;
    let totp_secret = OtpSecret::generate().base32().to_string();
    let document = people::document(&application.address, client_secret.expose(), &totp_secret);
    idp.apply_text(&document, Syntax::Json, None).await.map_err(Failure::new)?;
    let health = Health::new(idp.clone());
    let app = listen::router(&idp, &health).merge(mailbox::router(&idp, mailbox));
    let housekeeping = tokio::spawn(idp.clone().housekeeping());
    announce(options, &issuer, &application.address, &totp_secret);
    Listener::new(listener, ListenerLimits::default(), &[]).serve(app, &health, stop, Duration::ZERO).await;
    housekeeping.abort();
    idp.db().close().await;
    drop(application);
    std::fs::remove_dir_all(&folder).map_err(Failure::new)
}

/// A provider in a new folder; what an earlier demo left there goes.
async fn provider(folder: &Path, issuer: IssuerUrl, mailbox: &Mailbox) -> Result<Idp, Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", folder.display()));
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(failed)?;
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed)?;
    let database = format!("sqlite://{}", folder.join("vestibule.db").display());
    let mut settings = Settings::new(issuer);
    settings.sms.countries = ["AT", "CH", "DE", "FR", "GB", "US"]
        .into_iter()
        .filter_map(|name| Country::parse(name).ok())
        .collect();
    let builder = Idp::builder(settings).database(database).keys(folder.join("keys"));
    let builder = builder.mailer(mailbox.clone()).sms(mailbox.clone());
    builder.build().await.map_err(|error| Failure(error.problems))
}

/// The third-party application: a process of its own that knows the provider by its address alone.
struct ApplicationProcess {
    process: Child,
    address: String,
}

impl ApplicationProcess {
    /// Starts it. Its secret goes through its standard input, where no process list shows it; when that closes, for
    /// whatever reason, the application ends. Its sessions lie in a database of its own.
    fn start(issuer: &IssuerUrl, port: u16, client_secret: &Secret, folder: &Path) -> Result<Self, Failure> {
        let database = format!("sqlite://{}", folder.join("shop.db").display());
        let failed = |error: std::io::Error| Failure::new(format!("the application: {error}"));
        let mut process = Command::new(std::env::current_exe().map_err(failed)?)
            .args(["demo-application", "--issuer", issuer.as_str(), "--client-id", CLIENT_ID])
            .args(["--port", &port.to_string(), "--database", &database])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let mut address = String::new();
        if let (Some(stdin), Some(stdout)) = (&mut process.stdin, &mut process.stdout) {
            writeln!(stdin, "{}", client_secret.expose()).map_err(failed)?;
            BufReader::new(stdout).read_line(&mut address).map_err(failed)?;
        }
        let address = address.trim().to_owned();
        if address.is_empty() {
            let reason = process.wait().map_err(failed)?;
            return Err(Failure::new(format!(
                "the application on port {port} did not start ({reason}); \
                                             choose another port with --app-port"
            )));
        }
        Ok(Self { process, address })
    }
}

impl Drop for ApplicationProcess {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It may have ended by the same signal.
        drop(self.process.wait());
    }
}

fn announce(options: &DemoOptions, issuer: &IssuerUrl, application: &str, totp_secret: &str) {
    let mailbox = format!("{issuer}{}", mailbox::PATH);
    let secret_of = |person: &DemoPerson| person.has_authenticator.then_some(totp_secret);
    if options.json {
        let users: Vec<_> = PEOPLE.iter().map(|person| person.to_json(secret_of(person))).collect();
        println!(
            "{}",
            json!({ "issuer": issuer, "application": application, "mailbox": mailbox, "users": users })
        );
        return;
    }
    println!("Vestibule demo. Everything is thrown away at the next start; Ctrl-C ends it.\n");
    println!("  Start here    {application}   a third-party application: sign in there");
    println!("  Provider      {issuer}");
    println!("  Mailbox       {mailbox}   all mail and text messages that were sent\n");
    println!("  {:<14}{:<12}{:<30}", "Tenant", "User name", "Password");
    for person in &PEOPLE {
        let note = secret_of(person).map_or_else(String::new, |secret| format!(" (secret {secret})"));
        let DemoPerson { tenant, username, password, story, .. } = person;
        println!("  {tenant:<14}{username:<12}{password:<30}{story}{note}");
    }
}
