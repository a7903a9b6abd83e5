//! The formats in which gateways expect telephone numbers.

/// The format of `{number}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberFormat {
    /// E.164 with its plus: `+4915112345678`.
    #[default]
    E164,
    /// Digits only, with the country code first: `4915112345678`.
    Digits,
    /// With the international prefix of most countries: `004915112345678`.
    DoubleZero,
}

impl NumberFormat {
    /// Parses the setting: `e164`, `digits` or `00`. The error text continues the setting's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "e164" => Ok(Self::E164),
            "digits" => Ok(Self::Digits),
            "00" => Ok(Self::DoubleZero),
            _ => Err("must be e164 (+4915…), digits (4915…) or 00 (004915…)".to_owned()),
        }
    }

    /// Formats a number given in E.164.
    pub(super) fn write(self, e164: &str) -> String {
        let digits = e164.trim_start_matches('+');
        match self {
            Self::E164 => e164.to_owned(),
            Self::Digits => digits.to_owned(),
            Self::DoubleZero => format!("00{digits}"),
        }
    }
}
