//! Sample data that several pages share. Each page has samples for all its states: tests render them, and a host with a
//! theme of its own looks at them.

use super::form::{Form, Problem};
use super::frame::{ApplicationInfo, Brand, WayBack};
use crate::domain::branding::Accent;
use crate::domain::ids::Reference;
use crate::domain::time::Time;

/// The time at which the samples are shown.
pub(super) const NOW: Time = Time::from_unix(1_795_442_700);

/// A form with these problems.
pub(super) fn form(problems: &[Problem]) -> Form {
    Form { problems: problems.to_vec(), ..Form::new("/t/example.works/login/8f3a/step", "7Zb1cXk3") }
}

/// An application.
pub(super) fn application() -> ApplicationInfo {
    ApplicationInfo {
        name: "Shop".to_owned(),
        logo: None,
        policy: Some("https://shop.example.test/privacy".to_owned()),
        terms: Some("https://shop.example.test/terms".to_owned()),
    }
}

/// The link back to that application.
pub(super) fn back() -> WayBack {
    WayBack { name: "Shop".to_owned(), address: "https://shop.example.test/login".to_owned() }
}

/// A reference code.
pub(super) fn reference() -> Reference {
    Reference::new("K7QF-2MPX")
}

/// A tenant with an accent.
pub(crate) fn tenant() -> Brand {
    Brand { name: "Example Works".to_owned(), logo: None, accent: Accent::parse("#0b6e4f").ok() }
}
