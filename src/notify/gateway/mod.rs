//! Text messages over HTTP, for any provider: method, address, headers and a body (JSON, form, XML or plain text) with
//! placeholders for number and text, and a condition for success. `examples/sms/` has settings for some providers.
//!
//! The address comes from the operator, so it may be an internal one, where gateways often are: the address guard for
//! URLs from clients does not apply. The other rules of `outbound` do: no redirects, deadlines, a limited response
//! size. Plain http is allowed only to this machine and to hosts in `outbound.allow`, because requests contain codes
//! and a password.
//!
//! A text that a gateway has accepted is not sent again, with one exception: if the connection breaks before the
//! response, the text is sent again with the same `{id}` and `Idempotency-Key`, by which gateways that support either
//! drop the duplicate.

mod encoding;
mod number;
mod success;
mod template;
#[cfg(test)]
mod tests;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Uri};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::BoxFuture;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use self::encoding::Encoding;
pub use self::number::NumberFormat;
use self::success::Success;
use self::template::{Filling, Placeholder, Template, percent};
use crate::domain::outbound::{AllowedHost, Outbound as OutboundSettings};
use crate::ext::{DeliveryError, OutgoingSms, SmsSender};
use crate::outbound::{Outbound, OutboundError};

/// Maximum length of a response, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;
/// A structured string: <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The request to a provider. `{number}`, `{text}` and `{id}` in address and body are replaced.
#[derive(Clone, Default)]
pub struct GatewaySettings {
    /// The URL. A user name and password in it are sent as `Authorization: Basic …`.
    pub url: String,
    /// POST, PUT or GET.
    pub method: String,
    /// Names and values of headers, sent unchanged.
    pub headers: Vec<(String, String)>,
    /// JSON, a form, XML or plain text, as the header `Content-Type` says. Without the header: JSON if it begins with a
    /// brace or bracket, XML if it begins with `<`, otherwise a form.
    pub body: Option<String>,
    /// The format of `{number}`.
    pub number_format: NumberFormat,
    /// Required in a 2xx response: a text, or a JSON pointer and its value, as `/messages/0/status=0`.
    pub success: Option<String>,
}

/// A member of the settings is invalid. The problem continues its name and contains no value that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {problem}")]
pub struct GatewayError {
    /// `url`, `method`, `headers`, `body` or `ca`.
    pub member: &'static str,
    /// The problem.
    pub problem: String,
}

/// A sender that calls the gateway of one provider.
#[derive(Clone)]
pub struct Gateway {
    outbound: Outbound,
    method: Method,
    url: Template,
    headers: HeaderMap,
    body: Option<(Template, Encoding)>,
    number_format: NumberFormat,
    success: Success,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gateway(..)")
    }
}

impl Gateway {
    /// Validates the settings without calling the provider. Of the outbound settings, it uses the certificates and, for
    /// plain http, the allowed hosts.
    pub fn new(settings: &GatewaySettings, outbound: &OutboundSettings) -> Result<Self, GatewayError> {
        let mut headers = headers(&settings.headers).map_err(wrong("headers"))?;
        let method = method(&settings.method).map_err(wrong("method"))?;
        let (address, host) = address(&settings.url, outbound, &mut headers).map_err(wrong("url"))?;
        let body = match &settings.body {
            Some(_) if method == Method::GET => {
                return Err(wrong("body")("a GET request has none".to_owned()));
            }
            Some(text) => Some(body(text, &mut headers)?),
            None => None,
        };
        for (place, name) in [(Placeholder::Number, "{number}"), (Placeholder::Text, "{text}")] {
            if !address.has(place) && !body.as_ref().is_some_and(|(body, _)| body.has(place)) {
                let member = if method == Method::GET { "url" } else { "body" };
                return Err(wrong(member)(format!("has no place for {name}")));
            }
        }
        let own = OutboundSettings { ca: outbound.ca.clone(), allow: vec![host] };
        Ok(Self {
            outbound: Outbound::new(&own).map_err(wrong("ca"))?,
            method,
            url: address,
            headers,
            body,
            number_format: settings.number_format,
            success: settings.success.as_deref().map_or(Success::Status, Success::parse),
        })
    }

    fn request(&self, sms: &OutgoingSms) -> Result<Request<Vec<u8>>, DeliveryError> {
        let broken = |error: &dyn std::fmt::Display| DeliveryError::Permanent(format!("no request: {error}"));
        let number = self.number_format.write(sms.to.as_str());
        let filling = Filling { number: &number, text: &sms.text, id: sms.id.as_str() };
        let url = self.url.fill(&filling, percent);
        let body = self.body.as_ref().map(|(body, encoding)| body.fill(&filling, encoding.encode()));
        let mut request = Request::new(body.unwrap_or_default().into_bytes());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = url.parse().map_err(|error| broken(&error))?;
        *request.headers_mut() = self.headers.clone();
        let key = HeaderValue::try_from(format!("\"{}\"", sms.id)).map_err(|error| broken(&error))?;
        request.headers_mut().insert(IDEMPOTENCY_KEY, key);
        Ok(request)
    }
}

impl SmsSender for Gateway {
    fn send<'a>(&'a self, sms: &'a OutgoingSms) -> BoxFuture<'a, Result<(), DeliveryError>> {
        Box::pin(async move {
            match self.outbound.send(self.request(sms)?, ANSWER_LIMIT).await {
                Ok(answer) => self.success.judge(&answer),
                // The gateway has received the request: a retry could send the text twice.
                Err(error @ (OutboundError::TooLong(_) | OutboundError::Refused(_))) => {
                    Err(DeliveryError::Permanent(error.to_string()))
                }
                Err(error) => Err(DeliveryError::Transient(error.to_string())),
            }
        })
    }
}

fn wrong(member: &'static str) -> impl Fn(String) -> GatewayError {
    move |problem| GatewayError { member, problem }
}

fn method(text: &str) -> Result<Method, String> {
    match text.to_ascii_uppercase().as_str() {
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "GET" => Ok(Method::GET),
        _ => Err("must be POST, PUT or GET".to_owned()),
    }
}

fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::try_from(name).map_err(|_| "a name is not a valid header name".to_owned())?;
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| format!("the value of {name} has characters that headers cannot hold"))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// The URL without its user information, which becomes a header, and the host.
fn address(
    text: &str,
    outbound: &OutboundSettings,
    headers: &mut HeaderMap,
) -> Result<(Template, AllowedHost), String> {
    let shape = || "must be https://host/path".to_owned();
    // A message must not be able to change the host.
    let start = Template::parse(text)?;
    let (scheme, rest) = start.start().split_once("://").ok_or_else(shape)?;
    let authority = rest.split_once(['/', '?']).ok_or_else(shape)?.0;
    let url = Url::parse(&format!("{scheme}://{authority}/")).map_err(|_| shape())?;
    let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")).ok_or_else(shape)?;
    if url.scheme() == "http" && !is_here(&url) && !outbound.allow.iter().any(|host| host.covers(&url)) {
        return Err("would send codes unencrypted to another machine: say https://, or name the host in \
                    outbound.allow"
            .to_owned());
    }
    if !url.username().is_empty() {
        let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
        let pair = [decoded(url.username()), decoded(url.password().unwrap_or_default())].join(&b':');
        let mut basic = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair)))
            .map_err(|error| error.to_string())?;
        basic.set_sensitive(true);
        headers.insert(AUTHORIZATION, basic);
    }
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let asked = format!("{host}{port}");
    let behind = text.get(scheme.len() + "://".len() + authority.len()..).unwrap_or_default();
    let address = Template::parse(&format!("{}://{asked}{behind}", url.scheme()))?;
    address
        .fill(&Filling { number: "+1", text: "a", id: "b" }, percent)
        .parse::<Uri>()
        .map_err(|error| error.to_string())?;
    Ok((address, AllowedHost::parse(&asked).map_err(|_| shape())?))
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn body(text: &str, headers: &mut HeaderMap) -> Result<(Template, Encoding), GatewayError> {
    let encoding = Encoding::of(headers, text).map_err(wrong("headers"))?;
    let body = Template::parse(text).map_err(wrong("body"))?;
    encoding.check(&body).map_err(wrong("body"))?;
    headers.entry(CONTENT_TYPE).or_insert_with(|| encoding.content_type());
    Ok((body, encoding))
}
