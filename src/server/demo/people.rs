//! Who and what is in the demo, as an `apply` document.

use serde_json::{Value, json};

/// The `client_id` of the third-party application.
pub(super) const CLIENT_ID: &str = "shop";

/// A user to sign in as.
pub(super) struct DemoPerson {
    pub(super) tenant: &'static str,
    pub(super) username: &'static str,
    pub(super) password: &'static str,
    pub(super) roles: &'static [&'static str],
    pub(super) has_authenticator: bool,
    /// What can be seen with this person.
    pub(super) story: &'static str,
    given_name: &'static str,
    family_name: &'static str,
    locale: &'static str,
}

impl DemoPerson {
    /// For `--json`.
    pub(super) fn to_json(&self, totp_secret: Option<&str>) -> Value {
        json!({
            "tenant": self.tenant,
            "username": self.username,
            "password": self.password,
            "roles": self.roles,
            "totp_secret": totp_secret,
        })
    }
}

const WORKS: &str = "123456.sms";
const NORTH: &str = "north";
const SOUTH: &str = "south";

/// Everybody. The passwords are no secrets: the demo listens on this machine alone and holds nothing real.
pub(super) const PEOPLE: [DemoPerson; 5] = [
    DemoPerson {
        tenant: WORKS,
        username: "anna",
        password: "anna counts nine red apples",
        roles: &["admin"],
        has_authenticator: false,
        story: "administrator: has to enrol an authenticator application",
        given_name: "Anna",
        family_name: "Arndt",
        locale: "de",
    },
    DemoPerson {
        tenant: WORKS,
        username: "ben",
        password: "ben rows seven small boats",
        roles: &[],
        has_authenticator: false,
        story: "user: a password is enough",
        given_name: "Ben",
        family_name: "Berger",
        locale: "de",
    },
    DemoPerson {
        tenant: WORKS,
        username: "carla",
        password: "carla paints four tall doors",
        roles: &["admin"],
        has_authenticator: true,
        story: "administrator with an authenticator application",
        given_name: "Carla",
        family_name: "Conrad",
        locale: "en",
    },
    DemoPerson {
        tenant: NORTH,
        username: "dora",
        password: "dora reads two old letters",
        roles: &[],
        has_authenticator: false,
        story: "user of another tenant",
        given_name: "Dora",
        family_name: "Dubois",
        locale: "fr",
    },
    DemoPerson {
        tenant: SOUTH,
        username: "emil",
        password: "emil folds six green maps",
        roles: &[],
        has_authenticator: false,
        story: "user who gets codes by SMS or mail: the mailbox page shows them",
        given_name: "Emil",
        family_name: "Ebner",
        locale: "en",
    },
];

const LOGO: &str = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAzMiAzMiI+PHJlY3Qgd2lkdGg9IjMyIiBoZWlnaHQ9IjMyIiByeD0iNyIgZmlsbD0iIzBiNWZmZiIvPjxwYXRoIGZpbGw9IiNmZmYiIGQ9Ik03IDI0VjEybDYgNHYtNGw2IDR2LTRsNiA0djh6Ii8+PC9zdmc+";

/// The document for an application at this address.
pub(super) fn document(application: &str, client_secret: &str, totp_secret: &str) -> String {
    let users: Vec<Value> = PEOPLE.iter().map(|person| user(person, totp_secret)).collect();
    json!({
        "tenants": [
            { "domain": WORKS, "name": "Example Works", "locale": "de",
              "branding": { "accent": "#0b5fff", "logo": LOGO } },
            { "domain": NORTH, "name": "North Systems", "locale": "en" },
            { "domain": SOUTH, "name": "South Trading", "locale": "en",
              "policy": { "mfa": "required", "methods": ["sms", "mail"], "ask_desktop_name": true } },
        ],
        "users": users,
        "clients": [{
            "client_id": CLIENT_ID,
            "client_secret": client_secret,
            "client_name": "Shop",
            "client_uri": application,
            "redirect_uris": [format!("{application}/callback")],
            "require_pkce": true,
            "post_logout_redirect_uris": [format!("{application}/signed-out")],
        }],
    })
    .to_string()
}

fn user(person: &DemoPerson, totp_secret: &str) -> Value {
    let authenticator = json!({ "kind": "totp", "secret": totp_secret });
    let authenticators: Vec<Value> = person.has_authenticator.then_some(authenticator).into_iter().collect();
    json!({
        "tenant": person.tenant,
        "username": person.username,
        "password": person.password,
        "roles": person.roles,
        "name": format!("{} {}", person.given_name, person.family_name),
        "given_name": person.given_name,
        "family_name": person.family_name,
        "email": format!("{}@example.test", person.username),
        "email_verified": true,
        "locale": person.locale,
        "authenticators": authenticators,
    })
}
