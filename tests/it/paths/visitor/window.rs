//! A real browser.

use thirtyfour::WindowHandle;

use super::PageRequest;
use crate::support::chromium::Chromium;

/// A Chromium, and its tabs in the order in which they were opened.
pub(crate) struct Window<'c> {
    browser: &'c Chromium,
    tabs: Vec<WindowHandle>,
}

impl<'c> Window<'c> {
    pub(crate) async fn of(browser: &'c Chromium) -> Self {
        Self { browser, tabs: vec![browser.tab().await] }
    }
}

impl PageRequest for Window<'_> {
    fn runs_scripts(&self) -> bool {
        true
    }

    async fn open(&mut self, address: &str) {
        self.browser.open(address).await;
        self.browser.settle().await;
    }

    async fn submit(&mut self, fields: &[(&str, &str)]) {
        let mut button = None;
        for (name, value) in fields {
            if !self.browser.answer(name, value).await {
                button = Some(format!("main form button[name={name}]"));
            }
        }
        match button {
            Some(button) => self.browser.follow(&button).await,
            None => self.browser.submit().await,
        }
        self.browser.settle().await;
    }

    async fn follow(&mut self, part: &str) {
        self.browser.follow(&format!("main a[href*='{part}']")).await;
        self.browser.settle().await;
    }

    async fn tab(&mut self, number: usize) {
        while self.tabs.len() <= number {
            self.browser.new_tab().await;
            self.tabs.push(self.browser.tab().await);
        }
        self.browser.switch_to(self.tabs[number].clone()).await;
    }

    async fn elsewhere(&mut self) {
        self.browser.forget().await;
    }

    async fn address(&mut self) -> String {
        self.browser.address().await
    }

    async fn step(&mut self) -> String {
        self.browser.step().await
    }

    async fn text(&mut self) -> String {
        let text = self.browser.text("body").await;
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    async fn value(&mut self, field: &str) -> String {
        self.browser.value(field).await
    }

    async fn sees(&mut self, name: &str) -> bool {
        self.browser.sees(&format!("[name={name}]")).await
    }

    async fn secret(&mut self) -> String {
        self.browser.text(".key code").await.split_whitespace().collect()
    }

    async fn recovery_codes(&mut self) -> Vec<String> {
        self.browser.texts(".codes code").await
    }

    async fn look(&mut self, page: &str) {
        for (width, scheme) in [(320, "dark"), (1280, "light")] {
            let faults = self.browser.look(width, scheme, &format!("paths/{page}")).await;
            assert_eq!(faults, Vec::<String>::new(), "{page} {width} {scheme}");
        }
    }

    async fn complaints(&mut self) -> Vec<String> {
        let all = self.browser.complaints().await;
        all.into_iter().filter(|said| !said.contains("favicon")).collect()
    }
}
