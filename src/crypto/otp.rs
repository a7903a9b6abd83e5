//! One-time codes of authenticator applications and devices, over totp-rs: TOTP (RFC 6238) in this file, HOTP (RFC
//! 4226) in `otp/hotp.rs`.
//!
//! This module only computes. That a step is accepted once (RFC 6238 §5.2) is enforced by a conditional update of the
//! row; `last_accepted` only excludes old steps from the search.

mod encoding;
pub(crate) mod hotp;
pub(crate) mod resync;

use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::Zeroizing;

pub(crate) use self::encoding::SecretEncoding;
use super::random;
use crate::domain::authenticator::{OtpAlgorithm, TotpParameters};
use crate::domain::time::Time;
use crate::domain::typed;

/// Length of a secret in bytes: at least 128 bits (RFC 4226 §4), at most one hash block.
const SECRET_LENGTH: std::ops::RangeInclusive<usize> = 16..=128;
/// Length of the shortest secret that can be imported, in bytes: 80 bits.
const SHORTEST_IMPORT: usize = 10;

/// The shared secret of an authenticator; wiped when dropped.
#[derive(Clone)]
pub(crate) struct OtpSecret(Zeroizing<Vec<u8>>);

/// The reason why a text or bytes are not an OTP secret. It never contains the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OtpSecretError {
    #[error("is not an OTP secret in {}", .0.as_str())]
    Encoding(SecretEncoding),
    /// RFC 4226 §4.
    #[error("is an OTP secret of {0} bits and must have 128; allow_short_secret = true takes 80 and more")]
    Short(usize),
    #[error("is an OTP secret of {0} bits and must have 80")]
    TooShort(usize),
    #[error("is an OTP secret of {0} bits and must have at most 1024")]
    TooLong(usize),
}

impl OtpSecret {
    /// Generates a secret of 160 bits, a length that every application supports.
    pub(crate) fn generate() -> Self {
        Self(Zeroizing::new(random::bytes::<20>().to_vec()))
    }

    /// Wraps unsealed bytes: a generated secret or a checked import.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, OtpSecretError> {
        let bits = bytes.len() * 8;
        match bytes.len() {
            n if n > *SECRET_LENGTH.end() => Err(OtpSecretError::TooLong(bits)),
            n if n < SHORTEST_IMPORT => Err(OtpSecretError::TooShort(bits)),
            _ => Ok(Self(Zeroizing::new(bytes.to_vec()))),
        }
    }

    /// Returns whether it is shorter than the minimum of RFC 4226 §4.
    pub(crate) fn is_short(&self) -> bool {
        self.0.len() < *SECRET_LENGTH.start()
    }

    /// Parses a secret exported by another system.
    pub(crate) fn import(
        text: &str,
        encoding: SecretEncoding,
        allow_short: bool,
    ) -> Result<Self, OtpSecretError> {
        let bytes = encoding.decode(text).ok_or(OtpSecretError::Encoding(encoding))?;
        let secret = Self::from_bytes(&bytes)?;
        if secret.is_short() && !allow_short {
            return Err(OtpSecretError::Short(bytes.len() * 8));
        }
        Ok(secret)
    }

    /// The bytes, for sealing.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text to type into an application that cannot scan the QR code.
    pub(crate) fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(Secret::from(self.0.as_slice()).to_base32())
    }

    /// The base32 text in groups of four.
    pub(crate) fn groups(&self) -> Vec<String> {
        let text = self.base32();
        text.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect()
    }

    /// The `otpauth:` URI in the QR code. Issuer and account are separated by a colon, so colons in them become spaces.
    /// `None` if the parameters are not supported.
    pub(crate) fn otpauth_uri(
        &self,
        issuer: &str,
        account: &str,
        parameters: &TotpParameters,
    ) -> Option<Zeroizing<String>> {
        let name = |text: &str| text.replace(':', " ").trim().to_owned();
        let totp = builder(parameters, self)?
            .with_issuer(Some(name(issuer)).filter(|issuer| !issuer.is_empty()))
            .with_account_name(name(account))
            .build();
        totp.ok()?.to_url().ok().map(Zeroizing::new)
    }
}

impl std::fmt::Debug for OtpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OtpSecret(..)")
    }
}

/// The window of accepted time steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// The drift of the device when it was last used, in steps.
    pub(crate) drift: i64,
    /// Steps accepted before and after the expected one, for clock skew and slow typing.
    pub(crate) around: i64,
    /// The last accepted step.
    pub(crate) last_accepted: i64,
}

/// The time step that this code belongs to, within the window; the nearest to the expected one.
pub(crate) fn find_step(
    parameters: &TotpParameters,
    secret: &OtpSecret,
    code: &str,
    now: Time,
    window: Window,
) -> Option<i64> {
    let totp = totp(parameters, secret)?;
    let typed = typed::code(code, 16);
    let expected = step_at(parameters, now)?.checked_add(window.drift)?;
    let offsets = std::iter::once(0).chain((1..=window.around).flat_map(|far| [-far, far]));
    offsets.map(|offset| expected.saturating_add(offset)).find(|&step| {
        let time = u64::try_from(step).ok().and_then(|step| step.checked_mul(parameters.period));
        step > window.last_accepted && time.is_some_and(|time| totp.check(&typed, time).is_some())
    })
}

/// The time step of `now` (T in RFC 6238 §4.2).
pub(crate) fn step_at(parameters: &TotpParameters, now: Time) -> Option<i64> {
    now.unix().checked_div_euclid(i64::try_from(parameters.period).ok()?)
}

/// The code for a time step; `None` if the step is out of range.
pub(crate) fn code_at(parameters: &TotpParameters, secret: &OtpSecret, step: i64) -> Option<String> {
    let time = u64::try_from(step).ok()?.checked_mul(parameters.period)?;
    Some(totp(parameters, secret)?.generate(time).to_string())
}

/// Builds without totp-rs's checks: `builder` has made them, except for the length of the secret, which may be short.
fn totp(parameters: &TotpParameters, secret: &OtpSecret) -> Option<Totp> {
    Some(builder(parameters, secret)?.build_noncompliant())
}

/// A `Totp` that checks one step only; the window is searched here.
fn builder(parameters: &TotpParameters, secret: &OtpSecret) -> Option<Builder> {
    let algorithm = match parameters.algorithm {
        OtpAlgorithm::Sha1 => Algorithm::SHA1,
        OtpAlgorithm::Sha256 => Algorithm::SHA256,
        OtpAlgorithm::Sha512 => Algorithm::SHA512,
    };
    let digits = u8::try_from(parameters.digits).ok().filter(|_| parameters.is_valid())?;
    Some(
        Builder::new()
            .with_algorithm(algorithm)
            .with_digits(digits)
            .with_step_duration(parameters.period)
            .with_skew(0)
            .with_secret(secret.as_bytes()),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Time = Time::from_unix(1_800_000_015);
    const STEP: i64 = 60_000_000;

    fn secret() -> OtpSecret {
        OtpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    fn code(step: i64) -> String {
        code_at(&TotpParameters::default(), &secret(), step).unwrap()
    }

    fn window(drift: i64, last_accepted: i64) -> Window {
        Window { drift, around: 1, last_accepted }
    }

    fn find(code: &str, drift: i64, last: i64) -> Option<i64> {
        find_step(&TotpParameters::default(), &secret(), code, NOW, window(drift, last))
    }

    /// RFC 6238, appendix B.
    #[test]
    fn the_test_vectors_of_rfc_6238() {
        let seed = b"1234567890".repeat(7);
        let table = [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ];
        for (seconds, sha1, sha256, sha512) in table {
            let rows = [
                (OtpAlgorithm::Sha1, 20, sha1),
                (OtpAlgorithm::Sha256, 32, sha256),
                (OtpAlgorithm::Sha512, 64, sha512),
            ];
            for (algorithm, length, code) in rows {
                let secret = OtpSecret::from_bytes(&seed[..length]).unwrap();
                let parameters = TotpParameters { algorithm, digits: 8, period: 30 };
                let now = Time::from_unix(seconds);
                let step = step_at(&parameters, now).unwrap();
                assert_eq!(code_at(&parameters, &secret, step).as_deref(), Some(code));
                assert_eq!(
                    find_step(&parameters, &secret, code, now, window(0, 0)),
                    Some(step),
                    "{algorithm:?} {seconds}"
                );
            }
        }
    }

    #[test]
    fn one_step_before_and_after_counts_and_no_more() {
        for (offset, found) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            assert_eq!(find(&code(STEP + offset), 0, 0), found.then_some(STEP + offset), "{offset}");
        }
    }

    #[test]
    fn the_window_follows_the_drift() {
        for (offset, found) in [(0, false), (2, true), (3, true), (4, true), (5, false)] {
            assert_eq!(find(&code(STEP + offset), 3, 0), found.then_some(STEP + offset), "{offset}");
        }
    }

    #[test]
    fn an_accepted_step_and_those_before_it_are_spent() {
        assert_eq!(find(&code(STEP), 0, STEP), None);
        assert_eq!(find(&code(STEP - 1), 0, STEP), None);
        assert_eq!(find(&code(STEP + 1), 0, STEP), Some(STEP + 1));
    }

    fn full_width(text: &str) -> String {
        text.chars().filter_map(|c| char::from_u32(u32::from(c) + 0xfee0)).collect()
    }

    #[test]
    fn a_code_may_be_typed_in_groups_and_in_wide_digits() {
        let code = code(STEP);
        let (left, right) = code.split_at(3);
        for typed in [format!(" {left} {right}\u{a0}"), format!("{left}-{right}"), full_width(&code)] {
            assert_eq!(find(&typed, 0, 0), Some(STEP), "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let code = code(STEP);
        for text in ["", "1", "abcdef", "+12345", "-12345", "１２３４５", &format!("{code}0"), &code[1..]]
        {
            assert_eq!(find(text, 0, 0), None, "{text}");
        }
    }

    #[test]
    fn odd_clocks_and_parameters_give_no_code() {
        let secret = secret();
        let default = TotpParameters::default();
        for now in [i64::MIN, -1, -31, i64::MAX] {
            assert_eq!(
                find_step(&default, &secret, "000000", Time::from_unix(now), window(0, -9)),
                None,
                "{now}"
            );
        }
        assert_eq!(find_step(&default, &secret, "000000", NOW, window(i64::MAX, 0)), None);
        assert_eq!(code_at(&default, &secret, -1), None);
        assert_eq!(code_at(&default, &secret, i64::MAX), None);
        for (digits, period) in [(5, 30), (7, 30), (10, 30), (300, 30), (6, 0), (6, 31), (6, 86_430)] {
            let parameters = TotpParameters { digits, period, ..default };
            assert_eq!(code_at(&parameters, &secret, 1), None, "{digits} {period}");
        }
    }

    #[test]
    fn a_secret_is_shown_in_groups() {
        let secret = secret();
        assert_eq!(*secret.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(secret.groups().join(" "), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(OtpSecret::generate().as_bytes().len(), 20);
    }

    #[test]
    fn short_secrets_are_taken_where_that_is_said_and_never_below_80_bits() {
        let import = |bytes: usize, short| {
            let text = "ab".repeat(bytes);
            OtpSecret::import(&text, SecretEncoding::Hex, short).map(|secret| secret.as_bytes().len())
        };
        for (bytes, strict, lenient) in [
            (9, Err(OtpSecretError::TooShort(72)), Err(OtpSecretError::TooShort(72))),
            (10, Err(OtpSecretError::Short(80)), Ok(10)),
            (15, Err(OtpSecretError::Short(120)), Ok(15)),
            (16, Ok(16), Ok(16)),
            (128, Ok(128), Ok(128)),
            (129, Err(OtpSecretError::TooLong(1032)), Err(OtpSecretError::TooLong(1032))),
        ] {
            assert_eq!((import(bytes, false), import(bytes, true)), (strict, lenient), "{bytes}");
        }
        assert!(OtpSecret::from_bytes(&[0; 9]).is_err());
    }

    /// The code is that of `oathtool --totp --now '2005-03-18 01:58:29 UTC' 31323334353637383930`.
    #[test]
    fn a_short_secret_makes_codes() {
        let secret = OtpSecret::import("GEZDGNBVGY3TQOJQ", SecretEncoding::Base32, true).unwrap();
        assert!(secret.is_short());
        let parameters = TotpParameters::default();
        let now = Time::from_unix(1_111_111_109);
        let step = step_at(&parameters, now).unwrap();
        let code = code_at(&parameters, &secret, step).unwrap();
        assert_eq!(code, "343526");
        assert_eq!(find_step(&parameters, &secret, &code, now, window(0, 0)), Some(step));
        assert_eq!(hotp::code_of(6, &secret, step).as_deref(), Some(code.as_str()));
    }

    #[test]
    fn the_link_names_issuer_and_account() {
        let uri =
            |issuer: &str, parameters| secret().otpauth_uri(issuer, "anna@a.example", &parameters).unwrap();
        assert_eq!(
            *uri("Acme: Login", TotpParameters::default()),
            "otpauth://totp/Acme%20%20Login:anna%40a.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme%20%20Login"
        );
        let parameters = TotpParameters { algorithm: OtpAlgorithm::Sha256, digits: 8, period: 60 };
        let link = uri("Acme", parameters);
        for part in ["algorithm=SHA256", "digits=8", "period=60"] {
            assert!(link.contains(part), "{part}: {}", *link);
        }
    }

    proptest! {
        #[test]
        fn base_32_comes_back(bytes in proptest::collection::vec(any::<u8>(), SECRET_LENGTH)) {
            let secret = OtpSecret::from_bytes(&bytes).unwrap();
            let text = secret.groups().join(" ");
            let again = OtpSecret::import(&text, SecretEncoding::Base32, false).unwrap();
            prop_assert_eq!(again.as_bytes(), bytes.as_slice());
        }

        #[test]
        fn no_input_makes_the_search_panic(code: String, now: i64, drift: i64, last: i64) {
            let found = find_step(&TotpParameters::default(), &secret(), &code, Time::from_unix(now), window(drift, last));
            prop_assert!(found.is_none_or(|step| step > last));
        }
    }
}
