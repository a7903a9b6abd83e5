//! The logos of tenants that a document names as files beside it.
//!
//! Management takes a logo as a `data:` URL. A file is replaced by one before its tenant is read; why one could not be
//! read is told in place of management's mistake.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::management::Mistake;

/// The member that may name a file.
const MEMBER: &str = "branding.logo";

/// Why a file was not read, if it was not.
#[derive(Debug, Default)]
pub(super) struct Unread(Option<String>);

impl Unread {
    /// Returns the mistake, with the reason that is known here if it is about the file.
    pub(super) fn explain(&self, mistake: Mistake) -> Mistake {
        match &self.0 {
            Some(problem) if mistake.member == MEMBER => Mistake { problem: problem.clone(), ..mistake },
            _ => mistake,
        }
    }
}

/// Replaces the file that a tenant names as its logo by a `data:` URL.
pub(super) fn resolve(tenant: &mut Value, folder: Option<&Path>) -> Unread {
    let logo = tenant.pointer_mut("/branding/logo").filter(|logo| !logo.is_null());
    let Some(logo) = logo else { return Unread(None) };
    match data_url(logo, folder) {
        Ok(Some(url)) => *logo = json!(url),
        Ok(None) => {}
        Err(problem) => return Unread(Some(problem)),
    }
    Unread(None)
}

/// Returns the content of the file; `None` if there is a `data:` URL already, or none.
fn data_url(logo: &Value, folder: Option<&Path>) -> Result<Option<String>, String> {
    let name = logo.as_str().ok_or("must be the name of an image file")?;
    if name.is_empty() || name.starts_with("data:") {
        return Ok(None);
    }
    let folder = folder.ok_or("must be a data: URL, since this document is no file")?;
    let media_type = match Path::new(name).extension().and_then(std::ffi::OsStr::to_str) {
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        _ => "",
    };
    let path = folder.join(name);
    let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Some(format!("data:{media_type};base64,{}", STANDARD.encode(bytes))))
}
