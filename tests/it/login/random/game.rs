//! A provider and two browsers: who does what, what everybody has, and the codes that people hold in their hands.

use std::collections::BTreeMap;
use std::time::Duration;

use vestibule::SupportAction;
use vestibule::ext::Clock;
use vestibule::testing::{Answer, Application, Browser, TestIdp, totp};

use super::super::{DOMAIN, PASSWORD};
use super::acts::Act;
use super::logins::Page;
use super::truth::{self, Actor, Login, Name};
use super::world::{AuthenticatorSnapshot, Device, HOTP_CODES, Rules, document, holdings};

pub(super) struct Game {
    pub(super) idp: TestIdp,
    pub(super) shop: Application,
    pub(super) browsers: [Browser; 2],
    pub(super) pages: [[Option<Page>; 2]; 2],
    pub(super) books: [truth::Browser; 2],
    pub(super) logins: BTreeMap<String, Login>,
    pub(super) rules: Rules,
    pub(super) has: AuthenticatorSnapshot,
    /// The words that people know.
    pub(super) passwords: BTreeMap<Name, String>,
    pub(super) recovery_codes: BTreeMap<Name, Vec<String>>,
    /// Numbers for what must not come twice.
    pub(super) count: u32,
    pub(super) hotp: usize,
}

impl Game {
    pub(super) async fn begin() -> Self {
        let (idp, rules) = (TestIdp::with(&document()).await, Rules::default());
        idp.idp().apply(&rules.document()).await.unwrap();
        let shop = idp.application("shop", "https://shop.test/callback");
        let has = holdings(&idp).await;
        let passwords = has.keys().map(|name| (*name, PASSWORD.to_owned())).collect();
        Self {
            browsers: [idp.browser(), idp.browser()],
            idp,
            shop,
            pages: Default::default(),
            books: Default::default(),
            logins: BTreeMap::new(),
            rules,
            has,
            passwords,
            recovery_codes: BTreeMap::new(),
            count: 0,
            hotp: 0,
        }
    }

    pub(super) async fn perform(&mut self, act: &Act) {
        match act {
            Act::Open(tab, ask) => self.open(*tab, *ask).await,
            Act::Go(tab, person, tick) => self.go(*tab, person, *tick).await,
            Act::Err(tab) => self.err(*tab).await,
            Act::Code(tab, person, step) => self.show_code(*tab, person, step, true).await,
            Act::Recover(tab, person) => self.recover(*tab, person).await,
            Act::Post(tab, step, fields) => self.send(*tab, step, fields, None).await,
            Act::Get(tab, step) => self.get(*tab, step).await,
            Act::Steal(tab) => self.steal(*tab).await,
            Act::Plant(browser) => self.plant(*browser),
            Act::Thief(browser) => self.thief(*browser).await,
            Act::SignOut(browser) => self.sign_out(*browser).await,
            Act::Forget(person) => self.forget(person).await,
            Act::Link(browser, which) => self.link(*browser, |count| which.index(count)).await,
            Act::ForgetOn(person, browser, pages) => {
                self.forget(person).await;
                self.link(*browser, |count| count - 1).await;
                for _ in 0..*pages {
                    self.reset(*browser).await;
                }
            }
            Act::Reset(browser) => self.reset(*browser).await,
            Act::ResetErr(browser, recover) => self.reset_err(*browser, *recover).await,
            Act::SupportAction(person, help) => self.help(person, *help).await,
            Act::Equip(person) => {
                self.count += 1;
                let secret = format!("JBSWY3DPEHPK3PXPJBSWY3DP{}", letters(self.count));
                let user = format!(
                    "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"{person}\"\n[[users.authenticators]]\nkind = \"totp\"\nsecret = \"{secret}\""
                );
                self.apply(&user).await;
            }
            Act::Change(rule) => {
                self.rules.change(*rule);
                self.apply(&self.rules.document()).await;
            }
            Act::Promote(person, admin) => {
                let roles = if *admin { "\"admin\"" } else { "" };
                let user =
                    format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"{person}\"\nroles = [{roles}]");
                self.apply(&user).await;
            }
            Act::Wait(seconds) => self.idp.clock().advance(Duration::from_secs(*seconds)),
        }
        // New credentials must come from the operator or from a permitted change.
        let is_operators = matches!(act, Act::SupportAction(..) | Act::Equip(_));
        self.look(if is_operators { Actor::Operator } else { Actor::Nobody }).await;
    }

    /// The session cookie of this browser, by host and name.
    pub(super) fn session_cookie(&mut self, browser: usize) -> Option<((String, String), String)> {
        let cookies = self.browsers[browser].cookies();
        let cookie = cookies.iter().find(|((_, name), _)| name.contains("session"));
        cookie.map(|(key, value)| (key.clone(), value.clone()))
    }

    fn plant(&mut self, browser: usize) {
        let Some((key, value)) = self.session_cookie(1 - browser) else { return };
        self.browsers[browser].cookies().insert(key, value);
        self.books[browser].session = self.books[1 - browser].session.clone();
    }

    async fn apply(&self, document: &str) {
        self.idp.idp().apply(document).await.unwrap();
    }

    pub(super) fn now(&self) -> i64 {
        self.idp.clock().now().unix()
    }

    /// Reads the credentials of all users, and checks that the actor was allowed to change them.
    pub(super) async fn look(&mut self, actor: Actor<'_>) {
        let after = holdings(&self.idp).await;
        let now = self.now();
        for (name, after) in &after {
            let before = &self.has[name];
            if before.password != after.password || before.device != after.device {
                truth::check_change(name, before, after, actor, &self.rules, now);
                for books in &mut self.books {
                    // The trust ends with a new password and with a new authenticator, sessions with a new password.
                    books.trusted.remove(name);
                    if before.password != after.password {
                        books.session.take_if(|session| session.user == *name);
                    }
                }
            }
        }
        self.has = after;
    }

    async fn help(&mut self, person: Name, help: SupportAction) {
        // It may refuse, for example because a mail was sent a moment ago.
        drop(self.idp.idp().help(DOMAIN, person, help).await);
        if help == SupportAction::ResetEnrolment {
            for books in &mut self.books {
                // Whatever they had opened ends with it.
                books.session.take_if(|session| session.user == person);
                books.trusted.remove(person);
            }
        }
    }

    /// The code that an authenticator shows next, or that was sent to it last.
    pub(super) async fn code_of(&mut self, device: &Device) -> Option<String> {
        let to = match device {
            Device::Totp(secret) => {
                // Each counts once.
                self.idp.clock().advance(Duration::from_secs(30));
                return Some(totp(secret, self.idp.clock().now()));
            }
            Device::Hotp => {
                self.hotp += 1;
                return HOTP_CODES.get(self.hotp - 1).map(|code| (*code).to_owned());
            }
            Device::Sms(number) => number,
            Device::Mail(address) => address,
        };
        let sent = self.idp.mailbox().await;
        let last = sent.iter().rev().find(|message| message.to == *to && message.code().is_some());
        last.and_then(|message| message.code()).map(str::to_owned)
    }
}

/// The token of a page's form.
pub(super) fn csrf(page: &Answer) -> &str {
    let token = page.body.split("name=\"csrf\" value=\"").nth(1);
    token.and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

/// A number in the letters of a secret.
fn letters(number: u32) -> String {
    (0..8).map(|at| char::from(b'A' + u8::try_from(number >> (2 * at) & 3).unwrap())).collect()
}
