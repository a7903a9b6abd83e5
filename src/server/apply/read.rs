//! Reading a document: TOML or JSON into lists of things whose members were checked one by one, or all mistakes with
//! their places.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::logos::{self, Unread};
use crate::management::members::Schema;
use crate::management::{
    Members, Mistake, apis, clients, groups, own_scopes, resellers, tenants, upstreams, users,
};

/// The lists of a document, in the order in which they depend on each other and in which an export writes them.
pub(super) const DOCUMENT: [(&str, &Schema); 8] = [
    ("resellers", &resellers::SCHEMA),
    ("tenants", &tenants::SCHEMA),
    ("upstreams", &upstreams::SCHEMA),
    ("groups", &groups::SCHEMA),
    ("users", &users::SCHEMA),
    ("scopes", &own_scopes::SCHEMA),
    ("apis", &apis::SCHEMA),
    ("clients", &clients::SCHEMA),
];

/// The order in which missing keys are told.
const KEYS: [&str; 8] = ["resellers", "upstreams", "tenants", "groups", "users", "scopes", "apis", "clients"];

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// TOML
    Toml,
    /// JSON
    Json,
}

impl Syntax {
    /// The syntax of a file, by its extension.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn parse(self, text: &str) -> Result<Value, String> {
        // Some editors begin a file with a byte order mark (RFC 8259 §8.1).
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match self {
            Self::Toml => text
                .parse::<toml::Table>()
                .map(|table| plain(toml::Value::Table(table)))
                .map_err(|error| error.to_string().trim_end().to_owned()),
            Self::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
        }
    }
}

/// TOML as JSON; times become texts (RFC 3339).
fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(flag) => json!(flag),
        toml::Value::Datetime(time) => json!(time.to_string()),
        toml::Value::Array(list) => list.into_iter().map(plain).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(name, value)| (name, plain(value))).collect(),
    }
}

/// One table of the document.
#[derive(Debug)]
pub(super) struct DocumentEntry {
    /// Its place, for example `users[2]`.
    pub(super) place: String,
    pub(super) members: Members,
}

impl DocumentEntry {
    /// Returns a mistake's text, with its place in the document.
    pub(super) fn told(&self, mistake: &Mistake) -> String {
        told(&self.place, mistake)
    }
}

/// A document whose members were checked one by one.
#[derive(Debug, Default)]
pub(super) struct SetupDocument(BTreeMap<&'static str, Vec<DocumentEntry>>);

impl SetupDocument {
    /// Returns the entries of a list.
    pub(super) fn list(&self, name: &str) -> &[DocumentEntry] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Reads a document as far as it is right, and returns what is wrong; files that it names are in `folder`.
pub(super) fn read(text: &str, syntax: Syntax, folder: Option<&Path>) -> (SetupDocument, Vec<String>) {
    let value = match syntax.parse(text) {
        Ok(Value::Object(value)) => value,
        Ok(_) => return (SetupDocument::default(), vec![": must be a table".to_owned()]),
        Err(problem) => return (SetupDocument::default(), vec![problem]),
    };
    let (mut document, mut mistakes, mut missing) = (SetupDocument::default(), Vec::new(), BTreeMap::new());
    for (name, mut value) in value.into_iter().filter(|(_, value)| !value.is_null()) {
        let Some((name, schema)) = DOCUMENT.into_iter().find(|(known, _)| *known == name) else {
            let known = DOCUMENT.map(|(name, _)| name).join(", ");
            mistakes.push(format!("{name}: is unknown; known here: {known}"));
            continue;
        };
        let Some(list) = value.as_array_mut() else {
            mistakes.push(format!("{name}: must be a list"));
            continue;
        };
        let mut entries = Vec::new();
        for (i, value) in list.iter_mut().enumerate() {
            let place = format!("{name}[{i}]");
            let unread = if name == "tenants" { logos::resolve(value, folder) } else { Unread::default() };
            let mut entry = DocumentEntry { members: Members::read(schema, value), place };
            let (of_members, of_keys) = entry.members.take_mistakes();
            mistakes.extend(of_members.into_iter().map(|mistake| entry.told(&unread.explain(mistake))));
            let keys = of_keys.iter().map(|mistake| entry.told(mistake));
            missing.entry(name).or_insert_with(Vec::new).extend(keys);
            entries.push(entry);
        }
        document.0.insert(name, entries);
    }
    mistakes.extend(KEYS.into_iter().filter_map(|name| missing.remove(name)).flatten());
    (document, mistakes)
}

/// Returns a mistake's text, with the place of its thing in the document.
pub(super) fn told(place: &str, mistake: &Mistake) -> String {
    match mistake.member.as_str() {
        "" => format!("{place}: {}", mistake.problem),
        member => format!("{place}.{member}: {}", mistake.problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes_in(text: &str) -> Vec<String> {
        read(text, Syntax::Toml, None).1
    }

    #[test]
    fn names_every_mistake_with_its_place() {
        let found = mistakes_in(
            r#"
            portals = []
            [[tenants]]
            domain = "a b"
            policy = { mfa = "never", session_idle = 5, surprise = true }
            [[users]]
            tenant = "a"
            username = "anna"
            [[users]]
            tenant = "a"
            email = "anna"
            roles = ["admin", "king"]
            [[clients]]
            client_id = "shop"
            redirect_uris = ["https://shop.test/", "https://shop.test/#x"]
            "#,
        );
        let expected = [
            "portals: is unknown; known here: resellers, tenants, upstreams, groups, users, scopes, apis, clients",
            "tenants[0].domain: is not a tenant domain",
            "tenants[0].policy.mfa: must be one of: optional, required",
            "tenants[0].policy.session_idle: must be a duration",
            "tenants[0].policy.surprise: is unknown",
            "users[1].email: must be an email address",
            "users[1].roles[1]: must be one of: admin",
            "users[1].username: is missing",
            "clients[0].redirect_uris[1]: must have no fragment",
        ];
        for part in expected {
            assert!(found.iter().any(|mistake| mistake.starts_with(part)), "{part} is not in {found:#?}");
        }
        assert_eq!(found.len(), expected.len(), "{found:#?}");
    }

    #[test]
    fn toml_and_json_say_the_same() {
        let toml = "[[users]]\ntenant = \"a\"\nusername = \"anna\"\naddress = { country = \"Germany\" }";
        let json = r#"{"users": [{"tenant": "a", "username": "anna", "address": {"country": "Germany"}}]}"#;
        let members = |text, syntax| read(text, syntax, None).0.list("users")[0].members.values().clone();
        assert_eq!(members(toml, Syntax::Toml), members(json, Syntax::Json));
    }

    /// RFC 7591 §2.2, and what other providers write of their clients.
    #[test]
    fn registrations_of_other_providers_are_read() {
        let text = "\u{feff}{\"clients\": [{\"client_id\": \"shop\", \"client_name#ja\": \"店\", \"logo_uri\": null,
            \"tos_uri#de-AT\": \"https://shop.test/agb\", \"request_uris\": null, \"contacts\": [\"ops@shop.test\"],
            \"jwks\": {\"keys\": [{\"kty\": \"EC\", \"x5u\": null}]}}], \"users\": null}";
        let (document, mistakes) = read(text, Syntax::Json, None);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let expected = json!({
            "client_id": "shop", "client_name#ja": "店", "tos_uri#de-AT": "https://shop.test/agb",
            "contacts": ["ops@shop.test"], "jwks": { "keys": [{ "kty": "EC" }] },
        });
        assert_eq!(json!(document.list("clients")[0].members.values()), expected);
        assert!(mistakes_in("\u{feff}[[clients]]\nclient_id = \"shop\"").is_empty());
    }

    #[test]
    fn only_what_people_read_has_languages() {
        let found = mistakes_in(
            r#"
            [[clients]]
            client_id = "shop"
            "client_name#" = "Shop"
            "client_name#de_AT" = "Trafik"
            "client_name#de#at" = "Trafik"
            "scope#de" = "openid"
            "logo_uri#de" = "logo.png"
            contacts = ["ops@shop.test", ""]
            "#,
        );
        for start in [
            "clients[0].client_name#: what follows # must be a language tag",
            "clients[0].client_name#de_AT: what follows # must be a language tag",
            "clients[0].client_name#de#at: what follows # must be a language tag",
            "clients[0].scope#de: is unknown",
            "clients[0].logo_uri#de: must be a web address",
            "clients[0].contacts[1]: must not be empty",
        ] {
            assert!(found.iter().any(|mistake| mistake.starts_with(start)), "{start} is not in {found:#?}");
        }
        assert_eq!(found.len(), 6, "{found:#?}");
    }

    #[test]
    fn broken_text_names_its_line() {
        assert!(mistakes_in("[[users]]\nx = ").join("").contains("line 2"));
    }
}
