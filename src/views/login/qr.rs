//! QR codes as one SVG path: no style attribute, no image to load.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

use super::enrol::EnrolView;

/// A QR code with its quiet zone, in modules.
pub(crate) struct Qr {
    /// Width and height.
    pub(crate) size: usize,
    /// The dark modules, row by row.
    pub(crate) path: String,
}

/// ISO/IEC 18004 §9.1: four modules of white around the symbol.
const QUIET: usize = 4;

impl EnrolView {
    /// The code that carries the `otpauth:` address; `None` if that is too long for any.
    pub(crate) fn qr(&self) -> Option<Qr> {
        let code = QrCode::with_error_correction_level(&self.uri, EcLevel::M).ok()?;
        let mut path = String::new();
        for (y, row) in code.to_colors().chunks(code.width()).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|a, b| a == b) {
                if run.first() == Some(&Color::Dark) {
                    // Writing into a String cannot fail.
                    let _ = write!(path, "M{} {}h{n}v1h-{n}z", x + QUIET, y + QUIET, n = run.len());
                }
                x += run.len();
            }
        }
        Some(Qr { size: code.width() + 2 * QUIET, path })
    }
}
