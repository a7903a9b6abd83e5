//! The house's rules that no lint knows: imports point down, files stay short, every module says what it is for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rooms by floor, lowest first. A room imports lower floors only, never its own floor's other rooms.
const FLOORS: [&[&str]; 15] = [
    &["domain"],
    &["ext", "outbound"],
    &["crypto", "storage", "notify", "i18n", "oidc_client"],
    &["audit", "views"],
    &["account", "upstream"],
    &["management"],
    &["provider"],
    &["http"],
    &["protocol"],
    &["interaction"],
    &["api"],
    &["rp"],
    &["portal", "admin"],
    &["server"],
    &["testing"],
];

/// Portals and administration are relying parties of the provider: they have no other way in.
const RELYING_PARTIES: [&str; 2] = ["portal", "admin"];
const CLOSED_TO_RELYING_PARTIES: [&str; 5] = ["storage", "account", "protocol", "interaction", "api"];

const LONGEST_FILE: usize = 400;

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(module) = module(&path) else { continue };
        let room = module.first().unwrap().as_str();
        if floor(room).is_none() {
            wrong.push(format!("{}: {room} stands on no floor", path.display()));
        }
        for target in imports(&text, module.len()) {
            let test_kit = target == "testing" && is_test(&module);
            if target != room && !test_kit && !may_import(room, &target) {
                wrong.push(format!("{}: {room} may not import {target}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_stay_short_and_say_what_they_are_for() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if module(&path).is_some_and(|module| is_test(&module)) {
            continue;
        }
        let lines = production(&text).lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!("{}: {lines} lines, at most {LONGEST_FILE}", path.display()));
        }
        if !text.starts_with("//! ") {
            wrong.push(format!("{}: does not begin with a purpose line (//!)", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_check_sees_every_form_of_import() {
    let text = "// crate::comment\nuse crate::storage::Db;\nuse crate::{\n    ext::{clock::Clock, Mailer},\n    http,\n};\n\
                fn f() { crate::views::render(&super::super::account::x, super::sibling) }\n$crate::crypto::y";
    let seen: Vec<_> = imports(text, 2);
    assert_eq!(seen, ["storage", "ext", "http", "views", "account", "crypto"]);
    assert!(may_import("http", "provider") && may_import("server", "portal") && may_import("portal", "http"));
    assert!(!may_import("storage", "http") && !may_import("storage", "crypto"));
    assert!(!may_import("portal", "storage") && !may_import("http", "Idp"));
    assert_eq!(
        production("a\n#[cfg(test)]\nuse b;\n#[cfg(test)]\nmod tests {\n}\n"),
        "a\n#[cfg(test)]\nuse b;\n"
    );
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// A name that is no room is a re-export of `lib.rs`, which is the public face and no way round the floors.
fn may_import(room: &str, target: &str) -> bool {
    floor(target) < floor(room)
        && floor(target).is_some()
        && !(RELYING_PARTIES.contains(&room) && CLOSED_TO_RELYING_PARTIES.contains(&target))
}

/// The first segments of all paths that start at the crate's root, in `use` lists and elsewhere; `depth` is the
/// module's own, for paths that climb there by `super`.
fn imports(text: &str, depth: usize) -> Vec<String> {
    let words = words(text);
    let mut found = Vec::new();
    for at in 0..words.len() {
        let climbs = words[at..].chunks(2).take_while(|pair| *pair == ["super", "::"]).count();
        if words[at..].starts_with(&["crate".into(), "::".into()]) {
            found.extend(first_segments(&words[at + 2..]));
        } else if climbs >= depth && (at < 2 || words[at - 2] != "super") {
            // One more level up are the inline tests, where the same path stays in the room: only rooms count.
            let names = first_segments(&words[at + 2 * climbs..]);
            found.extend(names.into_iter().filter(|name| floor(name).is_some()));
        }
    }
    found
}

/// `a::b` gives a; `{a::b, c, d::{e, f}}` gives a, c, d.
fn first_segments(path: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    let mut nested = 0;
    for (at, word) in path.iter().enumerate() {
        match word.as_str() {
            "{" => nested += 1,
            "}" => nested -= 1,
            "," | "::" => {}
            name if nested == 0 => names.push(name.to_owned()),
            name if nested == 1 && path[at - 1] != "::" => names.push(name.to_owned()),
            _ => {}
        }
        if nested == 0 {
            break;
        }
    }
    names
}

/// Names, `::` and single signs, without comment lines.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut joins = false;
    for c in
        text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|l| l.chars().chain(['\n']))
    {
        let is_name = c.is_alphanumeric() || c == '_';
        match words.last_mut() {
            Some(last) if joins && (is_name && last != ":" || c == ':' && last == ":") => last.push(c),
            _ if c.is_whitespace() => {}
            _ => words.push(c.into()),
        }
        joins = is_name || c == ':' && words.last().is_some_and(|last| last == ":");
    }
    words
}

/// What is compiled into the product: everything above the tests.
fn production(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod ").map_or(text, |tests| &text[..tests])
}

/// Is it `tests.rs`, or a file in a folder `tests`? Such a module is compiled for tests alone.
fn is_test(module: &[String]) -> bool {
    module.iter().any(|name| name == "tests")
}

/// The path of a file's module below the crate; none for the two roots, which see everything.
fn module(path: &Path) -> Option<Vec<String>> {
    let below = path.strip_prefix(source()).unwrap().with_extension("");
    let names: Vec<_> = below.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    let names: Vec<_> = names.into_iter().filter(|name| name != "mod").collect();
    (names != ["lib"] && names != ["main"]).then_some(names)
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> BTreeMap<PathBuf, String> {
    let mut folders = vec![source()];
    let mut files = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&entry).unwrap();
                files.insert(entry, text);
            }
        }
    }
    files
}
