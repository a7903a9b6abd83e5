//! The rules of the source that no lint knows: imports point down, files form no circles, files stay short, every module
//! says what it is for, a type name is used once.

mod circles;
mod floors;
mod imports;
mod inner;
mod names;
mod source;

use source::{is_test, module, production, sources};

const LONGEST_FILE: usize = 400;

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

/// The clients of a session are told of its end where its row is deleted, so that is one file alone.
#[test]
fn sessions_are_deleted_in_one_place() {
    let deletes = |text: &str| production(text).contains("DELETE FROM sessions");
    let places: Vec<_> =
        sources().into_iter().filter(|(_, text)| deletes(text)).map(|(path, _)| path).collect();
    assert!(
        matches!(places.as_slice(), [one] if one.ends_with("storage/tables/ended_sessions.rs")),
        "{places:?}"
    );
}
