//! The pages and the mails: one plain struct for each page, and the theme that turns it into HTML.
//!
//! Why structs and not strings: a host may replace [`Theme`] and thereby every page, without touching what the
//! pages mean. Texts stay out of the structs; a theme looks them up in the language of the [`Frame`].
//!
//! A page is a struct with its `View` in `login/`, a template that extends `base.html`, its texts, and one
//! line in the list in `body`.

mod assets;
mod body;
mod form;
mod frame;
mod layout;
mod login;
mod mail;
mod page;
pub(crate) mod samples;
#[cfg(test)]
mod tests;
mod theme;
mod view;

pub(crate) use assets::Asset;
pub(crate) use mail::{Outgoing, compose};

pub use body::Body;
pub use form::{Field, Form, Problem};
pub use frame::{ApplicationInfo, Brand, Frame, WayBack};
pub use login::*;
pub use page::{Html, Page};
pub use theme::{DefaultTheme, Theme};
