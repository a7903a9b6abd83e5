//! The members of a thing: which there are, what each may hold, and reading them from JSON.
//!
//! Each module of a kind of thing has its [`Schema`]. Reading and showing both follow it, so they cannot drift apart; the
//! order of its members is the order in which they are shown.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::mistakes::{Mistake, Mistakes};
use super::values::{self, CheckedValue};

/// The members of one kind of thing.
#[derive(Debug)]
pub(crate) struct Schema {
    /// The members, in the order in which they are shown.
    pub(crate) members: &'static [Member],
    /// The members that name the thing and are never left out.
    pub(crate) keys: &'static [&'static str],
}

/// One member of a table.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) kind: MemberKind,
    /// Whether it may be repeated for each language, as `name#tag` (RFC 7591 §2.2).
    localized: bool,
}

impl Member {
    /// Returns the language tag of a member's written name: empty for the name without one, `None` for another member.
    pub(crate) fn tag<'a>(&self, written: &'a str) -> Option<&'a str> {
        match written.strip_prefix(self.name)? {
            "" => Some(""),
            rest => rest.strip_prefix('#').filter(|_| self.localized),
        }
    }
}

/// What a member holds.
#[derive(Debug)]
pub(crate) enum MemberKind {
    /// One value.
    One(fn(&Value) -> CheckedValue),
    /// A list of values.
    Each(fn(&Value) -> CheckedValue),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of some of these words.
    Words(&'static [&'static str]),
    /// A duration; stored as seconds.
    Span,
    /// A time; stored as seconds since 1970.
    Moment,
    /// An image, as a `data:` URL.
    Logo,
    /// A table.
    Table(&'static [Member]),
    /// A list of tables.
    Tables(&'static [Member]),
}

/// Shortens the schemas.
pub(super) const fn member(name: &'static str, kind: MemberKind) -> Member {
    Member { name, kind, localized: false }
}

/// Shortens the schemas, for members that people read in their language.
pub(super) const fn localized(name: &'static str, kind: MemberKind) -> Member {
    Member { name, kind, localized: true }
}

/// `state = "absent"` removes the thing.
pub(super) const STATE: Member = member("state", MemberKind::Word(&["present", "absent"]));
pub(super) const DISABLED: Member = member("disabled", MemberKind::One(values::flag));

/// The members of one thing, each checked by itself and brought into the form that is stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    /// The path of a table inside a thing, for example `authenticators[0]`; empty for the thing itself.
    path: String,
    absent: bool,
    /// `null` removes a member.
    values: Map<String, Value>,
    refused: BTreeSet<String>,
    mistakes: Vec<Mistake>,
    missing: Vec<Mistake>,
}

impl Members {
    /// Reads members. Mistakes do not end the reading: [`Members`] holds them, and validation returns them.
    pub(crate) fn read(schema: &Schema, value: &Value) -> Self {
        let mut mistakes = Mistakes::default();
        let values = table(schema.members, value, "", &mut mistakes);
        let first_segment = |mistake: &Mistake| {
            let name = mistake.member.split(['.', '[']).next().filter(|name| !name.is_empty())?;
            Some(name.to_owned())
        };
        let mut refused: BTreeSet<String> = mistakes.0.iter().filter_map(first_segment).collect();
        let is_refused = |name: &str| mistakes.0.iter().any(|mistake| mistake.member == name);
        let is_missing = |name: &&str| !values.contains_key(*name) && !is_refused(name);
        let keys = schema.keys.iter().copied().filter(is_missing);
        let missing: Vec<_> =
            keys.map(|name| Mistake { member: name.to_owned(), problem: "is missing".to_owned() }).collect();
        refused.extend(missing.iter().map(|mistake| mistake.member.clone()));
        Self { refused, mistakes: mistakes.0, missing, ..Self::of(String::new(), values) }
    }

    fn of(path: String, mut values: Map<String, Value>) -> Self {
        let absent = values.remove("state").is_some_and(|state| state == "absent");
        Self { path, absent, values, ..Self::default() }
    }

    /// Takes out the mistakes of reading: those of single members, and the keys that are missing. Validation then goes
    /// as far as it can without what was refused, and returns further mistakes alone.
    pub(crate) fn take_mistakes(&mut self) -> (Vec<Mistake>, Vec<Mistake>) {
        (std::mem::take(&mut self.mistakes), std::mem::take(&mut self.missing))
    }

    pub(super) fn mistakes(&self) -> Mistakes {
        Mistakes(self.mistakes.iter().chain(&self.missing).cloned().collect())
    }

    /// Returns whether the thing is to be removed.
    pub(crate) const fn absent(&self) -> bool {
        self.absent
    }

    /// Returns the members by name, in the form that is stored.
    pub(crate) const fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Returns a member's text; empty if it is not named.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    /// Returns the texts of a list; `None` if it is not named.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&str>> {
        let list = self.get(name).and_then(Value::as_array)?;
        Some(list.iter().filter_map(Value::as_str).collect())
    }

    pub(super) fn names(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Returns whether any of these members was refused, so that what depends on it is unknown.
    pub(super) fn refuses(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.refused.contains(*name))
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns a member's path inside the thing.
    pub(super) fn path_of(&self, name: &str) -> String {
        below(&self.path, name)
    }

    /// Returns a list of tables below this one.
    pub(super) fn tables(&self, name: &str) -> Vec<Self> {
        let tables = self.get(name).and_then(Value::as_array).into_iter().flatten();
        let table = |(i, table): (usize, &Value)| {
            let values = table.as_object().cloned().unwrap_or_default();
            Self::of(format!("{}[{i}]", self.path_of(name)), values)
        };
        tables.enumerate().map(table).collect()
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn table(known: &[Member], value: &Value, path: &str, mistakes: &mut Mistakes) -> Map<String, Value> {
    let Some(table) = value.as_object() else {
        mistakes.at(path, "must be a table");
        return Map::new();
    };
    let mut read = Map::new();
    // What is null counts as left out, as in the registrations of other providers (RFC 7592 §2.2).
    for (name, value) in table.iter().filter(|(_, value)| !value.is_null()) {
        let path = below(path, name);
        let found = known.iter().find_map(|member| Some((member, member.tag(name)?)));
        if let Some((member, tag)) = found {
            if name.ends_with('#') || values::language_tag(&json!(tag)).is_err() {
                mistakes.at(&path, "what follows # must be a language tag, for example de or de-AT");
                continue;
            }
            let value = member_value(&member.kind, value, &path, mistakes);
            read.extend(value.map(|value| (name.clone(), value)));
        } else {
            let names: Vec<_> = known.iter().map(|member| member.name).collect();
            mistakes.at(&path, format!("is unknown; known here: {}", names.join(", ")));
        }
    }
    read
}

fn member_value(kind: &MemberKind, value: &Value, path: &str, mistakes: &mut Mistakes) -> Option<Value> {
    let mut each = |read: &mut dyn FnMut(&Value, &str, &mut Mistakes) -> CheckedValue| {
        let Some(list) = value.as_array() else {
            mistakes.at(path, "must be a list");
            return None;
        };
        let mut values = Vec::new();
        for (i, value) in list.iter().enumerate() {
            let path = format!("{path}[{i}]");
            let result = read(value, &path, mistakes);
            values.extend(mistakes.keep(&path, result));
        }
        Some(Value::Array(values))
    };
    let checked = match kind {
        MemberKind::Each(check) => return each(&mut |value, _, _| check(value)),
        MemberKind::Words(words) => return each(&mut |value, _, _| values::word(words, value)),
        MemberKind::Tables(known) => {
            return each(&mut |value, path, mistakes| Ok(Value::Object(table(known, value, path, mistakes))));
        }
        MemberKind::Table(known) => return Some(Value::Object(table(known, value, path, mistakes))),
        MemberKind::One(check) => check(value),
        MemberKind::Word(words) => values::word(words, value),
        MemberKind::Span => values::span(value),
        MemberKind::Moment => values::moment(value),
        MemberKind::Logo => values::logo_url(value),
    };
    mistakes.keep(path, checked)
}
