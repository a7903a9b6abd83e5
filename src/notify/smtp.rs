//! Mail over SMTP: builds the message and keeps a pool of connections to one server.
//!
//! Encryption is never dropped silently: `smtps://` uses TLS from the first byte; `smtp://…?tls=required` sends nothing
//! before STARTTLS has succeeded, and if a server does not offer it, the mail fails and the outbox shows the reason.
//! Opportunistic TLS is rejected, because an attacker on the path could strip the offer. Plain SMTP is used only on
//! this machine and to hosts in `outbound.allow`, such as a relay on the operator's own network.

use std::time::Duration;

use futures_util::future::BoxFuture;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{self, PoolConfig};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use url::{Host, Url};

use crate::domain::contact::EmailAddress;
use crate::domain::outbound::{AllowedHost, Outbound};
use crate::ext::{DeliveryError, Mailer, OutgoingMail};

/// The standard port (RFC 5321 §4.5.4.2).
const PORT: u16 = 25;
/// Time limit for one reply of the server.
const PATIENCE: Duration = Duration::from_secs(20);
/// Maximum number of concurrent connections.
const CONNECTIONS: u32 = 4;
/// Idle connections are closed after this time.
const IDLE: Duration = Duration::from_secs(30);

/// A mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
}

/// The settings of the mail server are invalid. The text continues the name of the setting and never contains the
/// password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpError {
    /// Not the address of a mail server.
    #[error("must be smtps://user:password@host, or smtp://user:password@host:587?tls=required")]
    Address,
    /// Passwords and codes would be sent unencrypted.
    #[error(
        "would send mail unencrypted to another machine: say smtps://, add ?tls=required, or name the host in \
         outbound.allow"
    )]
    Plain,
    /// An attacker on the path could strip TLS.
    #[error("tls=opportunistic is not supported: use tls=required")]
    Opportunistic,
    /// Not a valid sender address.
    #[error("the sender must be an email address")]
    From,
    /// The extra certificates cannot be parsed.
    #[error("the extra certificates cannot be used: {0}")]
    Certificates(String),
}

impl Smtp {
    /// A server by its URL in lettre's form, the sender address, and extra trusted certificates (PEM). Opens no
    /// connection.
    pub fn new(url: &str, from: &EmailAddress, extra_ca: Option<&[u8]>) -> Result<Self, SmtpError> {
        Self::build(url, from, extra_ca, &[])
    }

    /// Like [`Self::new`], with the certificates and, for plain SMTP, the allowed hosts of the outbound settings.
    pub fn within(url: &str, from: &EmailAddress, outbound: &Outbound) -> Result<Self, SmtpError> {
        let ca = Some(outbound.ca.join("\n")).filter(|ca| !ca.is_empty());
        Self::build(url, from, ca.as_deref().map(str::as_bytes), &outbound.allow)
    }

    fn build(
        url: &str,
        from: &EmailAddress,
        extra_ca: Option<&[u8]>,
        plain: &[AllowedHost],
    ) -> Result<Self, SmtpError> {
        let address = Url::parse(url).map_err(|_| SmtpError::Address)?;
        let host = address.host_str().filter(|host| !host.is_empty()).ok_or(SmtpError::Address)?;
        let tls = address.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| SmtpError::Address)?;
        match (address.scheme(), tls.as_deref()) {
            ("smtps", _) => builder = builder.tls(Tls::Wrapper(parameters(host, extra_ca)?)),
            (_, Some("required")) => builder = builder.tls(Tls::Required(parameters(host, extra_ca)?)),
            (_, Some(_)) => return Err(SmtpError::Opportunistic),
            (_, None) if is_here(&address) || is_allowed(&address, plain) => {}
            (_, None) => return Err(SmtpError::Plain),
        }
        let pool = PoolConfig::new().max_size(CONNECTIONS).idle_timeout(IDLE);
        let transport = builder.timeout(Some(PATIENCE)).pool_config(pool).build();
        let from = from.as_str().parse().map_err(|_| SmtpError::From)?;
        Ok(Self { transport, from })
    }

    /// Builds the message. Non-ASCII text is encoded; control characters in headers are rejected.
    fn write(&self, mail: &OutgoingMail) -> Result<Message, DeliveryError> {
        if [&mail.from_name, &mail.subject].iter().any(|line| line.contains(char::is_control)) {
            return Err(DeliveryError::Permanent("a header holds a control character".to_owned()));
        }
        let broken = |error: lettre::error::Error| DeliveryError::Permanent(error.to_string());
        let to: Address =
            mail.to.as_str().parse().map_err(|_| DeliveryError::Permanent("not an address".to_owned()))?;
        let envelope = Envelope::new(Some(self.from.clone()), vec![to.clone()]).map_err(broken)?;
        Message::builder()
            // Given explicitly: derived from the headers it would lose a quoted local part.
            .envelope(envelope)
            .from(Mailbox::new(Some(mail.from_name.clone()), self.from.clone()))
            .to(Mailbox::new(None, to))
            .subject(mail.subject.clone())
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.domain())))
            .date_now()
            // RFC 3834 §5: prevents out-of-office replies.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", mail.language))
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
            .map_err(broken)
    }
}

impl Mailer for Smtp {
    fn send<'a>(&'a self, mail: &'a OutgoingMail) -> BoxFuture<'a, Result<(), DeliveryError>> {
        Box::pin(async move {
            let message = self.write(mail)?;
            self.transport.send(message).await.map(drop).map_err(|error| verdict(&error))
        })
    }
}

/// Classifies a failed delivery. Permanent errors about the sender's own account (RFC 4954 §6) count as transient,
/// because the operator can correct the account, and the mail is sent afterwards.
fn verdict(error: &smtp::Error) -> DeliveryError {
    let code = error.status().map(|code| code.to_string());
    let reason = std::iter::successors(std::error::Error::source(error), |cause| cause.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    if error.is_permanent() && !code.is_some_and(|code| code.starts_with("53")) {
        DeliveryError::Permanent(reason)
    } else {
        DeliveryError::Transient(reason)
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn parameters(host: &str, extra_ca: Option<&[u8]>) -> Result<TlsParameters, SmtpError> {
    let wrong = |error: smtp::Error| SmtpError::Certificates(error.to_string());
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = extra_ca {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(wrong)?);
    }
    builder.build_rustls().map_err(wrong)
}

/// Returns whether the host is this machine. `smtp` is not a special scheme, so its hosts are opaque until parsed
/// again.
fn is_here(address: &Url) -> bool {
    let host = address.host_str().and_then(|host| Host::parse(host).ok());
    match host {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Returns whether the operator allows plain SMTP to this host. Hosts are compared like those of URLs, with SMTP's
/// port.
fn is_allowed(address: &Url, plain: &[AllowedHost]) -> bool {
    let host = address.host_str().unwrap_or_default();
    let host = Url::parse(&format!("http://{host}:{}/", address.port().unwrap_or(PORT)));
    host.is_ok_and(|host| plain.iter().any(|allowed| allowed.covers(&host)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::MessageId;

    fn smtp(url: &str) -> Result<Smtp, SmtpError> {
        Smtp::new(url, &EmailAddress::parse("no-reply@id.test").unwrap(), None)
    }

    #[tokio::test]
    async fn encryption_is_not_a_matter_of_luck() {
        let table = [
            ("smtps://u:p@mail.test", None),
            ("smtp://u:p@mail.test?tls=required", None),
            ("smtp://mail.test:587?tls=required", None),
            ("smtp://localhost:2525", None),
            ("smtp://127.0.0.1", None),
            ("smtp://[::1]:25", None),
            ("smtp://mail.test", Some(SmtpError::Plain)),
            ("smtp://localhost.mail.test", Some(SmtpError::Plain)),
            ("smtp://mail.test?tls=opportunistic", Some(SmtpError::Opportunistic)),
            ("smtp://mail.test?tls=none", Some(SmtpError::Address)),
            ("http://mail.test", Some(SmtpError::Address)),
            ("mail.test", Some(SmtpError::Address)),
            ("", Some(SmtpError::Address)),
        ];
        for (url, expected) in table {
            assert_eq!(smtp(url).err(), expected, "{url}");
        }
    }

    #[tokio::test]
    async fn plain_smtp_needs_the_operators_word() {
        let from = EmailAddress::parse("no-reply@id.test").unwrap();
        for (url, allowed, expected) in [
            ("smtp://relay.internal:25", "relay.internal", None),
            ("smtp://Relay.Internal", "relay.internal:25", None),
            ("smtp://relay.internal:2525", "relay.internal:2525", None),
            ("smtp://user:password@10.0.0.7", "10.0.0.7", None),
            ("smtp://[fd00::25]:25", "[fd00::25]", None),
            ("smtp://relay.internal:2525", "relay.internal:25", Some(SmtpError::Plain)),
            ("smtp://relay.internal.evil.test", "relay.internal", Some(SmtpError::Plain)),
            ("smtp://relay.internal@evil.test", "relay.internal", Some(SmtpError::Plain)),
            ("smtp://10.0.0.8", "10.0.0.7", Some(SmtpError::Plain)),
            ("smtp://relay.internal?tls=opportunistic", "relay.internal", Some(SmtpError::Opportunistic)),
        ] {
            let allow = vec![AllowedHost::parse(allowed).unwrap()];
            let outbound = Outbound { allow, ..Outbound::default() };
            assert_eq!(Smtp::within(url, &from, &outbound).err(), expected, "{url} {allowed}");
            if expected.is_none() {
                assert_eq!(Smtp::new(url, &from, None).err(), Some(SmtpError::Plain), "{url}");
            }
        }
    }

    /// RFC 5321 §4.1.2, §4.1.3: unusual addresses are unchanged in envelope and header.
    #[tokio::test]
    async fn every_address_can_be_written_to() {
        let smtp = smtp("smtp://localhost").unwrap();
        for to in [
            "anna@xn--bcher-kva.example",
            "anna@[192.0.2.1]",
            "anna@[IPv6:2001:db8::1]",
            "\"Anna Muster\"@example.test",
            "\"a@b\\\"c\"@example.test",
            "o'brien+x@localhost",
        ] {
            let mail = OutgoingMail {
                id: MessageId::new("0b7e"),
                to: EmailAddress::parse(to).unwrap(),
                from_name: "Works".to_owned(),
                subject: "Code".to_owned(),
                language: "en",
                text: String::new(),
                html: String::new(),
            };
            let message = smtp.write(&mail).unwrap();
            let envelope: Vec<_> = message.envelope().to().iter().map(ToString::to_string).collect();
            assert_eq!(envelope, [to]);
            let written = String::from_utf8(message.formatted()).unwrap();
            assert!(written.contains(&format!("To: {to}\r\n")), "{to}: {written}");
        }
    }

    /// No header can be injected, and each one that mail filters expect is present.
    #[tokio::test]
    async fn a_mail_has_the_headers_it_should_have_and_no_others() {
        let mail = OutgoingMail {
            id: MessageId::new("0b7e"),
            to: EmailAddress::parse("anna@example.test").unwrap(),
            from_name: "Söhne, Bcc: eve@example.test <eve@example.test>".to_owned(),
            subject: "Bcc: eve@example.test =?utf-8?q?x?= Söhne".to_owned(),
            language: "de",
            text: "line\r\n.\r\nQUIT".to_owned(),
            html: "<p>x</p>".to_owned(),
        };
        let smtp = smtp("smtp://localhost").unwrap();
        for broken in ["a\r\nBcc: eve@example.test", "a\nb", "a\0b"] {
            for mail in [
                OutgoingMail { from_name: broken.to_owned(), ..mail.clone() },
                OutgoingMail { subject: broken.to_owned(), ..mail.clone() },
            ] {
                assert!(matches!(smtp.write(&mail), Err(DeliveryError::Permanent(_))), "{broken:?}");
            }
        }
        let written = smtp.write(&mail).unwrap().formatted();
        let written = String::from_utf8(written).unwrap();
        let (head, _) = written.split_once("\r\n\r\n").unwrap();
        let names: Vec<_> = head
            .lines()
            .filter(|line| !line.starts_with(' '))
            .filter_map(|line| line.split(':').next())
            .collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        let expected = [
            "Auto-Submitted",
            "Content-Language",
            "Content-Type",
            "Date",
            "From",
            "MIME-Version",
            "Message-ID",
            "Subject",
            "To",
        ];
        assert_eq!(sorted, expected, "{head}");
        assert!(
            head.contains("Message-ID: <0b7e@id.test>") && head.contains("multipart/alternative"),
            "{head}"
        );
    }
}
