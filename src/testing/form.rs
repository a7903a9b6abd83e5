//! A minimal HTML parser for forms of our own pages, which askama writes well-formed.

use std::collections::BTreeMap;

/// A form of a page.
#[derive(Clone, Debug)]
pub(super) struct HtmlForm {
    /// The form's target; empty for the page's own URL.
    pub(super) action: String,
    fields: Vec<(String, String)>,
}

impl HtmlForm {
    /// The first form of a page.
    pub(super) fn first(html: &str) -> Option<Self> {
        let (_, rest) = html.split_once("<form")?;
        let (form, _) = rest.split_once("</form>")?;
        let (tag, inside) = form.split_once('>')?;
        let action = attributes(tag).remove("action").unwrap_or_default();
        let mut fields: Vec<_> = inside.split("<input").skip(1).filter_map(input).collect();
        let mut buttons =
            inside.split("<button").skip(1).filter_map(|rest| rest.split('>').next()).map(attributes);
        fields.extend(buttons.find(is_submit).and_then(pressed));
        Some(Self { action, fields })
    }

    /// The fields to send, with these values filled in.
    pub(super) fn filled(&self, typed: &[(&str, &str)]) -> Vec<(String, String)> {
        let kept = self.fields.iter().filter(|(name, _)| typed.iter().all(|(other, _)| name != other));
        let typed = typed.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        kept.cloned().chain(typed).collect()
    }
}

/// A field's name and value; unchecked boxes and buttons are not sent.
fn input(rest: &str) -> Option<(String, String)> {
    let mut attributes = attributes(rest.split('>').next()?);
    let kind = attributes.remove("type").unwrap_or_default();
    let ticked = !matches!(kind.as_str(), "checkbox" | "radio") || attributes.contains_key("checked");
    let value = attributes.remove("value").unwrap_or_default();
    attributes.remove("name").filter(|_| ticked && kind != "submit").map(|name| (name, value))
}

fn is_submit(button: &BTreeMap<String, String>) -> bool {
    button.get("type").is_none_or(|kind| kind == "submit")
}

/// The name and value that pressing a button sends, if it has a name.
fn pressed(mut button: BTreeMap<String, String>) -> Option<(String, String)> {
    let value = button.remove("value").unwrap_or_default();
    button.remove("name").map(|name| (name, value))
}

fn attributes(tag: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = tag.trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"").and_then(|quoted| quoted.split_once('"')) {
            Some((value, after)) => (unescape(value), after),
            None => (String::new(), after.strip_prefix('=').unwrap_or(after)),
        };
        found.entry(name.to_owned()).or_insert(value);
        rest = after.trim_start();
    }
    found
}

/// Reverses askama's escaping.
fn unescape(text: &str) -> String {
    let entities = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    entities.into_iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sends_what_a_browser_would() {
        let html = r#"<p>x</p><form method="post" action="/a?b=1&#38;c=2"><input type="hidden" name="csrf" value="t&#34;">
            <input name="tenant" value="old" required autofocus><input type="checkbox" name="no" value="1">
            <button>Go</button><button name="cancel" value="1">Cancel</button></form>"#;
        let form = HtmlForm::first(html).unwrap();
        assert_eq!(form.action, "/a?b=1&c=2");
        let sent = form.filled(&[("tenant", "new")]);
        assert_eq!(sent, [("csrf".into(), "t\"".into()), ("tenant".into(), "new".into())]);
    }
}
