//! Common grammar of header fields (RFC 9110 §5).
//!
//! Why not `str::trim`: it strips all Unicode white space. In a protocol name or token each of those characters is
//! significant: a cookie `\u{2000}__Host-session` lacks the prefix that protects `__Host-session`.

/// Strips optional white space, which is SP and HTAB only (RFC 9110 §5.6.3).
pub(crate) fn trim_ows(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Does the same for a field that is not necessarily text.
pub(crate) const fn trim_ows_bytes(mut field: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = field {
        field = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = field {
        field = rest;
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_spaces_and_tabs_alone() {
        for (field, stripped) in [
            ("\t a b\t ", "a b"),
            (" \t", ""),
            ("", ""),
            ("\u{a0}a\u{2000}", "\u{a0}a\u{2000}"),
            (" \u{85}a\u{3000} ", "\u{85}a\u{3000}"),
            ("\r\n\u{b}\u{c}a", "\r\n\u{b}\u{c}a"),
        ] {
            assert_eq!(trim_ows(field), stripped, "{field:?}");
            assert_eq!(trim_ows_bytes(field.as_bytes()), stripped.as_bytes(), "{field:?}");
        }
    }
}
