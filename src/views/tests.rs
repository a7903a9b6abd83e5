//! Every page in every language: rendered, and checked against the rules for pages.

use std::collections::BTreeSet;

use super::samples::tenant;
use super::*;
use crate::domain::branding::Accent;
use crate::domain::locale::Locale;
use crate::domain::zone::Zone;

fn frame(locale: Locale, tenant: Option<Brand>) -> Frame {
    Frame {
        locale,
        zone: Zone::UTC,
        base: "/id".to_owned(),
        here: "/id/login/8f3a/step?a=b&c=d".to_owned(),
        tenant,
    }
}

/// Every page, in every language, with and without a tenant.
fn pages() -> impl Iterator<Item = (String, Page, String)> {
    let variants = Locale::ALL.into_iter().flat_map(|locale| [(locale, None), (locale, Some(tenant()))]);
    variants.flat_map(|(locale, tenant)| {
        Body::samples().into_iter().map(move |(name, body)| {
            let mark = if tenant.is_some() { "-branded" } else { "" };
            let page = Page { frame: frame(locale, tenant.clone()), body };
            let html = DefaultTheme.render(&page).into_string();
            (format!("{name}{mark}.{}.html", locale.tag()), page, html)
        })
    })
}

/// The attribute values of that name.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    html.match_indices(&start).filter_map(|(at, _)| html[at + start.len()..].split('"').next()).collect()
}

#[test]
fn samples_show_every_page() {
    let steps: BTreeSet<_> = Body::samples().iter().map(|(_, body)| body.step()).collect();
    assert_eq!(steps.len(), Body::COUNT, "{steps:?}");
    let names: BTreeSet<_> = Body::samples().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), Body::samples().len(), "a name twice");
}

#[test]
fn every_page_is_whole() {
    for (name, page, html) in pages() {
        assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"), "{name}");
        assert!(html.contains(&format!("<html lang=\"{}\">", page.frame.locale.tag())), "{name}");
        assert!(html.contains(&format!("<main data-step=\"{}\">", page.body.step())), "{name}");
        assert_eq!(html.matches("<h1>").count(), 1, "{name}");
        let ids = attributes(&html, "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{name}: an id twice");
        for described in attributes(&html, "aria-describedby").iter().flat_map(|ids| ids.split(' ')) {
            assert!(ids.contains(&described), "{name}: {described} is not there");
        }
        for label in attributes(&html, "for") {
            assert!(ids.contains(&label), "{name}: {label} is not there");
        }
    }
}

#[test]
fn no_text_is_missing() {
    let tables = include_str!("../../templates/locales/en.toml");
    let tables: Vec<_> =
        tables.lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(']')).collect();
    for (name, _, html) in pages() {
        for table in &tables {
            let start = format!(">{table}.");
            assert!(!html.contains(&start), "{name}: a key of {table} stands for itself");
        }
        // What a script reads may have braces.
        let data = attributes(&html, "data-passkey");
        let shown = data.into_iter().fold(html.clone(), |shown, data| shown.replace(data, ""));
        assert!(!shown.contains('{') && !shown.contains("\u{fffd}"), "{name}: a placeholder is left");
    }
}

#[test]
fn nothing_is_inline_and_nothing_is_loaded_from_elsewhere() {
    for (name, _, html) in pages() {
        assert!(!html.contains(" style=") && !html.contains("<style"), "{name}: an inline style");
        let handlers = html
            .split(" on")
            .skip(1)
            .filter(|rest| rest.trim_start_matches(|c: char| c.is_ascii_lowercase()).starts_with("=\""));
        assert_eq!(handlers.count(), 0, "{name}: an inline script");
        let scripts = html.matches("<script").count();
        assert_eq!(scripts, html.matches("<script src=\"/id/assets/").count(), "{name}: an inline script");
        let loaded = attributes(&html, "src").into_iter().chain(html.contains("<link").then(|| {
            let (_, link) = html.split_once("<link").unwrap();
            attributes(link, "href")[0]
        }));
        for address in loaded {
            assert!(address.starts_with("/id/assets/"), "{name}: loads {address}");
        }
    }
}

#[test]
fn forms_keep_their_contract() {
    for (name, page, html) in pages() {
        let Some((_, form)) = html.split_once("<form") else {
            assert!(page.body.form().is_none(), "{name}");
            continue;
        };
        assert!(form.contains(" method=\"post\""), "{name}");
        let buttons: Vec<_> = form.split("<button").skip(1).collect();
        let named =
            |button: &&str| button.split('>').next().is_some_and(|tag| tag.contains("name=\"cancel\""));
        assert!(!named(&buttons[0]), "{name}: the first button cancels");
        if page.body.form().is_some() {
            assert!(form.contains("name=\"csrf\" value=\"7Zb1cXk3\""), "{name}");
            assert_eq!(buttons.iter().filter(|button| named(button)).count(), 1, "{name}: one way to cancel");
        }
    }
}

#[test]
fn a_problem_is_announced_and_stands_beside_its_field() {
    let (_, body) = Body::samples().into_iter().find(|(name, _)| *name == "identify-missing").unwrap();
    let html = DefaultTheme.render(&Page { frame: frame(Locale::Fr, None), body }).into_string();
    assert!(html.contains("<title>Erreur\u{a0}: Connexion</title>"));
    assert!(html.contains("role=\"alert\""));
    for field in ["tenant", "username", "password"] {
        assert!(html.contains(&format!("<a href=\"#{field}\">Veuillez renseigner\u{a0}: ")), "{field}");
        assert!(html.contains(&format!("<p class=\"error\" id=\"{field}-error\">")), "{field}");
    }
    assert_eq!(html.matches("aria-invalid=\"true\"").count(), 3);
    assert_eq!(html.matches(" autofocus").count(), 1, "the summary has the focus");
}

#[test]
fn what_others_chose_is_escaped() {
    let evil = "\"><script>alert(1)</script>{{7*7}}'";
    let mut brand = tenant();
    brand.name = evil.to_owned();
    brand.logo = Some(evil.to_owned());
    let application = ApplicationInfo {
        name: evil.to_owned(),
        logo: Some(evil.to_owned()),
        policy: Some(evil.to_owned()),
        terms: Some(evil.to_owned()),
    };
    let body = Body::Identify(IdentifyView {
        form: Form::new(evil, evil),
        application,
        tenant: Some(evil.to_owned()),
        username: evil.to_owned(),
        forgotten: Some(evil.to_owned()),
        upstreams: Vec::new(),
        remembered: None,
        passkey: Some(PasskeyOffer { action: evil.to_owned(), options: evil.to_owned() }),
    });
    let page = Page { frame: Frame { here: evil.to_owned(), ..frame(Locale::En, Some(brand)) }, body };
    let html = DefaultTheme.render(&page).into_string();
    assert!(!html.contains("<script>") && !html.contains("49"));
    assert!(html.matches("&#34;&#62;&#60;script&#62;").count() >= 10);
    assert!(html.contains("%22%3E%3Cscript%3E"), "the way back of the language switch");
}

/// gzip makes HTML at least three times smaller; without it the sum must stay in sight of the goal of 15 KiB.
#[test]
fn a_page_and_its_style_are_small() {
    let style = include_str!("../../templates/style.css").len();
    for (name, page, html) in pages() {
        let limit = if matches!(page.body, Body::Enrol(_)) { 24 } else { 5 };
        assert!(html.len() < limit * 1024, "{name}: {} bytes", html.len());
        assert!(style + html.len().min(5 * 1024) < 17 * 1024);
    }
}

#[test]
fn the_tenants_accent_is_in_the_address_of_the_style() {
    let (_, body) = Body::samples().swap_remove(0);
    let accent = Accent::parse("#0b6e4f").unwrap();
    let html = DefaultTheme.render(&Page { frame: frame(Locale::En, Some(tenant())), body }).into_string();
    assert!(html.contains(&format!("href=\"{}\"", Asset::style_address("/id", Some(accent)))));
}

#[test]
fn client_addresses_that_are_not_of_the_web_do_not_become_links() {
    use crate::domain::client::{Client, ClientAuthentication, ClientMetadata};
    use crate::domain::epoch::Epoch;
    use crate::domain::ids::{ClientId, IssuerId};

    let metadata = ClientMetadata {
        policy_uri: Some("javascript:alert(1)".to_owned()),
        tos_uri: Some("https://shop.example.test/terms".to_owned()),
        logo_uri: Some("data:image/svg+xml,x".to_owned()),
        ..ClientMetadata::default()
    };
    let client = Client {
        id: ClientId::new("shop"),
        issuer: IssuerId::new("root"),
        disabled: false,
        epoch: Epoch::default(),
        authentication: ClientAuthentication::None,
        metadata,
    };
    let application = ApplicationInfo::of(&client, Locale::En);
    assert_eq!(application.name, "shop");
    assert_eq!((application.policy, application.logo), (None, None));
    assert_eq!(application.terms.as_deref(), Some("https://shop.example.test/terms"));
}

/// For people: with `VESTIBULE_SAMPLES` set to a folder, writes every page there to be looked at.
#[test]
fn samples_can_be_looked_at() {
    let folder = std::env::var_os("VESTIBULE_SAMPLES").map(std::path::PathBuf::from);
    for (name, _, html) in pages() {
        let local = html.replace("/id/assets/", "assets/");
        assert_ne!(local, html, "{name} has a style sheet");
        let Some(folder) = &folder else { continue };
        std::fs::create_dir_all(folder.join("assets")).unwrap();
        for address in attributes(&local, "src").into_iter().chain(attributes(&local, "href")) {
            if let Some(file) = address.strip_prefix("assets/") {
                std::fs::write(folder.join("assets").join(file), Asset::find(file).unwrap().1).unwrap();
            }
        }
        std::fs::write(folder.join(name), local).unwrap();
    }
}
