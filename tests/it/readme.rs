//! The README's promises that a machine can check.

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

#[tokio::test]
async fn its_apply_example_applies() {
    let (_, rest) = README.split_once("```toml\n").unwrap();
    let (document, _) = rest.split_once("```").unwrap();
    let document = document.replace("\"logo.svg\"", "\"data:image/svg+xml;base64,PHN2Zy8+\"");
    vestibule::testing::TestIdp::with(&document).await;
}
