//! A ceremony: what a user does in one go to prove a second factor, to enrol an authenticator, to change the password or to
//! get new recovery codes. A login, a reset and a call of the account API each run one.
//!
//! It is part of the row of its caller and written with it, so whatever ends that row ends the ceremony.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::authenticator::{Authenticator, Method};
use super::ids::{AuthenticatorId, CeremonyId, MessageId};
use super::passkey::{PasskeyChallenge, PasskeyPurpose};
use super::time::Time;

/// The state of one ceremony.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ceremony {
    /// Its id, to which codes that are sent are bound; `None` until the first one is.
    #[serde(rename = "ceremony_id")]
    pub id: Option<CeremonyId>,
    /// Wrong codes so far.
    pub wrong_codes: u32,
    /// The code that was sent last, or was to be.
    #[serde(rename = "dispatch")]
    pub delivery: Option<CodeDelivery>,
    /// The question to the browser that is not answered yet.
    #[serde(rename = "ceremony")]
    pub challenge: Option<PasskeyChallenge>,
    /// The enrolment that waits for its first code.
    pub enrolment: Option<PendingEnrolment>,
    /// Recovery codes under the master key, until the user says that they are stored.
    pub recovery_codes: Option<String>,
}

impl Ceremony {
    /// Wrong codes after which it is over (functional specification 6.7).
    const CODES: u32 = 5;

    /// Counts a wrong code; `true` if that was one too many.
    pub const fn count_wrong_code(&mut self) -> bool {
        self.wrong_codes = self.wrong_codes.saturating_add(1);
        self.has_failed()
    }

    /// Whether there were too many wrong codes.
    pub const fn has_failed(&self) -> bool {
        self.wrong_codes >= Self::CODES
    }

    /// Notes that this authenticator waits for its first code.
    pub fn begin_enrolment(&mut self, authenticator: &Authenticator, now: Time) {
        self.enrolment = Some(PendingEnrolment {
            authenticator: authenticator.id.clone(),
            method: authenticator.kind.method(),
            started_at: now,
            wrong_codes: 0,
        });
    }

    /// The question to the browser for this purpose.
    pub fn asked(&self, purpose: PasskeyPurpose) -> Option<&PasskeyChallenge> {
        self.challenge.as_ref().filter(|challenge| challenge.purpose == purpose)
    }

    /// Takes the question to the browser for this purpose: it can be answered once.
    pub fn take_asked(&mut self, purpose: PasskeyPurpose) -> Option<PasskeyChallenge> {
        self.challenge.take_if(|challenge| challenge.purpose == purpose)
    }

    /// Goes on after an event that ended what its user was given, and which it brought about itself: the codes that were sent
    /// are void.
    pub fn renew(&mut self) {
        (self.id, self.delivery) = (None, None);
    }
}

/// An authenticator whose secret was shown and whose first code is awaited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingEnrolment {
    /// The pending authenticator.
    pub authenticator: AuthenticatorId,
    /// Its method.
    #[serde(default = "application")]
    pub method: Method,
    /// When its secret was made.
    pub started_at: Time,
    /// Wrong codes so far.
    pub wrong_codes: u32,
}

impl PendingEnrolment {
    /// Wrong codes that void it.
    const CODES: u32 = 10;
    /// How long it waits for its first code.
    const PATIENCE: Duration = Duration::from_mins(15);

    /// Whether it still waits for its first code.
    pub fn waits(&self, now: Time) -> bool {
        self.started_at.is_recent(now, Self::PATIENCE)
    }

    /// Counts a wrong code; `false` if that was one too many, and it is void.
    pub const fn survives_wrong_code(&mut self) -> bool {
        self.wrong_codes = self.wrong_codes.saturating_add(1);
        self.wrong_codes < Self::CODES
    }
}

/// The method of rows that were written under the first schema, which had no other.
const fn application() -> Method {
    Method::Totp
}

/// A code by SMS or mail, as far as its ceremony knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeDelivery {
    /// The authenticator that the code was to go to.
    pub authenticator: AuthenticatorId,
    /// Whether it went.
    pub outcome: Dispatched,
    /// When another can be asked for.
    pub again_at: Time,
}

/// Whether a code was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dispatched {
    /// Sent, as this message.
    Sent(MessageId),
    /// Held back: too many were asked for.
    Held,
    /// Not sent: there is no way there.
    Impossible,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_codes_are_too_many() {
        let mut ceremony = Ceremony::default();
        assert_eq!([0; 5].map(|_| ceremony.count_wrong_code()), [false, false, false, false, true]);
        assert!(ceremony.has_failed());
    }

    #[test]
    fn after_an_ending_no_code_of_before_counts_and_nothing_else_is_lost() {
        let delivery = CodeDelivery {
            authenticator: AuthenticatorId::new("sms"),
            outcome: Dispatched::Held,
            again_at: Time::from_unix(1),
        };
        let before =
            Ceremony { wrong_codes: 3, recovery_codes: Some("sealed".into()), ..Ceremony::default() };
        let mut ceremony =
            Ceremony { id: Some(CeremonyId::new("one")), delivery: Some(delivery), ..before.clone() };
        ceremony.renew();
        assert_eq!(ceremony, before);
    }

    /// Rows in which an earlier release kept the same things without an id are read on.
    #[test]
    fn rows_of_the_release_before_are_read() {
        let stored = r#"{"wrong_codes":2,"dispatch":null,"ceremony":null,"recovery_codes":"sealed",
            "enrolment":{"authenticator":"a","started_at":5,"wrong_codes":1}}"#;
        let ceremony: Ceremony = serde_json::from_str(stored).unwrap();
        let enrolment = ceremony.enrolment.unwrap();
        assert_eq!((ceremony.id, ceremony.wrong_codes, enrolment.method), (None, 2, Method::Totp));
    }
}
