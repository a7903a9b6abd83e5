//! Single values: each function checks one and returns it in the form that is stored.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use url::{Host, Url};

use crate::domain::audience::ResourceIndicator;
use crate::domain::authenticator::OtpAlgorithm;
use crate::domain::branding::Accent;
use crate::domain::contact::EmailAddress;
use crate::domain::group::GroupName;
use crate::domain::issuer::IssuerUrl;
use crate::domain::locale::Locale;
use crate::domain::logout::is_backchannel_logout_uri;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::scope;
use crate::domain::span;
use crate::domain::tenant::TenantDomain;
use crate::domain::typed;
use crate::domain::upstream::Slug;
use crate::domain::user::{ComputerName, Username};
use crate::domain::zone::Zone;

/// A value in the form that is stored, or what is wrong with it, in words that follow the member's name.
pub(crate) type CheckedValue = Result<Value, String>;

/// The longest text, in bytes.
const MAX_TEXT: usize = 2000;
/// The longest name of a scope or a claim.
const MAX_NAME: usize = 100;
/// The largest logo, in bytes: it is part of every first visit of a login page.
const MAX_LOGO: usize = 64 * 1024;

fn as_text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "must be a text".to_owned())
}

/// One line of text; the empty text removes the member.
pub(super) fn text(value: &Value) -> CheckedValue {
    let text = as_text(value)?;
    match text {
        "" => Ok(Value::Null),
        _ if text.chars().any(char::is_control) => {
            Err("must be one line without control characters".to_owned())
        }
        _ if text.len() > MAX_TEXT => Err(format!("must have at most {MAX_TEXT} bytes")),
        _ => Ok(json!(text)),
    }
}

/// One line of text in a list.
pub(super) fn item(value: &Value) -> CheckedValue {
    text(value).and_then(|text| if text.is_null() { Err("must not be empty".to_owned()) } else { Ok(text) })
}

/// Text of several lines.
pub(super) fn lines(value: &Value) -> CheckedValue {
    let joined = as_text(value)?.replace(['\r', '\n'], " ");
    text(&json!(joined)).map(|checked| if checked.is_null() { checked } else { value.clone() })
}

pub(super) fn flag(value: &Value) -> CheckedValue {
    value.as_bool().map(Value::from).ok_or_else(|| "must be true or false".to_owned())
}

pub(super) fn number(value: &Value) -> CheckedValue {
    let number = value.as_i64().filter(|number| *number >= 0);
    number.map(Value::from).ok_or_else(|| "must be a whole number, 0 or more".to_owned())
}

/// A JWK set; its keys are checked by what will use them. Members are sorted, so that an export that was applied gives
/// the same export; those that are `null` are left out, because not every format has them.
pub(super) fn key_set(value: &Value) -> CheckedValue {
    fn sorted(value: &Value) -> Option<Value> {
        match value {
            Value::Null => None,
            Value::Array(list) => list.iter().map(sorted).collect(),
            Value::Object(table) => {
                let named = table.iter().filter(|(_, value)| !value.is_null());
                let sorted_table: Option<BTreeMap<_, _>> =
                    named.map(|(name, value)| Some((name.clone(), sorted(value)?))).collect();
                Some(sorted_table?.into_iter().collect())
            }
            other => Some(other.clone()),
        }
    }
    let set = sorted(value).filter(Value::is_object);
    set.ok_or_else(|| "must be a JWK set without null in its lists".to_owned())
}

/// A secret; its use decides what it must be, and no mistake repeats it.
pub(super) fn secret(value: &Value) -> CheckedValue {
    as_text(value).map(Value::from)
}

pub(super) fn tenant_domain(value: &Value) -> CheckedValue {
    TenantDomain::parse(as_text(value)?).map(|domain| json!(domain)).map_err(|error| error.to_string())
}

/// The hash behind an OTP, by any name that exports give it.
pub(super) fn otp_algorithm(value: &Value) -> CheckedValue {
    let algorithm = OtpAlgorithm::parse(as_text(value)?);
    algorithm.map(|algorithm| json!(algorithm)).ok_or_else(|| one_of(&["SHA1", "SHA256", "SHA512"]))
}

/// A name of resellers and upstream providers.
pub(super) fn slug(value: &Value) -> CheckedValue {
    Slug::parse(as_text(value)?).map(|name| json!(name)).map_err(|error| error.to_string())
}

/// The same; the empty text removes it.
pub(super) fn optional_slug(value: &Value) -> CheckedValue {
    if as_text(value)?.is_empty() { Ok(Value::Null) } else { slug(value) }
}

/// The issuer of another provider, kept as it is written: issuers are compared byte by byte.
pub(super) fn issuer(value: &Value) -> CheckedValue {
    let text = as_text(value)?;
    IssuerUrl::parse(text).map(|_| json!(text)).map_err(|error| error.to_string())
}

pub(super) fn username(value: &Value) -> CheckedValue {
    Username::parse(as_text(value)?).map(|name| json!(name)).map_err(|error| error.to_string())
}

/// An office computer; the empty text removes it.
pub(super) fn desktop(value: &Value) -> CheckedValue {
    match as_text(value)? {
        "" => Ok(Value::Null),
        text => ComputerName::parse(text).map(|name| json!(name)).map_err(|error| error.to_string()),
    }
}

/// RFC 6749 appendix A.1: visible ASCII and spaces.
pub(super) fn client_id(value: &Value) -> CheckedValue {
    let text = as_text(value)?;
    let visible = text.bytes().all(|b| matches!(b, 0x20..=0x7e)) && text.trim() == text;
    let shaped = visible && (1..=255).contains(&text.len());
    if shaped { Ok(json!(text)) } else { Err("must be 1 to 255 visible ASCII characters".to_owned()) }
}

/// The name of an API, as RFC 8707 has it.
pub(super) fn resource(value: &Value) -> CheckedValue {
    ResourceIndicator::parse(as_text(value)?)
        .map(|resource| json!(resource))
        .map_err(|error| error.to_string())
}

/// The same; the empty text removes it.
pub(super) fn optional_resource(value: &Value) -> CheckedValue {
    if as_text(value)?.is_empty() { Ok(Value::Null) } else { resource(value) }
}

pub(super) fn group_name(value: &Value) -> CheckedValue {
    GroupName::parse(as_text(value)?).map(|name| json!(name)).map_err(|error| error.to_string())
}

/// The name of one scope (RFC 6749 §3.3).
pub(super) fn scope(value: &Value) -> CheckedValue {
    let text = as_text(value)?;
    let shaped = text.len() <= MAX_NAME && scope::Scope::parse(text).iter().eq([text]);
    let wrong = || format!("must be 1 to {MAX_NAME} visible ASCII characters without spaces, quotes and \\");
    if shaped { Ok(json!(text)) } else { Err(wrong()) }
}

/// The name of a claim. A name may be an address (`https://example.com/roles`), which cannot clash.
pub(super) fn claim(value: &Value) -> CheckedValue {
    scope(value)
}

/// The same; the empty text removes it.
pub(super) fn optional_claim(value: &Value) -> CheckedValue {
    if as_text(value)?.is_empty() { Ok(Value::Null) } else { claim(value) }
}

/// The value of `sub`: OpenID Connect Core §2 allows 255 ASCII characters.
pub(super) fn subject(value: &Value) -> CheckedValue {
    let text = as_text(value)?;
    let shaped = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if shaped { Ok(json!(text)) } else { Err("must be 1 to 255 ASCII characters without spaces".to_owned()) }
}

pub(super) fn locale(value: &Value) -> CheckedValue {
    let text = as_text(value)?;
    let known = Locale::ALL.map(Locale::tag);
    if known.contains(&text) { Ok(json!(text)) } else { Err(one_of(&known)) }
}

pub(super) fn time_zone(value: &Value) -> CheckedValue {
    Zone::parse(as_text(value)?).map(|zone| json!(zone)).map_err(|error| error.to_string())
}

/// A BCP 47 language tag, as far as its shape goes.
pub(super) fn language_tag(value: &Value) -> CheckedValue {
    let text = as_text(value)?;
    let subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    match text {
        "" => Ok(Value::Null),
        _ if text.split('-').all(subtag) => Ok(json!(text)),
        _ => Err("must be a language tag, for example de or de-AT".to_owned()),
    }
}

/// An email address; the empty text removes it.
pub(super) fn email(value: &Value) -> CheckedValue {
    match as_text(value)? {
        "" => Ok(Value::Null),
        text => EmailAddress::parse(text).map(|address| json!(address)).map_err(|error| error.to_string()),
    }
}

/// A number with its country code, grouped as in OpenID Connect Core §5.1 (`+1 (425) 555-1212`); an extension may follow
/// (RFC 3966). It is kept as written, without invisible characters.
pub(super) fn phone(value: &Value) -> CheckedValue {
    let checked = text(&json!(typed::folded(as_text(value)?).collect::<String>().trim()))?;
    let shaped = checked.as_str().is_none_or(|text| {
        let (number, extension) = text.split_once(";ext=").unwrap_or((text, "0"));
        let is_extension = (1..=20).contains(&extension.len())
            && extension.bytes().all(|b| b.is_ascii_digit() || b"-.()".contains(&b));
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        let grouped = |number: &str| number.bytes().all(|b| b.is_ascii_digit() || b" -./()".contains(&b));
        is_extension && (5..=15).contains(&digits) && number.strip_prefix('+').is_some_and(grouped)
    });
    if shaped { Ok(checked) } else { Err("must be a number such as +4915112345678".to_owned()) }
}

/// `YYYY-MM-DD`, `0000-MM-DD` or `YYYY` (OpenID Connect Core §5.1).
pub(super) fn birthdate(value: &Value) -> CheckedValue {
    let checked = text(value)?;
    let shaped = checked.as_str().is_none_or(|text| {
        let year = |part: &str| part.len() == 4 && part.bytes().all(|b| b.is_ascii_digit());
        // A leap year replaces the year that was left out, so that 29 February is accepted.
        let full = text.strip_prefix("0000-").map_or_else(|| text.to_owned(), |day| format!("2000-{day}"));
        year(text) || (full.len() == 10 && chrono::NaiveDate::parse_from_str(&full, "%Y-%m-%d").is_ok())
    });
    if shaped { Ok(checked) } else { Err("must be a date such as 1990-05-17".to_owned()) }
}

pub(super) fn web_address(value: &Value) -> CheckedValue {
    let checked = text(value)?;
    let shaped = checked.as_str().is_none_or(|text| {
        Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    });
    if shaped { Ok(checked) } else { Err("must be a web address".to_owned()) }
}

/// A `backchannel_logout_uri`; the empty text removes it.
pub(super) fn backchannel_logout_uri(value: &Value) -> CheckedValue {
    match as_text(value)? {
        "" => Ok(Value::Null),
        text if is_backchannel_logout_uri(text) => Ok(json!(text)),
        _ => Err("must be an https address (http on this machine) without a fragment".to_owned()),
    }
}

pub(super) fn redirect_uri(value: &Value) -> CheckedValue {
    RedirectUri::parse(as_text(value)?).map(|uri| json!(uri)).map_err(|error| error.to_string())
}

/// A host name in lower case, without port and root dot.
pub(super) fn host(value: &Value) -> CheckedValue {
    let text = as_text(value)?;
    let name = text.strip_suffix('.').unwrap_or(text);
    let parsed = Host::parse(name).ok().filter(|_| !name.contains([':', '[']) && !name.ends_with('.'));
    parsed
        .map(|host| json!(host.to_string()))
        .ok_or_else(|| "must be a host name without port; the port is that of the root issuer".to_owned())
}

pub(super) fn accent(value: &Value) -> CheckedValue {
    Accent::parse(as_text(value)?).map(|accent| json!(accent)).map_err(|error| error.to_string())
}

/// Words separated by spaces; whether such scopes exist is checked with the client.
pub(super) fn scopes(value: &Value) -> CheckedValue {
    let text = as_text(value)?;
    let scope = scope::Scope::parse(text);
    match text.split(' ').find(|word| !scope.contains(word)) {
        Some(word) => Err(format!("{word:?} is not a scope")),
        None => Ok(json!(scope)),
    }
}

/// A duration such as `8h` as seconds.
pub(super) fn span(value: &Value) -> CheckedValue {
    let span = span::parse(value.as_str().unwrap_or_default());
    span.map(|span| json!(span.as_secs())).map_err(|error| error.to_string())
}

/// Seconds as the shortest duration that [`span`] reads back.
pub(crate) fn show_span(seconds: u64) -> String {
    span::show(Duration::from_secs(seconds))
}

/// A point in time (RFC 3339) as seconds since 1970.
pub(super) fn moment(value: &Value) -> CheckedValue {
    let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    time.map(|time| json!(time.timestamp()))
        .ok_or_else(|| "must be a time such as 2026-01-01T00:00:00Z".to_owned())
}

/// Seconds since 1970 in UTC, as [`moment`] reads them back.
pub(crate) fn show_moment(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// One of these words.
pub(super) fn word(words: &[&str], value: &Value) -> CheckedValue {
    value.as_str().filter(|text| words.contains(text)).map(Value::from).ok_or_else(|| one_of(words))
}

/// The words to choose from.
pub(super) fn one_of(words: &[&str]) -> String {
    format!("must be one of: {}", words.join(", "))
}

/// A logo of this type, as it is stored.
fn logo(media_type: &str, bytes: &[u8]) -> CheckedValue {
    if bytes.len() > MAX_LOGO {
        return Err(format!("must have at most {MAX_LOGO} bytes"));
    }
    let sound = match media_type {
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/svg+xml" => std::str::from_utf8(bytes).is_ok_and(is_plain_svg),
        _ => return Err("must be an SVG or PNG image".to_owned()),
    };
    if sound {
        Ok(json!({ "media_type": media_type, "data": STANDARD.encode(bytes) }))
    } else {
        Err("is not a PNG image, or not an SVG image without scripts, entities and foreign content"
            .to_owned())
    }
}

/// An SVG in an `img` runs no scripts; this keeps it harmless when it is opened at its own address too.
fn is_plain_svg(text: &str) -> bool {
    let text = text.to_lowercase();
    let active = ["<script", "<!doctype", "<!entity", "<foreignobject", "javascript:", "<?xml-stylesheet"];
    text.contains("<svg") && !active.iter().any(|part| text.contains(part))
}

/// A logo as a `data:` URL (`data:image/png;base64,…`); the empty text removes it.
pub(super) fn logo_url(value: &Value) -> CheckedValue {
    let wrong = || "must be a data: URL".to_owned();
    match value.as_str() {
        Some("") => Ok(Value::Null),
        Some(url) => url.strip_prefix("data:").ok_or_else(wrong).and_then(inline_logo),
        None => Err(wrong()),
    }
}

fn inline_logo(rest: &str) -> CheckedValue {
    let decoded =
        rest.split_once(";base64,").and_then(|(kind, data)| Some((kind, STANDARD.decode(data).ok()?)));
    let (media_type, bytes) = decoded.ok_or_else(|| "must be data:<type>;base64,<data>".to_owned())?;
    logo(media_type, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back_what_was_shown() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("8h", 28_800), ("30d", 2_592_000)] {
            assert_eq!(span(&json!(text)).unwrap(), json!(seconds));
            assert_eq!(show_span(seconds), text);
        }
        for text in ["", "5", "m", "-5m", "0s", "5 m", "1w", "99999999999999999999s", "4000d"] {
            assert!(span(&json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn times_read_back_what_was_shown() {
        let seconds = moment(&json!("2026-01-01T01:00:00+01:00")).unwrap();
        assert_eq!(show_moment(seconds.as_i64().unwrap()), "2026-01-01T00:00:00Z");
        assert!(moment(&json!("2026-01-01")).is_err());
    }

    #[test]
    fn claims_have_the_shape_their_definition_gives() {
        for good in ["1990-05-17", "0000-02-29", "1990"] {
            assert!(birthdate(&json!(good)).is_ok(), "{good}");
        }
        for bad in ["17.5.1990", "1990-02-30", "1990-5-17", "90"] {
            assert!(birthdate(&json!(bad)).is_err(), "{bad}");
        }
        assert!(email(&json!("anna@example.test")).is_ok());
        for bad in ["anna", "@example.test", "a@b@example.test", "a b@example.test", "anna@127.1"] {
            assert!(email(&json!(bad)).is_err(), "{bad}");
        }
        for (written, kept) in [
            ("+4915112345678", "+4915112345678"),
            ("+1 (425) 555-1212", "+1 (425) 555-1212"),
            ("+56 (2) 687 2400", "+56 (2) 687 2400"),
            ("+1 (604) 555-1234;ext=5678", "+1 (604) 555-1234;ext=5678"),
            ("\u{202a}＋49\u{a0}151\u{2011}12345678\u{202c}", "+49 151-12345678"),
        ] {
            assert_eq!(phone(&json!(written)), Ok(json!(kept)));
        }
        for bad in [
            "015112345678",
            "+49",
            "+1234567890123456",
            "+1 425 555-1212 ext. 5",
            "+1 425 555-1212;ext=",
            "+1 425 555-1212;ext=5;ext=6",
            "+1 425 555-1212;phone-context=x",
            "++4915112345678",
            "+49 151 A2345678",
        ] {
            assert!(phone(&json!(bad)).is_err(), "{bad}");
        }
        assert_eq!(phone(&json!("")), Ok(Value::Null));
        assert_eq!(text(&json!("")).unwrap(), Value::Null);
        assert!(text(&json!("a\nb")).is_err());
        assert!(lines(&json!("a\nb")).is_ok());
    }

    #[test]
    fn a_logo_is_a_harmless_image() {
        let plain = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
        assert!(logo("image/svg+xml", plain).is_ok());
        assert!(logo("image/svg+xml", b"<svg><script>1</script></svg>").is_err());
        assert!(logo("image/png", plain).is_err());
        assert!(logo("image/gif", b"GIF89a").is_err());
        assert!(logo("image/png", &[b"\x89PNG\r\n\x1a\n".as_slice(), &vec![0; MAX_LOGO]].concat()).is_err());
        let inline = format!("image/svg+xml;base64,{}", STANDARD.encode(plain));
        assert_eq!(inline_logo(&inline), logo("image/svg+xml", plain));
    }
}
