//! Imports point down, from room to room.

use super::imports::Paths;
use super::source::{is_test, module, production, sources};

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

/// Portals and administration are relying parties of the provider. What they may name, they name by these rooms; they
/// have no other way in, so nothing in them may be called after the running provider either.
const RELYING_PARTIES: [&str; 2] = ["portal", "admin"];
const OPEN_TO_RELYING_PARTIES: [&str; 5] = ["domain", "i18n", "views", "http", "rp"];
const THE_PROVIDER: [&str; 2] = ["Idp", "idp"];

/// A narrow door: all that a room may name of another one.
const NARROW: [(&str, &str, &[&str]); 2] =
    [("rp", "storage", &["Db", "Error", "rp_sessions"]), ("rp", "provider", &["Internal"])];

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(module) = module(&path) else { continue };
        let text = if is_test(&module) { &text } else { production(&text) };
        wrong.extend(complaints(&module, text).iter().map(|what| format!("{}: {what}", path.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the imports of a module.
fn complaints(module: &[String], text: &str) -> Vec<String> {
    let room = module[0].as_str();
    if floor(room).is_none() {
        return vec![format!("{room} stands on no floor")];
    }
    let mut wrong = Vec::new();
    let paths = Paths::read(text, module);
    for path in paths.at_root().filter(|path| !path.is_empty()) {
        let target = path[0].as_str();
        let test_kit = target == "testing" && is_test(module);
        if target != room && !test_kit && !may_import(room, target) {
            wrong.push(format!("{room} may not import {target}"));
        }
        let narrow = NARROW.iter().find(|(from, to, _)| (*from, *to) == (room, target));
        if let Some((_, _, open)) = narrow.filter(|_| !is_test(module))
            && path.get(1).is_some_and(|name| !open.contains(&name.as_str()))
        {
            wrong.push(format!("{room} may name nothing of {target} but {open:?}: {}", path.join("::")));
        }
    }
    let mut names = paths.names.iter().chain(paths.imports.iter().map(|import| &import.name));
    if RELYING_PARTIES.contains(&room) && names.any(|name| THE_PROVIDER.contains(&name.as_str())) {
        wrong.push(format!("{room} may not name the provider (Idp, idp)"));
    }
    wrong
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// A name that is no room is a re-export of `lib.rs`, which is the public face and no way round the floors.
fn may_import(room: &str, target: &str) -> bool {
    floor(target) < floor(room)
        && floor(target).is_some()
        && (!RELYING_PARTIES.contains(&room) || OPEN_TO_RELYING_PARTIES.contains(&target))
}

fn complaints_of(module: &str, text: &str) -> Vec<String> {
    complaints(&module.split("::").map(str::to_owned).collect::<Vec<_>>(), text)
}

#[test]
fn the_check_sees_every_form_of_import() {
    let text = "// crate::comment\nuse crate::storage::Db;\nuse crate::{\n    ext::{clock::Clock, Mailer},\n    http,\n};\n\
                fn f() { crate::views::render(&super::super::account::x, super::sibling) }\n$crate::crypto::y";
    let module = ["interaction".to_owned(), "login".to_owned()];
    let paths = Paths::read(text, &module);
    let mut seen: Vec<_> = paths.at_root().map(|path| path[0].as_str()).collect();
    seen.dedup();
    assert_eq!(seen, ["storage", "ext", "http", "views", "account", "interaction", "crypto"]);
    assert!(may_import("http", "provider") && may_import("server", "portal") && may_import("portal", "http"));
    assert!(!may_import("storage", "http") && !may_import("storage", "crypto"));
    assert!(!may_import("portal", "storage") && !may_import("http", "Idp") && !may_import("upstream", "rp"));
    assert_eq!(
        production("a\n#[cfg(test)]\nuse b;\n#[cfg(test)]\nmod tests {\n}\n"),
        "a\n#[cfg(test)]\nuse b;\n"
    );
}

#[test]
fn a_portal_is_given_a_session_and_no_other_handle() {
    let good = "use crate::domain::user::User;\nuse crate::http::Route;\nuse crate::rp::Session;\n\
                use super::pages;\nasync fn show(session: Session<'_>) { crate::views::render(session.subject()) }";
    assert_eq!(complaints_of("portal::actions::sessions", good), [""; 0]);
    for planted in [
        "async fn f(State(idp): State<Provider>) { idp.account() }",
        "fn f(provider: &crate::provider::Idp) {}",
        "use crate::provider::Idp as Provider;",
        "use crate::Idp as Provider;",
        "use crate::storage::users;",
        "fn f() { crate::account::sessions::end() }",
        "use super::super::protocol::bearer;",
        "use crate::{api, domain};",
        "use crate::oidc_client::OidcClient;",
        "use crate::interaction;",
        "use crate::crypto::secret;",
        "use crate::server;",
    ] {
        for room in ["portal", "admin"] {
            assert_ne!(complaints_of(&format!("{room}::pages"), planted), [""; 0], "{room}: {planted}");
        }
    }
}

#[test]
fn a_relying_party_touches_its_own_tables_alone() {
    assert_eq!(
        complaints_of("rp::rows", "use crate::storage::{Db, Error as StoreError, rp_sessions};"),
        [""; 0]
    );
    for planted in
        ["use crate::storage::sessions;", "use crate::provider::Idp;", "use crate::{storage::users};"]
    {
        assert_ne!(complaints_of("rp::rows", planted), [""; 0], "{planted}");
    }
}
