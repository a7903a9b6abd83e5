//! Reading a document: TOML or JSON text into tables whose every member was checked, or all mistakes with their places.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::format::{DOCUMENT, Kind, Member};
use super::value::{self, Checked};

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// TOML
    Toml,
    /// JSON
    Json,
}

impl Syntax {
    /// By the file's extension.
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

/// TOML as JSON; its times become the texts that RFC 3339 writes.
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

/// Mistakes, each with its place: `users[2].email: must be an email address`.
#[derive(Debug, Default)]
pub(super) struct Mistakes(pub(super) Vec<String>);

impl Mistakes {
    pub(super) fn at(&mut self, place: &str, problem: impl std::fmt::Display) {
        self.0.push(format!("{place}: {problem}"));
    }

    /// Takes the value, or notes the mistake and goes on.
    pub(super) fn keep<T>(&mut self, place: &str, result: Result<T, impl std::fmt::Display>) -> Option<T> {
        result.map_err(|problem| self.at(place, problem)).ok()
    }

    /// The members of a table in which there are mistakes.
    fn members_below(&self, table: &str) -> BTreeSet<String> {
        let inside = self.0.iter().filter_map(|told| told.strip_prefix(table)?.strip_prefix('.'));
        inside.filter_map(|told| told.split([':', '.', '[']).next()).map(str::to_owned).collect()
    }
}

/// One table of the document.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its place, for example `users[2]`.
    pub(super) place: String,
    /// Is the thing to be removed?
    pub(super) absent: bool,
    /// Its members in stored form; `null` = take away.
    pub(super) members: Map<String, Value>,
    /// The members that were refused, and so are missing here.
    refused: BTreeSet<String>,
}

impl Entry {
    /// A member's text; empty if it is not named.
    pub(super) fn text(&self, name: &str) -> &str {
        self.members.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn names(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Was any of these members refused? Then what depends on it is unknown.
    pub(super) fn refuses(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.refused.contains(*name))
    }

    pub(super) fn place_of(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    /// A list of tables below this one.
    pub(super) fn tables(&self, name: &str) -> Vec<Self> {
        entries(&self.members, name, &self.place_of(name))
    }
}

/// A document whose members were checked one by one.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) resellers: Vec<Entry>,
    pub(super) tenants: Vec<Entry>,
    pub(super) upstreams: Vec<Entry>,
    pub(super) groups: Vec<Entry>,
    pub(super) users: Vec<Entry>,
    pub(super) scopes: Vec<Entry>,
    pub(super) apis: Vec<Entry>,
    pub(super) clients: Vec<Entry>,
}

/// Reads a document, as far as it is right, and tells what is wrong; files that it names stand in `folder`.
pub(super) fn read(text: &str, syntax: Syntax, folder: Option<&Path>) -> (Document, Mistakes) {
    let mut mistakes = Mistakes::default();
    let value = match syntax.parse(text) {
        Ok(value) => value,
        Err(problem) => return (Document::default(), Mistakes(vec![problem])),
    };
    let members = Reader { folder, mistakes: &mut mistakes }.table(DOCUMENT, &value, "");
    let list = |name| entries(&members, name, name);
    let mut document = Document {
        resellers: list("resellers"),
        tenants: list("tenants"),
        upstreams: list("upstreams"),
        groups: list("groups"),
        users: list("users"),
        scopes: list("scopes"),
        apis: list("apis"),
        clients: list("clients"),
    };
    let keys: [(&[Entry], &[&str]); 8] = [
        (&document.resellers, &["name"]),
        (&document.upstreams, &["name"]),
        (&document.tenants, &["domain"]),
        (&document.groups, &["tenant", "name"]),
        (&document.users, &["tenant", "username"]),
        (&document.scopes, &["name"]),
        (&document.apis, &["audience"]),
        (&document.clients, &["client_id"]),
    ];
    for (entries, names) in keys {
        for entry in entries {
            for name in names.iter().filter(|name| !entry.names(name)) {
                // A value that was refused is named already.
                let place = entry.place_of(name);
                if !mistakes.0.iter().any(|mistake| mistake.starts_with(&format!("{place}:"))) {
                    mistakes.at(&place, "is missing");
                }
            }
        }
    }
    for client in &mut document.clients {
        client.refused = mistakes.members_below(&client.place);
    }
    (document, mistakes)
}

fn entries(members: &Map<String, Value>, name: &str, place: &str) -> Vec<Entry> {
    let tables = members.get(name).and_then(Value::as_array).into_iter().flatten();
    let entry = |(i, table): (usize, &Value)| {
        let mut members = table.as_object().cloned().unwrap_or_default();
        let absent = members.remove("state").is_some_and(|state| state == "absent");
        Entry { place: format!("{place}[{i}]"), absent, members, refused: BTreeSet::new() }
    };
    tables.enumerate().map(entry).collect()
}

struct Reader<'a> {
    folder: Option<&'a Path>,
    mistakes: &'a mut Mistakes,
}

impl Reader<'_> {
    fn table(&mut self, format: &[Member], value: &Value, place: &str) -> Map<String, Value> {
        let Some(table) = value.as_object() else {
            self.mistakes.at(place, "must be a table");
            return Map::new();
        };
        let mut read = Map::new();
        // What is null counts as left out, as in the registrations of other providers (RFC 7592 §2.2).
        for (name, value) in table.iter().filter(|(_, value)| !value.is_null()) {
            let inside = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            let found = format.iter().find_map(|member| Some((member, member.tag(name)?)));
            if let Some((member, tag)) = found {
                if name.ends_with('#') || value::language_tag(&json!(tag)).is_err() {
                    self.mistakes
                        .at(&inside, "what follows # must be a language tag, for example de or de-AT");
                    continue;
                }
                let value = self.value(&member.kind, value, &inside);
                read.extend(value.map(|value| (name.clone(), value)));
            } else {
                let known: Vec<_> = format.iter().map(|member| member.name).collect();
                self.mistakes.at(&inside, format!("is unknown; known here: {}", known.join(", ")));
            }
        }
        read
    }

    fn value(&mut self, kind: &Kind, value: &Value, place: &str) -> Option<Value> {
        match kind {
            Kind::One(check) => self.mistakes.keep(place, check(value)),
            Kind::Word(words) => self.mistakes.keep(place, word(words, value)),
            Kind::Span => self.mistakes.keep(place, value::span(value)),
            Kind::Moment => self.mistakes.keep(place, value::moment(value)),
            Kind::Logo => {
                let logo = self.logo(value);
                self.mistakes.keep(place, logo)
            }
            Kind::Table(format) => Some(Value::Object(self.table(format, value, place))),
            Kind::Each(check) => self.list(value, place, |_, value, _| check(value)),
            Kind::Words(words) => self.list(value, place, |_, value, _| word(words, value)),
            Kind::Tables(format) => self.list(value, place, |reader, value, place| {
                Ok(Value::Object(reader.table(format, value, place)))
            }),
        }
    }

    fn list(
        &mut self,
        value: &Value,
        place: &str,
        mut read: impl FnMut(&mut Self, &Value, &str) -> Checked,
    ) -> Option<Value> {
        let Some(list) = value.as_array() else {
            self.mistakes.at(place, "must be a list");
            return None;
        };
        let mut values = Vec::new();
        for (i, value) in list.iter().enumerate() {
            let place = format!("{place}[{i}]");
            let result = read(self, value, &place);
            values.extend(self.mistakes.keep(&place, result));
        }
        Some(Value::Array(values))
    }

    fn logo(&self, value: &Value) -> Checked {
        let name = value.as_str().ok_or("must be the name of an image file")?;
        if name.is_empty() {
            return Ok(Value::Null);
        }
        if let Some(inline) = name.strip_prefix("data:") {
            return value::inline_logo(inline);
        }
        let folder = self.folder.ok_or("must be a data: URL, since this document is no file")?;
        let media_type = match Path::new(name).extension().and_then(std::ffi::OsStr::to_str) {
            Some("png") => "image/png",
            Some("svg") => "image/svg+xml",
            _ => "",
        };
        let path = folder.join(name);
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        value::logo(media_type, &bytes)
    }
}

fn word(words: &[&str], value: &Value) -> Checked {
    value.as_str().filter(|text| words.contains(text)).map(Value::from).ok_or_else(|| value::one_of(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes_in(text: &str) -> Vec<String> {
        read(text, Syntax::Toml, None).1.0
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
        let members = |text, syntax| read(text, syntax, None).0.users.remove(0).members;
        assert_eq!(members(toml, Syntax::Toml), members(json, Syntax::Json));
    }

    /// RFC 7591 §2.2, and what other providers write of their clients.
    #[test]
    fn registrations_of_other_providers_are_read() {
        let text = "\u{feff}{\"clients\": [{\"client_id\": \"shop\", \"client_name#ja\": \"店\", \"logo_uri\": null,
            \"tos_uri#de-AT\": \"https://shop.test/agb\", \"request_uris\": null, \"contacts\": [\"ops@shop.test\"],
            \"jwks\": {\"keys\": [{\"kty\": \"EC\", \"x5u\": null}]}}], \"users\": null}";
        let (mut document, mistakes) = read(text, Syntax::Json, None);
        assert!(mistakes.0.is_empty(), "{mistakes:?}");
        let expected = json!({
            "client_id": "shop", "client_name#ja": "店", "tos_uri#de-AT": "https://shop.test/agb",
            "contacts": ["ops@shop.test"], "jwks": { "keys": [{ "kty": "EC" }] },
        });
        assert_eq!(Value::Object(document.clients.remove(0).members), expected);
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
