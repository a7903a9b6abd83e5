//! Templates with the placeholders `{number}`, `{text}` and `{id}`.
//!
//! Values are encoded for their context, so that no message can end a JSON string, or add a field to a form or an
//! element to an XML document. They are inserted in one pass: braces in a message stay braces. Any other `{word}` is
//! rejected as a misspelled placeholder; the braces of JSON never enclose a single word.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A text with placeholders.
#[derive(Clone)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Place(Placeholder),
}

/// A placeholder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholder {
    Number,
    Text,
    Id,
}

/// The values of the placeholders.
pub(super) struct Filling<'a> {
    pub(super) number: &'a str,
    pub(super) text: &'a str,
    pub(super) id: &'a str,
}

impl Template {
    /// Parses the placeholders. The error text continues the name of the setting.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, word, after)) = next_word(rest) {
            let place = match word {
                "number" => Placeholder::Number,
                "text" => Placeholder::Text,
                "id" => Placeholder::Id,
                _ => return Err(format!("{{{word}}} is none of {{number}}, {{text}} and {{id}}")),
            };
            parts.push(Part::Literal(before.to_owned()));
            parts.push(Part::Place(place));
            rest = after;
        }
        parts.push(Part::Literal(rest.to_owned()));
        Ok(Self(parts))
    }

    /// Returns whether the template contains this placeholder.
    pub(super) fn has(&self, place: Placeholder) -> bool {
        self.0.contains(&Part::Place(place))
    }

    /// The number of placeholders.
    pub(super) fn places(&self) -> usize {
        self.0.iter().filter(|part| matches!(part, Part::Place(_))).count()
    }

    /// The text before the first placeholder.
    pub(super) fn start(&self) -> &str {
        match self.0.first() {
            Some(Part::Literal(text)) => text,
            _ => "",
        }
    }

    /// The text with its placeholders replaced.
    pub(super) fn fill(&self, filling: &Filling<'_>, encode: fn(&str) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Place(Placeholder::Number) => encode(filling.number),
            Part::Place(Placeholder::Text) => encode(filling.text),
            Part::Place(Placeholder::Id) => encode(filling.id),
        };
        self.0.iter().map(part).collect()
    }
}

/// Finds the next single word in braces; returns the text before it, the word, and the text after it.
fn next_word(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (before, behind) = text.split_at(at);
        let (word, after) = behind.strip_prefix('{')?.split_once('}')?;
        let is_word = !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        is_word.then_some((before, word, after))
    })
}

/// Encodes for a URL and for a form: a space becomes `%20`, which both accept, whereas `+` means a space only in a
/// form.
pub(super) fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Escapes for the inside of a JSON string.
pub(super) fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// Escapes for the text of an XML element and for a quoted attribute. Characters that XML does not allow (XML 1.0 §2.2)
/// are dropped; line breaks become references, because an XML parser would normalize them.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' => escaped.push_str("&#9;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// For a body without special characters.
pub(super) fn plain(text: &str) -> String {
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILLING: Filling<'static> =
        Filling { number: "+4915112345678", text: "{number} \"ü\" & {id}", id: "7" };

    #[test]
    fn places_are_filled_once_and_for_where_they_are() {
        let fill = |text: &str, encode| Template::parse(text).unwrap().fill(&FILLING, encode);
        assert_eq!(
            fill(r#"{"to":["{number}"],"text":"{text}","x":{}}"#, json),
            r#"{"to":["+4915112345678"],"text":"{number} \"ü\" & {id}","x":{}}"#
        );
        assert_eq!(
            fill("to={number}&text={text}&ref={id}", percent),
            "to=%2B4915112345678&text=%7Bnumber%7D%20%22%C3%BC%22%20%26%20%7Bid%7D&ref=7"
        );
        assert_eq!(fill("{{number}}", percent), "{%2B4915112345678}");
    }

    #[test]
    fn a_place_misspelled_is_told() {
        let problem = Template::parse("to={nummer}").err().unwrap();
        assert!(problem.starts_with("{nummer} is none of"), "{problem}");
        assert!(Template::parse("{}{\"a\":{\"b\":1}} {not a word} {").is_ok());
    }

    proptest! {
        #[test]
        fn nothing_breaks_out(text in "\\PC{0,20}|[\"\\\\{}&=%+\r\n\0\u{2028}a-z]{0,20}") {
            let filling = Filling { number: &text, text: &text, id: &text };
            let body = Template::parse(r#"{"a":"{text}","b":[{"c":"{number}"}]}"#).unwrap().fill(&filling, json);
            let expected = serde_json::json!({ "a": text, "b": [{ "c": text }] });
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&body).unwrap(), expected);
            let form = Template::parse("a={text}&b={id}").unwrap().fill(&filling, percent);
            let pairs: Vec<_> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
            prop_assert_eq!(pairs, [("a".to_owned(), text.clone()), ("b".to_owned(), text.clone())]);
            let escaped = xml(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'', '\r', '\n', '\0']));
            let kept = text.replace(['\0', '\u{fffe}', '\u{ffff}'], "");
            prop_assert_eq!(quick_xml::escape::unescape(&escaped).unwrap().into_owned(), kept);
        }
    }
}
