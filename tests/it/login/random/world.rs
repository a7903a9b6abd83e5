//! What the provider holds: a tenant whose rules change, and six people. What they have is read from an export, which
//! no page has a hand in.

use std::collections::BTreeMap;

use vestibule::testing::TestIdp;

use super::super::{DOMAIN, PASSWORD, SECRET};

pub(super) const PEOPLE: [&str; 6] = ["anna", "bert", "hugo", "mia", "sam", "tina"];

/// Hugo's device: the secret of RFC 4226, appendix D, and the codes that stand there.
const HOTP: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
pub(super) const HOTP_CODES: [&str; 10] =
    ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];

pub(super) fn document() -> String {
    let authenticator = |name| match name {
        "hugo" => format!("kind = \"hotp\"\nsecret = \"{HOTP}\"\nserial = \"C200\""),
        "mia" => "kind = \"mail\"\nemail = \"mia@post.test\"".to_owned(),
        "sam" => "kind = \"sms\"\nphone_number = \"+4915110000000\"".to_owned(),
        "tina" => format!("kind = \"totp\"\nsecret = \"{SECRET}\""),
        _ => String::new(),
    };
    let person = |name: &&'static str| {
        let roles = if *name == "anna" { "roles = [\"admin\"]\n" } else { "" };
        let user = format!(
            "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"{name}\"\nsub = \"{name}\"\npassword = \"{PASSWORD}\"\nemail = \"{name}@example.test\"\n{roles}"
        );
        match authenticator(*name) {
            none if none.is_empty() => user,
            authenticator => format!("{user}[[users.authenticators]]\n{authenticator}\n"),
        }
    };
    let people: String = PEOPLE.iter().map(person).collect();
    format!(
        "[[tenants]]\ndomain = \"{DOMAIN}\"\nname = \"Example Works\"\n{people}[[clients]]\nclient_id = \"shop\"\ntoken_endpoint_auth_method = \"none\"\nredirect_uris = [\"https://shop.test/callback\"]\nid_token_signed_response_alg = \"ES256\"\n"
    )
}

/// A rule of the tenant's that changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// Is a second factor demanded of everybody?
    Required(bool),
    /// Is a code by mail worth two factors?
    MailCounts(bool),
    /// May browsers be trusted?
    Trust(bool),
    /// Has the administrators' duty begun?
    Duty(bool),
    /// Do administrators activate by mail alone?
    ByMail(bool),
    /// What may be enrolled.
    Methods(&'static str),
}

/// The rules in force.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one rule")]
pub(super) struct Rules {
    pub(super) required: bool,
    pub(super) mail_counts: bool,
    pub(super) trust: bool,
    pub(super) duty: bool,
    pub(super) by_mail: bool,
    methods: &'static str,
}

impl Default for Rules {
    fn default() -> Self {
        let methods = "\"totp\", \"sms\", \"mail\"";
        Self { required: false, mail_counts: false, trust: true, duty: true, by_mail: false, methods }
    }
}

impl Rules {
    /// What makes no sense together, `apply` refuses: a mail leads to no other method than an application.
    pub(super) fn change(&mut self, rule: Rule) {
        match rule {
            Rule::ByMail(true) if !self.methods.contains("totp") => {}
            Rule::Methods(methods) if self.by_mail && !methods.contains("totp") => {}
            Rule::Required(on) => self.required = on,
            Rule::MailCounts(on) => self.mail_counts = on,
            Rule::Trust(on) => self.trust = on,
            Rule::Duty(on) => self.duty = on,
            Rule::ByMail(on) => self.by_mail = on,
            Rule::Methods(methods) => self.methods = methods,
        }
    }

    /// As `apply` takes them. The clock starts in March 2026.
    pub(super) fn document(&self) -> String {
        let Self { required, mail_counts, trust, duty, by_mail, methods } = self;
        format!(
            "[[tenants]]\ndomain = \"{DOMAIN}\"\n[tenants.policy]\nmfa = \"{}\"\nmail_counts_as_2fa = {mail_counts}\nresync = true\nadmin_mfa_enforced_from = \"{}\"\nadmin_activation = \"{}\"\nmethods = [{methods}]\ntrusted_browsers = {{ days = {} }}\n",
            if *required { "required" } else { "optional" },
            if *duty { "2026-01-01T00:00:00Z" } else { "2126-01-01T00:00:00Z" },
            if *by_mail { "mail" } else { "inline" },
            if *trust { 30 } else { 0 },
        )
    }
}

/// An authenticator: no two have the same secret or destination, for each enrolment has one of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Device {
    Totp(String),
    Hotp,
    Sms(String),
    Mail(String),
}

impl Device {
    /// Is it something that is held, and not only reached?
    pub(super) const fn is_held(&self) -> bool {
        matches!(self, Self::Totp(_) | Self::Hotp)
    }
}

/// The credentials of a user at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holding {
    /// Which password counts.
    pub(super) password: String,
    pub(super) device: Option<Device>,
    pub(super) admin: bool,
}

/// What everybody has.
pub(super) type AuthenticatorSnapshot = BTreeMap<&'static str, Holding>;

pub(super) async fn holdings(idp: &TestIdp) -> AuthenticatorSnapshot {
    let export: toml::Table = toml::from_str(&idp.idp().export().await.unwrap()).unwrap();
    let text = |table: &toml::Value, name: &str| table.get(name).map(|it| it.as_str().unwrap().to_owned());
    let device = |of: &toml::Value| match of["kind"].as_str().unwrap() {
        "totp" => Device::Totp(text(of, "secret").unwrap()),
        "hotp" => Device::Hotp,
        "sms" => Device::Sms(text(of, "phone_number").unwrap()),
        "mail" => Device::Mail(text(of, "email").unwrap()),
        other => panic!("{other}"),
    };
    let users = export["users"].as_array().unwrap();
    let holding = |name: &'static str| {
        let user = users.iter().find(|user| user["username"].as_str() == Some(name)).unwrap();
        let devices = user.get("authenticators").and_then(|all| all.as_array());
        let admin =
            user.get("roles").is_some_and(|roles| roles.as_array().is_some_and(|all| !all.is_empty()));
        let device = devices.and_then(|all| all.first()).map(device);
        (name, Holding { password: text(user, "password_hash").unwrap(), device, admin })
    };
    PEOPLE.into_iter().map(holding).collect()
}
