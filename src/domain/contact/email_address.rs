//! Email addresses, with the same rules wherever one is entered.
//!
//! The local part is ASCII as in RFC 5321 §4.1.2, a dot-atom or a quoted string: other letters need SMTPUTF8 (RFC
//! 6531), which the mailer does not support, so mail to such an address could never be sent. The domain is a name in
//! any script, stored in ASCII (A-labels, RFC 5891), or an address literal. No accepted text can add a line, a second
//! address or a display name to the envelope.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::domain::typed;

/// An email address, with the domain in lower-case ASCII (`anna@xn--bcher-kva.example`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// The text is not an email address that mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailAddressError {
    /// It does not have the form of an address.
    #[error("must be an email address, for example anna@example.com")]
    Malformed,
    /// Only SMTPUTF8 (RFC 6531) could deliver to it.
    #[error(
        "must be ASCII before the @: mail to other letters there needs SMTPUTF8, which is not supported yet"
    )]
    NotAscii,
}

impl EmailAddress {
    /// A path is at most 256 octets including its angle brackets (RFC 5321 §4.5.3.1.3).
    const MAX: usize = 254;
    /// Maximum length of the local part (RFC 5321 §4.5.3.1.1).
    const MAX_LOCAL: usize = 64;

    /// Parses typed or pasted text.
    pub fn parse(text: &str) -> Result<Self, EmailAddressError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || typed::is_ignorable(c));
        let (local, domain) = text.rsplit_once('@').ok_or(EmailAddressError::Malformed)?;
        let domain = self::domain(domain).ok_or(EmailAddressError::Malformed)?;
        if !local.is_ascii() && !local.chars().any(char::is_control) {
            return Err(EmailAddressError::NotAscii);
        }
        let local = self::local(local).ok_or(EmailAddressError::Malformed)?;
        let address = format!("{local}@{domain}");
        let fits = address.len() <= Self::MAX && local.len() <= Self::MAX_LOCAL;
        // Also validated by the library that writes the envelope.
        if fits && address.parse::<lettre::Address>().is_ok() {
            Ok(Self(address))
        } else {
            Err(EmailAddressError::Malformed)
        }
    }

    /// The address in ASCII, as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form for comparing and counting. Case differences before the `@` are ignored, as mail servers do.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The address for display, with the domain in its own script.
    pub fn shown(&self) -> String {
        let (local, domain) = self.parts();
        format!("{local}@{}", unicode(domain))
    }

    /// The masked address for pages: `a•••@example.test`.
    pub fn masked(&self) -> String {
        let (local, domain) = self.parts();
        let first = local.chars().find(|c| *c != '"').unwrap_or_default();
        format!("{first}•••@{}", unicode(domain))
    }

    fn parts(&self) -> (&str, &str) {
        self.0.rsplit_once('@').unwrap_or_default()
    }
}

/// The canonical local part: quoted only if necessary (RFC 5321 §4.1.2), so that one mailbox has one spelling.
fn local(text: &str) -> Option<Cow<'_, str>> {
    if is_dot_atom(text) {
        return Some(Cow::Borrowed(text));
    }
    let quoted = text.strip_prefix('"')?.strip_suffix('"')?;
    if !quoted.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return None;
    }
    let mut content = String::new();
    let mut rest = quoted.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => content.push(rest.next()?),
            '"' => return None,
            c => content.push(c),
        }
    }
    if content.is_empty() {
        return None;
    }
    if is_dot_atom(&content) {
        return Some(Cow::Owned(content));
    }
    Some(Cow::Owned(format!("\"{}\"", content.replace('\\', "\\\\").replace('"', "\\\""))))
}

/// RFC 5321 §4.1.2, RFC 5322 §3.2.3
fn is_dot_atom(local: &str) -> bool {
    let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext))
}

/// The canonical domain: a name in ASCII, or an address literal (RFC 5321 §4.1.3).
fn domain(text: &str) -> Option<String> {
    if let Some(literal) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let version_6 = literal.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
        return match version_6 {
            Some(tag) => literal.get(tag.len()..)?.parse::<Ipv6Addr>().ok().map(|ip| format!("[IPv6:{ip}]")),
            None => literal.parse::<Ipv4Addr>().ok().map(|ip| format!("[{ip}]")),
        };
    }
    // The URL parser would decode it.
    if text.contains('%') {
        return None;
    }
    match url::Host::parse(text) {
        Ok(url::Host::Domain(name)) if is_host_name(&name) => Some(name),
        _ => None,
    }
}

/// RFC 1123 §2.1, in addition to the rules for a URL's host.
fn is_host_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    name.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(inner)
    })
}

/// A name in its own script; an address literal unchanged.
fn unicode(domain: &str) -> Cow<'_, str> {
    let name = Some(domain).filter(|name| name.split('.').any(|label| label.starts_with("xn--")));
    name.map_or(Cow::Borrowed(domain), |name| Cow::Owned(url::quirks::domain_to_unicode(name)))
}

impl std::fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailAddressError;

    fn try_from(text: String) -> Result<Self, EmailAddressError> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn domains_become_lower_case_ascii_and_local_parts_stay() {
        let table = [
            (" Anna@Example.TEST ", "Anna@example.test"),
            ("anna@Bücher.example", "anna@xn--bcher-kva.example"),
            ("anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
            ("anna@пример.example", "anna@xn--e1afmkfd.example"),
            ("anna@例え。example", "anna@xn--r8jz45g.example"),
            ("a.b+c@localhost", "a.b+c@localhost"),
            ("o'brien@example.test", "o'brien@example.test"),
            ("\u{202a}anna@example.test\u{202c}\u{200b}", "anna@example.test"),
            ("anna@[192.0.2.1]", "anna@[192.0.2.1]"),
            ("anna@[IPv6:2001:DB8::0:1]", "anna@[IPv6:2001:db8::1]"),
            ("anna@[ipv6:2001:db8::1]", "anna@[IPv6:2001:db8::1]"),
            ("\"Anna Muster\"@example.test", "\"Anna Muster\"@example.test"),
            ("\"an\\na@home\"@example.test", "\"anna@home\"@example.test"),
            ("\"a\\\"b\\\\c\"@example.test", "\"a\\\"b\\\\c\"@example.test"),
            ("\"anna.b\"@example.test", "anna.b@example.test"),
            ("\"anna..b\"@example.test", "\"anna..b\"@example.test"),
        ];
        for (typed, stored) in table {
            assert_eq!(EmailAddress::parse(typed).unwrap().as_str(), stored);
        }
        assert_eq!(EmailAddress::parse("Anna@example.test").unwrap().key(), "anna@example.test");
    }

    #[test]
    fn letters_that_need_smtputf8_are_refused_with_that_reason() {
        for text in
            ["jürgen@example.com", "ต่อ@example.test", "\"jürgen\"@example.com", "ａｎｎａ@example.com"]
        {
            assert_eq!(EmailAddress::parse(text), Err(EmailAddressError::NotAscii), "{text}");
        }
        assert!(EmailAddressError::NotAscii.to_string().contains("SMTPUTF8"));
    }

    /// No spelling puts another recipient, a header or a line break into the envelope.
    #[test]
    fn refuses_what_an_envelope_could_misread() {
        let long = format!("{}@example.test", "x".repeat(65));
        for text in [
            "",
            "anna",
            "@",
            "anna@",
            "@example.test",
            "a b@example.test",
            "a@b@example.test",
            ".a@b.test",
            "a..b@c.test",
            "a.@b.test",
            "a b\"@example.test",
            "\"a\"b\"@example.test",
            "\"a\\\"@example.test",
            "\"\"@example.test",
            "\"@example.test",
            "\"a\r\nb\"@example.test",
            "\"a\\\r\"@example.test",
            "\"a\tb\"@example.test",
            "\"a\0\"@example.test",
            "anna@127.0.0.1",
            "anna@2130706433",
            "anna@[::1]",
            "anna@[IPv6:::ffff]x",
            "anna@[IPv6:]",
            "anna@[300.1.1.1]",
            "anna@[192.0.2.1",
            "anna@[example.test]",
            "anna@[192.0.2.1]>",
            "anna@exa mple.test",
            "anna@ex%61mple.test",
            "anna@example.test\r\nBcc: eve@example.test",
            "anna\r\n@example.test",
            "anna@example.test.",
            "anna@-a.test",
            "anna@a_b.test",
            "anna@example.test/path",
            "anna@example.test:25",
            "a\0@b.test",
            "ü\0@b.test",
            "<anna@example.test>",
            "Anna <anna@example.test>",
            "a,b@c.test",
            "a;b@c.test",
            "anna@example.test,eve@example.test",
            &long,
        ] {
            assert_eq!(EmailAddress::parse(text), Err(EmailAddressError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn a_page_shows_the_domain_in_its_own_script() {
        for (typed, masked, shown) in [
            ("anna@example.test", "a•••@example.test", "anna@example.test"),
            ("anna@xn--bcher-kva.example", "a•••@bücher.example", "anna@bücher.example"),
            ("\"Anna@home\"@example.test", "A•••@example.test", "\"Anna@home\"@example.test"),
            ("anna@[IPv6:2001:db8::1]", "a•••@[IPv6:2001:db8::1]", "anna@[IPv6:2001:db8::1]"),
        ] {
            let address = EmailAddress::parse(typed).unwrap();
            assert_eq!((address.masked().as_str(), address.shown().as_str()), (masked, shown));
            assert_eq!(EmailAddress::parse(&address.shown()), Ok(address));
        }
    }

    proptest! {
        #[test]
        fn what_was_accepted_is_accepted_again(
            text in "([A-Za-z.@+ -]{1,12}|\"[ -~]{0,12}\")@([a-zäöü.-]{1,12}|\\[(IPv6:)?[0-9a-f:.]{2,20}\\])",
        ) {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address.clone()));
                prop_assert!(address.as_str().bytes().all(|b| matches!(b, b' '..=b'~')));
            }
        }
    }
}
