//! No circle of more than one file: files import each other in one direction only.
//!
//! An import counts as an edge to the file that defines the name: a re-export in a `mod.rs` is followed, and is itself no
//! edge unless the `mod.rs` uses the name. A module declaration (`mod x;`) is none either.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Import, Paths};
use super::source::modules;

type Module = Vec<String>;

/// The modules of a crate and what they name.
struct Graph(BTreeMap<Module, Paths>);

/// Re-exports of re-exports are followed so far.
const DEPTH: usize = 8;

/// Modules below which files still form circles. The list may only shrink.
const LEFT: &[&str] = &["protocol"];

impl Graph {
    fn read(modules: &BTreeMap<Module, String>) -> Self {
        Self(modules.iter().map(|(name, text)| (name.clone(), Paths::read(text, name))).collect())
    }

    /// The modules that this one depends on.
    fn targets(&self, module: &Module) -> BTreeSet<Module> {
        let paths = &self.0[module];
        let is_used = |import: &&Import| {
            !import.is_public || paths.names.contains(&import.name) && !self.is_module(module, &import.path)
        };
        let used = paths.imports.iter().filter(is_used).filter(|import| import.name != "_");
        let named = used.filter(|import| !self.is_module(module, &import.path)).map(|import| &import.path);
        let found = named.chain(&paths.inline).filter_map(|path| self.resolve(module, path, DEPTH));
        found.filter(|target| target != module).collect()
    }

    fn is_module(&self, module: &Module, path: &[String]) -> bool {
        self.base(module, path, DEPTH).is_some_and(|(_, rest)| rest.is_empty())
    }

    /// The module that defines the end of a path; none for other crates.
    fn resolve(&self, module: &Module, path: &[String], depth: usize) -> Option<Module> {
        self.base(module, path, depth).map(|(base, _)| base)
    }

    /// The same, and the part of the path that is no module.
    fn base(&self, module: &Module, path: &[String], depth: usize) -> Option<(Module, Vec<String>)> {
        if depth == 0 {
            return None;
        }
        let (mut at, mut rest) = if path[0] == "crate" {
            (Vec::new(), &path[1..])
        } else {
            let child = [module.as_slice(), &path[..1]].concat();
            if self.0.contains_key(&child) {
                (child, &path[1..])
            } else {
                // An imported name, or another crate.
                let import = self.0[module].imports.iter().find(|import| import.name == path[0])?;
                if import.path == path {
                    return None;
                }
                let path = [import.path.as_slice(), &path[1..]].concat();
                return self.base(module, &path, depth - 1);
            }
        };
        while let Some((name, after)) = rest.split_first() {
            let child = [at.as_slice(), std::slice::from_ref(name)].concat();
            if self.0.contains_key(&child) {
                (at, rest) = (child, after);
                continue;
            }
            let paths = self.0.get(&at)?;
            if let Some(import) = paths.imports.iter().find(|import| import.name == *name) {
                let path = [import.path.as_slice(), after].concat();
                return self.base(&at, &path, depth - 1);
            }
            for glob in paths.imports.iter().filter(|import| import.name == "*") {
                let inner = [&glob.path[..glob.path.len() - 1], rest].concat();
                let found = self.base(&at, &inner, depth - 1);
                if let Some(found) =
                    found.filter(|(base, left)| left.is_empty() || self.defines(base, &left[0]))
                {
                    return Some(found);
                }
            }
            break;
        }
        (!at.is_empty()).then(|| (at, rest.iter().filter(|name| *name != "*").cloned().collect()))
    }

    /// Whether the file declares this name.
    fn defines(&self, module: &Module, name: &str) -> bool {
        self.0[module].names.iter().any(|word| word == name)
    }

    /// The groups of files that depend on each other.
    fn circles(&self) -> Vec<String> {
        let edges: BTreeMap<_, _> = self.0.keys().map(|module| (module, self.targets(module))).collect();
        let reached: BTreeMap<_, _> = self.0.keys().map(|module| (module, reach(&edges, module))).collect();
        let mut circles = BTreeSet::new();
        for module in self.0.keys().filter(|module| reached[*module].contains(*module)) {
            let circle: BTreeSet<_> =
                reached[module].iter().filter(|other| reached[*other].contains(module)).collect();
            circles.insert(circle);
        }
        let told = |circle: &BTreeSet<&Module>| {
            let mut lines = Vec::new();
            for module in circle {
                let inside = edges[*module].iter().filter(|target| circle.contains(target));
                let inside: Vec<_> = inside.map(|target| target.join("::")).collect();
                lines.push(format!("  {} -> {}", module.join("::"), inside.join(", ")));
            }
            format!("a circle of {} files:\n{}", circle.len(), lines.join("\n"))
        };
        circles.iter().map(told).collect()
    }
}

/// Everything that can be reached from here, itself only in a circle.
fn reach(edges: &BTreeMap<&Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<Module> {
    let mut found = BTreeSet::new();
    let mut open = vec![from.clone()];
    while let Some(next) = open.pop() {
        for target in &edges[&next] {
            if found.insert(target.clone()) {
                open.push(target.clone());
            }
        }
    }
    found
}

#[test]
fn files_form_no_circles() {
    let is_left = |module: &Module| {
        let name = module.join("::");
        LEFT.iter().any(|left| name == *left || name.starts_with(&format!("{left}::")))
    };
    let modules = modules().into_iter().filter(|(module, _)| !is_left(module)).collect();
    let circles = Graph::read(&modules).circles();
    assert!(circles.is_empty(), "{} circles\n{}", circles.len(), circles.join("\n"));
}

/// A crate of these modules.
fn planted(modules: &[(&str, &str)]) -> Vec<String> {
    let module =
        |(name, text): &(&str, &str)| (name.split("::").map(str::to_owned).collect(), (*text).to_owned());
    Graph::read(&modules.iter().map(module).collect()).circles()
}

#[test]
fn a_circle_is_found_however_it_is_spelled() {
    for (forth, back) in [
        ("use crate::room::b::B;", "use super::a::A;"),
        ("use super::b::B;", "fn f() -> crate::room::a::A {}"),
        (
            "use super::{b::{self}, c};\nfn f() { b::g() }",
            "use crate::room::{a as other};\nfn f() { other::g() }",
        ),
        ("use super::B;", "use crate::room::A;"),
        ("fn f() { super::B::new() }", "use crate::{outer::x, room::A};"),
    ] {
        let room = "mod a;\nmod b;\npub use a::A;\npub(crate) use self::b::B;";
        let circles = planted(&[("room", room), ("room::a", forth), ("room::b", back), ("room::c", "")]);
        assert_eq!(circles.len(), 1, "{forth} {back}: {circles:?}");
        assert!(circles[0].starts_with("a circle of 2 files:"), "{}", circles[0]);
    }
    let through_three = planted(&[
        ("a", "use crate::b::B;"),
        ("b", "pub use inner::*;"),
        ("b::inner", "use crate::c::C;\npub struct B;"),
        ("c", "use crate::a::A;"),
    ]);
    assert!(through_three[0].starts_with("a circle of 3 files:"), "{through_three:?}");
}

#[test]
fn one_direction_is_no_circle() {
    let room = "mod a;\nmod b;\npub use a::A;\npub struct Shared;";
    for (a, b) in [
        ("use super::Shared;\nuse std::fmt::{self};", "use super::a::A;"),
        ("use super::Shared;", "use super::A;"),
        ("// use super::b::B;\nuse serde::b::B;", "use super::a::{A};"),
    ] {
        let circles = planted(&[("room", room), ("room::a", a), ("room::b", b)]);
        assert!(circles.is_empty(), "{circles:?}");
    }
}
