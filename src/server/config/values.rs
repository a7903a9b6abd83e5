//! The values of the settings, and the rules that concern several of them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

use super::read::LogFormat;
use super::senders::{Contradiction, Senders};
use crate::domain::issuer::IssuerUrl;
use crate::domain::settings::Settings;
use crate::notify::{Gateway, Smtp};
use crate::server::telemetry::Collector;

/// The default issuer.
pub(super) const DEFAULT_ISSUER: &str = "http://localhost:8080";

/// The validated settings.
#[derive(Debug)]
pub(crate) struct Config {
    /// The settings of the provider.
    pub(crate) settings: Settings,
    /// Whether an issuer on another machine may use plain http.
    pub(super) allow_http: bool,
    /// The address to listen on.
    pub(crate) listen: SocketAddr,
    /// The database.
    pub(crate) database: String,
    /// The folder of the master key.
    pub(crate) keys: PathBuf,
    /// The master key itself, if the environment contains it.
    pub(crate) master_key: Option<Zeroizing<String>>,
    pub(super) tls_cert: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    /// The files of the certificate, if the listener speaks TLS.
    pub(crate) tls: Option<TlsFiles>,
    pub(super) senders: Senders,
    /// The mail server, if there is one.
    pub(crate) mail: Option<Smtp>,
    /// The gateway for text messages, if there is one.
    pub(crate) sms: Option<Gateway>,
    /// The address of `/metrics`, if configured.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// The log filter.
    pub(crate) log: EnvFilter,
    /// The collector of spans, if configured.
    pub(crate) otlp: Option<Collector>,
    /// The log format.
    pub(crate) log_format: LogFormat,
}

/// Two PEM files, read when the listener opens and again when they are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// The certificate, followed by its intermediate certificates.
    pub(crate) cert: PathBuf,
    /// Its key.
    pub(crate) key: PathBuf,
}

impl Config {
    /// The initial values before the rows are read; rows with a default overwrite them.
    pub(super) fn unread() -> Result<Self, String> {
        let issuer = IssuerUrl::parse(DEFAULT_ISSUER).map_err(|error| error.to_string())?;
        Ok(Self {
            settings: Settings::new(issuer),
            allow_http: false,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            database: String::new(),
            keys: PathBuf::new(),
            master_key: None,
            tls_cert: None,
            tls_key: None,
            tls: None,
            senders: Senders::default(),
            mail: None,
            sms: None,
            metrics_listen: None,
            log: EnvFilter::default(),
            otlp: None,
            log_format: LogFormat::Text,
        })
    }

    /// Builds the values that depend on several settings, and returns contradictions between settings.
    pub(super) fn put_together(&mut self) -> Vec<Contradiction> {
        let mut found = Vec::new();
        // Passwords and codes must not cross a network in plain text. Behind a TLS proxy the issuer is https and only
        // the listener is plain, which is allowed.
        let issuer = &self.settings.issuer;
        if !issuer.is_https() && !issuer.is_loopback() && !self.allow_http {
            let problem = format!(
                "{issuer} is plain http on another machine than this: say https://, with tls.cert and tls.key or a \
                 proxy that speaks TLS in front, or set allow_http"
            );
            found.push(("issuer", problem));
        }
        match self.tls_files() {
            Ok(tls) => self.tls = tls,
            Err(contradiction) => found.push(contradiction),
        }
        match self.senders.mail(&self.settings.outbound) {
            Ok(mail) => self.mail = mail,
            Err(contradiction) => found.push(contradiction),
        }
        match self.senders.sms(&self.settings.outbound) {
            Ok(sms) => self.sms = sms,
            Err(contradiction) => found.push(contradiction),
        }
        if self.sms.is_some() && self.settings.sms.countries.is_empty() {
            let problem = "needs sms.countries, to which texts may be sent, for example [\"DE\"]";
            found.push(("sms.url", problem.to_owned()));
        }
        found
    }

    fn tls_files(&self) -> Result<Option<TlsFiles>, Contradiction> {
        let issuer = &self.settings.issuer;
        match (self.tls_cert.clone(), self.tls_key.clone()) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(("tls.cert", "needs tls.key, the file of its key".to_owned())),
            (None, Some(_)) => Err(("tls.key", "needs tls.cert, the file of its certificate".to_owned())),
            (Some(_), Some(_)) if !issuer.is_https() => Err((
                "issuer",
                format!("{issuer} is http, and with tls.cert nobody could reach it: say https://"),
            )),
            (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
        }
    }
}
