//! What a user can have been given, and whether it still stands.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use vestibule::testing::{Answer, Application, Browser, TestIdp, Tokens, totp};
use vestibule::{SupportAction, SupportOutcome};

use crate::login::{DOMAIN, PASSWORD, SECRET, shown_codes, shown_secret, sign_in};
use crate::recovery::{NEW, choose, links};
use crate::support::network;
use crate::upstream::{NEVER, World, house};

/// Ulla has a device, Otto has to have one and has none yet.
const PEOPLE: &str = r#"
    [[tenants]]
    domain = "123456.sms"
    name = "Example Works"
    [tenants.policy.trusted_browsers]
    days = 30
    [[users]]
    tenant = "123456.sms"
    username = "ulla"
    sub = "ulla"
    password = "correct horse battery staple"
    email = "ulla@example.test"
    [[users.authenticators]]
    kind = "totp"
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    [[users]]
    tenant = "123456.sms"
    username = "otto"
    sub = "otto"
    password = "correct horse battery staple"
    email = "otto@example.test"
    roles = ["admin"]
    [[clients]]
    client_id = "till"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://till.test/callback"]
    grant_types = ["authorization_code", "refresh_token"]
"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    Link,
    Ticket,
    Session,
    Tokens,
    Code,
    Invitation,
    Login,
    Ceremony,
    Enrolment,
    Browser,
    Recovery,
}

impl Thing {
    pub(super) const ALL: [Self; 11] = [
        Self::Link,
        Self::Ticket,
        Self::Session,
        Self::Tokens,
        Self::Code,
        Self::Invitation,
        Self::Login,
        Self::Ceremony,
        Self::Enrolment,
        Self::Browser,
        Self::Recovery,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Link => "links",
            Self::Ticket => "tickets",
            Self::Session => "sessions",
            Self::Tokens => "tokens",
            Self::Code => "codes",
            Self::Invitation => "invitations",
            Self::Login => "logins",
            Self::Ceremony => "ceremonies",
            Self::Enrolment => "enrolments",
            Self::Browser => "browsers",
            Self::Recovery => "recovery",
        }
    }

    const fn user(self) -> &'static str {
        match self {
            Self::Enrolment | Self::Recovery => "otto",
            _ => "ulla",
        }
    }
}

/// Everything that was issued, as its holder has it.
pub(super) enum Given {
    Link(String),
    Ticket(Browser, Answer),
    Session(Browser),
    Tokens(Box<Tokens>),
    Code(Answer),
    Invitation(String),
    Login(Browser, Answer),
    Ceremony(Browser, Answer),
    Enrolment(Browser, Answer),
    Browser(Browser),
    Recovery(String),
}

/// A provider and the user of the test.
pub(super) struct Scene {
    stage: Stage,
    documents: Vec<String>,
    pub(super) user: &'static str,
    pub(super) till: Application,
    password: Cell<&'static str>,
    /// The secret of the user's device.
    device: RefCell<String>,
}

/// Invitations need an upstream provider.
enum Stage {
    Alone(TestIdp),
    Upstream(Box<World>),
}

impl Scene {
    pub(super) async fn new(thing: Thing) -> Self {
        let mut documents = Vec::new();
        let stage = if thing == Thing::Invitation {
            let world = World::new(NEVER).await;
            documents.push(house(&world.north_url, NEVER));
            Stage::Upstream(Box::new(world))
        } else {
            Stage::Alone(TestIdp::with("").await)
        };
        documents.push(PEOPLE.to_owned());
        let idp = match &stage {
            Stage::Alone(idp) => idp,
            Stage::Upstream(world) => &world.idp,
        };
        idp.idp().apply(PEOPLE).await.unwrap();
        let till = idp.application("till", "https://till.test/callback");
        Self {
            documents,
            user: thing.user(),
            till,
            password: Cell::new(PASSWORD),
            device: RefCell::new(SECRET.to_owned()),
            stage,
        }
    }

    pub(super) fn idp(&self) -> &TestIdp {
        match &self.stage {
            Stage::Alone(idp) => idp,
            Stage::Upstream(world) => &world.idp,
        }
    }

    pub(super) async fn apply(&self, document: &str) {
        self.idp().idp().apply(document).await.unwrap();
    }

    /// Everything as it was in the beginning.
    pub(super) async fn make_again(&self) {
        for document in &self.documents {
            self.apply(document).await;
        }
        self.password.set(PASSWORD);
    }

    pub(super) fn password_is(&self, password: &'static str) {
        self.password.set(password);
    }

    pub(super) async fn help(&self, with: SupportAction) -> SupportOutcome {
        match self.idp().idp().help(DOMAIN, self.user, with).await {
            Ok(helped) => helped,
            Err(error) => panic!("{with:?}: {error}"),
        }
    }

    /// What the user's device shows, a new code each time.
    pub(super) fn code(&self) -> String {
        self.idp().clock().advance(Duration::from_secs(30));
        totp(&self.device.borrow(), self.idp().idp().now())
    }

    /// A mailed link.
    pub(super) async fn link(&self) -> String {
        let before = links(self.idp()).await.len();
        if before > 0 {
            self.idp().clock().advance(Duration::from_mins(2));
        }
        self.help(SupportAction::ResetPassword).await;
        links(self.idp()).await.into_iter().nth(before).expect("a link was mailed")
    }

    /// Signs in, up to whatever comes after the password.
    pub(super) async fn enter(&self, browser: &mut Browser) -> Answer {
        let page = browser.get(&self.till.authorization_url("openid offline_access")).await;
        sign_in(browser, &page, self.user, self.password.get()).await
    }

    /// Signs in a user who has a device.
    pub(super) async fn signed_in(&self, more: &[(&str, &str)]) -> (Browser, Answer) {
        let mut browser = self.idp().browser();
        let page = self.enter(&mut browser).await;
        assert_eq!(page.step(), Some("second_factor"), "{}", page.body);
        let code = self.code();
        let fields: Vec<_> = std::iter::once(("code", code.as_str())).chain(more.iter().copied()).collect();
        let back = browser.submit(&page, &fields).await;
        assert!(back.parameter("code").is_some(), "{} {}", back.url, back.body);
        (browser, back)
    }

    /// Otto at the page with the secret of a new device.
    async fn enrolling(&self) -> (Browser, Answer) {
        let mut browser = self.idp().browser();
        let page = self.enter(&mut browser).await;
        assert_eq!(page.step(), Some("enrol"), "{}", page.body);
        (browser, page)
    }

    /// Ulla at the page that asks for her second factor before a new password counts.
    async fn resetting(&self) -> (Browser, Answer) {
        let (mut browser, link) = (self.idp().browser(), self.link().await);
        let page = browser.get(&link).await;
        let page = choose(&mut browser, &page, NEW).await;
        assert_eq!(page.step(), Some("second_factor"), "{}", page.body);
        (browser, page)
    }

    pub(super) async fn give(&self, thing: Thing) -> Given {
        match thing {
            Thing::Link => Given::Link(self.link().await),
            Thing::Ticket => {
                let (browser, page) = self.resetting().await;
                Given::Ticket(browser, page)
            }
            Thing::Ceremony => {
                let (browser, page) = self.resetting().await;
                Given::Ceremony(browser, page)
            }
            Thing::Session => Given::Session(self.signed_in(&[]).await.0),
            Thing::Tokens => {
                let (_, back) = self.signed_in(&[]).await;
                Given::Tokens(Box::new(self.till.redeem(&back).await))
            }
            Thing::Code => Given::Code(self.signed_in(&[]).await.1),
            Thing::Invitation => {
                let invitation = self.idp().idp().invite(DOMAIN, self.user, Some("north-login")).await;
                Given::Invitation(invitation.map_err(|error| error.to_string()).unwrap().code())
            }
            Thing::Login => {
                let mut browser = self.idp().browser();
                let page = self.enter(&mut browser).await;
                assert_eq!(page.step(), Some("second_factor"), "{}", page.body);
                Given::Login(browser, page)
            }
            Thing::Enrolment => {
                let (browser, page) = self.enrolling().await;
                Given::Enrolment(browser, page)
            }
            Thing::Browser => {
                let (mut browser, _) = self.signed_in(&[("trust_browser", "yes")]).await;
                browser.cookies().retain(|(_, name), _| name.contains("trusted"));
                assert_eq!(browser.cookies().len(), 1);
                Given::Browser(browser)
            }
            Thing::Recovery => {
                let (mut browser, page) = self.enrolling().await;
                self.device.replace(shown_secret(&page));
                let page = browser.submit(&page, &[("code", &self.code())]).await;
                Given::Recovery(shown_codes(&page).swap_remove(0))
            }
        }
    }

    /// Does what was given still stand?
    pub(super) async fn stands(&self, given: &mut Given) -> bool {
        match given {
            Given::Link(link) => match self.idp().browser().get(link).await.step() {
                Some("new_password") => true,
                Some("reset_void") => false,
                other => panic!("{other:?}"),
            },
            Given::Ticket(browser, page) => match browser.get(page.url.as_str()).await.step() {
                Some("second_factor") => true,
                Some("reset_void") => false,
                other => panic!("{other:?}"),
            },
            Given::Ceremony(browser, page) => {
                let answer = browser.submit(page, &[("code", &self.code())]).await;
                match answer.step() {
                    Some("reset_done") => true,
                    Some("reset_void") => false,
                    other => panic!("{other:?} {} {}", answer.url, answer.body),
                }
            }
            Given::Session(browser) => {
                let silent = self.till.authorization_url_with("openid", &[("prompt", "none")]);
                let answer = browser.get(&silent).await;
                let error = answer.parameter("error");
                assert!(error.is_none() || error.as_deref() == Some("login_required"), "{error:?}");
                answer.parameter("code").is_some()
            }
            Given::Tokens(tokens) => self.tokens_stand(tokens).await,
            Given::Code(back) => self.till.token(&back.parameter("code").unwrap()).await.status == 200,
            Given::Invitation(code) => self.invitation_stands(code).await,
            Given::Login(browser, page) => {
                let answer = browser.submit(page, &[("code", &self.code())]).await;
                match (answer.status.as_u16(), answer.step()) {
                    (_, None) if answer.parameter("code").is_some() => true,
                    (200, Some("identify")) | (400 | 403 | 410, _) => false,
                    other => panic!("{other:?} {} {}", answer.url, answer.body),
                }
            }
            Given::Enrolment(browser, page) => {
                let code = totp(&shown_secret(page), self.idp().idp().now());
                let answer = browser.submit(page, &[("code", &code)]).await;
                match (answer.status.as_u16(), answer.step()) {
                    (200, Some("recovery_codes")) => true,
                    (200, Some("identify" | "second_factor")) | (400 | 403 | 410, _) => false,
                    other => panic!("{other:?} {} {}", answer.url, answer.body),
                }
            }
            Given::Browser(browser) => {
                let answer = self.enter(browser).await;
                answer.parameter("code").is_some()
                    && self.till.redeem(&answer).await.id_token["amr"].to_string().contains("rba")
            }
            Given::Recovery(code) => self.recovery_code_stands(code).await,
        }
    }

    async fn recovery_code_stands(&self, code: &str) -> bool {
        let mut browser = self.idp().browser();
        let page = self.enter(&mut browser).await;
        let page = browser.get(&page.url.as_str().replace("second_factor", "recovery")).await;
        page.step() == Some("recovery")
            && browser.submit(&page, &[("code", code)]).await.step() != Some("recovery")
    }

    /// All of them or none.
    async fn tokens_stand(&self, tokens: &Tokens) -> bool {
        let access = self.till.userinfo(&tokens.access_token).await.status == 200;
        let refresh = tokens.response["refresh_token"].as_str().unwrap();
        let refreshed =
            self.till.token_with(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
        assert_eq!(refreshed.status == 200, access, "{}", refreshed.body);
        access
    }

    /// Returns whether a user who is signed in upstream can redeem it.
    async fn invitation_stands(&self, code: &str) -> bool {
        let Stage::Upstream(world) = &self.stage else { panic!("nobody is invited here") };
        let person = "[[users]]\ntenant = \"north.sms\"\nusername = \"bea\"\npassword = \"correct horse battery staple\"";
        world.north.idp().apply(person).await.unwrap();
        let mut browser = network::browser();
        let page = world.enter(&mut browser, "bea").await;
        assert_eq!(page.step(), Some("link"), "{} {}", page.url, page.body);
        browser.submit(&page, &[("code", code)]).await.step() != Some("link")
    }
}
