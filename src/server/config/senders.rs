//! Combines `[mail]` and `[sms]` into senders, or reports contradictions.

use crate::domain::contact::EmailAddress;
use crate::domain::message::Confidential;
use crate::domain::outbound::Outbound;
use crate::notify::{Gateway, GatewaySettings, NumberFormat, Smtp, SmtpError};

/// The name of a setting and its problem.
pub(super) type Contradiction = (&'static str, String);

/// The values of both sections.
#[derive(Debug, Default)]
pub(super) struct Senders {
    pub(super) smtp: Option<Confidential>,
    pub(super) from: Option<EmailAddress>,
    pub(super) url: Option<Confidential>,
    pub(super) method: String,
    pub(super) headers: Vec<(String, Confidential)>,
    pub(super) body: Option<Confidential>,
    pub(super) number_format: NumberFormat,
    pub(super) success: Option<String>,
}

impl Senders {
    /// The mail server, if configured.
    pub(super) fn mail(&self, outbound: &Outbound) -> Result<Option<Smtp>, Contradiction> {
        match (&self.smtp, &self.from) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(("mail.from", "needs mail.smtp, the server that mail goes to".to_owned())),
            (Some(_), None) => {
                Err(("mail.smtp", "needs mail.from, the address that mail comes from".to_owned()))
            }
            (Some(smtp), Some(from)) => Smtp::within(smtp.expose(), from, outbound)
                .map(Some)
                .map_err(|error| (smtp_setting(&error), error.to_string())),
        }
    }

    /// The gateway, if configured.
    pub(super) fn sms(&self, outbound: &Outbound) -> Result<Option<Gateway>, Contradiction> {
        let Some(url) = &self.url else {
            let orphan = [
                ("sms.headers", !self.headers.is_empty()),
                ("sms.body", self.body.is_some()),
                ("sms.success", self.success.is_some()),
            ];
            let orphan = orphan.into_iter().find(|(_, said)| *said);
            return orphan.map_or(Ok(None), |(name, _)| Err((name, "needs sms.url".to_owned())));
        };
        let header = |(name, value): &(String, Confidential)| (name.clone(), value.expose().to_owned());
        let settings = GatewaySettings {
            url: url.expose().to_owned(),
            method: self.method.clone(),
            headers: self.headers.iter().map(header).collect(),
            body: self.body.as_ref().map(|body| body.expose().to_owned()),
            number_format: self.number_format,
            success: self.success.clone(),
        };
        Gateway::new(&settings, outbound)
            .map(Some)
            .map_err(|error| (gateway_setting(error.member), error.problem))
    }
}

const fn smtp_setting(error: &SmtpError) -> &'static str {
    match error {
        SmtpError::Address | SmtpError::Plain | SmtpError::Opportunistic => "mail.smtp",
        SmtpError::From => "mail.from",
        SmtpError::Certificates(_) => "outbound.ca",
    }
}

fn gateway_setting(member: &str) -> &'static str {
    match member {
        "method" => "sms.method",
        "headers" => "sms.headers",
        "body" => "sms.body",
        "ca" => "outbound.ca",
        _ => "sms.url",
    }
}
