//! The README's promises that a machine can check.

use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::testing::TestIdp;

const README: &str = include_str!("../../README.md");

#[test]
fn is_short_and_begins_with_the_two_commands() {
    assert!(README.lines().count() <= 200);
    let mut commands = README.lines().skip_while(|line| *line != "```sh").skip(1);
    assert!(commands.next().unwrap().starts_with("cargo run --release -- demo"));
    assert!(commands.next().unwrap().starts_with("./tests/run"));
}

#[test]
fn its_embedding_example_is_the_one_that_compiles() {
    let (_, code) = include_str!("../../examples/embed.rs").split_once("\n\n").unwrap();
    assert!(README.contains(code.trim_end()));
}

fn apply_example() -> String {
    let (_, rest) = README.split_once("```toml\n").unwrap();
    let (document, _) = rest.split_once("```").unwrap();
    document.replace("\"logo.svg\"", "\"data:image/svg+xml;base64,PHN2Zy8+\"")
}

#[tokio::test]
async fn its_apply_example_applies() {
    TestIdp::with(&apply_example()).await;
}

#[tokio::test]
async fn its_secrets_are_refused_on_the_internet() {
    let issuer = IssuerUrl::parse("https://login.company.com").unwrap();
    let idp = TestIdp::with_settings(Settings::new(issuer), "").await;
    let told = idp.idp().apply(&apply_example()).await.unwrap_err().to_string();
    for place in ["users[0].password", "users[0].authenticators[0].secret", "clients[0].client_secret"] {
        assert!(told.contains(&format!("{place}: stands in the documentation")), "{place} is not in: {told}");
    }
}
