//! What ends what: the tables of `docs/ending.md`, a test for each cell.

/// A module for each event, with a test for each thing: `cell` of the module where this is called.
macro_rules! cells {
    (@tests $event:ident { $($test:ident: $thing:ident),* $(,)? }) => {
        use super::{Event, Thing, cell};

        $(
            #[tokio::test]
            async fn $test() {
                cell(Event::$event, Thing::$thing).await;
            }
        )*
    };
    ($things:tt $($module:ident: $event:ident),* $(,)?) => {$(
        mod $module {
            cells!(@tests $event $things);
        }
    )*};
}

mod clients;
mod events;
mod things;
mod upstream;

use vestibule::testing::totp;

use self::events::Event;
use self::things::{Given, Scene, Thing};
use crate::back_channel::Receiver;
use crate::login::shown_secret;
use crate::recovery::choose;

const DOCUMENT: &str = include_str!("../../../docs/ending.md");

/// The rows of the document's table with this number, the names of the columns first.
fn table(number: usize) -> Vec<Vec<&'static str>> {
    let mut tables = vec![Vec::new()];
    for line in DOCUMENT.lines() {
        match line.strip_prefix('|') {
            Some(row) if !row.starts_with("---") => {
                let cells = row.trim_end_matches('|').split('|').map(str::trim);
                tables.last_mut().unwrap().push(cells.collect());
            }
            Some(_) => {}
            None if tables.last().unwrap().is_empty() => {}
            None => tables.push(Vec::new()),
        }
    }
    tables.swap_remove(number)
}

/// Does the event end the thing, by the document?
fn ends(number: usize, event: &str, thing: &str) -> bool {
    let table = table(number);
    let row = table.iter().find(|row| row[0] == event).unwrap_or_else(|| panic!("no row {event}"));
    let column = table[0].iter().position(|name| *name == thing);
    match row[column.unwrap_or_else(|| panic!("no column {thing}"))] {
        "ends" => true,
        "stays" => false,
        other => panic!("{other}"),
    }
}

#[test]
fn the_table_has_a_test_for_each_cell() {
    let table = table(0);
    assert_eq!(table[0][1..], Thing::ALL.map(Thing::name));
    let rows: Vec<_> = table[1..].iter().map(|row| row[0]).collect();
    assert_eq!(rows, Event::ALL.map(Event::name));
}

async fn cell(event: Event, thing: Thing) {
    let scene = Scene::new(thing).await;
    let mut given = scene.give(thing).await;
    event.happens(&scene).await;
    let stands = Box::pin(scene.stands(&mut given)).await;
    assert_eq!(!stands, ends(0, event.name(), thing.name()), "{}: {}", event.name(), thing.name());
}

/// Whatever ends sessions tells the clients that were signed in with them, once (Back-Channel Logout 1.0).
#[tokio::test]
async fn what_ends_a_session_tells_its_client() {
    let mut told = Vec::new();
    for event in Event::ALL {
        let scene = Scene::new(Thing::Session).await;
        let uri = "https://id.test/till/backchannel_logout";
        scene
            .apply(&format!("[[clients]]\nclient_id = \"till\"\nbackchannel_logout_uri = \"{uri}\"\n"))
            .await;
        let _signed_in = scene.signed_in(&[]).await;
        let receiver = Receiver::new();
        event.happens(&scene).await;
        scene.idp().send_logout_tokens_through(&receiver.router()).await;
        let expected = usize::from(ends(0, event.name(), Thing::Session.name()));
        assert_eq!(receiver.taken().len(), expected, "{}", event.name());
        told.push(expected);
    }
    assert_eq!(told.iter().sum::<usize>(), 9, "of the events, those that end sessions");
}

/// Also one that has set a password already, and is about to show a new authenticator's secret.
#[tokio::test]
async fn a_ticket_that_has_set_a_password_ends_with_the_operators_new_one() {
    let scene = Scene::new(Thing::Enrolment).await;
    let mut browser = scene.idp().browser();
    let page = browser.get(&scene.link().await).await;
    let page = choose(&mut browser, &page, "three horses and no battery").await;
    assert_eq!(page.step(), Some("enrol"), "{}", page.body);
    assert_eq!(browser.get(page.url.as_str()).await.step(), Some("enrol"), "it goes on");
    Event::PasswordSet.happens(&scene).await;
    assert_eq!(browser.get(page.url.as_str()).await.step(), Some("reset_void"));
}

/// The login in which it is replaced goes on, and nothing else does.
#[tokio::test]
async fn a_device_that_its_user_replaces_ends_what_the_old_one_had_opened() {
    let scene = Scene::new(Thing::Recovery).await;
    let Given::Recovery(recovery) = scene.give(Thing::Recovery).await else { panic!("no recovery code") };
    let (browser, _) = scene.signed_in(&[]).await;
    let (_, back) = scene.signed_in(&[]).await;
    let tokens = Box::new(scene.till.redeem(&back).await);

    let mut own = scene.idp().browser();
    let page = scene.enter(&mut own).await;
    let page = own.get(&page.url.as_str().replace("second_factor", "recovery")).await;
    let page = own.submit(&page, &[("code", &recovery)]).await;
    assert_eq!(page.step(), Some("enrol"), "{}", page.body);
    assert!(Box::pin(scene.stands(&mut Given::Session(browser.clone()))).await, "nothing is replaced yet");
    let code = totp(&shown_secret(&page), scene.idp().idp().now());
    let page = own.submit(&page, &[("code", &code)]).await;
    let back = own.submit(&page, &[("stored", "yes")]).await;
    assert_eq!(scene.till.token(&back.parameter("code").unwrap()).await.status, 200);
    assert!(Box::pin(scene.stands(&mut Given::Session(own))).await);
    assert!(!Box::pin(scene.stands(&mut Given::Session(browser))).await);
    assert!(!Box::pin(scene.stands(&mut Given::Tokens(tokens))).await);
}

cells! {
    {
        links: Link,
        tickets: Ticket,
        sessions: Session,
        tokens: Tokens,
        codes: Code,
        invitations: Invitation,
        logins: Login,
        ceremonies: Ceremony,
        enrolments: Enrolment,
        browsers: Browser,
        recovery: Recovery,
    }
    password_set: PasswordSet,
    password_changed: PasswordChanged,
    device_replaced: DeviceReplaced,
    enrolment_reset: EnrolmentReset,
    break_glass_made: BreakGlassMade,
    break_glass_used: BreakGlassUsed,
    user_disabled: UserDisabled,
    user_deleted: UserDeleted,
    tenant_disabled: TenantDisabled,
    tenant_deleted: TenantDeleted,
    client_disabled: ClientDisabled,
    client_deleted: ClientDeleted,
}
