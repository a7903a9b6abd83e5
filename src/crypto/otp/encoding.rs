//! The encodings of OTP secrets in other systems' exports.
//!
//! `otpauth:` URIs and most exports use base32; `LinOTP`, `privacyIDEA` and seed files of hardware tokens hex; key
//! containers (RFC 6030) base64. Grouping is ignored: spaces, line breaks, and hyphens or colons unless the alphabet
//! has them.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use totp_rs::Secret;
use zeroize::Zeroizing;

use crate::crypto::hex;

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The encoding of a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SecretEncoding {
    /// RFC 4648 §6, in either case.
    #[default]
    Base32,
    /// RFC 4648 §8, in either case.
    Hex,
    /// RFC 4648 §4 or §5 (`-` and `_`).
    Base64,
}

impl SecretEncoding {
    /// The names used in documents.
    pub(crate) const NAMES: [&str; 3] = [Self::Base32.as_str(), Self::Hex.as_str(), Self::Base64.as_str()];

    /// The name used in documents.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Base32 => "base32",
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }

    /// Parses the name used in documents.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Base32, Self::Hex, Self::Base64].into_iter().find(|encoding| encoding.as_str() == text)
    }

    /// Decodes the text; `None` if it is not in this encoding.
    pub(crate) fn decode(self, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let grouping = |c: char| match self {
            Self::Base32 | Self::Hex => c.is_whitespace() || matches!(c, '-' | ':'),
            Self::Base64 => c.is_whitespace(),
        };
        let digits: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !grouping(*c)).collect());
        match self {
            Self::Base32 => base32(&digits),
            Self::Hex => hex::decode(digits.strip_prefix("0x").unwrap_or(&digits)).map(Zeroizing::new),
            Self::Base64 => {
                let standard = Zeroizing::new(digits.replace('-', "+").replace('_', "/"));
                BASE64.decode(standard.as_bytes()).ok().map(Zeroizing::new)
            }
        }
    }
}

fn base32(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digits = Zeroizing::new(digits.trim_end_matches('=').to_ascii_uppercase());
    let secret = Secret::try_from_base32(digits.as_str()).ok()?;
    Some(Zeroizing::new(secret.as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";

    fn decoded(encoding: SecretEncoding, text: &str) -> Option<Vec<u8>> {
        encoding.decode(text).map(|bytes| bytes.to_vec())
    }

    #[test]
    fn a_secret_is_read_as_exports_and_people_write_it() {
        use SecretEncoding::{Base32, Base64, Hex};
        for (encoding, text) in [
            (Base32, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
            (Base32, "gezdgnbvgy3tqojqgezdgnbvgy3tqojq"),
            (Base32, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"),
            (Base32, " gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq\r\n"),
            (Base32, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ======"),
            (Hex, "3132333435363738393031323334353637383930"),
            (Hex, "0x3132333435363738393031323334353637383930"),
            (Hex, "31323334 35363738 39303132 33343536 37383930"),
            (Hex, "31:32:33:34:35:36:37:38:39:30:31:32:33:34:35:36:37:38:39:30"),
            (Base64, "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="),
            (Base64, "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA"),
            (Base64, "MTIzNDU2Nzg5MDEy\nMzQ1Njc4OTA=\n"),
        ] {
            assert_eq!(decoded(encoding, text).as_deref(), Some(SEED), "{encoding:?} {text}");
        }
        let odd = [0xfb, 0xff, 0xbf, 0xde, 0xad];
        for (encoding, text) in [(Hex, "FBFFBFdead"), (Base64, "+/+/3q0="), (Base64, "-_-_3q0")] {
            assert_eq!(decoded(encoding, text).as_deref(), Some(odd.as_slice()), "{encoding:?} {text}");
        }
    }

    #[test]
    fn what_is_not_in_the_encoding_is_refused() {
        use SecretEncoding::{Base32, Base64, Hex};
        for (encoding, text) in [
            (Base32, "GEZDGNBVGY3TQOJQGEZDGNB1"),
            (Base32, "ääääääääääääääääääääääääää"),
            (Hex, "313"),
            (Hex, "3g"),
            (Hex, "+1+2"),
            (Hex, "éé"),
            (Base64, "MTIz*"),
            (Base64, "MTIzNDU2Nzg5MDEyMzQ1Njc4OTB="),
            (Base64, "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=x"),
        ] {
            assert_eq!(decoded(encoding, text), None, "{encoding:?} {text}");
        }
        assert_eq!(SecretEncoding::parse("HEX"), None);
        for name in SecretEncoding::NAMES {
            assert_eq!(SecretEncoding::parse(name).map(SecretEncoding::as_str), Some(name));
        }
    }
}
