//! The texts of the pages in every language, and language negotiation.
//!
//! Why a plain map and not Fluent: three languages with a handful of placeholders and one plural form need no message
//! syntax, and translators edit TOML. Placeholders are written `{name}`; the singular form has a key ending in `_one`.

mod countries;
mod dates;
mod negotiate;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(crate) use dates::machine;
pub(crate) use negotiate::{LanguagePreferences, negotiate};

use crate::domain::locale::Locale;

/// The texts of one language by dotted key, as `identify.title`.
type TextCatalogue = BTreeMap<String, String>;

/// Parsed once per process from compiled-in files; a test parses them too.
static CATALOGUES: LazyLock<[TextCatalogue; 3]> =
    LazyLock::new(|| Locale::ALL.map(|locale| flat(source(locale))));

const fn source(locale: Locale) -> &'static str {
    match locale {
        Locale::En => include_str!("../../templates/locales/en.toml"),
        Locale::De => include_str!("../../templates/locales/de.toml"),
        Locale::Fr => include_str!("../../templates/locales/fr.toml"),
    }
}

/// Parses a catalogue: tables of texts, one level deep.
fn flat(toml: &str) -> TextCatalogue {
    let tables: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(toml).unwrap_or_default();
    let texts = |(table, texts): (String, BTreeMap<String, String>)| {
        texts.into_iter().map(move |(key, text)| (format!("{table}.{key}"), text))
    };
    tables.into_iter().flat_map(texts).collect()
}

/// The texts of one language.
#[derive(Clone, Copy)]
pub(crate) struct Texts {
    locale: Locale,
    catalogue: Option<&'static TextCatalogue>,
}

impl Texts {
    /// Selects a language.
    pub(crate) fn of(locale: Locale) -> Self {
        let number = Locale::ALL.iter().position(|&other| other == locale).unwrap_or_default();
        Self { locale, catalogue: CATALOGUES.get(number) }
    }

    /// The text with this key, or the key itself if it is missing, which a test prevents.
    pub(crate) fn t<'a>(&self, key: &'a str) -> &'a str {
        self.catalogue.and_then(|texts| texts.get(key)).map_or(key, String::as_str)
    }

    /// The text with its placeholders replaced. Placeholders in values are not replaced.
    pub(crate) fn with(&self, key: &str, values: &[(&str, &str)]) -> String {
        let mut text = String::new();
        let mut rest = self.t(key);
        while let Some((before, name, after)) = next_placeholder(rest) {
            text.push_str(before);
            let value = values.iter().find(|(other, _)| *other == name);
            text.push_str(value.map_or("", |(_, value)| value));
            rest = after;
        }
        text + rest
    }

    /// The text for `n` things: the `_one` form if `n` is 1.
    pub(crate) fn count(&self, key: &str, n: i64) -> String {
        let one = format!("{key}_one");
        self.with(if n == 1 { &one } else { key }, &[("n", &n.to_string())])
    }
}

/// Splits at the first `{name}`: the text before it, the name, and the text after it.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        let mut rest = text;
        while let Some((_, name, after)) = next_placeholder(rest) {
            names.insert(name);
            rest = after;
        }
        names
    }

    #[test]
    fn every_language_has_the_same_texts_with_the_same_placeholders() {
        let [en, others @ ..] = &*CATALOGUES;
        assert!(en.len() > 50, "{} texts", en.len());
        for (locale, other) in Locale::ALL.into_iter().skip(1).zip(others) {
            assert!(en.keys().eq(other.keys()), "{locale:?}: {:?}", differing(en, other));
            for (key, text) in en {
                assert_eq!(placeholders(text), placeholders(&other[key]), "{locale:?} {key}");
            }
        }
    }

    fn differing<'a>(a: &'a TextCatalogue, b: &'a TextCatalogue) -> Vec<&'a String> {
        let (a, b): (BTreeSet<_>, BTreeSet<_>) = (a.keys().collect(), b.keys().collect());
        a.symmetric_difference(&b).copied().collect()
    }

    #[test]
    fn french_sets_a_space_that_does_not_break_before_high_punctuation() {
        for (key, text) in &CATALOGUES[2] {
            for (at, mark) in text.match_indices([':', ';', '!', '?', '»']) {
                let before = text[..at].chars().next_back();
                assert!(matches!(before, Some('\u{a0}' | '\u{202f}')), "{key}: {mark} in {text}");
            }
        }
    }

    /// Checks every literal in the form of a key that is passed to a lookup.
    #[test]
    fn every_key_used_exists_and_every_text_is_used() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        collect(&root.join("templates"), &mut files);
        collect(&root.join("src"), &mut files);
        let sources: String = files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        let [en, ..] = &*CATALOGUES;
        let looked_up = [".t(\"", ".with(\"", ".count(\""];
        for call in looked_up {
            for (at, _) in sources.match_indices(call) {
                let key = sources[at + call.len()..].split('"').next().unwrap();
                assert!(
                    key.contains('{') || en.contains_key(key) || en.contains_key(&format!("{key}_one")),
                    "{key}"
                );
            }
        }
        for key in en.keys() {
            let stem = key.strip_suffix("_one").unwrap_or(key);
            let computed = format!("\"{}{{", stem.trim_end_matches(|c: char| c.is_ascii_digit()));
            let used = sources.contains(&format!("\"{stem}\"")) || sources.contains(&computed);
            assert!(used, "{key} is not used");
        }
    }

    fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|kind| kind == "html" || kind == "rs") {
                files.push(path);
            }
        }
    }

    #[test]
    fn values_are_never_read_for_placeholders() {
        let texts = Texts::of(Locale::En);
        let lead = texts.with("identify.lead", &[("application", "{n}{{7*7}}")]);
        assert_eq!(lead, "Sign in to go on to {n}{{7*7}}");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(Texts::of(Locale::De).count("wait.minutes", 1), "Bitte in einer Minute erneut versuchen.");
        assert_eq!(Texts::of(Locale::De).count("wait.minutes", 5), "Bitte in 5 Minuten erneut versuchen.");
    }
}
