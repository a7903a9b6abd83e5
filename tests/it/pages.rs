//! Every page in every state, language, colour scheme and width, drawn by a real Chromium and held against what makes
//! pages usable. The pictures are in `target/screenshots`, to be looked at.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Path;
use axum::response::Html;
use axum::routing::get;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::locale::Locale;
use vestibule::domain::settings::Settings;
use vestibule::domain::zone::Zone;
use vestibule::testing::{TestIdp, sample_pages, sample_tenant};
use vestibule::views::{DefaultTheme, Frame, Page, Theme as _};

use crate::support::chromium::{Habits, browse};
use crate::support::{listen, serve};

/// The samples, beside a provider that has their style sheets.
async fn samples() -> (TestIdp, String) {
    let (listener, address) = listen().await;
    let settings = Settings::new(IssuerUrl::parse(&address).unwrap());
    let idp = TestIdp::with_settings(settings, "").await;
    serve(listener, idp.router().route("/sample/{locale}/{tenant}/{name}", get(sample)));
    (idp, address)
}

async fn sample(Path((locale, tenant, name)): Path<(String, String, String)>) -> Html<String> {
    let (_, page) = pages(&locale, &tenant).into_iter().find(|(known, _)| *known == name).unwrap();
    Html(DefaultTheme.render(&page).into_string())
}

fn pages(locale: &str, tenant: &str) -> Vec<(&'static str, Page)> {
    let locale = Locale::ALL.into_iter().find(|known| known.tag() == locale).unwrap();
    let tenant = (tenant == "branded").then(sample_tenant);
    sample_pages(&Frame { locale, zone: Zone::UTC, base: String::new(), here: "/".to_owned(), tenant })
}

/// Width and colour scheme.
type Screen = (u32, &'static str);

const SCREENS: [Screen; 4] = [(320, "light"), (320, "dark"), (768, "light"), (1280, "dark")];
/// A tenant's own colours and logo are the same in every language and change no width.
const BRANDED_SCREENS: [Screen; 2] = [(320, "light"), (1280, "dark")];

async fn look_at_all(habits: Habits, folder: &str, tenant: &str, screens: &[Screen]) {
    let (_idp, address) = samples().await;
    let language = habits.language;
    browse(habits, async |browser| {
        let mut faults = BTreeMap::new();
        for (name, page) in pages(language, tenant) {
            if habits.javascript && page.body.step() == "form_post" {
                continue; // it is gone as soon as it is there
            }
            browser.open(&format!("{address}/sample/{language}/{tenant}/{name}")).await;
            for (width, scheme) in screens {
                let place = format!("{folder}/{tenant}/{name}");
                for fault in browser.look(*width, scheme, &place).await {
                    faults.entry(fault).or_insert(format!("{place}-{scheme}-{width}"));
                }
            }
        }
        assert!(faults.is_empty(), "faults, and where they are seen first: {faults:#?}");
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn in_english() {
    look_at_all(Habits { language: "en", ..Habits::default() }, "en", "plain", &SCREENS).await;
}

#[tokio::test]
async fn in_german() {
    look_at_all(Habits { language: "de", ..Habits::default() }, "de", "plain", &SCREENS).await;
}

#[tokio::test]
async fn in_french() {
    look_at_all(Habits { language: "fr", ..Habits::default() }, "fr", "plain", &SCREENS).await;
}

#[tokio::test]
async fn in_a_tenants_colours() {
    look_at_all(Habits::default(), "en", "branded", &BRANDED_SCREENS).await;
}

#[tokio::test]
async fn without_scripts() {
    let habits = Habits { javascript: false, ..Habits::default() };
    look_at_all(habits, "en-without-scripts", "plain", &SCREENS).await;
}

#[tokio::test]
async fn what_makes_a_page_hard_to_use_is_found() {
    const PAGE: &str = "<!doctype html><meta charset=utf-8><body style='background:#111'>
        <h1 style='color:#eee'>One</h1><h1 style='color:oklch(0.3 0 0)'>Two</h1>
        <p style='color:#fff; width:4000px'><a href=/ style='color:inherit'>fine</a></p>
        <style>input { height: 30px }</style><input name=bare><label for=gone style='color:#fff'>Label</label>
        <img src=/><button id=x style='width:9px; padding:0'></button><b id=x></b>
        <input aria-label=hidden aria-invalid=true>";
    let (listener, address) = listen().await;
    serve(listener, Router::new().route("/", get(async || Html(PAGE))));
    browse(Habits::default(), async |browser| {
        browser.open(&address).await;
        let found = [
            "2 headings of the first level",
            "0 main regions",
            "scrolls sideways",
            "two elements are x",
            "<label> Label: for names gone, which is not there",
            "<input> bare: no name",
            "<img> : no name",
            "<button> x: no name",
            "<input> bare: no label to see",
            "<input> : no label to see",
            "<input> : its error is not tied to it",
            "<button> x: too small a target",
            "button-name: button",
            "color-contrast: h1:nth-child(2)",
            "document-title: html",
            "html-has-lang: html",
            "image-alt: img",
            "label: input[name=\"bare\"]",
            "landmark-one-main: html",
            "region: h1:nth-child(1)",
            "region: h1:nth-child(2)",
            "region: p",
            "region: input[name=\"bare\"]",
            "region: label",
            "region: img",
            "region: input[aria-label=\"hidden\"]",
        ];
        assert_eq!(browser.faults().await, found);
    })
    .await;
}
