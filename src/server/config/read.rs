//! Parsers of setting values. The error text continues the name of the setting.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;

use crate::domain::contact::{Country, EmailAddress};
use crate::domain::header::trim_ows;
use crate::domain::issuer::IssuerUrl;
use crate::domain::message::Confidential;
use crate::domain::outbound::AllowedHost;
use crate::domain::span;

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Human-readable.
    Text,
    /// One JSON object per line.
    Json,
}

pub(super) fn issuer(text: &str) -> Result<IssuerUrl, String> {
    IssuerUrl::parse(text).map_err(|error| error.to_string())
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an address and a port, for example 127.0.0.1:8080".to_owned())
}

/// The error does not repeat the text, which may contain a password.
pub(super) fn database(text: &str) -> Result<String, String> {
    if ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
        Ok(text.to_owned())
    } else {
        Err("must begin with sqlite:// or postgres://".to_owned())
    }
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "must be true or false".to_owned())
}

/// A duration, or `never`.
pub(super) fn span_or_never(text: &str) -> Result<Option<Duration>, String> {
    match text {
        "never" => Ok(None),
        _ => span::parse(text).map(Some).map_err(|error| format!("{error}, or never")),
    }
}

/// A span of at least a day.
pub(super) fn lifetime(text: &str) -> Result<Duration, String> {
    let span = span::parse(text).map_err(|error| error.to_string())?;
    if span < Duration::from_hours(24) { Err("must be at least 1d".to_owned()) } else { Ok(span) }
}

/// A list: separated by commas in the environment, one item per line from the file.
fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n']).map(str::trim).filter(|item| !item.is_empty())
}

/// Networks; a single address counts as one.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let network = |item: &str| item.parse().or_else(|_| item.parse::<IpAddr>().map(IpNet::from));
    list(text)
        .map(|item| network(item).map_err(|_| format!("{item} is not a network such as 10.0.0.0/8")))
        .collect()
}

/// One header per line. A value may be secret and is not repeated in errors.
pub(super) fn headers(text: &str) -> Result<Vec<(String, Confidential)>, String> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(':').ok_or("must hold `Name: value`, one per line")?;
        Ok((trim_ows(name).to_owned(), Confidential::new(trim_ows(value))))
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(pair).collect()
}

pub(super) fn countries(text: &str) -> Result<Vec<Country>, String> {
    list(text).map(|item| Country::parse(item).map_err(|error| format!("{item:?} {error}"))).collect()
}

pub(super) fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "must be a whole number".to_owned())
}

pub(super) fn email(text: &str) -> Result<EmailAddress, String> {
    EmailAddress::parse(text).map_err(|error| error.to_string())
}

pub(super) fn hosts(text: &str) -> Result<Vec<AllowedHost>, String> {
    list(text).map(|item| AllowedHost::parse(item).map_err(|error| format!("{item:?} {error}"))).collect()
}

/// The contents of these files.
pub(super) fn files(text: &str) -> Result<Vec<String>, String> {
    list(text).map(|path| std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))).collect()
}

pub(super) fn log_filter(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(text).map_err(|error| format!("is not a log filter: {error}"))
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be text or json".to_owned()),
    }
}
