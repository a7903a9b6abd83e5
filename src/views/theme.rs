//! The look of the pages: a trait that a host may implement, and the default one.

use super::page::{Html, Page};

/// The look of every page. A host replaces it to replace them all.
pub trait Theme: Send + Sync + 'static {
    /// Draws a page. The content security policy forbids inline scripts and styles.
    fn render(&self, page: &Page) -> Html;
}

/// Plain and quiet, light and dark; a tenant's name, logo and accent come in as data.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultTheme;

impl Theme for DefaultTheme {
    fn render(&self, page: &Page) -> Html {
        // Writing into a String cannot fail, and no filter used here can.
        Html::trusted(page.body.draw(&page.frame).unwrap_or_default())
    }
}
