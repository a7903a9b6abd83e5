//! The files that pages refer to. Each address carries the hash of the content, so it may be kept for ever.
//!
//! The style sheet's address carries the accent colour too: `style-1f0c…-0b5fff.css` is the common sheet with that
//! accent at its end. So a page needs one sheet, and serving it needs no look at the tenant.

use crate::domain::branding::{Accent, Logo};

/// A file.
pub(crate) struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static str,
    hash: u64,
}

impl Asset {
    /// The style sheet of all pages.
    pub(crate) const STYLE: Self = Self::new("style", "css", include_str!("../../templates/style.css"));
    /// Show password, copy, print, local times.
    pub(crate) const PAGE: Self = Self::new("page", "js", include_str!("../../templates/page.js"));
    /// Asks the browser for passkeys.
    pub(crate) const PASSKEY: Self = Self::new("passkey", "js", include_str!("../../templates/passkey.js"));
    /// The automatic submit of the form post response mode.
    pub(crate) const SUBMIT: Self = Self::new("submit", "js", include_str!("../../templates/submit.js"));
    /// The icon of the browser's tab.
    pub(crate) const ICON: Self = Self::new("icon", "svg", include_str!("../../templates/icon.svg"));

    const ALL: [Self; 5] = [Self::STYLE, Self::PAGE, Self::PASSKEY, Self::SUBMIT, Self::ICON];

    const fn new(name: &'static str, kind: &'static str, content: &'static str) -> Self {
        Self { name, kind, content, hash: fnv1a(content.as_bytes()) }
    }

    /// Its address below an issuer's path.
    pub(crate) fn address(&self, base: &str) -> String {
        format!("{base}/assets/{}-{:016x}.{}", self.name, self.hash, self.kind)
    }

    /// The style sheet's address with this accent.
    pub(crate) fn style_address(base: &str, accent: Option<Accent>) -> String {
        let Self { name, hash, kind, .. } = Self::STYLE;
        match accent.map(|accent| accent.to_string()) {
            Some(accent) => {
                format!("{base}/assets/{name}-{hash:016x}-{}.{kind}", accent.trim_start_matches('#'))
            }
            None => Self::STYLE.address(base),
        }
    }

    /// The name of a tenant's logo; it lies beside the other files of the tenant's issuers.
    pub(crate) fn logo_file(logo: &Logo) -> String {
        let kind = if logo.media_type == Logo::PNG { "png" } else { "svg" };
        format!("logo-{:016x}.{kind}", fnv1a(logo.data.as_bytes()))
    }

    /// The media type and content of the file that was asked for by the last part of its address.
    pub(crate) fn find(file: &str) -> Option<(&'static str, String)> {
        let (stem, kind) = file.rsplit_once('.')?;
        let mut parts = stem.split('-');
        let (name, hash, accent) = (parts.next()?, parts.next()?, parts.next());
        let is_it = |asset: &&Self| {
            asset.name == name && asset.kind == kind && hash == format!("{:016x}", asset.hash)
        };
        let asset = Self::ALL.iter().find(is_it).filter(|_| parts.next().is_none())?;
        let media_type = match kind {
            "css" => "text/css; charset=utf-8",
            "svg" => Logo::SVG,
            _ => "text/javascript; charset=utf-8",
        };
        let accent = match accent {
            None => String::new(),
            Some(hex) if kind == "css" => rules(Accent::parse(&format!("#{hex}")).ok()?),
            Some(_) => return None,
        };
        Some((media_type, format!("{}{accent}", asset.content)))
    }
}

/// The rules that a tenant's accent adds.
fn rules(accent: Accent) -> String {
    let dark = accent.on_dark();
    format!(
        ":root {{ --accent: {accent}; }}\n@media (prefers-color-scheme: dark) {{ :root {{ --accent: {dark}; }} }}\n"
    )
}

/// FNV-1a, 64 bits: names a content; it is not a protection.
const fn fnv1a(mut bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    while let [first, rest @ ..] = bytes {
        hash = (hash ^ *first as u64).wrapping_mul(0x0100_0000_01b3);
        bytes = rest;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_find_their_content() {
        for asset in Asset::ALL {
            let address = asset.address("/id");
            let file = address.strip_prefix("/id/assets/").unwrap();
            assert_eq!(Asset::find(file).unwrap().1, asset.content);
            assert!(Asset::find(&file.replace(asset.name, "other")).is_none());
            assert!(Asset::find(&file.replace('-', "-0")).is_none(), "another content's hash");
        }
    }

    #[test]
    fn the_accent_is_part_of_the_style_sheet() {
        let address = Asset::style_address("", Some(Accent::parse("#0b5fff").unwrap()));
        let file = address.strip_prefix("/assets/").unwrap();
        let (media_type, content) = Asset::find(file).unwrap();
        assert_eq!(media_type, "text/css; charset=utf-8");
        assert!(content.contains("--accent: #0b5fff;"));
        for bad in ["ffcc00", "}", "0b5fff-0b5fff", "red"] {
            assert!(Asset::find(&file.replace("0b5fff", bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_style_sheet_is_small_and_loads_nothing() {
        let Asset { content, .. } = Asset::STYLE;
        assert!(content.len() < 12 * 1024, "{} bytes", content.len());
        assert!(!content.contains("url(") && !content.contains("@import"));
        assert!(content.contains("--card: #1d1f24;"), "domain::branding measures against another dark card");
    }

    #[test]
    fn fnv1a_is_the_published_function() {
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
