//! A tenant's mark on the hosted pages: logo and accent colour, as data.

use serde::{Deserialize, Serialize};

/// What a tenant may change about the pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Branding {
    /// The colour of buttons and links.
    pub accent: Option<Accent>,
    /// The logo, served from the tenant's own address.
    pub logo: Option<Logo>,
}

/// A logo: an image that the pages may show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    /// `image/svg+xml` or `image/png`
    pub media_type: String,
    /// The file, base64.
    pub data: String,
}

/// A colour on which white or black text reaches a contrast of 4.5:1 (WCAG 2.2, 1.4.3), written `#rrggbb`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Accent {
    rgb: [u8; 3],
}

/// The colour cannot be an accent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccentError {
    /// Not of the form `#rrggbb`.
    #[error("is not a colour of the form #rrggbb")]
    Malformed,
}

impl Accent {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Result<Self, AccentError> {
        let hex = text.trim().strip_prefix('#').filter(|hex| hex.len() == 6).ok_or(AccentError::Malformed)?;
        let number = u32::from_str_radix(hex, 16).map_err(|_| AccentError::Malformed)?;
        let [_, r, g, b] = number.to_be_bytes();
        Ok(Self { rgb: [r, g, b] })
    }
}

impl TryFrom<String> for Accent {
    type Error = AccentError;

    fn try_from(text: String) -> Result<Self, AccentError> {
        Self::parse(&text)
    }
}

impl From<Accent> for String {
    fn from(accent: Accent) -> Self {
        let [r, g, b] = accent.rgb;
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}
