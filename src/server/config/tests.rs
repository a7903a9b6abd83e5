//! The sources of settings, and how mistakes are reported.

use std::path::PathBuf;

use super::values::TlsFiles;
use super::*;
use crate::domain::issuer::IssuerUrl;
use crate::domain::outbound::AllowedHost;
use crate::domain::settings::Settings;

fn read(flags: &[&str], environment: &[(&str, &str)], file: &str) -> Result<Config, Vec<String>> {
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }
    let line = <Line as clap::Parser>::parse_from(std::iter::once(&"vestibule").chain(flags));
    let variables = environment.iter().map(|(name, value)| (name.into(), value.into()));
    Config::read(&line.flags, variables, file)
}

#[test]
fn listens_on_this_machine_alone_unless_told() {
    let config = read(&[], &[], "").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.settings.issuer.as_str(), "http://localhost:8080");
    assert_eq!(config.database, "sqlite://data/vestibule.db");
    assert_eq!(config.log_format, LogFormat::Text);
}

#[test]
fn what_is_not_said_is_what_embedders_get() {
    let config = read(&[], &[], "").unwrap();
    let settings = Settings::new(IssuerUrl::parse(values::DEFAULT_ISSUER).unwrap());
    assert_eq!(format!("{:?}", config.settings), format!("{settings:?}"));
}

#[test]
fn no_two_settings_share_a_spelling_and_the_readme_has_each() {
    let readme = include_str!("../../../README.md");
    let mut seen = std::collections::BTreeSet::new();
    for row in table::ROWS {
        assert!(seen.insert(row.variable()), "{}", row.variable());
        // One line of the table for each setting, or for each section: | `[mail]` `smtp`, `from` |
        let (line, told) = match (row.places, row.name.split_once('.')) {
            (table::Places::Environment, _) => (format!("| `{}` |", row.variable()), String::new()),
            (_, Some((section, member))) => (format!("| `[{section}]` `"), format!("`{member}`")),
            (_, None) => (format!("| `{}` |", row.name), String::new()),
        };
        let setting =
            readme.lines().filter_map(|text| text.split(" | ").next()).map(|cell| format!("{cell} |"));
        let found = setting.into_iter().any(|cell| cell.starts_with(&line) && cell.contains(&told));
        assert!(found, "{} is not in the README's table of settings", row.name);
    }
}

#[test]
fn a_list_is_said_in_each_place_as_is_usual_there() {
    let networks = |flags: &[&str], environment: &[(&str, &str)], file: &str| {
        let config = read(flags, environment, file).unwrap();
        config.settings.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let expected = "10.0.0.0/8 192.0.2.1/32";
    assert_eq!(
        networks(&["--trusted-proxies", "10.0.0.0/8", "--trusted-proxies", "192.0.2.1"], &[], ""),
        expected
    );
    assert_eq!(networks(&[], &[("VESTIBULE_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1")], ""), expected);
    assert_eq!(networks(&[], &[], "trusted_proxies = [\"10.0.0.0/8\", \"192.0.2.1\"]"), expected);
    let wrong = read(&[], &[], "trusted_proxies = [\"10.0.0.0/8\", \"proxy\"]").unwrap_err().join("\n");
    assert!(wrong.starts_with("trusted_proxies in vestibule.toml: proxy is not a network"), "{wrong}");
}

#[test]
fn spans_are_read_as_everywhere() {
    let rotation =
        |text: &str| read(&["--key-rotation", text], &[], "").map(|config| config.settings.key_rotation);
    assert_eq!(rotation("30d").unwrap(), Some(std::time::Duration::from_hours(30 * 24)));
    assert_eq!(rotation("never").unwrap(), None);
    assert!(rotation("0s").unwrap_err().join("").contains("--key-rotation: must be a duration"));
}

#[test]
fn the_audit_trail_keeps_entries_for_a_span() {
    let kept =
        |text: &str| read(&["--audit-keep", text], &[], "").map(|config| config.settings.audit.entries);
    assert_eq!(kept("2d").unwrap(), std::time::Duration::from_hours(48));
    assert!(kept("1h").unwrap_err().join("").contains("--audit-keep: must be at least 1d"));
    let file = "[audit]\nkeep_refusals = \"7d\"";
    let config = read(&[], &[], file).unwrap();
    let days = |days: u64| std::time::Duration::from_hours(days * 24);
    assert_eq!((config.settings.audit.entries, config.settings.audit.refusals), (days(365), days(7)));
}

#[test]
fn the_master_key_is_no_flag_and_no_member_and_is_never_repeated() {
    let environment = [("VESTIBULE_MASTER_KEY", "hidden")];
    assert_eq!(read(&[], &environment, "").unwrap().master_key.unwrap().as_str(), "hidden");
    for file in ["master_key = \"hidden\"", "listen = \"x\"\nmaster_key = \"hidden", "database = hidden"] {
        let told = read(&[], &[], file).unwrap_err().join("\n");
        assert!(!told.contains("hidden"), "{told}");
    }
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
    let file = "issuer = \"http://id.example.test\"\nsmtp = \"x\"\nkeys = 3\n[pigeon]\nfrom = \"x\"";
    let mistakes = read(&["--listen", "8080", "--database", "mysql://u:hidden@h"], &environment, file);
    let text = mistakes.unwrap_err().join("\n");
    for part in [
        "VESTIBULE_LISTN: unknown setting",
        "VESTIBULE_LOG_FORMAT: must be text or json (spelled log_format, VESTIBULE_LOG_FORMAT or --log-format)",
        "smtp in vestibule.toml: unknown setting",
        "pigeon in vestibule.toml: unknown setting",
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

#[tokio::test]
async fn mail_needs_both_of_its_settings_and_encryption() {
    let smtp = ("VESTIBULE_MAIL_SMTP", "smtps://u:hidden@mail.test");
    let both = read(&["--mail-from", "no-reply@id.test"], &[smtp], "").unwrap();
    assert!(both.mail.is_some() && both.sms.is_none());
    assert!(!format!("{both:?}").contains("hidden"));
    let file = "[mail]\nsmtp = \"smtp://u:hidden@mail.test\"\nfrom = \"no-reply@id.test\"";
    for (environment, file, place) in [
        (&[smtp][..], "", "VESTIBULE_MAIL_SMTP: needs mail.from"),
        (&[], "[mail]\nfrom = \"no-reply@id.test\"", "mail.from in vestibule.toml: needs mail.smtp"),
        (&[], "[mail]\nfrom = \"nobody\"", "mail.from in vestibule.toml: must be an email address"),
        (&[], file, "mail.smtp in vestibule.toml: would send mail unencrypted"),
    ] {
        let told = read(&[], environment, file).unwrap_err().join("\n");
        assert!(told.starts_with(place) && !told.contains("hidden"), "{place}: {told}");
    }
}

#[tokio::test]
async fn a_relay_inside_is_named_to_be_spoken_to_plainly() {
    let file =
        "[mail]\nsmtp = \"smtp://relay.internal:25\"\nfrom = \"no-reply@id.test\"\n[outbound]\nallow = ";
    assert!(read(&[], &[], &format!("{file}[\"relay.internal\"]")).unwrap().mail.is_some());
    let told = read(&[], &[], &format!("{file}[\"other.internal\"]")).unwrap_err().join("\n");
    assert!(told.starts_with("mail.smtp in vestibule.toml: would send mail unencrypted"), "{told}");
    assert!(told.contains("outbound.allow"), "{told}");
}

#[test]
fn each_example_of_a_gateway_is_one() {
    for file in [
        include_str!("../../../examples/sms/twilio.toml"),
        include_str!("../../../examples/sms/seven.toml"),
        include_str!("../../../examples/sms/xml.toml"),
    ] {
        let config = read(&[], &[], file).unwrap();
        assert!(config.sms.is_some() && config.settings.sms.countries.len() == 3);
        for secret in ["auth-token", "api-key"] {
            assert!(!format!("{config:?}").contains(secret));
        }
    }
}

#[test]
fn a_gateway_can_be_said_in_the_environment_and_its_mistakes_are_told() {
    let url = ("VESTIBULE_SMS_URL", "https://sms.test/?key=hidden");
    let headers = ("VESTIBULE_SMS_HEADERS", "X-Key: hidden: and more\nAccept: text/plain, */*");
    let body = ("VESTIBULE_SMS_BODY", "to={number}&text={text}");
    let countries = ["--sms-countries", "de", "--sms-countries", "FR", "--sms-tenant-day", "7"];
    let config = read(&countries, &[url, headers, body], "").unwrap();
    assert_eq!((config.settings.sms.countries.len(), config.settings.sms.tenant_day), (2, 7));
    assert_eq!(config.senders.headers[0].1.expose(), "hidden: and more");
    for (flags, environment, place) in [
        (&[][..], &[url, body][..], "VESTIBULE_SMS_URL: needs sms.countries"),
        (
            &countries,
            &[url],
            "the default: has no place for {number} (spelled sms.body or VESTIBULE_SMS_BODY)",
        ),
        (&countries, &[body], "VESTIBULE_SMS_BODY: needs sms.url"),
        (&countries, &[url, body, ("VESTIBULE_SMS_HEADERS", "hidden")], "VESTIBULE_SMS_HEADERS: must hold"),
        (&countries, &[url, body, ("VESTIBULE_SMS_METHOD", "PATCH")], "VESTIBULE_SMS_METHOD: must be POST"),
        (&["--sms-countries", "Narnia"], &[], "--sms-countries: \"Narnia\" must be the two letters"),
        (&["--sms-tenant-day", "many"], &[], "--sms-tenant-day: must be a whole number"),
    ] {
        let told = read(flags, environment, "").unwrap_err().join("\n");
        assert!(told.starts_with(place) && !told.contains("hidden"), "{place}: {told}");
    }
}

#[test]
fn what_may_be_secret_is_no_flag() {
    for row in table::ROWS.iter().filter(|row| row.places == table::Places::NoFlag) {
        assert_eq!(row.flag(), None);
    }
    let hidden: Vec<_> = table::ROWS.iter().filter(|row| row.flag().is_none()).map(|row| row.name).collect();
    assert_eq!(hidden, ["master_key", "mail.smtp", "sms.url", "sms.headers", "sms.body"]);
}

#[test]
fn whom_the_provider_may_ask_is_read_from_files_and_names() {
    let ca = std::env::temp_dir().join(format!("vestibule-config-{}.pem", std::process::id()));
    std::fs::write(&ca, "PEM").unwrap();
    let path = ca.to_str().unwrap();
    let config = read(&["--outbound-ca", path, "--outbound-allow", "a.internal:8443"], &[], "").unwrap();
    assert_eq!(config.settings.outbound.ca, ["PEM"]);
    assert_eq!(config.settings.outbound.allow, [AllowedHost::parse("a.internal:8443").unwrap()]);
    std::fs::remove_file(&ca).unwrap();
    let told = read(&["--outbound-ca", path, "--outbound-allow", "https://a"], &[], "").unwrap_err();
    assert!(
        told[0].starts_with("--outbound-ca: /") && told[1].starts_with("--outbound-allow: \"https:"),
        "{told:?}"
    );
}

#[test]
fn every_application_can_be_made_to_push() {
    let flag = ["--require-pushed-authorization-requests"];
    assert!(read(&flag, &[], "").unwrap().settings.require_pushed_authorization_requests);
}

#[test]
fn plain_http_elsewhere_has_to_be_allowed() {
    let issuer = ["--issuer", "http://id.example.test"];
    assert!(read(&issuer, &[], "").is_err());
    assert!(read(&[&issuer[..], &["--allow-http"]].concat(), &[], "").is_ok());
    assert!(read(&issuer, &[("VESTIBULE_ALLOW_HTTP", "true")], "").is_ok());
    assert!(read(&issuer, &[], "allow_http = true").is_ok());
    for here in ["http://app.localhost:8080", "http://localhost.:8080", "http://[::1]:8080"] {
        assert!(read(&["--issuer", here], &[], "").is_ok(), "{here}");
    }
    assert!(read(&["--issuer", "http://127.0.0.1:9"], &[], "").is_ok());
    assert!(read(&["--issuer", "https://id.example.test"], &[], "").is_ok());
}

#[test]
fn tls_takes_two_files_and_an_issuer_that_speaks_it() {
    let issuer = ["--issuer", "https://id.example.test"];
    let cert = ["--tls-cert", "cert.pem"];
    let key = ["--tls-key", "key.pem"];
    let all = read(&[issuer, cert, key].concat(), &[], "").unwrap();
    assert_eq!(all.tls, Some(TlsFiles { cert: "cert.pem".into(), key: "key.pem".into() }));
    assert_eq!(read(&issuer, &[], "").unwrap().tls, None);
    for (flags, place) in [
        ([issuer, cert].concat(), "--tls-cert: needs tls.key"),
        ([issuer, key].concat(), "--tls-key: needs tls.cert"),
        ([cert, key].concat(), "the default: http://localhost:8080 is http"),
        ([["--issuer", "http://127.0.0.1:9"], cert, key].concat(), "--issuer: http://127.0.0.1:9 is http"),
    ] {
        let told = read(&flags, &[], "").unwrap_err().join("\n");
        assert!(told.starts_with(place) && told.lines().count() == 1, "{told}");
    }
    let file = "[tls]\ncert = \"a\"\nkey = \"b\"";
    assert!(read(&issuer, &[], file).unwrap().tls.is_some());
}

#[test]
fn variables_of_others_are_none_of_ours() {
    let environment = [("VESTIBULE_SERVICE_HOST", "10.0.0.1"), ("VESTIBULE_PORT", "tcp://10.0.0.1:80")];
    assert!(read(&[], &environment, "").is_ok());
}
