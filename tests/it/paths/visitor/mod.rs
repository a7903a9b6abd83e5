//! One person in front of one browser, so that a story is written once and told twice: over plain HTTP and in a
//! Chromium.

mod plain;
mod window;

pub(crate) use plain::Plain;
pub(crate) use window::Window;

/// What a person can do and see. Texts are English.
pub(crate) trait PageRequest {
    /// Do the pages' scripts run?
    fn runs_scripts(&self) -> bool;

    /// Opens an address in the tab that is in front, and arrives wherever that leads.
    async fn open(&mut self, address: &str);

    /// Fills in the page's form and sends it: by the button that is named here, or by the first. Boxes are ticked,
    /// choices made, fields typed into.
    async fn submit(&mut self, fields: &[(&str, &str)]);

    /// Follows the link whose address contains this.
    async fn follow(&mut self, part: &str);

    /// Goes on to another tab of the same browser, which is opened if it is not there.
    async fn tab(&mut self, number: usize);

    /// Goes on in a browser that was never here.
    async fn elsewhere(&mut self);

    /// Where the tab in front is.
    async fn address(&mut self) -> String;

    /// The step that the page asks for; empty on other pages.
    async fn step(&mut self) -> String;

    /// Everything that stands on the page.
    async fn text(&mut self) -> String;

    /// The value of a field.
    async fn value(&mut self, field: &str) -> String;

    /// Can a field or button of this name be seen?
    async fn sees(&mut self, name: &str) -> bool;

    /// The secret that an enrolment shows.
    async fn secret(&mut self) -> String;

    /// The recovery codes that the page shows.
    async fn recovery_codes(&mut self) -> Vec<String>;

    /// Looks at the page on a telephone in the dark and on a desk in the light: it must be good to use on both.
    async fn look(&mut self, page: &str);

    /// What the browser complained of: blocked scripts, things that were not found.
    async fn complaints(&mut self) -> Vec<String>;
}

/// Tells a story over plain HTTP and in a real browser.
macro_rules! told {
    ($story:path) => {
        #[tokio::test]
        async fn over_plain_http() {
            $story(&mut crate::paths::Plain::new()).await;
        }

        #[tokio::test]
        async fn in_a_real_browser() {
            crate::support::chromium::browse(crate::support::chromium::Habits::default(), async |browser| {
                $story(&mut crate::paths::Window::of(browser).await).await
            })
            .await;
        }
    };
}

pub(crate) use told;
