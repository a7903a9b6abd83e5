//! The table of settings: one row with the name, the help text and the parser of each setting.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::read;
use super::values::{Config, DEFAULT_ISSUER};
use crate::domain::message::Confidential;
use crate::notify::NumberFormat;
use crate::server::telemetry::Collector;

/// One setting.
pub(super) struct Row {
    /// Its name in the file, with the section: `section.name`.
    pub(super) name: &'static str,
    /// The placeholder of its value in the help.
    pub(super) value: &'static str,
    /// Its help text.
    pub(super) help: &'static str,
    /// The default, parsed like any other text.
    pub(super) default: Option<&'static str>,
    /// The type of its value in the file.
    pub(super) shape: Shape,
    /// The sources in which it may be set.
    pub(super) places: Places,
    /// Parses the text into its field. An error does not repeat a text that may be secret.
    pub(super) read: fn(&mut Config, &str) -> Result<(), String>,
}

/// The type of a value in the file. All are converted to the text that an environment variable would contain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A string.
    Text,
    /// A boolean; the flag has no value.
    Switch,
    /// A list or table, converted to one line per item (`name: value` for a table). The flag may be repeated.
    Lines,
}

/// The allowed sources of a setting. Process lists are visible to other users, and files may be in repositories.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Places {
    /// Flag, environment and file.
    Everywhere,
    /// Environment and file: the value may contain a password.
    NoFlag,
    /// Environment only.
    Environment,
}

impl Row {
    const fn text(
        name: &'static str,
        value: &'static str,
        help: &'static str,
        read: fn(&mut Config, &str) -> Result<(), String>,
    ) -> Self {
        Self { name, value, help, default: None, shape: Shape::Text, places: Places::Everywhere, read }
    }

    const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    const fn shaped(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    const fn only(self, places: Places) -> Self {
        Self { places, ..self }
    }

    /// The flag, as `--tls-cert`, if there is one.
    pub(super) fn flag(&self) -> Option<String> {
        (self.places == Places::Everywhere).then(|| self.name.replace(['.', '_'], "-"))
    }

    /// The variable, as `VESTIBULE_TLS_CERT`.
    pub(super) fn variable(&self) -> String {
        format!("VESTIBULE_{}", self.name.replace('.', "_").to_uppercase())
    }

    /// Every spelling of the setting, for error texts.
    pub(super) fn spellings(&self) -> String {
        match (self.places, self.flag()) {
            (Places::Everywhere, Some(flag)) => format!("{}, {} or --{flag}", self.name, self.variable()),
            (Places::NoFlag, _) => format!("{} or {}", self.name, self.variable()),
            _ => self.variable(),
        }
    }
}

/// Every setting, in the order of the help.
pub(super) const ROWS: &[Row] = &[
    Row::text(
        "issuer",
        "URL",
        "The issuer: the address under which clients and browsers reach the provider",
        |config, text| read::issuer(text).map(|issuer| config.settings.issuer = issuer),
    )
    .or(DEFAULT_ISSUER),
    Row::text("listen", "ADDRESS", "Address and port to listen on", |config, text| {
        read::address(text).map(|address| config.listen = address)
    })
    .or("127.0.0.1:8080"),
    Row::text(
        "database",
        "URL",
        "`sqlite://path` or `postgres://…`; created and migrated as needed",
        |config, text| read::database(text).map(|database| config.database = database),
    )
    .or("sqlite://data/vestibule.db"),
    Row::text(
        "keys",
        "FOLDER",
        "Folder of the master key, which is created there on first start",
        |config, text| {
            config.keys = PathBuf::from(text);
            Ok(())
        },
    )
    .or("keys"),
    Row::text(
        "master_key",
        "BASE64",
        "The master key itself, 32 bytes, instead of a file",
        |config, text| {
            config.master_key = Some(Zeroizing::new(text.to_owned()));
            Ok(())
        },
    )
    .only(Places::Environment),
    Row::text(
        "allow_http",
        "",
        "Allow an http issuer that is not on this machine; passwords then cross the network in the clear",
        |config, text| read::switch(text).map(|allow| config.allow_http = allow),
    )
    .shaped(Shape::Switch)
    .or("false"),
    Row::text(
        "tls.cert",
        "FILE",
        "The certificate with its intermediate certificates, in PEM; read again when it is replaced",
        |config, text| {
            config.tls_cert = Some(PathBuf::from(text));
            Ok(())
        },
    ),
    Row::text("tls.key", "FILE", "The certificate's key, in PEM", |config, text| {
        config.tls_key = Some(PathBuf::from(text));
        Ok(())
    }),
    Row::text(
        "metrics_listen",
        "ADDRESS",
        "Address and port of `/metrics`, for Prometheus only, for example 127.0.0.1:9464",
        |config, text| read::address(text).map(|address| config.metrics_listen = Some(address)),
    ),
    Row::text(
        "trusted_proxies",
        "NETWORK",
        "Proxies whose `Forwarded` or `X-Forwarded-For` tells a client's address, for example 10.0.0.0/8",
        |config, text| read::networks(text).map(|networks| config.settings.trusted_proxies = networks),
    )
    .shaped(Shape::Lines),
    Row::text(
        "key_rotation",
        "SPAN",
        "How long a key signs before it is replaced, or `never`",
        |config, text| read::span_or_never(text).map(|span| config.settings.key_rotation = span),
    )
    .or("90d"),
    Row::text("audit.keep", "SPAN", "How long audit entries are kept", |config, text| {
        read::lifetime(text).map(|span| config.settings.audit.entries = span)
    })
    .or("365d"),
    Row::text(
        "audit.keep_refusals",
        "SPAN",
        "How long refusals of requests that proved nothing are kept in the audit trail",
        |config, text| read::lifetime(text).map(|span| config.settings.audit.refusals = span),
    )
    .or("30d"),
    Row::text(
        "require_pushed_authorization_requests",
        "",
        "Every application must push its authorization requests (RFC 9126)",
        |config, text| {
            read::switch(text).map(|must| config.settings.require_pushed_authorization_requests = must)
        },
    )
    .shaped(Shape::Switch)
    .or("false"),
    Row::text(
        "mail.smtp",
        "URL",
        "The mail server: `smtps://user:password@host`, `smtp://user:password@host:587?tls=required`, or plain \
         `smtp://host` on this machine and on a host that outbound.allow names",
        |config, text| {
            config.senders.smtp = Some(Confidential::new(text));
            Ok(())
        },
    )
    .only(Places::NoFlag),
    Row::text("mail.from", "ADDRESS", "The email address that mail comes from", |config, text| {
        read::email(text).map(|from| config.senders.from = Some(from))
    }),
    Row::text(
        "sms.url",
        "URL",
        "The gateway for text messages; may hold {number}, {text} and {id}",
        |config, text| {
            config.senders.url = Some(Confidential::new(text));
            Ok(())
        },
    )
    .only(Places::NoFlag),
    Row::text("sms.method", "METHOD", "`POST`, `PUT` or `GET`", |config, text| {
        text.clone_into(&mut config.senders.method);
        Ok(())
    })
    .or("POST"),
    Row::text("sms.headers", "LINE", "Headers for the gateway", |config, text| {
        read::headers(text).map(|headers| config.senders.headers = headers)
    })
    .shaped(Shape::Lines)
    .only(Places::NoFlag),
    Row::text(
        "sms.body",
        "TEMPLATE",
        "Body of the request to the gateway: form, JSON, XML or plain text, with {number}, {text} and {id}",
        |config, text| {
            config.senders.body = Some(Confidential::new(text));
            Ok(())
        },
    )
    .only(Places::NoFlag),
    Row::text(
        "sms.number_format",
        "FORMAT",
        "How {number} is written: `e164` (+4915…), `digits` (4915…) or `00` (004915…)",
        |config, text| NumberFormat::parse(text).map(|format| config.senders.number_format = format),
    )
    .or("e164"),
    Row::text(
        "sms.success",
        "TEST",
        "Required in a successful response: a text, or a JSON pointer and its value: `/status=0`",
        |config, text| {
            config.senders.success = Some(text.to_owned());
            Ok(())
        },
    ),
    Row::text(
        "sms.countries",
        "COUNTRY",
        "Countries that texts may go to, for example DE",
        |config, text| read::countries(text).map(|countries| config.settings.sms.countries = countries),
    )
    .shaped(Shape::Lines),
    Row::text("sms.tenant_day", "NUMBER", "Texts that a tenant may send per day", |config, text| {
        read::number(text).map(|most| config.settings.sms.tenant_day = most)
    })
    .or("1000"),
    Row::text("outbound.ca", "FILE", "Additional trusted certificates (PEM)", |config, text| {
        read::files(text).map(|pems| config.settings.outbound.ca = pems)
    })
    .shaped(Shape::Lines),
    Row::text(
        "outbound.allow",
        "HOST",
        "Internal hosts that may be called, also over plain http and plain SMTP, for example gateway.internal:8443",
        |config, text| read::hosts(text).map(|hosts| config.settings.outbound.allow = hosts),
    )
    .shaped(Shape::Lines),
    Row::text(
        "log",
        "FILTER",
        "Log filter, for example `info` or `warn,vestibule=debug`",
        |config, text| read::log_filter(text).map(|filter| config.log = filter),
    )
    .or("info"),
    Row::text(
        "otlp",
        "URL",
        "The OpenTelemetry collector that spans are sent to, for example http://127.0.0.1:4318",
        |config, text| Collector::parse(text).map(|collector| config.otlp = Some(collector)),
    ),
    Row::text("log_format", "FORMAT", "`text` or `json`", |config, text| {
        read::log_format(text).map(|format| config.log_format = format)
    })
    .or("text"),
];
