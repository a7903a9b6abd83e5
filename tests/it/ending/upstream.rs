//! The same of accounts that sign in upstream: the second table.

use vestibule::testing::{Answer, Application, Browser};

use super::ends;
use crate::back_channel::Receiver;
use crate::support::network;
use crate::upstream::{DOMAIN, NEVER, PASSWORD, World, travel};

const TELLER: &str = r#"
    [[clients]]
    client_id = "teller"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://teller.test/callback"]
    require_consent = true
"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Linked,
    Unlinked,
    Leaves,
    AnotherIssuer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    Session,
    Tokens,
    Code,
    Invitation,
    Login,
}

impl Event {
    const fn name(self) -> &'static str {
        match self {
            Self::Linked => "account linked",
            Self::Unlinked => "account unlinked",
            Self::Leaves => "tenant leaves the reseller",
            Self::AnotherIssuer => "upstream gets another issuer",
        }
    }

    /// It happens, and is undone where it can be. What an operator has to be told is told.
    async fn happens(self, world: &World, code: &str) {
        let apply = async |document: &str| world.idp.idp().apply(document).await.unwrap().notes;
        match self {
            Self::Linked => assert!(is_taken(world, "lea", code).await),
            Self::Unlinked => {
                let anna = format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"anna\"\nupstream = ");
                apply(&format!("{anna}\"\"\n")).await;
                apply(&format!("{anna}\"north-login\"\nupstream_subject = \"nora-of-north\"\n")).await;
                let carl = anna.replace("anna", "carl");
                apply(&format!("{carl}\"\"\n")).await;
                apply(&format!("{carl}\"north-login\"\n")).await;
            }
            Self::Leaves => {
                let tenant = format!("[[tenants]]\ndomain = \"{DOMAIN}\"\nreseller = ");
                let notes = apply(&format!("{tenant}\"\"\n")).await;
                let told = "tenant 123456.sms: anna, carl, nils cannot sign in any more, ";
                assert!(notes.len() == 1 && notes[0].starts_with(told), "{notes:?}");
                apply(&format!("{tenant}\"north\"\n")).await;
            }
            Self::AnotherIssuer => {
                let upstream = "[[upstreams]]\nname = \"north-login\"\nissuer = ";
                let notes = apply(&format!("{upstream}\"https://elsewhere.test\"\n")).await;
                let told = "upstream north-login has another issuer; user 123456.sms/anna, ";
                assert!(notes.len() == 1 && notes[0].starts_with(told), "{notes:?}");
                apply(&format!("{upstream}\"{}\"\n", world.north_url)).await;
            }
        }
    }
}

impl Thing {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "sessions",
            Self::Tokens => "tokens",
            Self::Code => "codes",
            Self::Invitation => "invitations",
            Self::Login => "logins",
        }
    }
}

/// Bert signs in here until he is linked, Anna upstream.
async fn enter(world: &World, event: Event, app: &Application) -> (Browser, Answer) {
    let mut browser = network::browser();
    let page = crate::upstream::open(&mut browser, app, &[]).await;
    if event == Event::Linked {
        let fields = [("tenant", DOMAIN), ("username", "bert"), ("password", PASSWORD)];
        let back = browser.submit(&page, &fields).await;
        return (browser, back);
    }
    let there = world.depart(&mut browser, &page).await;
    let back = world.vouch(&mut browser, &there, "nora").await;
    (browser, back)
}

/// Returns whether a new upstream user can link an account with this code.
async fn is_taken(world: &World, name: &str, code: &str) -> bool {
    let person =
        format!("[[users]]\ntenant = \"north.sms\"\nusername = \"{name}\"\npassword = \"{PASSWORD}\"");
    world.north.idp().apply(&person).await.unwrap();
    let mut browser = network::browser();
    let page = world.enter(&mut browser, name).await;
    assert_eq!(page.step(), Some("link"), "{} {}", page.url, page.body);
    browser.submit(&page, &[("code", code)]).await.step() != Some("link")
}

async fn cell(event: Event, thing: Thing) {
    let world = World::new(NEVER).await;
    let carl = format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"carl\"\nupstream = \"north-login\"\n");
    world.idp.idp().apply(&format!("{carl}{TELLER}")).await.unwrap();
    let teller = world.idp.application("teller", "https://teller.test/callback");
    let invited = if event == Event::Unlinked { "carl" } else { "bert" };
    let invitation = world.idp.idp().invite(DOMAIN, invited, Some("north-login")).await;
    let code = invitation.map_err(|error| error.to_string()).unwrap().code();
    let stands = match thing {
        Thing::Session => {
            let (mut browser, _) = enter(&world, event, &world.shop).await;
            event.happens(&world, &code).await;
            world.open(&mut browser, &[("prompt", "none")]).await.parameter("code").is_some()
        }
        Thing::Tokens => {
            let (_, back) = enter(&world, event, &world.shop).await;
            let tokens = world.shop.redeem(&back).await;
            event.happens(&world, &code).await;
            world.shop.userinfo(&tokens.access_token).await.status == 200
        }
        Thing::Code => {
            let (_, back) = enter(&world, event, &world.shop).await;
            event.happens(&world, &code).await;
            world.shop.token(&back.parameter("code").unwrap()).await.status == 200
        }
        Thing::Invitation => {
            event.happens(&world, &code).await;
            is_taken(&world, "zoe", &code).await
        }
        Thing::Login => {
            let (mut browser, page) = enter(&world, event, &teller).await;
            assert_eq!(page.step(), Some("consent"), "{} {}", page.url, page.body);
            event.happens(&world, &code).await;
            let answer = browser.submit(&page, &[]).await;
            travel(&mut browser, answer).await.parameter("code").is_some()
        }
    };
    assert_eq!(!stands, ends(1, event.name(), thing.name()), "{}: {}", event.name(), thing.name());
}

/// Each of them ends one session, and tells its client once (Back-Channel Logout 1.0).
#[tokio::test]
async fn what_ends_a_session_tells_its_client() {
    for event in [Event::Linked, Event::Unlinked, Event::Leaves, Event::AnotherIssuer] {
        let world = World::new(NEVER).await;
        let carl =
            format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"carl\"\nupstream = \"north-login\"\n");
        let uri = format!("{}/shop/backchannel_logout", world.idp.idp().settings().issuer);
        let shop = format!("[[clients]]\nclient_id = \"shop\"\nbackchannel_logout_uri = \"{uri}\"\n");
        world.idp.idp().apply(&format!("{carl}{shop}")).await.unwrap();
        let invitation = world.idp.idp().invite(DOMAIN, "bert", Some("north-login")).await;
        let code = invitation.map_err(|error| error.to_string()).unwrap().code();
        let (_, back) = enter(&world, event, &world.shop).await;
        assert!(back.parameter("code").is_some(), "{} {}", back.url, back.body);
        event.happens(&world, &code).await;
        let receiver = Receiver::new();
        world.idp.send_logout_tokens_through(&receiver.router()).await;
        assert_eq!(receiver.taken().len(), 1, "{}", event.name());
    }
}

cells! {
    {
        sessions: Session,
        tokens: Tokens,
        codes: Code,
        invitations: Invitation,
        logins: Login,
    }
    linked: Linked,
    unlinked: Unlinked,
    tenant_leaves: Leaves,
    another_issuer: AnotherIssuer,
}
