//! The pages that lead out of the provider.

use std::borrow::Cow;

use crate::views::assets::Asset;
use crate::views::view::View;

/// Posts the answer to the application by the browser (OAuth 2.0 Form Post Response Mode).
pub struct FormPostView {
    /// The application's name.
    pub application: String,
    /// The redirect URI.
    pub action: String,
    /// The parameters of the answer.
    pub fields: Vec<(Cow<'static, str>, String)>,
}

impl View for FormPostView {
    fn step(&self) -> &'static str {
        "form_post"
    }

    fn title(&self) -> &'static str {
        "form_post.title"
    }

    fn scripts(&self) -> &'static [Asset] {
        &[Asset::SUBMIT]
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let fields =
            [("code", "c0de"), ("state", "\"><script>alert(1)</script>"), ("iss", "https://id.test")];
        let form_post = Self {
            application: "Shop".to_owned(),
            action: "https://shop.example.test/callback".to_owned(),
            fields: fields.map(|(name, value)| (name.into(), value.to_owned())).into(),
        };
        vec![("form-post", form_post)]
    }
}

/// Leads to another site in a navigation of its own (header `Refresh`): no redirect after a form leads there.
pub struct OnwardView {
    /// The name of the application, or of the provider to sign in at.
    pub application: String,
    /// The address that it leads to.
    pub address: String,
}

impl View for OnwardView {
    fn step(&self) -> &'static str {
        "onward"
    }

    fn title(&self) -> &'static str {
        "form_post.title"
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let address = "https://shop.example.test/callback?code=c0de".to_owned();
        vec![("onward", Self { application: "Shop".to_owned(), address })]
    }
}
