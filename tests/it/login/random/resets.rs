//! Forgotten passwords: links, and the pages behind them.

use vestibule::testing::{Answer, TestIdp};

use super::super::{DOMAIN, shown_codes, shown_secret};
use super::game::{Game, csrf};
use super::truth::{Actor, Name, Reset, What};
use super::world::{Device, PEOPLE};

impl Game {
    pub(super) async fn forget(&self, person: Name) {
        let mut browser = self.idp.browser();
        let page = browser.get(&format!("{}/reset", TestIdp::ISSUER)).await;
        browser.submit(&page, &[("tenant", DOMAIN), ("username", person)]).await;
    }

    /// Opens one of the links that were mailed.
    pub(super) async fn link(&mut self, browser: usize, which: impl Fn(usize) -> usize) {
        let sent = self.idp.mailbox().await;
        let links: Vec<_> =
            sent.iter().filter_map(|mail| Some((mail.to.clone(), mail.link()?.to_owned()))).collect();
        if links.is_empty() {
            return;
        }
        let (to, link) = &links[which(links.len())];
        let page = self.browsers[browser].get(link).await;
        assert!(!page.status.is_server_error(), "{}", page.body);
        if page.step() == Some("new_password") {
            let user = PEOPLE.into_iter().find(|name| to.starts_with(name)).unwrap();
            self.books[browser].reset =
                Some(Reset { user, proofs: Vec::new(), password: None, changed_at: None });
        }
    }

    /// Sends what makes sense on the page of a reset.
    pub(super) async fn reset(&mut self, browser: usize) {
        let Some(mut reset) = self.books[browser].reset.clone() else { return };
        let page = self.browsers[browser].get(&format!("{}/reset/password", TestIdp::ISSUER)).await;
        self.count += 1;
        let password = format!("battery of the {}th stapler", self.count);
        let device = match page.step() {
            Some("second_factor") => self.has[reset.user].device.clone(),
            Some("enrol") => Some(Device::Totp(shown_secret(&page))),
            _ => None,
        };
        let code = match &device {
            Some(device) => self.code_of(device).await.unwrap_or_default(),
            None => String::new(),
        };
        let fields: &[(&str, &str)] = match page.step() {
            Some("new_password") => {
                reset.password = Some(password.clone());
                &[("new_password", &password), ("new_password_again", &password)]
            }
            Some("second_factor" | "enrol") => &[("code", &code)],
            Some("recovery_codes") => &[("stored", "yes")],
            _ => return self.books[browser].reset = None,
        };
        reset.prove(device.map(What::Code), self.now());
        self.send_reset(browser, reset, &page, "", fields).await;
    }

    /// A wrong code in a reset, or a recovery code.
    pub(super) async fn reset_err(&mut self, browser: usize, recover: bool) {
        let Some(mut reset) = self.books[browser].reset.clone() else { return };
        let page = self.browsers[browser].get(&format!("{}/reset/password", TestIdp::ISSUER)).await;
        let known = self.recovery_codes.get_mut(reset.user).and_then(Vec::pop).filter(|_| recover);
        reset.prove(known.is_some().then_some(What::Recovery), self.now());
        let (step, code) = match known {
            Some(code) => ("recovery", code),
            None => ("second_factor", "000000".to_owned()),
        };
        self.send_reset(browser, reset, &page, step, &[("code", &code)]).await;
    }

    async fn send_reset(
        &mut self,
        browser: usize,
        mut reset: Reset,
        page: &Answer,
        step: &str,
        fields: &[(&str, &str)],
    ) {
        let all: Vec<_> = std::iter::once(("csrf", csrf(page))).chain(fields.iter().copied()).collect();
        let url =
            if step.is_empty() { page.url.to_string() } else { format!("{}/reset/{step}", TestIdp::ISSUER) };
        let answer = self.browsers[browser].post(&url, &all).await;
        assert!(!answer.status.is_server_error(), "{}", answer.body);
        let before = self.has[reset.user].password.clone();
        self.look(Actor::Reset(&reset)).await;
        if let Some(password) = reset.password.clone().filter(|_| self.has[reset.user].password != before) {
            self.passwords.insert(reset.user, password);
            reset.changed_at = Some(self.now());
        }
        if answer.step() == Some("recovery_codes") {
            self.recovery_codes.insert(reset.user, shown_codes(&answer));
        }
        self.books[browser].reset = Some(reset);
    }
}
