//! The common beginning of commands: the settings, the log, the provider.

use std::io::IsTerminal;

use tracing_subscriber::layer::{Identity, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

use crate::provider::Idp;
use crate::server::config::{Config, Flags, LogFormat};
use crate::server::failure::Failure;

/// Loads the settings and starts the log.
pub(super) fn configure(flags: &Flags) -> Result<Config, Failure> {
    let config = Config::load(flags).map_err(Failure)?;
    start_log(&config, Identity::new())?;
    Ok(config)
}

/// Writes log lines to standard error, and spans to `spans` too.
pub(super) fn start_log(config: &Config, spans: impl Layer<Registry> + Send + Sync) -> Result<(), Failure> {
    // Colours for terminals only: files and collectors do not need them, and they cost time in each request.
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let log = tracing_subscriber::registry().with(spans).with(lines.with_filter(config.log.clone()));
    log.try_init().map_err(Failure::new)
}

/// Builds the provider with these settings.
pub(super) async fn build(config: &Config) -> Result<Idp, Failure> {
    let builder = Idp::builder(config.settings.clone()).database(&config.database);
    let builder = match &config.master_key {
        Some(key) => builder.master_key(key.as_str()),
        None => builder.keys(&config.keys),
    };
    let builder = match config.mail.clone() {
        Some(mail) => builder.mailer(mail),
        None => builder,
    };
    let builder = match config.sms.clone() {
        Some(sms) => builder.sms(sms),
        None => builder,
    };
    builder.build().await.map_err(|error| Failure(error.problems))
}
