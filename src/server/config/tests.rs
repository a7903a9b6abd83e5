//! What may be said where, and how mistakes are told.

use super::*;

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
    let settings = Settings::new(IssuerUrl::parse(table::DEFAULT_ISSUER).unwrap());
    assert_eq!(format!("{:?}", config.settings), format!("{settings:?}"));
}

#[test]
fn no_two_settings_share_a_spelling_and_the_readme_has_each() {
    let readme = include_str!("../../../README.md");
    let mut seen = std::collections::BTreeSet::new();
    for row in table::ROWS {
        assert!(seen.insert(row.variable()), "{}", row.variable());
        let told =
            if row.places == table::Places::Environment { row.variable() } else { row.name.to_owned() };
        assert!(readme.contains(&format!("| `{told}` |")), "{told} is not in the README's table of settings");
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
    assert!(wrong.starts_with("trusted_proxies in vestibule.toml: proxy is no network"), "{wrong}");
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
