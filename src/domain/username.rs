//! Sign-in names: the accepted characters, and the key by which two names are equal.
//!
//! **Accepted names** follow PRECIS (RFC 8264, the `IdentifierClass` of `UsernameCaseMapped` in RFC 8265 §3.3):
//! letters, combining marks and digits of every script; the two joiners only where their rules allow them (RFC 5892
//! appendix A); no unassigned, invisible or bidirectional control characters. Of ASCII punctuation only characters that
//! are not separators elsewhere.
//!
//! PRECIS is stricter in four ways that are not followed, because existing stores have such names: compatibility
//! characters (`Ａnna`, folded by the key), letter-like numbers, the kashida, and right-to-left names that violate the
//! Bidi Rule.
//!
//! **Two names are equal** if their keys are: Unicode's `toNFKC_Casefold` (Unicode §3.13), so that `STRASSE` equals
//! `straße`. Unicode guarantees that it never changes for assigned characters, and unassigned ones are rejected, so
//! stored keys stay valid when the tables are updated. Versions before migration 40 stored another key,
//! [`Username::former_key`].

use caseless::Caseless;
use icu_properties::CodePointMapData;
use icu_properties::props::{CanonicalCombiningClass, GeneralCategory, GeneralCategoryGroup, JoiningType};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::typed::is_ignorable;

/// A sign-in name: 1 to 50 letters, marks, digits and `_-@~!#%+.$`, as the user writes it, in NFC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(try_from = "String", into = "String")]
#[sqlx(transparent)]
pub struct Username(String);

/// The text is not a sign-in name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a user name: 1 to 50 letters, digits and _-@~!#%+.$ without spaces")]
pub struct UsernameError;

impl Username {
    const MAX: usize = 50;
    const PUNCTUATION: &str = "_-@~!#%+.$";

    /// Validates a name and normalizes it to NFC.
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        let name: Vec<char> = text.trim().nfc().take(Self::MAX + 1).collect();
        let shaped = (1..=Self::MAX).contains(&name.len())
            && name.first().is_some_and(|first| !is_mark(*first))
            && name.iter().enumerate().all(|(at, c)| is_allowed(*c) || joins(&name, at));
        if shaped { Ok(Self(name.into_iter().collect())) } else { Err(UsernameError) }
    }

    /// The name as the user writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key by which names are compared and found: `toNFKC_Casefold`.
    pub fn key(&self) -> String {
        let seen = self.0.nfkc().filter(|c| !is_ignorable(*c));
        seen.default_case_fold().flat_map(fold_younger).nfkc().filter(|c| !is_ignorable(*c)).collect()
    }

    /// The key stored by versions before migration 40: lower case instead of the folding of [`Username::key`]. Users
    /// whose folded names collide keep it permanently.
    pub fn former_key(&self) -> String {
        self.0.nfkc().collect::<String>().to_lowercase().nfkc().collect()
    }
}

/// Folds letters that are newer than the tables of `caseless` (Unicode 16) to lower case, which is right for all such
/// letters except Cherokee, which folds to upper case.
fn fold_younger(c: char) -> impl Iterator<Item = char> {
    let is_cherokee = matches!(c, '\u{13a0}'..='\u{13f5}');
    let (old, young) = (is_cherokee.then_some(c), (!is_cherokee).then(|| c.to_lowercase()));
    old.into_iter().chain(young.into_iter().flatten())
}

/// Returns whether the character is a letter, combining mark or number.
fn is_allowed(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || Username::PUNCTUATION.contains(c);
    }
    let category = category(c);
    let named = [GeneralCategoryGroup::Letter, GeneralCategoryGroup::Number]
        .into_iter()
        .any(|group| group.contains(category));
    !is_ignorable(c) && (named || is_mark(c) || c.is_alphanumeric())
}

/// Returns whether the character is a combining mark.
fn is_mark(c: char) -> bool {
    matches!(category(c), GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark)
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

/// Returns whether the joiner at this position is one that the script needs (RFC 5892 appendix A.1 and A.2). Both
/// joiners may follow a virama; the non-joiner may also be between letters that would join, as in Persian.
fn joins(name: &[char], at: usize) -> bool {
    const NON_JOINER: char = '\u{200c}';
    const JOINER: char = '\u{200d}';
    let Some((before, [joiner, after @ ..])) = name.split_at_checked(at) else { return false };
    let virama = before.last().is_some_and(|c| {
        CodePointMapData::<CanonicalCombiningClass>::new().get(*c) == CanonicalCombiningClass::Virama
    });
    match *joiner {
        JOINER => virama,
        NON_JOINER => {
            virama
                || (joining(before.iter().rev(), JoiningType::LeftJoining)
                    && joining(after.iter(), JoiningType::RightJoining))
        }
        _ => false,
    }
}

/// Returns whether the next letter, skipping transparent marks, joins on this side or on both.
fn joining<'a>(letters: impl Iterator<Item = &'a char>, side: JoiningType) -> bool {
    let types = CodePointMapData::<JoiningType>::new();
    let next = letters.map(|c| types.get(*c)).find(|kind| *kind != JoiningType::Transparent);
    next.is_some_and(|kind| kind == side || kind == JoiningType::DualJoining)
}

impl std::fmt::Display for Username {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Username {
    type Error = UsernameError;

    fn try_from(text: String) -> Result<Self, UsernameError> {
        Self::parse(&text)
    }
}

impl From<Username> for String {
    fn from(name: Username) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        Username::parse(text).unwrap_or_else(|_| panic!("{text:?} is no name")).key()
    }

    #[test]
    fn spellings_of_one_name_share_a_key() {
        for (one, other) in [
            ("Anna", "anna"),
            ("\u{212a}urt", "kurt"),
            ("rene\u{301}", "ren\u{e9}"),
            ("STRASSE", "straße"),
            ("STRAẞE", "strasse"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("σίσυφοσ", "Σίσυφος"),
            ("ﬁona", "FIONA"),
            ("ᾳ", "ΑΙ"),
            ("ŉ", "ʼn"),
            ("ᏣᎳᎩ", "ꮳꮃꭹ"),
            ("Ａｎｎａ", "anna"),
            ("می\u{200c}خواهم", "میخواهم"),
            ("क्\u{200d}ष", "क्ष"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
        assert_ne!(key("\u{131}da"), key("ida"));
        assert_ne!(key("ต่อ"), key("ตอ"), "a tone is part of a name");
    }

    #[test]
    fn names_of_every_script_are_names() {
        for text in [
            "ต่อพัฒน์",
            "श्रीमती",
            "हिन्दी",
            "கிருஷ்ணன்",
            "Ọlọ́runtọ́bi",
            "Adébáyọ̀",
            "বাংলা",
            "ਪੰਜਾਬੀ",
            "മലയാളം",
            "తెలుగు",
            "မြန်မာ",
            "ភាសាខ្មែរ",
            "བོད",
            "አማርኛ",
            "עִבְרִית",
            "مُحَمَّد",
            "می\u{200c}خواهم",
            "ශ්\u{200d}රී",
            "佐々木",
            "한국어",
            "Nguyễn",
            "jürgen@works",
            "Ａｎｎａ",
        ] {
            let name = Username::parse(text);
            assert!(name.is_ok(), "{text}");
        }
        assert_eq!(Username::parse(&"\u{e9}".repeat(50)).unwrap().as_str().chars().count(), 50);
        assert_eq!(Username::parse(&"e\u{301}".repeat(50)).unwrap().as_str().chars().count(), 50);
    }

    #[test]
    fn refuses_what_cannot_be_seen_and_what_is_no_letter() {
        for text in [
            "",
            "a b",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\u{2066}b\u{2069}",
            "a\u{ad}b",
            "a\u{feff}b",
            "a\u{34f}b",
            "a\u{fe0f}b",
            "\u{3164}",
            "\u{115f}\u{1160}",
            "a\0",
            "a\u{20dd}",
            "\u{301}a",
            "\u{e000}",
            "\u{378}",
            "a/b",
            "a\u{2044}b",
            "😀",
            "a\u{200d}b",
            "a\u{200c}b",
            "\u{200d}",
            "क\u{200d}",
            "क्\u{200d}\u{200d}",
            "ا\u{200c}ب",
            &"x".repeat(51),
            &"e\u{301}".repeat(51),
        ] {
            assert!(Username::parse(text).is_err(), "{text:?}");
        }
    }

    /// Names accepted by earlier versions are still accepted, unless they are invisible or begin with a mark.
    #[test]
    fn characters_that_were_allowed_are_allowed() {
        let allowed = |c: char| c.is_alphanumeric() || Username::PUNCTUATION.contains(c);
        for c in ('\0'..=char::MAX).filter(|c| allowed(*c)) {
            let name = Username::parse(&format!("a{c}"));
            assert_eq!(name.is_err(), is_ignorable(c), "{c:?}");
        }
    }

    /// Unicode §3.13: folding is idempotent.
    #[test]
    fn a_key_is_its_own_key() {
        let changes = |c: char| {
            c.to_lowercase().ne([c])
                || c.to_uppercase().ne([c])
                || [c].into_iter().nfkc().ne([c])
                || is_mark(c)
        };
        for c in ('\0'..=char::MAX).filter(|c| is_allowed(*c) && changes(*c)) {
            for text in [format!("a{c}"), format!("{c}\u{345}")] {
                let Ok(name) = Username::parse(&text) else { continue };
                let (key, former) = (name.key(), name.former_key());
                assert_eq!(Username(key.clone()).key(), key, "{text:?}");
                assert_eq!(Username(former.clone()).key(), key, "{text:?} in lower case");
                assert!(
                    !former.is_ascii() || former == key,
                    "{text:?}: the migration looks at other keys only"
                );
            }
        }
    }

    #[test]
    fn letters_of_unicode_17_fold_as_well() {
        assert_eq!(key("\u{a7ce}"), "\u{a7cf}");
        for c in ('\0'..=char::MAX).filter(|c| is_allowed(*c)) {
            let folded: String = [c].into_iter().default_case_fold().collect();
            let younger: String = folded.chars().flat_map(fold_younger).collect();
            assert!(folded == younger || c.to_lowercase().eq(younger.chars()), "{c:?}");
        }
    }

    #[test]
    fn the_former_key_is_lower_case() {
        let former = |text: &str| Username::parse(text).unwrap().former_key();
        assert_eq!(former("STRASSE"), "strasse");
        assert_eq!(former("Straße"), "straße");
        assert_eq!(former("ΣΊΣΥΦΟΣ"), "σίσυφος");
    }
}
