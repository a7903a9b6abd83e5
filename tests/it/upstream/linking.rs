//! Linking by an invited user who is signed in upstream, once; afterwards the account signs in only there.

use vestibule::InviteError;
use vestibule::domain::event::Event;

use super::*;
use crate::login::bare;
use crate::recovery::passkey::passkey_house;

/// The code that the operator hands to a user.
async fn invitation(world: &World, username: &str) -> String {
    match world.idp.idp().invite(DOMAIN, username, None).await {
        Ok(invitation) => invitation.code(),
        Err(error) => panic!("{username}: {error}"),
    }
}

/// A stranger from upstream on the page that tells so.
async fn stranger(world: &World, username: &str) -> (Browser, Answer) {
    let person =
        format!("[[users]]\ntenant = \"north.sms\"\nusername = \"{username}\"\npassword = \"{PASSWORD}\"");
    world.north.idp().apply(&person).await.unwrap();
    let mut browser = network::browser();
    let page = world.enter(&mut browser, username).await;
    assert_eq!(page.step(), Some("link"), "{} {}", page.url, page.body);
    (browser, page)
}

#[tokio::test]
async fn an_invitation_links_a_local_account_and_closes_every_other_door() {
    let world = World::new(NEVER).await;
    let sessions = async |browser: &mut Browser| world.open(browser, &[("prompt", "none")]).await;
    let mut local = network::browser();
    let page = world.open(&mut local, &[]).await;
    let fields = [("tenant", DOMAIN), ("username", "bert"), ("password", PASSWORD)];
    let back = local.submit(&page, &fields).await;
    let before = world.shop.redeem(&back).await.id_token["sub"].clone();
    let code = invitation(&world, "bert").await;
    assert!(sessions(&mut local).await.parameter("code").is_some(), "until it is taken nothing changes");

    let (mut browser, page) = stranger(&world, "bea").await;
    let wrong = browser.submit(&page, &[("code", "00000-00000-00000-00000")]).await;
    assert_eq!(wrong.step(), Some("link"));
    assert!(wrong.body.contains("The invitation code was not accepted."), "{}", wrong.body);
    let back = browser.submit(&wrong, &[("code", &code.to_lowercase().replace('-', " "))]).await;
    let token = world.shop.redeem(&travel(&mut browser, back).await).await.id_token;
    assert_eq!(token["sub"], before);
    let linked = |event: &Event| matches!(event, Event::AccountLinked { .. });
    assert_eq!(world.idp.events().all().iter().filter(|event| linked(event)).count(), 1);
    let told = world.idp.mailbox().await;
    let told =
        told.iter().find(|sent| sent.subject.as_deref() == Some("Example Works: your account was connected"));
    let told = told.expect("who has an address is told");
    assert!(
        told.text.contains("account bert") && told.text.contains("North Systems account"),
        "{}",
        told.text
    );

    assert_eq!(sessions(&mut local).await.parameter("error").as_deref(), Some("login_required"));
    let page = world.open(&mut local, &[]).await;
    let refused = local.submit(&page, &fields).await;
    assert!(
        refused.step() == Some("identify") && refused.body.contains("Sign-in failed"),
        "{}",
        refused.body
    );
    let back = world.enter(&mut network::browser(), "bea").await;
    assert_eq!(world.shop.redeem(&back).await.id_token["sub"], before, "and upstream it is open");
    let again = world.idp.idp().invite(DOMAIN, "bert", None).await;
    assert!(matches!(again, Err(InviteError::Linked)));
}

#[tokio::test]
async fn a_prepared_account_waits_for_its_invitation() {
    let world = World::new(NEVER).await;
    let prepared = format!(
        "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"carl\"\nsub = \"carl\"\nupstream = \"north-login\""
    );
    world.idp.idp().apply(&prepared).await.unwrap();
    // Being called the same upstream is nothing.
    let (mut browser, page) = stranger(&world, "carl").await;
    let old = invitation(&world, "carl").await;
    let code = invitation(&world, "carl").await;
    let page = browser.submit(&page, &[("code", &old)]).await;
    assert_eq!(page.step(), Some("link"), "a newer one voids the older");
    let back = browser.submit(&page, &[("code", &code)]).await;
    assert_eq!(world.shop.redeem(&back).await.id_token["sub"], "carl");
    let (mut late, page) = stranger(&world, "eve").await;
    let used = late.submit(&page, &[("code", &code)]).await;
    assert_eq!(used.step(), Some("link"), "it counts once");
}

#[tokio::test]
async fn an_invitation_is_for_a_day_for_one_provider_and_for_one_of_two() {
    let world = World::new(NEVER).await;
    let code = invitation(&world, "bert").await;
    let (mut one, first) = stranger(&world, "one").await;
    let (mut two, second) = stranger(&world, "two").await;
    let fields = [("code", code.as_str())];
    let (a, b) = tokio::join!(one.submit(&first, &fields), two.submit(&second, &fields));
    let codes = [&a, &b].into_iter().filter(|answer| answer.parameter("code").is_some()).count();
    assert_eq!(codes, 1, "{} {}", a.url, b.url);

    let eva = format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"eva\"");
    world.idp.idp().apply(&eva).await.unwrap();
    let code = invitation(&world, "eva").await;
    world.advance(Duration::from_hours(24));
    let (mut browser, page) = stranger(&world, "three").await;
    let late = browser.submit(&page, &[("code", &code)]).await;
    assert_eq!(late.step(), Some("link"));
}

#[tokio::test]
async fn who_guesses_starts_again_and_locks_nobody_out() {
    let world = World::new(NEVER).await;
    let code = invitation(&world, "bert").await;
    let (mut browser, mut page) = stranger(&world, "eve").await;
    for _ in 0..4 {
        page = browser.submit(&page, &[("code", "00000-00000-00000-00001")]).await;
        assert_eq!(page.step(), Some("link"));
    }
    let page = browser.submit(&page, &[("code", "00000-00000-00000-00001")]).await;
    assert_eq!(page.step(), Some("identify"));
    let (mut browser, page) = stranger(&world, "bea").await;
    let back = browser.submit(&page, &[("code", &code)]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
}

#[tokio::test]
async fn nobody_is_invited_who_cannot_be_linked() {
    let world = World::new(NEVER).await;
    let refused = async |tenant: &str, user: &str, upstream: Option<&str>| {
        let invited = world.idp.idp().invite(tenant, user, upstream).await;
        invited.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(refused("nowhere.sms", "bert", None).await, "there is no tenant nowhere.sms");
    assert_eq!(refused(DOMAIN, "nobody", None).await, "there is no user nobody in that tenant");
    assert!(refused(DOMAIN, "anna", None).await.starts_with("the account is linked already"));
    let which = "name one of the upstream providers of this tenant: north-login";
    assert_eq!(refused(DOMAIN, "bert", Some("south-login")).await, which);
    let other = "[[users]]\ntenant = \"other.sms\"\nusername = \"olaf\"";
    world.idp.idp().apply(other).await.unwrap();
    assert_eq!(
        refused("other.sms", "olaf", None).await,
        "name one of the upstream providers of this tenant: "
    );
}

/// The page is the same for every unlinked upstream user: it does not reveal invitations or links.
#[tokio::test]
async fn the_page_does_not_tell_who_is_invited() {
    let world = World::new(NEVER).await;
    let (_, before) = stranger(&world, "eve").await;
    invitation(&world, "bert").await;
    let (_, after) = stranger(&world, "bert").await;
    assert_eq!(bare(&before), bare(&after));
}

/// What opened the account here is gone with the password: passkeys too, and none is brought back.
#[tokio::test]
async fn a_linked_account_has_no_passkey_here() {
    let (elsewhere, ..) = passkey_house().await;
    let document = elsewhere.idp().export().await.unwrap();
    let (_, passkey) = document.split_once("[[users.passkeys]]").unwrap();
    let passkey = passkey.split("[[").next().unwrap();
    let bert =
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\n[[users.passkeys]]\n{passkey}");
    let world = World::new(NEVER).await;
    world.idp.idp().apply(&bert).await.unwrap();
    let has_passkeys = async || world.idp.idp().export().await.unwrap().contains("[[users.passkeys]]");
    assert!(has_passkeys().await);
    let code = invitation(&world, "bert").await;
    let (mut browser, page) = stranger(&world, "bea").await;
    let back = browser.submit(&page, &[("code", &code)]).await;
    assert!(travel(&mut browser, back).await.parameter("code").is_some());
    assert!(!has_passkeys().await);
    let refused = world.idp.idp().apply(&bert).await.unwrap_err().to_string();
    assert!(refused.contains("users[0].passkeys: has no use: the user signs in upstream"), "{refused}");
}
