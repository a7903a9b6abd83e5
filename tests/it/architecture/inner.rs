//! The inner floors of the large rooms, as their `mod.rs` lists them:
//!
//! ```text
//! //! Inner floors, lowest first; a file imports only lower ones:
//! //!
//! //! 1. `core`: the database itself
//! //! 2. `tables`, `lists`: the statements
//! ```
//!
//! A module stands on one floor and imports modules of lower floors only. A folder stands there with everything in it.

use std::collections::BTreeMap;

use super::imports::Paths;
use super::source::modules;

/// Rooms that are too large to go without. Any other room may list its floors, and is then held to them.
const LARGE: &[&str] = &["storage"];

const HEADING: &str = "//! Inner floors, lowest first";

/// The floor of each module of a room; none if its `mod.rs` lists no floors.
fn floors(text: &str) -> Option<BTreeMap<String, usize>> {
    let list = text.lines().skip_while(|line| !line.starts_with(HEADING)).skip(1);
    let list: Vec<_> = list.skip_while(|line| *line == "//!").take_while(|line| is_listed(line)).collect();
    let mut floors = BTreeMap::new();
    let mut floor = 0;
    for line in list {
        floor += usize::from(!line.starts_with("//!  "));
        let names = line.split('`').skip(1).step_by(2);
        floors.extend(names.map(|name| (name.to_owned(), floor)));
    }
    (!floors.is_empty()).then_some(floors)
}

/// Whether the line begins an item of the list, or continues one.
fn is_listed(line: &str) -> bool {
    let Some(text) = line.strip_prefix("//! ") else { return false };
    let item = text.trim_start_matches(|c: char| c.is_ascii_digit());
    text.starts_with("  ") || item.len() < text.len() && item.starts_with(". ")
}

/// What is wrong with the imports inside of a room.
fn complaints(room: &str, modules: &BTreeMap<Vec<String>, String>) -> Vec<String> {
    let Some(floors) = modules.get(&vec![room.to_owned()]).and_then(|text| floors(text)) else {
        return if LARGE.contains(&room) {
            vec![format!("{room}/mod.rs lists no inner floors")]
        } else {
            Vec::new()
        };
    };
    let mut wrong = Vec::new();
    for (module, text) in modules.iter().filter(|(module, _)| module[0] == room && module.len() > 1) {
        let Some(own) = floors.get(&module[1]) else {
            wrong.push(format!("{} stands on no inner floor of {room}", module[1]));
            continue;
        };
        for path in Paths::read(text, module).at_root().filter(|path| path.len() > 1 && path[0] == room) {
            let is_lower = floors.get(&path[1]).is_none_or(|floor| floor < own);
            if path[1] != module[1] && !is_lower {
                wrong.push(format!("{}: {} may not import {}", module.join("::"), module[1], path[1]));
            }
        }
    }
    wrong
}

#[test]
fn large_rooms_keep_to_their_inner_floors() {
    let modules = modules();
    let rooms: std::collections::BTreeSet<_> = modules.keys().map(|module| module[0].clone()).collect();
    let wrong: Vec<_> = rooms.iter().flat_map(|room| complaints(room, &modules)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_import_of_the_same_or_a_higher_floor_is_found() {
    let room = "//! A room.\n//!\n//! Inner floors, lowest first; a file imports only lower ones:\n//!\n\
                //! 1. `low`, `base`: both\n//!    of them\n//! 2. `high`: uses `/low`\n\nmod low;\nuse self::high::x;";
    let found = |file: &str, text: &str| {
        let module = |name: &str| name.split("::").map(str::to_owned).collect();
        complaints("room", &[(module("room"), room.to_owned()), (module(file), text.to_owned())].into())
    };
    for (file, text) in [
        ("room::low", "use super::high::X;"),
        ("room::low", "use crate::room::{base::Y};"),
        ("room::low::inner", "fn f() { super::super::high::g() }"),
        ("room::other", ""),
    ] {
        assert_eq!(found(file, text).len(), 1, "{file} {text}");
    }
    for (file, text) in [
        ("room::high", "use super::low::X;\nuse crate::room::base::Y;"),
        ("room::high::inner", "use super::other::Z;"),
        ("room::low", "use super::Shared;\nuse crate::elsewhere::high::X;"),
    ] {
        assert_eq!(found(file, text), [""; 0], "{file} {text}");
    }
    let unlisted = [(vec!["storage".to_owned()], "//! The store.".to_owned())].into();
    assert_eq!(complaints("storage", &unlisted).len(), 1);
}
