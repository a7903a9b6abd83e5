//! The texts of messages: one layout for every mail, as text and as HTML, and one line for every text message.
//!
//! There is no template per kind, because they differ only in their sentences, which the catalogues hold, and in having
//! a code or a link. A mail loads nothing and has no picture, so that reading it cannot be tracked.

use askama::Template;

use crate::domain::branding::Accent;
use crate::domain::ids::MessageId;
use crate::domain::locale::Locale;
use crate::domain::message::{
    AccountNotice, CodePurpose, Content, DeliveredCode, MailContent, MessageContent, MessageLink,
};
use crate::domain::tenant::Tenant;
use crate::ext::{OutgoingMail, OutgoingSms};
use crate::i18n::Texts;

/// The accent of pages whose tenant has none: `--accent` in the style sheet.
const ACCENT: &str = "#23518c";

/// A message for a sender.
pub(crate) enum Outgoing {
    /// To a mailer.
    Mail(OutgoingMail),
    /// To a sender of text messages.
    Sms(OutgoingSms),
}

/// Composes a message in its language and under its tenant's name.
pub(crate) fn compose(id: &MessageId, message: &MessageContent, tenant: &Tenant) -> Outgoing {
    let l = Texts::of(message.locale);
    let service = one_line(&tenant.name);
    match &message.content {
        Content::Mail { to, mail } => {
            let words = Words::of(l, &service, &one_line(&message.account), mail);
            let body = MailBody {
                l,
                locale: message.locale,
                service: &service,
                accent: tenant.branding.accent,
                words,
            };
            Outgoing::Mail(OutgoingMail {
                id: id.clone(),
                to: to.clone(),
                from_name: service.clone(),
                subject: body.words.subject.clone(),
                language: message.locale.tag(),
                // Writing into a String cannot fail, and no filter of ours can.
                text: MailText(&body).render().unwrap_or_default(),
                html: body.render().unwrap_or_default(),
            })
        }
        Content::Sms { to, code, host } => {
            let key = match code.purpose {
                CodePurpose::SignIn => "sms.sign_in",
                CodePurpose::Address => "sms.address",
            };
            let number = code.code.expose();
            let words = l.with(key, &[("code", number), ("service", &service)]);
            // https://wicg.github.io/sms-one-time-codes/: the last line binds the code to the host.
            let text = format!("{words}\n\n@{host} #{number}");
            Outgoing::Sms(OutgoingSms { id: id.clone(), to: to.clone(), text })
        }
    }
}

/// The text on one line: names become part of headers and of lines, so whatever would end either becomes a space.
fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.replace(breaks, " ").trim().to_owned()
}

/// The sentences of a mail.
struct Words {
    subject: String,
    lead: String,
    code: Option<String>,
    link: Option<(String, String)>,
    rest: Vec<String>,
}

impl Words {
    fn of(l: Texts, service: &str, account: &str, mail: &MailContent) -> Self {
        match mail {
            MailContent::Code(code) => Self::code(l, service, code),
            MailContent::Reset(link) => {
                let lead = l.with("mail.reset_lead", &[("service", service), ("account", account)]);
                let subject = l.with("mail.reset_subject", &[("service", service)]);
                Self::link(l, link, subject, lead, l.t("mail.reset_button"))
            }
            MailContent::Activation(link) => {
                let lead = l.with("mail.activation_lead", &[("service", service), ("account", account)]);
                let subject = l.with("mail.activation_subject", &[("service", service)]);
                Self::link(l, link, subject, lead, l.t("mail.activation_button"))
            }
            MailContent::Notice { event, at, zone } => {
                let when = format!("{}, {}", l.date(*at, *zone), l.time_of_day(*at, *zone));
                Self::notice(l, service, account, event, &when)
            }
        }
    }

    fn code(l: Texts, service: &str, code: &DeliveredCode) -> Self {
        let (subject, lead) = match code.purpose {
            CodePurpose::SignIn => ("mail.sign_in_subject", "mail.sign_in_lead"),
            CodePurpose::Address => ("mail.address_subject", "mail.address_lead"),
        };
        let [subject, lead] = [subject, lead].map(|key| l.with(key, &[("service", service)]));
        let rest = vec![
            l.count("mail.code_valid", i64::from(code.minutes)),
            l.with("mail.code_secret", &[("service", service)]),
            l.t("mail.not_asked").to_owned(),
        ];
        Self { subject, lead, code: Some(code.code.expose().to_owned()), link: None, rest }
    }

    fn link(l: Texts, link: &MessageLink, subject: String, lead: String, button: &str) -> Self {
        let rest =
            vec![l.count("mail.link_valid", i64::from(link.minutes)), l.t("mail.not_asked").to_owned()];
        let link = Some((link.address.expose().to_owned(), button.to_owned()));
        Self { subject, lead, code: None, link, rest }
    }

    fn notice(l: Texts, service: &str, account: &str, event: &AccountNotice, when: &str) -> Self {
        let (subject, lead) = match event {
            AccountNotice::PasswordChanged => ("mail.password_changed_subject", "mail.password_changed"),
            AccountNotice::SecondFactorEnrolled => ("mail.factor_enrolled_subject", "mail.factor_enrolled"),
            AccountNotice::SecondFactorRemoved => ("mail.factor_removed_subject", "mail.factor_removed"),
            AccountNotice::SecondFactorReset => ("mail.factor_reset_subject", "mail.factor_reset"),
            AccountNotice::RecoveryCodeUsed => ("mail.recovery_used_subject", "mail.recovery_used"),
            AccountNotice::AddressChanged => ("mail.address_changed_subject", "mail.address_changed"),
            AccountNotice::AccountLinked { .. } => ("mail.linked_subject", "mail.linked"),
            AccountNotice::NewBrowser { .. } => ("mail.new_browser_subject", "mail.new_browser"),
        };
        let mut rest = vec![l.with("mail.when", &[("when", when)])];
        if let AccountNotice::NewBrowser { browser: Some(browser) } = event {
            rest.push(l.with("mail.browser", &[("browser", browser)]));
        }
        rest.push(l.t("mail.not_you").to_owned());
        let upstream = match event {
            AccountNotice::AccountLinked { upstream } => one_line(upstream),
            _ => String::new(),
        };
        let values = [("service", service), ("account", account), ("upstream", upstream.as_str())];
        Self { subject: l.with(subject, &values), lead: l.with(lead, &values), code: None, link: None, rest }
    }
}

/// A mail as HTML.
#[derive(Template)]
#[template(path = "mail/mail.html")]
struct MailBody<'a> {
    l: Texts,
    locale: Locale,
    service: &'a str,
    accent: Option<Accent>,
    words: Words,
}

impl MailBody<'_> {
    fn accent(&self) -> String {
        self.accent.map_or_else(|| ACCENT.to_owned(), |accent| accent.to_string())
    }
}

/// The same as text.
#[derive(Template)]
#[template(path = "mail/mail.txt")]
struct MailText<'a>(&'a MailBody<'a>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::branding::Branding;
    use crate::domain::epoch::Epoch;
    use crate::domain::ids::TenantId;
    use crate::domain::message::Confidential;
    use crate::domain::tenant::{TenantDomain, TenantPolicy};
    use crate::domain::time::Time;
    use crate::domain::zone::Zone;

    const HOSTILE: &str = "<b>O'Neil & Söhne</b>\r\nBcc: eve@example.test\r\n\r\n.\r\n{{7*7}}{code}";

    fn tenant(name: &str) -> Tenant {
        Tenant {
            id: TenantId::new("t"),
            domain: TenantDomain::parse("example.works").unwrap(),
            name: name.to_owned(),
            reseller: None,
            disabled: false,
            epoch: Epoch::default(),
            locale: Locale::De,
            time_zone: Zone::UTC,
            policy: TenantPolicy::default(),
            branding: Branding { accent: Accent::parse("#0b6e4f").ok(), logo: None },
        }
    }

    fn mails(upstream: &str) -> Vec<MailContent> {
        let code = |purpose, minutes| DeliveredCode { purpose, code: Confidential::new("493817"), minutes };
        let link =
            || MessageLink { address: Confidential::new("https://id.test/reset?x=1&y=2"), minutes: 30 };
        let at = Time::from_unix(1_796_137_500);
        let notice = |event| MailContent::Notice { event, at, zone: Zone::UTC };
        let mut all = vec![
            MailContent::Code(code(CodePurpose::SignIn, 10)),
            MailContent::Code(code(CodePurpose::Address, 1)),
            MailContent::Reset(link()),
            MailContent::Activation(link()),
        ];
        let notices = [
            AccountNotice::PasswordChanged,
            AccountNotice::SecondFactorEnrolled,
            AccountNotice::SecondFactorRemoved,
            AccountNotice::SecondFactorReset,
            AccountNotice::RecoveryCodeUsed,
            AccountNotice::AddressChanged,
            AccountNotice::AccountLinked { upstream: upstream.to_owned() },
            AccountNotice::NewBrowser { browser: Some("Firefox, Linux".to_owned()) },
            AccountNotice::NewBrowser { browser: None },
        ];
        all.extend(notices.map(notice));
        all
    }

    fn write(locale: Locale, content: Content, service: &str) -> Outgoing {
        let written = MessageContent { locale, account: "anna".to_owned(), content };
        compose(&MessageId::new("m"), &written, &tenant(service))
    }

    fn all_mails(service: &str) -> Vec<OutgoingMail> {
        let mut all = Vec::new();
        for locale in Locale::ALL {
            for mail in mails(service) {
                let content = Content::Mail { to: "anna@example.test".to_owned().try_into().unwrap(), mail };
                let Outgoing::Mail(mail) = write(locale, content, service) else { panic!("a text") };
                all.push(mail);
            }
        }
        all
    }

    #[test]
    fn every_mail_is_whole_in_every_language() {
        for mail in all_mails("Example Works") {
            assert!(mail.subject.contains("Example Works"), "{}", mail.subject);
            assert!(mail.html.starts_with(&format!("<!DOCTYPE html>\n<html lang=\"{}\">", mail.language)));
            assert!(mail.html.trim_end().ends_with("</html>") && mail.html.contains("#0b6e4f"));
            for part in [&mail.subject, &mail.text, &mail.html] {
                assert!(!part.contains("mail.") && !part.contains('{'), "{part}");
            }
            let lines = mail.text.lines().collect::<Vec<_>>();
            assert!(lines.len() > 6 && !mail.text.contains("\n\n\n"), "{}", mail.text);
            for secret in ["493817", "https://id.test/reset?x=1&y=2"] {
                let as_html = secret.replace('&', "&#38;");
                assert_eq!(mail.text.contains(secret), mail.html.contains(&as_html), "{}", mail.subject);
            }
        }
    }

    /// Attacks 160 and 161.
    #[test]
    fn a_name_is_never_markup_nor_a_header() {
        for mail in all_mails(HOSTILE) {
            assert!(
                !mail.html.contains("<b>") && mail.html.contains("&#60;b&#62;O&#39;Neil"),
                "{}",
                mail.html
            );
            for line in [&mail.subject, &mail.from_name] {
                assert!(!line.contains(['\r', '\n']), "{line}");
            }
            assert!(mail.text.lines().all(|line| !line.starts_with("Bcc") && line != "."), "{}", mail.text);
            assert!(mail.text.contains("{{7*7}}{code}"), "{}", mail.text);
        }
    }

    #[test]
    fn a_text_names_the_service_and_ends_with_the_host_and_the_code() {
        for locale in Locale::ALL {
            for purpose in [CodePurpose::SignIn, CodePurpose::Address] {
                let content = Content::Sms {
                    to: "+4915112345678".to_owned().try_into().unwrap(),
                    code: DeliveredCode { purpose, code: Confidential::new("493817"), minutes: 5 },
                    host: "id.test".to_owned(),
                };
                let Outgoing::Sms(sms) = write(locale, content, "Example Works") else { panic!("a mail") };
                assert!(
                    sms.text.ends_with("\n@id.test #493817") && sms.text.contains("Example Works"),
                    "{}",
                    sms.text
                );
                assert!(
                    sms.text.chars().count() <= 160,
                    "{} characters: {}",
                    sms.text.chars().count(),
                    sms.text
                );
            }
        }
    }
}
