//! The paths that a module names, in `use` lists and elsewhere, as absolute paths below the crate.

use super::source::{is_name, words};

/// A name that a `use` brings into a module; `*` for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) name: String,
    pub(super) path: Vec<String>,
    /// Whether it is a re-export (`pub use` of any kind).
    pub(super) is_public: bool,
}

/// The paths of one module.
#[derive(Debug, Default)]
pub(super) struct Paths {
    pub(super) imports: Vec<Import>,
    /// Paths outside of `use`, as they are written: the first name may be an import or a child module.
    pub(super) inline: Vec<Vec<String>>,
    /// Single names outside of `use`.
    pub(super) names: Vec<String>,
}

impl Paths {
    pub(super) fn read(text: &str, module: &[String]) -> Self {
        let words = words(text);
        let mut paths = Self::default();
        let mut at = 0;
        while at < words.len() {
            let starts =
                at == 0 || matches!(words[at - 1].as_str(), ";" | "}" | "{" | "]" | ")" | "pub" | ">");
            if words[at] == "use" && starts {
                let is_public = at > 0 && matches!(words[at - 1].as_str(), "pub" | ")");
                let end = at + words[at..].iter().position(|word| word == ";").unwrap();
                for (path, name) in tree(&words[at + 1..end]) {
                    paths.imports.push(Import { name, path: absolute(path, module), is_public });
                }
                at = end + 1;
            } else if words[at] == "mod" {
                at += 2;
            } else if words[at] == "in" && at > 0 && words[at - 1] == "(" {
                // The scope of a visibility.
                at += words[at..].iter().position(|word| word == ")").unwrap();
            } else if is_path(&words[at]) && (at == 0 || words[at - 1] != "::") {
                let mut path = vec![words[at].clone()];
                while at + 2 < words.len() && words[at + 1] == "::" && is_path(&words[at + 2]) {
                    path.push(words[at + 2].clone());
                    at += 2;
                }
                if path.len() == 1 {
                    paths.names.extend(path);
                } else {
                    paths.names.push(path[0].clone());
                    paths.inline.push(absolute(path, module));
                }
                at += 1;
            } else {
                at += 1;
            }
        }
        paths
    }

    /// The absolute paths that start at the crate's root.
    pub(super) fn at_root(&self) -> impl Iterator<Item = &[String]> {
        let all = self.imports.iter().map(|import| &import.path).chain(&self.inline);
        all.filter(|path| path[0] == "crate").map(|path| &path[1..])
    }
}

fn is_path(word: &str) -> bool {
    word.chars().all(is_name)
}

/// The paths of a `use`: `a::{b, c::d as e}` gives `a::b` as `b`, `a::c::d` as `e`.
fn tree(words: &[String]) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut prefix = Vec::new();
    let mut stack = Vec::new();
    let mut renamed = None;
    let mut at = 0;
    let mut close = |prefix: &mut Vec<String>, renamed: &mut Option<String>, base: usize| {
        if prefix.len() > base {
            if prefix.last().is_some_and(|last| last == "self") && prefix.len() > 1 {
                prefix.pop();
            }
            let name = renamed.take().or_else(|| prefix.last().cloned()).unwrap();
            found.push((prefix.clone(), name));
        }
        prefix.truncate(base);
    };
    while at < words.len() {
        let base = stack.last().copied().unwrap_or(0);
        match words[at].as_str() {
            "::" => {}
            "{" => stack.push(prefix.len()),
            "," => close(&mut prefix, &mut renamed, base),
            "}" => {
                close(&mut prefix, &mut renamed, base);
                stack.pop();
                // What the braces belong to is complete.
                prefix.truncate(stack.last().copied().unwrap_or(0));
            }
            "as" => {
                renamed = words.get(at + 1).cloned();
                at += 1;
            }
            name => prefix.push(name.to_owned()),
        }
        at += 1;
    }
    close(&mut prefix, &mut renamed, 0);
    found
}

/// `self` and `super` resolved, with `crate` in front; a path that starts otherwise stays as it is.
fn absolute(mut path: Vec<String>, module: &[String]) -> Vec<String> {
    if path[0] == "$" {
        path.remove(0);
    }
    let ups = path.iter().take_while(|name| *name == "super").count();
    let is_self = path[0] == "self";
    if ups == 0 && !is_self {
        return path;
    }
    // One level more than there is: the inline tests, where the same path stays in the room.
    let kept = module.len().saturating_sub(ups);
    let rest = path.split_off(if is_self { 1 } else { ups });
    ["crate".to_owned()].into_iter().chain(module[..kept].iter().cloned()).chain(rest).collect()
}
