//! A host application with a look of its own: its login page is its own HTML, all other pages stay the provider's.
//!
//! Colours, logo and name of a tenant need no theme: they are its `branding`. Field names and the hidden `csrf` field
//! are what the provider reads; scripts and styles must be files, for the pages' policy allows no inline ones.

use std::net::SocketAddr;

use axum::Router;
use vestibule::views::{Body, DefaultTheme, Html, IdentifyView, Page, Theme, UpstreamChoice};
use vestibule::{Idp, IssuerUrl, Settings};

/// The house style.
pub struct HouseStyle;

impl Theme for HouseStyle {
    fn render(&self, page: &Page) -> Html {
        match &page.body {
            Body::Identify(identify) => Html::trusted(login_page(identify, page.frame.locale.tag())),
            _ => DefaultTheme.render(page),
        }
    }
}

fn login_page(identify: &IdentifyView, language: &str) -> String {
    // Signing in with a passkey takes a second form and a script; this page does without.
    let IdentifyView { form, application, tenant, username, forgotten, upstreams, remembered, passkey: _ } =
        identify;
    let tenant = tenant.as_ref().map_or_else(String::new, |tenant| {
        format!("<label>Company <input name=\"tenant\" value=\"{}\"></label>", escape(tenant))
    });
    let forgotten = forgotten.as_ref().map_or_else(String::new, |address| {
        format!("<a href=\"{}\">I have forgotten my password</a>", escape(address))
    });
    let way = |way: &UpstreamChoice| {
        format!("<p><a href=\"{}\">{}</a></p>", escape(&way.address), escape(&way.title))
    };
    let elsewhere = remembered.iter().chain(upstreams).map(way).collect::<Vec<_>>().concat();
    let problem = if form.problems.is_empty() { "" } else { "<p role=\"alert\">That did not work.</p>" };
    format!(
        "<!doctype html><html lang=\"{language}\"><title>House style</title>\
         <main data-step=\"identify\"><h1>Welcome to {application}</h1>{problem}\
         <form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">{tenant}\
         <label>Name <input name=\"username\" value=\"{username}\" autocomplete=\"username\"></label>\
         <label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\"></label>\
         <button>Sign in</button></form>{forgotten}{elsewhere}</main></html>",
        application = escape(&application.name),
        action = escape(&form.action),
        csrf = escape(&form.csrf),
        username = escape(username),
    )
}

/// Nothing that comes from outside may be HTML.
fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut safe, c| {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
        safe
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = IssuerUrl::parse("http://localhost:3000/id")?;
    let idp = Idp::builder(Settings::new(issuer)).theme(HouseStyle).build().await?;
    tokio::spawn(idp.clone().housekeeping());

    let app = Router::new().nest("/id", idp.router()).merge(idp.well_known());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
