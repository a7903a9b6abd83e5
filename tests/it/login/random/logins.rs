//! Logins: what an application asks, what is sent to their pages, and what comes out.

use vestibule::testing::{Answer, TestIdp};

use super::super::stolen_cookie::CHANGES;
use super::super::{DOMAIN, PASSWORD, shown_codes, shown_secret};
use super::acts::{Ask, Tab};
use super::game::{Game, csrf};
use super::truth::{self, Actor, Login, Name, Proof, What};
use super::world::Device;

/// Demands two factors.
const ESSENTIAL: &str = r#"{"id_token":{"acr":{"essential":true,"value":"urn:vestibule:acr:2fa"}}}"#;

/// A page of a login.
#[derive(Clone)]
pub(super) struct Page {
    answer: Answer,
    /// The login's id.
    login: String,
}

impl Game {
    /// An application sends the user.
    pub(super) async fn open(&mut self, tab: Tab, ask: Ask) {
        let age = match ask {
            Ask::MaxAge(age) => age.to_string(),
            _ => String::new(),
        };
        let two = "urn:vestibule:acr:2fa";
        let more: &[(&str, &str)] = match ask {
            Ask::Plain => &[],
            Ask::Silent => &[("prompt", "none")],
            Ask::Login => &[("prompt", "login")],
            Ask::MaxAge(_) => &[("max_age", &age)],
            Ask::Essential => &[("claims", ESSENTIAL)],
            Ask::Wish => &[("acr_values", two)],
        };
        let login = Login {
            asked_at: self.now(),
            fresh: matches!(ask, Ask::Login | Ask::MaxAge(0)),
            max_age: if let Ask::MaxAge(age) = ask { Some(i64::try_from(age).unwrap()) } else { None },
            essential: ask == Ask::Essential,
            asks_acr: matches!(ask, Ask::Essential | Ask::Wish),
            ..Login::default()
        };
        let answer = self.browsers[tab.browser].get(&self.shop.authorization_url_with("openid", more)).await;
        let id = id_of(&answer).unwrap_or_default();
        self.logins.insert(id.clone(), login);
        self.arrive(tab, &id, answer).await;
    }

    /// The page of a tab as it is now: whatever else happened, the address leads to what is due.
    async fn page(&mut self, tab: Tab) -> Option<Page> {
        let page = self.pages[tab.browser][tab.tab].clone()?;
        let answer = self.browsers[tab.browser].get(page.answer.url.as_str()).await;
        self.arrive(tab, &page.login, answer).await;
        self.pages[tab.browser][tab.tab].clone()
    }

    /// What came back. A code is held against the books.
    async fn arrive(&mut self, tab: Tab, id: &str, answer: Answer) {
        assert!(!answer.status.is_server_error(), "{} {}", answer.url, answer.body);
        if answer.parameter("code").is_some() {
            let (login, token) = (self.logins[id].clone(), self.shop.redeem(&answer).await.id_token);
            let (now, books) = (self.now(), &mut self.books[tab.browser]);
            truth::judge(books, &login, &token, &self.has, &self.rules, now);
            let [one, other] = &mut self.books;
            truth::used_together(&mut one.session, &mut other.session);
        }
        let goes_on = id_of(&answer).is_some_and(|other| other == id) && answer.step() != Some("expired");
        let whose = self.whose(tab, id);
        if let (Some(person), Some("recovery_codes")) = (whose, answer.step()) {
            self.recovery_codes.insert(person, shown_codes(&answer));
        }
        self.pages[tab.browser][tab.tab] = goes_on.then(|| Page { answer, login: id.to_owned() });
    }

    /// Whose login it is: who gave the password in it, or who is signed in.
    fn whose(&self, tab: Tab, id: &str) -> Option<Name> {
        let signed_in = self.books[tab.browser].session.as_ref().map(|session| session.user);
        self.logins[id].user.or(signed_in)
    }

    /// Something wrong on the page that is due.
    pub(super) async fn err(&mut self, tab: Tab) {
        let Some(page) = self.page(tab).await else { return };
        let step = page.answer.step().unwrap_or_default().to_owned();
        let wrong = [("tenant", DOMAIN), ("username", "tina"), ("password", "x"), ("code", "000000")];
        self.send(tab, &step, &wrong, None).await;
    }

    /// Sends a recovery code of this person.
    pub(super) async fn recover(&mut self, tab: Tab, person: Name) {
        let Some(code) = self.recovery_codes.get_mut(person).and_then(Vec::pop) else { return };
        self.send(tab, "recovery", &[("code", &code)], Some((person, What::Recovery))).await;
    }

    pub(super) async fn get(&mut self, tab: Tab, step: &str) {
        let Some(page) = self.page(tab).await else { return };
        let answer = self.browsers[tab.browser].get(&at(&page.answer, step)).await;
        self.arrive(tab, &page.login, answer).await;
    }

    /// The other browser takes the address over: it opens nothing there.
    pub(super) async fn steal(&mut self, tab: Tab) {
        let Some(page) = self.page(tab).await else { return };
        let (thief, url) = (1 - tab.browser, page.answer.url.as_str());
        let fields = [("tenant", DOMAIN), ("username", "bert"), ("password", PASSWORD)];
        for answer in [self.browsers[thief].get(url).await, self.browsers[thief].post(url, &fields).await] {
            assert_eq!(answer.step(), Some("expired"), "{}", answer.body);
        }
    }

    /// Sends what makes sense on the page that is due.
    pub(super) async fn go(&mut self, tab: Tab, person: Name, tick: bool) {
        let Some(page) = self.page(tab).await else { return self.open(tab, Ask::Plain).await };
        let step = page.answer.step().unwrap_or_default().to_owned();
        let whose = self.whose(tab, &page.login).unwrap_or(person);
        self.count += 1;
        let (number, address) =
            (format!("+491511{:07}", self.count), format!("{whose}.{}@post.test", self.count));
        let method = ["totp", "sms", "mail"][usize::try_from(self.count).unwrap() % 3];
        match step.as_str() {
            "identify" => self.identify(tab, person).await,
            "second_factor" | "recovery" | "resync" => {
                self.show_code(tab, whose, "second_factor", tick).await;
            }
            "enrol" => {
                let device = Device::Totp(shown_secret(&page.answer));
                self.confirm(tab, "enrol", whose, device).await;
            }
            "confirm_code" => match self.logins[&page.login].destination.clone() {
                Some(device) => self.confirm(tab, "confirm_code", whose, device).await,
                None => self.pages[tab.browser][tab.tab] = None,
            },
            "choose_method" => self.send(tab, &step, &[("method", method)], None).await,
            "phone" => {
                self.aim(&page.login, Device::Sms(number.clone()));
                self.send(tab, &step, &[("country", "DE"), ("phone_number", &number)], None).await;
            }
            "email" => {
                self.aim(&page.login, Device::Mail(address.clone()));
                self.send(tab, &step, &[("email", &address)], None).await;
            }
            "recovery_codes" => self.send(tab, &step, &[("stored", "yes")], None).await,
            "notice" | "blocked" if tick => self.send(tab, &step, &[("enable", "yes")], None).await,
            "notice" => self.send(tab, &step, &[("skip", "yes")], None).await,
            "choose_account" => self.send(tab, &step, &[("account", "this")], None).await,
            // Waits and refusals lead nowhere.
            _ => self.pages[tab.browser][tab.tab] = None,
        }
    }

    async fn identify(&mut self, tab: Tab, person: Name) {
        let password = self.passwords[person].clone();
        let proof = (person, What::Password(self.has[person].password.clone()));
        let fields = [("tenant", DOMAIN), ("username", person), ("password", password.as_str())];
        self.send(tab, "identify", &fields, Some(proof)).await;
    }

    /// Sends the right code of this person to a page.
    pub(super) async fn show_code(&mut self, tab: Tab, person: Name, step: &str, tick: bool) {
        let Some(device) = self.has[person].device.clone() else { return };
        let Some(code) = self.code_of(&device).await else { return };
        let ticked = [("code", code.as_str()), ("trust_browser", "yes")];
        let fields = if tick { &ticked[..] } else { &ticked[..1] };
        self.send(tab, step, fields, Some((person, What::Code(device)))).await;
    }

    /// Sends the first code of a new authenticator.
    async fn confirm(&mut self, tab: Tab, step: &str, whose: Name, device: Device) {
        let code = self.code_of(&device).await.unwrap_or_else(|| "000000".to_owned());
        self.send(tab, step, &[("code", &code)], Some((whose, What::Code(device)))).await;
    }

    /// Where the next code of this login goes.
    fn aim(&mut self, id: &str, device: Device) {
        self.logins.get_mut(id).unwrap().destination = Some(device);
    }

    /// Sends fields to a page; `right` is what they prove where they are asked for.
    pub(super) async fn send(
        &mut self,
        tab: Tab,
        step: &str,
        fields: &[(&str, &str)],
        right: Option<(Name, What)>,
    ) {
        let Some(page) = self.page(tab).await else { return };
        if let Some((person, what)) = right {
            self.note(tab, &page, person, what, fields);
        }
        let all: Vec<_> =
            std::iter::once(("csrf", csrf(&page.answer))).chain(fields.iter().copied()).collect();
        let answer = self.browsers[tab.browser].post(&at(&page.answer, step), &all).await;
        let login = self.logins[&page.login].clone();
        self.look(Actor::Login(&login)).await;
        self.arrive(tab, &page.login, answer).await;
    }

    /// Writes down what is proved by this, if the page asks for it of this person.
    fn note(&mut self, tab: Tab, page: &Page, person: Name, what: What, fields: &[(&str, &str)]) {
        let due = page.answer.step().unwrap_or_default();
        let (whose, at) = (self.whose(tab, &page.login), self.now());
        let is_password = matches!(what, What::Password(_));
        if is_password != (due == "identify") || !is_password && whose != Some(person) {
            return;
        }
        let login = self.logins.get_mut(&page.login).unwrap();
        if is_password {
            login.user = Some(person);
        }
        let ticked = fields.iter().any(|(name, _)| *name == "trust_browser");
        if ticked && self.rules.trust && !self.has[person].admin && matches!(what, What::Code(_)) {
            self.books[tab.browser].trusted.insert(person, at + 30 * 24 * 3600);
        }
        login.proofs.push(Proof { user: person, what, at });
    }

    /// What a session cookie alone leads to: a code for what the session has proved, and no page that changes a credential.
    pub(super) async fn thief(&mut self, browser: usize) {
        let Some((key, value)) = self.session_cookie(browser) else { return };
        let mut thief = self.idp.browser();
        thief.cookies().insert(key, value);
        let url = self.shop.authorization_url_with("openid", &[("claims", ESSENTIAL)]);
        let mut page = thief.get(&url).await;
        if page.step() == Some("notice") {
            page = thief.submit(&page, &[("enable", "yes")]).await;
        }
        if page.parameter("code").is_some() {
            let token = self.shop.redeem(&page).await.id_token;
            let now = self.now();
            let login = Login { asked_at: now, essential: true, asks_acr: true, ..Login::default() };
            truth::judge(&mut self.books[browser], &login, &token, &self.has, &self.rules, now);
            let [one, other] = &mut self.books;
            truth::used_together(&mut one.session, &mut other.session);
        }
        let is_login = id_of(&page).is_some();
        for step in CHANGES.into_iter().filter(|_| is_login) {
            let answer = thief.get(&at(&page, step)).await;
            let due = answer.step().unwrap_or_default();
            assert!(!CHANGES.contains(&due), "a thief reaches {due}: {}", answer.body);
        }
    }

    pub(super) async fn sign_out(&mut self, browser: usize) {
        let page = self.browsers[browser].get(&format!("{}/logout", TestIdp::ISSUER)).await;
        if page.step() == Some("confirm_sign_out") {
            let done = self.browsers[browser].submit(&page, &[("confirm", "yes")]).await;
            assert_eq!(done.step(), Some("signed_out"), "{}", done.body);
        }
        self.books[browser].session = None;
    }
}
/// The id of the login that a page belongs to.
fn id_of(answer: &Answer) -> Option<String> {
    let mut parts = answer.url.path().split('/');
    parts.find(|part| *part == "login")?;
    parts.next().map(str::to_owned)
}

/// Another page of the same login.
fn at(page: &Answer, step: &str) -> String {
    let (before, rest) = page.url.as_str().rsplit_once('/').unwrap();
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    format!("{before}/{step}?{query}")
}
