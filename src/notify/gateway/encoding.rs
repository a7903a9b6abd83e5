//! The encodings of a request body, by its content type, with the escaping of inserted values: no message can end a
//! JSON string, or add a field to a form or an element to an XML document.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use quick_xml::events::Event;
use serde_json::Value;

use super::template::{Filling, Template, json, percent, plain, xml};
use crate::domain::header::trim_ows;

/// Values that would break each kind of body if they were not escaped.
const PROBE: Filling<'static> = Filling { number: "+\"<", text: "a\"<", id: "b\"<" };

/// The encoding of a request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Form,
    Xml,
    /// Without special characters, so nothing is escaped.
    Plain,
}

impl Encoding {
    /// The encoding named by the header or, without one, guessed from the beginning of the body. The error text
    /// continues the name of the setting.
    pub(super) fn of(headers: &HeaderMap, body: &str) -> Result<Self, String> {
        let Some(named) = headers.get(CONTENT_TYPE) else {
            return Ok(match body.trim_start().chars().next() {
                Some('{' | '[') => Self::Json,
                Some('<') => Self::Xml,
                _ => Self::Form,
            });
        };
        let mut parts = named.to_str().unwrap_or_default().split(';').map(trim_ows);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let charset = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"'))
        });
        if charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
            return Err(
                "Content-Type must name no charset other than UTF-8, in which bodies are sent".to_owned()
            );
        }
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Ok(Self::Form),
            "application/json" => Ok(Self::Json),
            "application/xml" | "text/xml" => Ok(Self::Xml),
            "text/plain" => Ok(Self::Plain),
            other if other.ends_with("+json") => Ok(Self::Json),
            other if other.ends_with("+xml") => Ok(Self::Xml),
            _ => Err("Content-Type must name JSON, a form, XML or text/plain".to_owned()),
        }
    }

    pub(super) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Xml => "application/xml; charset=utf-8",
            Self::Plain => "text/plain; charset=utf-8",
        })
    }

    pub(super) const fn encode(self) -> fn(&str) -> String {
        match self {
            Self::Json => json,
            Self::Form => percent,
            Self::Xml => xml,
            Self::Plain => plain,
        }
    }

    /// Checks that every placeholder is read as text. The error text continues the name of the setting.
    pub(super) fn check(self, body: &Template) -> Result<(), String> {
        let filled = body.fill(&PROBE, self.encode());
        match self {
            Self::Json if serde_json::from_str::<Value>(&filled).is_err() => {
                Err("is not JSON with {number} and {text} inside of quotes".to_owned())
            }
            Self::Xml if texts(&filled) != Some(body.places()) => Err(
                "is not XML with {number} and {text} in elements or quoted attributes, outside of CDATA and comments"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }
}

/// The number of placeholders of a probe's body that are read back unchanged; `None`: it is not well-formed.
fn texts(body: &str) -> Option<usize> {
    let mut reader = quick_xml::Reader::from_str(body);
    let (mut found, mut depth, mut elements) = (0, 0_usize, 0_usize);
    let mut text = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Text(part) => text.push_str(&part.decode().ok()?),
            Event::GeneralRef(part) => {
                let escaped = format!("&{};", part.decode().ok()?);
                text.push_str(&quick_xml::escape::unescape(&escaped).ok()?);
            }
            other => {
                found += probes(&std::mem::take(&mut text));
                match other {
                    Event::Start(element) => {
                        found += attributes(&element)?;
                        (depth, elements) = (depth + 1, elements + 1);
                    }
                    Event::Empty(element) => {
                        found += attributes(&element)?;
                        elements += 1;
                    }
                    Event::End(_) => depth = depth.checked_sub(1)?,
                    Event::Eof => return (depth == 0 && elements > 0).then_some(found),
                    // Declared entities could have any value.
                    Event::DocType(_) => return None,
                    _ => {}
                }
            }
        }
    }
}

fn attributes(element: &quick_xml::events::BytesStart<'_>) -> Option<usize> {
    let mut found = 0;
    for attribute in element.attributes() {
        let raw = attribute.ok()?.value;
        found += probes(&quick_xml::escape::unescape(std::str::from_utf8(&raw).ok()?).ok()?);
    }
    Some(found)
}

fn probes(text: &str) -> usize {
    [PROBE.number, PROBE.text, PROBE.id].iter().map(|probe| text.matches(probe).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content_type: Option<&'static str>, body: &str) -> Option<Encoding> {
        let mut headers = HeaderMap::new();
        headers.extend(content_type.map(|value| (CONTENT_TYPE, HeaderValue::from_static(value))));
        Encoding::of(&headers, body).ok()
    }

    #[test]
    fn the_content_type_names_the_encoding_and_without_one_the_body_does() {
        for (content_type, encoding) in [
            ("application/json; charset=utf-8", Some(Encoding::Json)),
            ("application/vnd.sms+json", Some(Encoding::Json)),
            ("text/xml;charset=\"UTF-8\"", Some(Encoding::Xml)),
            ("application/xml", Some(Encoding::Xml)),
            ("application/soap+xml; action=send", Some(Encoding::Xml)),
            ("Text/Plain", Some(Encoding::Plain)),
            ("application/x-www-form-urlencoded", Some(Encoding::Form)),
            ("text/plain; charset=iso-8859-1", None),
            ("text/html", None),
            ("multipart/form-data; boundary=x", None),
        ] {
            assert_eq!(of(Some(content_type), "x"), encoding, "{content_type}");
        }
        for (body, encoding) in [
            (" {\"to\": 1}", Encoding::Json),
            ("[]", Encoding::Json),
            ("<?xml version=\"1.0\"?><sms/>", Encoding::Xml),
            ("to={number}", Encoding::Form),
            ("", Encoding::Form),
        ] {
            assert_eq!(of(None, body), Some(encoding), "{body}");
        }
    }

    #[test]
    fn places_of_xml_stand_where_they_are_text() {
        let check = |body: &str| Encoding::Xml.check(&Template::parse(body).unwrap());
        for good in [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<sms><to>{number}</to><text>Hi {text}!</text></sms>",
            "<sms to='{number}' ref=\"{id}\"><text>{text}{text}</text></sms>",
            "<s:Envelope xmlns:s=\"x\"><s:Body><!-- note --><to>{number}</to>{text}</s:Body></s:Envelope>",
            "<sms to=\"{number}\" text=\"{text}\"/>",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "<sms><to>{number}</to><text>{text}</sms>",
            "<sms><text><![CDATA[{text}]]></text></sms>",
            "<sms><!-- {text} --></sms>",
            "<sms to={number}/>",
            "<{text}/>",
            "<sms {text}=\"x\"/>",
            "<?pi {text}?><sms/>",
            "<!DOCTYPE sms [<!ENTITY a \"{text}\">]><sms>{number}</sms>",
            "{number} {text}",
            "<sms>{text}",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
