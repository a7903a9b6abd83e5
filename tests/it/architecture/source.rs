//! The files of the crate, as words.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every file below `src`, with its text.
pub(super) fn sources() -> BTreeMap<PathBuf, String> {
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

/// The modules that are compiled into the product, by path, without their tests.
pub(super) fn modules() -> BTreeMap<Vec<String>, String> {
    let modules = sources().into_iter().filter_map(|(path, text)| {
        let module = module(&path).filter(|module| !is_test(module))?;
        Some((module, production(&text).to_owned()))
    });
    modules.collect()
}

/// The path of a file's module below the crate; none for the two roots, which see everything.
pub(super) fn module(path: &Path) -> Option<Vec<String>> {
    let below = path.strip_prefix(source()).unwrap().with_extension("");
    let names: Vec<_> = below.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    let names: Vec<_> = names.into_iter().filter(|name| name != "mod").collect();
    (names != ["lib"] && names != ["main"]).then_some(names)
}

/// Whether it is `tests.rs` or in a folder `tests`. Such a module is compiled for tests alone.
pub(super) fn is_test(module: &[String]) -> bool {
    module.iter().any(|name| name == "tests")
}

/// The text above the inline tests.
pub(super) fn production(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod ").map_or(text, |tests| &text[..tests])
}

/// Names, `::` and single signs, without comment lines.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut joins = false;
    for c in
        text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|l| l.chars().chain(['\n']))
    {
        let is_name = is_name(c);
        match words.last_mut() {
            Some(last) if joins && (is_name && last != ":" || c == ':' && last == ":") => last.push(c),
            _ if c.is_whitespace() => {}
            _ => words.push(c.into()),
        }
        joins = is_name || c == ':' && words.last().is_some_and(|last| last == ":");
    }
    words
}

pub(super) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}
