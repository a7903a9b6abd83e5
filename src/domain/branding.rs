//! A tenant's branding of the hosted pages: logo and accent colour, as data.
//!
//! Why an accent is checked: links have this colour on a white card, and buttons have white text on it, so it needs a
//! contrast of 4.5:1 with white (WCAG 2.2, 1.4.3). The colour for the dark scheme is computed from it.

use serde::{Deserialize, Serialize};

/// The customizable parts of the pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Branding {
    /// The colour of buttons and links.
    pub accent: Option<Accent>,
    /// The logo, served from the tenant's own address.
    pub logo: Option<Logo>,
}

/// A logo image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    /// `image/svg+xml` or `image/png`
    pub media_type: String,
    /// The file, base64.
    pub data: String,
}

impl Logo {
    /// The media type of PNG.
    pub const PNG: &str = "image/png";
    /// The media type of SVG.
    pub const SVG: &str = "image/svg+xml";
}

/// A colour that is readable on white, and white on it, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Accent(Rgb);

type Rgb = [u8; 3];

/// The colour is not a valid accent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccentError {
    /// Not of the form `#rrggbb`.
    #[error("is not a colour of the form #rrggbb")]
    Malformed,
    /// The contrast with white is too low.
    #[error("has too little contrast with white; the nearest colour that has enough is {nearest}")]
    TooPale {
        /// The same hue, darkened as far as needed.
        nearest: Accent,
    },
}

impl Accent {
    /// The minimum contrast for text of normal size (WCAG 2.2, 1.4.3).
    const CONTRAST: f64 = 4.5;
    const WHITE: Rgb = [0xff; 3];
    /// The card's colour in the dark scheme: `--card` in the style sheet.
    const DARK_CARD: Rgb = [0x1d, 0x1f, 0x24];

    /// Parses `#rrggbb`.
    pub fn parse(text: &str) -> Result<Self, AccentError> {
        let hex = text.trim().strip_prefix('#').filter(|hex| hex.len() == 6).ok_or(AccentError::Malformed)?;
        let plain = hex.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u32::from_str_radix(hex, 16).ok().filter(|_| plain).ok_or(AccentError::Malformed)?;
        let [_, r, g, b] = number.to_be_bytes();
        let rgb = [r, g, b];
        let darker = |step| rgb.map(|channel| blend(channel, 0, step));
        match nearest(darker, Self::WHITE) {
            0 => Ok(Self(rgb)),
            step => Err(AccentError::TooPale { nearest: Self(darker(step)) }),
        }
    }

    /// The colour for the dark scheme: the same hue, lightened as far as needed on the dark card.
    pub fn on_dark(self) -> String {
        let lighter = |step| self.0.map(|channel| blend(channel, 0xff, step));
        hex(lighter(nearest(lighter, Self::DARK_CARD)))
    }
}

/// The first of 256 steps at which the colour reaches the contrast.
fn nearest(colour: impl Fn(u8) -> Rgb, background: Rgb) -> u8 {
    let reaches = |&step: &u8| contrast(colour(step), background) >= Accent::CONTRAST;
    (0..=u8::MAX).find(reaches).unwrap_or(u8::MAX)
}

/// Interpolates a channel: `from` at step 0, `to` at step 255.
fn blend(from: u8, to: u8, step: u8) -> u8 {
    let (from, to, step) = (u32::from(from), u32::from(to), u32::from(step));
    u8::try_from((from * (255 - step) + to * step) / 255).unwrap_or(u8::MAX)
}

/// The contrast ratio of two colours (WCAG 2.2): 1 to 21.
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Relative luminance (WCAG 2.2).
fn luminance(rgb: Rgb) -> f64 {
    let [r, g, b] = rgb.map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

impl std::fmt::Display for Accent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(self.0))
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
        accent.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_is_not_a_colour() {
        for text in ["", "red", "#fff", "#12345g", "#+12345", "url(x)", "#1234567", "123456"] {
            assert_eq!(Accent::parse(text), Err(AccentError::Malformed), "{text}");
        }
    }

    #[test]
    fn a_pale_colour_is_refused_with_the_nearest_that_can_be_read() {
        let Err(AccentError::TooPale { nearest }) = Accent::parse("#ffcc00") else { panic!("accepted") };
        assert_eq!(nearest.to_string(), "#907300");
        assert_eq!(Accent::parse(&nearest.to_string()), Ok(nearest));
        let [r, g, b] = nearest.0;
        assert!(
            contrast([r + 2, g + 2, b], Accent::WHITE) < Accent::CONTRAST,
            "a nearer one could be read too"
        );
    }

    #[test]
    fn known_ratios() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
        // The example of WCAG's own working group: #767676 is the lightest grey that passes on white.
        assert!(Accent::parse("#767676").is_ok());
        assert!(Accent::parse("#777777").is_err());
    }

    proptest! {
        #[test]
        fn every_colour_is_readable_or_has_a_readable_neighbour(rgb: [u8; 3]) {
            let accent = match Accent::parse(&hex(rgb)) {
                Ok(accent) | Err(AccentError::TooPale { nearest: accent }) => accent,
                Err(AccentError::Malformed) => panic!("malformed"),
            };
            prop_assert!(contrast(accent.0, Accent::WHITE) >= 4.5);
            let dark = u32::from_str_radix(&accent.on_dark()[1..], 16).unwrap().to_be_bytes();
            prop_assert!(contrast([dark[1], dark[2], dark[3]], Accent::DARK_CARD) >= 4.5);
        }
    }
}
