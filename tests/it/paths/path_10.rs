//! Path 10: wrong tenant, unknown user, wrong password, disabled user, linked user. Five byte-identical answers, and the
//! same work behind each. A person sees the same words; a program the same bytes, and the same work.

use axum::http::StatusCode;
use vestibule::testing::Cost;

use super::{PageRequest, Shop, told};
use crate::login::bare;
use crate::support::network;
use crate::upstream::{DOMAIN, NEVER, PASSWORD, World};

told!(story);

const KINDS: [(&str, &str, &str, &str); 6] = [
    ("wrong tenant", "other.sms", "bert", PASSWORD),
    ("no tenant", "nowhere.sms", "bert", PASSWORD),
    ("unknown user", DOMAIN, "nobody", PASSWORD),
    ("wrong password", DOMAIN, "bert", "wrong"),
    ("disabled", DOMAIN, "dora", PASSWORD),
    ("linked", DOMAIN, "anna", PASSWORD),
];

/// With a user who is disabled.
async fn world() -> World {
    let world = World::new(NEVER).await;
    let disabled = format!(
        "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"dora\"\npassword = \"{PASSWORD}\"\ndisabled = true"
    );
    world.idp.idp().apply(&disabled).await.unwrap();
    world
}

async fn story(visitor: &mut impl PageRequest) {
    let world = world().await;
    let shop = Shop::of(&world.idp).await;
    let mut seen = Vec::new();
    for (kind, tenant, username, password) in KINDS {
        visitor.elsewhere().await;
        shop.send(visitor, &[]).await;
        visitor.submit(&[("tenant", tenant), ("username", username), ("password", password)]).await;
        assert_eq!(visitor.step().await, "identify", "{kind}");
        let text = visitor.text().await;
        let (words, _reference) = text.rsplit_once("Reference").unwrap_or((&text, ""));
        assert!(words.contains("Sign-in failed"), "{kind}: {words}");
        seen.push((kind, words.to_owned(), visitor.value("username").await == username));
    }
    for (kind, words, typed_is_kept) in &seen {
        assert_eq!((words, typed_is_kept), (&seen[0].1, &true), "{kind}");
    }
}

#[tokio::test]
async fn five_kinds_of_failed_first_factor_look_alike() {
    let world = world().await;
    // The first round fills caches.
    let mut answers = Vec::new();
    for _ in 0..2 {
        answers.clear();
        for (kind, tenant, username, password) in KINDS {
            answers.push((kind, attempt(&world, tenant, username, password).await));
        }
    }
    let (_, first) = &answers[0];
    for (kind, answer) in &answers[1..] {
        assert_eq!((answer.status, &answer.headers), (first.status, &first.headers), "{kind}");
        assert_eq!(answer.text, first.text, "{kind}");
        // That there is no such tenant is read each time: who guesses must not fill the cache.
        assert!(
            answer.work == first.work || *kind == "no tenant",
            "{kind}: {:?} {:?}",
            answer.work,
            first.work
        );
    }
}

/// What a browser can tell of an answer, and what it cost.
struct Seen {
    status: StatusCode,
    headers: String,
    text: String,
    work: Cost,
}

async fn attempt(world: &World, tenant: &str, username: &str, password: &str) -> Seen {
    let mut browser = network::browser();
    let page = world.open(&mut browser, &[]).await;
    let before = world.idp.cost();
    let fields = [("tenant", tenant), ("username", username), ("password", password)];
    let answer = browser.submit(&page, &fields).await;
    let work = world.idp.cost() - before;
    let headers =
        answer.headers.iter().filter(|(name, _)| !["date", "content-length"].contains(&name.as_str()));
    // What was typed comes back as it was typed.
    let text = [tenant, username]
        .iter()
        .fold(bare(&answer), |text, typed| text.replace(&format!("value=\"{typed}\""), ""));
    Seen { status: answer.status, headers: format!("{:?}", headers.collect::<Vec<_>>()), text, work }
}

#[tokio::test]
async fn a_forgotten_password_of_a_linked_user_sends_nothing_and_looks_the_same() {
    let world = World::new(NEVER).await;
    let ask = async |username: &str| {
        let mut browser = network::browser();
        let login = world.open(&mut browser, &[]).await;
        let link = login
            .body
            .split("href=\"")
            .find(|rest| rest.contains("reset"))
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let page = browser.get(login.url.join(&link.replace("&#38;", "&")).unwrap().as_str()).await;
        let answer = browser.submit(&page, &[("tenant", DOMAIN), ("username", username)]).await;
        // The login that the page leads back to is the browser's own.
        let parts: Vec<_> = bare(&answer).split("login%3D").map(str::to_owned).collect();
        let kept =
            parts.iter().map(|part| part.split_once("%26client_id").map_or(part.as_str(), |(_, rest)| rest));
        (answer.status, kept.collect::<Vec<_>>().join("~"))
    };
    let linked = ask("anna").await;
    assert_eq!(linked, ask("nobody").await);
    assert!(world.idp.mailbox().await.is_empty(), "no mail for either");
    assert_eq!(linked, ask("bert").await);
    assert_eq!(world.idp.mailbox().await.len(), 1, "one for who has a password here");
}
