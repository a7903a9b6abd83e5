//! What every page answers about itself, so that the layout draws all pages alike.

use super::assets::Asset;
use super::form::Form;
use crate::domain::ids::Reference;

/// The struct of a page.
pub(crate) trait View {
    /// The name of the step: the value of `data-step`.
    fn step(&self) -> &'static str;

    /// The key of the title.
    fn title(&self) -> &'static str;

    /// The form, if the page has one that can have problems.
    fn form(&self) -> Option<&Form> {
        None
    }

    /// The reference code under which an administrator finds the page explained.
    fn reference(&self) -> Option<&Reference> {
        self.form().and_then(|form| form.reference.as_ref())
    }

    /// The scripts.
    fn scripts(&self) -> &'static [Asset] {
        &[]
    }

    /// The address of the application's image, which the content security policy must allow.
    fn foreign_image(&self) -> Option<&str> {
        None
    }

    /// Sample data for every state of the page, by name.
    fn samples() -> Vec<(&'static str, Self)>
    where
        Self: Sized;
}
