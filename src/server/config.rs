//! The settings of the binary: flags over environment over `vestibule.toml` over defaults, every mistake told at once.
//!
//! Why no configuration crate: eight settings in three spellings are one table of names, and a mistake can then say
//! where it stands and how the setting is spelled everywhere.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

use crate::domain::issuer::IssuerUrl;
use crate::domain::settings::Settings;

/// The settings file, in the working folder.
pub(crate) const FILE: &str = "vestibule.toml";
const PREFIX: &str = "VESTIBULE_";
/// The master key is no setting of the file and no flag: process lists and repositories are read by many.
const MASTER_KEY: &str = "VESTIBULE_MASTER_KEY";
/// Variables that carry the prefix but are set by others: the project's test run, and Kubernetes for a service named so.
const NOT_SETTINGS: [&str; 3] = ["VESTIBULE_TEST_", "VESTIBULE_SERVICE_", "VESTIBULE_PORT"];
const NAMES: [&str; 8] =
    ["issuer", "listen", "database", "keys", "allow_http", "metrics_listen", "log", "log_format"];

/// The settings as flags; each stands over `VESTIBULE_…` in the environment and over the settings file.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Flags {
    /// The issuer: the address under which clients and browsers reach the provider [default: `http://localhost:8080`]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Address and port to listen on [default: `127.0.0.1:8080`]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// `sqlite://path` or `postgres://…`; created and migrated as needed [default: `sqlite://data/vestibule.db`]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Folder of the master key, which is made there on first start [default: keys]
    #[arg(long, value_name = "FOLDER")]
    keys: Option<String>,
    /// Allow an http issuer that is not on this machine; passwords then cross the network in the clear
    #[arg(long)]
    allow_http: bool,
    /// Address and port of `/metrics`, for nobody but Prometheus, for example `127.0.0.1:9464` [default: nowhere]
    #[arg(long, value_name = "ADDRESS")]
    metrics_listen: Option<String>,
    /// What is logged, for example `info` or `warn,vestibule=debug` [default: info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// `text` or `json` [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl Flags {
    fn texts(&self) -> BTreeMap<String, String> {
        let allow_http = self.allow_http.then(|| "true".to_owned());
        let texts = [
            &self.issuer,
            &self.listen,
            &self.database,
            &self.keys,
            &allow_http,
            &self.metrics_listen,
            &self.log,
            &self.log_format,
        ];
        let named = NAMES.iter().zip(texts);
        named.filter_map(|(name, text)| text.clone().map(|text| ((*name).to_owned(), text))).collect()
    }
}

/// Settings that have been checked.
#[derive(Debug)]
pub(crate) struct Config {
    /// What the provider needs.
    pub(crate) settings: Settings,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// The database.
    pub(crate) database: String,
    /// The folder of the master key.
    pub(crate) keys: PathBuf,
    /// The master key itself, if the environment holds it.
    pub(crate) master_key: Option<Zeroizing<String>>,
    /// Where `/metrics` is, if anywhere.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// What is logged.
    pub(crate) log: EnvFilter,
    /// How it is written.
    pub(crate) log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

impl Config {
    /// Reads the settings of this process.
    pub(crate) fn load(flags: &Flags) -> Result<Self, Vec<String>> {
        let file = match std::fs::read_to_string(FILE) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(vec![format!("{FILE}: {error}")]),
        };
        Self::read(flags, std::env::vars_os(), file.as_deref())
    }

    fn read(
        flags: &Flags,
        environment: impl Iterator<Item = (OsString, OsString)>,
        file: Option<&str>,
    ) -> Result<Self, Vec<String>> {
        let mut sources = Sources { flags: flags.texts(), ..Sources::default() };
        sources.read_environment(environment);
        sources.read_file(file.unwrap_or_default());
        let allow_http = sources.value("allow_http", "false", |text| {
            text.parse().map_err(|_| "must be true or false".to_owned())
        });
        let issuer = sources.value("issuer", "http://localhost:8080", |text| {
            checked_issuer(text, allow_http.unwrap_or_default())
        });
        let listen = sources.value("listen", "127.0.0.1:8080", checked_address);
        let metrics_listen = sources.value("metrics_listen", "", |text| {
            if text.is_empty() { Ok(None) } else { checked_address(text).map(Some) }
        });
        let database = sources.value("database", "sqlite://data/vestibule.db", checked_database);
        let keys = sources.value("keys", "keys", |text| Ok(PathBuf::from(text)));
        let log = sources.value("log", "info", |text| {
            EnvFilter::try_new(text).map_err(|error| format!("is not a log filter: {error}"))
        });
        let log_format = sources.value("log_format", "text", LogFormat::parse);
        let Sources { master_key, mistakes, .. } = sources;
        match (issuer, listen, database, keys, metrics_listen, log, log_format) {
            (
                Some(issuer),
                Some(listen),
                Some(database),
                Some(keys),
                Some(metrics_listen),
                Some(log),
                Some(log_format),
            ) if mistakes.is_empty() => {
                let settings = Settings::new(issuer);
                Ok(Self { settings, listen, database, keys, master_key, metrics_listen, log, log_format })
            }
            _ => Err(mistakes),
        }
    }
}

impl LogFormat {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be text or json".to_owned()),
        }
    }
}

fn checked_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an address and a port, for example 127.0.0.1:8080".to_owned())
}

/// Passwords and codes must not cross a network in the clear. Behind a proxy that speaks TLS the issuer is https and
/// only the listener is plain, which is fine.
fn checked_issuer(text: &str, allow_http: bool) -> Result<IssuerUrl, String> {
    let issuer = IssuerUrl::parse(text).map_err(|error| error.to_string())?;
    if issuer.is_https() || issuer.is_loopback() || allow_http {
        Ok(issuer)
    } else {
        Err(format!(
            "{issuer} is plain http on another machine than this: say https:// and put a proxy that \
                     speaks TLS in front, or set allow_http"
        ))
    }
}

/// The mistake does not repeat the text, which may hold a password.
fn checked_database(text: &str) -> Result<String, String> {
    if ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
        Ok(text.to_owned())
    } else {
        Err("must begin with sqlite:// or postgres://".to_owned())
    }
}

/// The settings as texts, and what was wrong with them so far.
#[derive(Default)]
struct Sources {
    flags: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    master_key: Option<Zeroizing<String>>,
    mistakes: Vec<String>,
}

impl Sources {
    fn read_environment(&mut self, variables: impl Iterator<Item = (OsString, OsString)>) {
        for (variable, value) in variables {
            let variable = variable.to_string_lossy();
            let foreign = NOT_SETTINGS.iter().any(|prefix| variable.starts_with(prefix));
            let Some(name) = variable.strip_prefix(PREFIX).filter(|_| !foreign) else { continue };
            let name = name.to_lowercase();
            match value.into_string() {
                Err(_) => self.mistakes.push(format!("{variable}: is not UTF-8")),
                Ok(text) if variable == MASTER_KEY => self.master_key = Some(Zeroizing::new(text)),
                Ok(text) if NAMES.contains(&name.as_str()) => {
                    self.environment.insert(name, text);
                }
                Ok(_) => self.mistakes.push(format!("{variable}: unknown setting")),
            }
        }
    }

    fn read_file(&mut self, text: &str) {
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => {
                self.mistakes.push(format!("{FILE}: {}", error.to_string().trim_end()));
                return;
            }
        };
        for (name, value) in table {
            let text = match value {
                _ if !NAMES.contains(&name.as_str()) => Err("unknown setting"),
                toml::Value::String(text) => Ok(text),
                toml::Value::Boolean(flag) => Ok(flag.to_string()),
                _ => Err("must be a text"),
            };
            match text {
                Ok(text) => drop(self.file.insert(name, text)),
                Err(problem) => self.mistakes.push(format!("{name} in {FILE}: {problem}")),
            }
        }
    }

    /// The value of a setting from the highest source that has it; a default is read like any other text.
    fn value<T>(
        &mut self,
        name: &str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let flag = format!("--{}", name.replace('_', "-"));
        let variable = format!("{PREFIX}{}", name.to_uppercase());
        let (spelling, text) = if let Some(text) = self.flags.get(name) {
            (flag.clone(), text.as_str())
        } else if let Some(text) = self.environment.get(name) {
            (variable.clone(), text.as_str())
        } else if let Some(text) = self.file.get(name) {
            (format!("{name} in {FILE}"), text.as_str())
        } else {
            ("the default".to_owned(), default)
        };
        let problem = match parse(text) {
            Ok(value) => return Some(value),
            Err(problem) => problem,
        };
        self.mistakes.push(format!("{spelling}: {problem} (spelled {name}, {variable} or {flag})"));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: &[&str], environment: &[(&str, &str)], file: &str) -> Result<Config, Vec<String>> {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            flags: Flags,
        }
        let line = <Line as clap::Parser>::parse_from(std::iter::once(&"vestibule").chain(flags));
        let variables = environment.iter().map(|(name, value)| (name.into(), value.into()));
        Config::read(&line.flags, variables, Some(file))
    }

    #[test]
    fn listens_on_this_machine_alone_unless_told() {
        let config = read(&[], &[], "").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.settings.issuer.as_str(), "http://localhost:8080");
        assert_eq!(config.database, "sqlite://data/vestibule.db");
        assert_eq!(config.log_format, LogFormat::Text);
        assert_eq!(config.metrics_listen, None);
    }

    #[test]
    fn flags_stand_over_environment_over_file() {
        let file = "listen = \"127.0.0.1:1\"\nkeys = \"file\"\ndatabase = \"sqlite://file\"";
        let environment = [("VESTIBULE_LISTEN", "127.0.0.1:2"), ("VESTIBULE_KEYS", "environment")];
        let config = read(&["--listen", "127.0.0.1:3"], &environment, file).unwrap();
        assert_eq!(config.listen.port(), 3);
        assert_eq!(config.keys, PathBuf::from("environment"));
        assert_eq!(config.database, "sqlite://file");
    }

    #[test]
    fn tells_every_mistake_at_once_and_where_it_stands() {
        let environment = [("VESTIBULE_LISTN", "x"), ("VESTIBULE_LOG_FORMAT", "xml")];
        let file = "issuer = \"http://id.example.test\"\nsmtp = \"x\"\nkeys = 3\n[mail]\nfrom = \"x\"";
        let mistakes = read(&["--listen", "8080", "--database", "mysql://u:hidden@h"], &environment, file);
        let text = mistakes.unwrap_err().join("\n");
        for part in [
            "VESTIBULE_LISTN: unknown setting",
            "VESTIBULE_LOG_FORMAT: must be text or json (spelled log_format, VESTIBULE_LOG_FORMAT or --log-format)",
            "smtp in vestibule.toml: unknown setting",
            "mail in vestibule.toml: unknown setting",
            "keys in vestibule.toml: must be a text",
            "issuer in vestibule.toml: http://id.example.test is plain http",
            "--listen: must be an address and a port",
            "--database: must begin with sqlite://",
        ] {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
        assert_eq!(text.lines().count(), 8, "{text}");
        assert!(!text.contains("hidden"), "{text}");
    }

    #[test]
    fn plain_http_elsewhere_has_to_be_allowed() {
        let issuer = ["--issuer", "http://id.example.test"];
        assert!(read(&issuer, &[], "").is_err());
        assert!(read(&[&issuer[..], &["--allow-http"]].concat(), &[], "").is_ok());
        assert!(read(&issuer, &[("VESTIBULE_ALLOW_HTTP", "true")], "").is_ok());
        assert!(read(&issuer, &[], "allow_http = true").is_ok());
        assert!(read(&["--issuer", "http://127.0.0.1:9"], &[], "").is_ok());
        assert!(read(&["--issuer", "https://id.example.test"], &[], "").is_ok());
    }

    #[test]
    fn variables_of_others_are_none_of_ours() {
        let environment = [("VESTIBULE_SERVICE_HOST", "10.0.0.1"), ("VESTIBULE_PORT", "tcp://10.0.0.1:80")];
        assert!(read(&[], &environment, "").is_ok());
    }
}
