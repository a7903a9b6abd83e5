//! One name, one type: a reader who knows a name knows what it is, in whichever room it is met.

use std::collections::BTreeMap;

use super::source::{is_name, modules};

/// Each module may have its own: private rows of a table, an error and its result.
const OWN: [&str; 3] = ["Row", "Error", "Result"];

/// One type under the same name in two builds, and the relying parties' session, which is always written `rp::Session`.
const DELIBERATE: [&str; 3] = ["Collector", "Exporter", "Session"];

/// Names that are still used for more than one type. The list may only shrink.
const LEFT: &[&str] = &[];

#[test]
fn a_type_name_is_used_once() {
    let repeated = repeated(modules().iter().map(|(module, text)| (module.join("::"), text.as_str())));
    let is_left = |name: &str| LEFT.contains(&name) || DELIBERATE.contains(&name);
    let wrong: Vec<_> = repeated.iter().filter(|(name, _)| !is_left(name)).collect();
    assert!(wrong.is_empty(), "names of more than one type: {wrong:#?}");
}

/// The names that are declared more than once, with the modules that do.
fn repeated<'t>(modules: impl Iterator<Item = (String, &'t str)>) -> BTreeMap<String, Vec<String>> {
    let mut declared: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (module, text) in modules {
        for name in text.lines().filter_map(declaration).filter(|name| !OWN.contains(name)) {
            declared.entry(name.to_owned()).or_default().push(module.clone());
        }
    }
    declared.retain(|_, modules| modules.len() > 1);
    declared
}

/// The name of the type that a line declares. An associated type, which is indented, is none.
fn declaration(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    let is_indented = rest.len() < line.len();
    if let Some(public) = rest.strip_prefix("pub") {
        rest = match public.strip_prefix('(') {
            Some(scope) => scope.split_once(')')?.1.trim_start(),
            None => public.trim_start(),
        };
    }
    let (word, rest) = rest.split_once(' ')?;
    let declares = matches!(word, "struct" | "enum" | "trait" | "union") || word == "type" && !is_indented;
    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let is_type = rest.starts_with(|c: char| c.is_ascii_uppercase());
    (declares && is_type).then(|| &rest[..end])
}

#[test]
fn every_declaration_is_seen_and_nothing_else() {
    let one = "pub(crate) struct A<'a> {\n}\nenum B {}\npub trait C: D {}\npub(in crate::x) type E = u8;\n\
               fn f() {\n    struct F(u8);\n}\nimpl Iterator for A {\n    type Item = u8;\n}\nstruct Row;\n\
               // struct G;\nconst TEXT: &str = \"struct h\";";
    let other = "struct A;\nenum Row {}\ntype Item = u8;\npub struct F;\nstruct E;\nenum Error {}\n";
    let modules = [("one".to_owned(), one), ("other".to_owned(), other)];
    let found = repeated(modules.into_iter());
    assert_eq!(found.keys().collect::<Vec<_>>(), ["A", "E", "F"]);
    assert_eq!(found["A"], ["one", "other"]);
}
