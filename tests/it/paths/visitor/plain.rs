//! A browser without a screen: the test kit's, over real HTTP.

use vestibule::testing::{Answer, Browser};

use super::PageRequest;
use crate::login::{shown_codes, shown_secret};
use crate::support::network;

/// A cookie jar, and what each tab shows.
pub(crate) struct Plain {
    browser: Browser,
    tabs: Vec<Option<Answer>>,
    front: usize,
}

impl Plain {
    pub(crate) fn new() -> Self {
        Self { browser: network::browser(), tabs: vec![None], front: 0 }
    }

    fn page(&self) -> &Answer {
        self.tabs[self.front].as_ref().expect("a page was opened in this tab")
    }

    async fn arrive(&mut self, answer: Answer) {
        let page = network::arrive(&mut self.browser, answer).await;
        self.tabs[self.front] = Some(page);
    }
}

impl PageRequest for Plain {
    fn runs_scripts(&self) -> bool {
        false
    }

    async fn open(&mut self, address: &str) {
        let answer = self.browser.get(address).await;
        self.arrive(answer).await;
    }

    async fn submit(&mut self, fields: &[(&str, &str)]) {
        let page = self.page().clone();
        let answer = self.browser.submit(&page, fields).await;
        self.arrive(answer).await;
    }

    async fn follow(&mut self, part: &str) {
        let page = self.page();
        let mut links = page.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let link =
            links.find(|link| link.contains(part)).unwrap_or_else(|| panic!("no {part}: {}", page.body));
        let address = page.url.join(&link.replace("&#38;", "&")).unwrap();
        self.open(address.as_str()).await;
    }

    async fn tab(&mut self, number: usize) {
        self.tabs.resize(self.tabs.len().max(number + 1), None);
        self.front = number;
    }

    async fn elsewhere(&mut self) {
        *self = Self::new();
    }

    async fn address(&mut self) -> String {
        self.page().url.to_string()
    }

    async fn step(&mut self) -> String {
        self.page().step().unwrap_or_default().to_owned()
    }

    async fn text(&mut self) -> String {
        let page = self.page();
        let (_, body) = page.body.split_once("<body").unwrap_or(("", &page.body));
        let bare: String =
            body.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect();
        bare.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    async fn value(&mut self, field: &str) -> String {
        let page = self.page();
        let (_, rest) = page.body.split_once(&format!("name=\"{field}\"")).expect(&page.body);
        let tag = rest.split('>').next().unwrap_or_default();
        tag.split_once("value=\"")
            .and_then(|(_, value)| value.split('"').next())
            .unwrap_or_default()
            .to_owned()
    }

    async fn sees(&mut self, name: &str) -> bool {
        self.page().body.contains(&format!("name=\"{name}\""))
    }

    async fn secret(&mut self) -> String {
        shown_secret(self.page())
    }

    async fn recovery_codes(&mut self) -> Vec<String> {
        shown_codes(self.page())
    }

    async fn look(&mut self, _: &str) {}

    async fn complaints(&mut self) -> Vec<String> {
        Vec::new()
    }
}
