//! Browsers in which users have signed in: a mail reports a sign-in in an unknown one, and each has password tries of
//! its own.

use std::time::Duration;

use vestibule::testing::{Application, Browser, Sent, TestIdp};

use super::{DOMAIN, PASSWORD, bare, enter, house, open, sign_in};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
const DAY: Duration = Duration::from_hours(24);

/// What was mailed so far of new browsers.
async fn news(idp: &TestIdp) -> Vec<Sent> {
    let sent = idp.mailbox().await;
    let is_news =
        |sent: &Sent| sent.subject.as_deref().is_some_and(|subject| subject.contains("new browser"));
    sent.into_iter().filter(is_news).collect()
}

/// The same browser, signed out by its cookie being gone.
fn without_session(browser: &Browser) -> Browser {
    let mut browser = browser.clone();
    browser.cookies().retain(|(_, name), _| !name.contains("session"));
    browser
}

#[tokio::test]
async fn the_second_browser_is_told_of_and_the_first_and_the_known_are_not() {
    let (idp, shop) = house().await;
    let zone =
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\nzoneinfo = \"Asia/Kolkata\"\n");
    idp.idp().apply(&zone).await.unwrap();
    let mut first = idp.browser();
    enter(&mut first, &shop, "bert").await;
    let cookie = first.cookies().iter().find(|((_, name), _)| name.contains("known")).unwrap().1.clone();
    assert!(news(&idp).await.is_empty(), "there is nothing to tell it from");
    let mut second = idp.browser().calling_itself(FIREFOX);
    assert!(enter(&mut second, &shop, "bert").await.parameter("code").is_some());
    let [told] = &news(&idp).await[..] else { panic!("not one mail") };
    for part in ["bert", "Example Works", "2 March 2026, 17:30 UTC+5:30", "Firefox, Linux"] {
        assert!(told.text.contains(part), "{part}: {}", told.text);
    }
    assert!(!told.text.contains(&cookie));
    for browser in [&first, &second] {
        idp.clock().advance(40 * DAY);
        enter(&mut without_session(browser), &shop, "bert").await;
        open(&mut browser.clone(), &shop, &[]).await;
    }
    assert_eq!(news(&idp).await.len(), 1, "both are known");
}

#[tokio::test]
async fn a_browser_is_known_for_ninety_days_and_for_one_user() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    let dora = format!(
        "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"dora\"\npassword = \"{PASSWORD}\"\nemail = \"dora@example.test\"\n"
    );
    idp.idp().apply(&dora).await.unwrap();
    enter(&mut idp.browser(), &shop, "dora").await;
    enter(&mut without_session(&browser), &shop, "dora").await;
    let [told] = &news(&idp).await[..] else { panic!("not one mail") };
    assert!(told.text.contains("account dora"), "that Bert was here says nothing of Dora: {}", told.text);
    let mut kept = idp.browser();
    enter(&mut kept, &shop, "bert").await;
    idp.clock().advance(89 * DAY);
    enter(&mut without_session(&kept), &shop, "bert").await;
    idp.clock().advance(2 * DAY);
    let before = news(&idp).await.len();
    enter(&mut without_session(&kept), &shop, "bert").await;
    assert_eq!(news(&idp).await.len(), before, "used since");
    enter(&mut without_session(&browser), &shop, "bert").await;
    assert_eq!(news(&idp).await.len(), before + 1, "forgotten");
}

/// An incomplete sign-in does not count. A user without an address gets no notice, but the browser has its tries.
#[tokio::test]
async fn only_a_sign_in_makes_a_browser_known() {
    let (idp, shop) = house().await;
    let is_known = |browser: &mut Browser| browser.cookies().keys().any(|(_, name)| name.contains("known"));
    for username in ["tina", "nobody"] {
        let mut browser = idp.browser();
        enter(&mut browser, &shop, username).await;
        assert!(!is_known(&mut browser), "{username}");
    }
    for _ in 0..2 {
        let mut browser = idp.browser();
        let page = enter(&mut browser, &shop, "tina").await;
        let back = browser.submit(&page, &[("code", &super::next_code(&idp))]).await;
        assert!(back.parameter("code").is_some());
        assert!(is_known(&mut browser));
    }
    assert!(news(&idp).await.is_empty(), "Tina has no address");
}

/// A browser in which this user has signed in and is signed out.
async fn known(idp: &TestIdp, shop: &Application, username: &str) -> Browser {
    let mut browser = idp.browser().from_address("192.0.2.7:1".parse().unwrap());
    let mut back = enter(&mut browser, shop, username).await;
    if back.step() == Some("second_factor") {
        back = browser.submit(&back, &[("code", &super::next_code(idp))]).await;
    }
    assert!(back.parameter("code").is_some(), "{}", back.body);
    without_session(&browser)
}

/// Strangers fail as often as they are let.
async fn lock(idp: &TestIdp, shop: &Application, username: &str) {
    let mut stranger = idp.browser().from_address("198.51.100.1:1".parse().unwrap());
    let mut page = open(&mut stranger, shop, &[]).await;
    for _ in 0..5 {
        page = sign_in(&mut stranger, &page, username, "wrong").await;
    }
    assert_eq!(sign_in(&mut stranger, &page, username, PASSWORD).await.step(), Some("wait"));
}

/// Types wrong passwords until told to wait; gives how many were looked at.
async fn wrong_until_locked(browser: &mut Browser, shop: &Application, username: &str) -> usize {
    let mut page = open(browser, shop, &[]).await;
    for n in 0..20 {
        page = sign_in(browser, &page, username, "wrong").await;
        if page.step() == Some("wait") {
            return n;
        }
    }
    panic!("never locked");
}

/// OWASP ASVS 6.1.1: strangers do not lock the owner out of a browser of theirs.
#[tokio::test]
async fn the_owner_signs_in_where_they_are_known_while_strangers_are_locked_out() {
    let (idp, shop) = house().await;
    for username in ["bert", "tina"] {
        let browser = known(&idp, &shop, username).await;
        lock(&idp, &shop, username).await;
        let back = enter(&mut idp.browser(), &shop, username).await;
        assert_eq!(back.step(), Some("wait"), "{username} in a browser that is not known");
        known_again(&mut browser.clone(), &idp, &shop, username).await;
        let mut stranger = idp.browser();
        let still = enter(&mut stranger, &shop, username).await;
        assert_eq!(still.step(), Some("wait"), "the owner's success gives strangers no tries");
    }
}

async fn known_again(browser: &mut Browser, idp: &TestIdp, shop: &Application, username: &str) {
    let mut back = enter(browser, shop, username).await;
    if back.step() == Some("second_factor") {
        back = browser.submit(&back, &[("code", &super::next_code(idp))]).await;
    }
    assert!(back.parameter("code").is_some(), "{username}: {}", back.body);
}

/// A stranger in the owner's own network uses up what the network may fail.
#[tokio::test]
async fn a_known_browser_is_not_asked_for_the_tries_of_its_network() {
    let (idp, shop) = house().await;
    let mut browser = known(&idp, &shop, "bert").await;
    let mut stranger = idp.browser().from_address("192.0.2.7:2".parse().unwrap());
    let mut page = open(&mut stranger, &shop, &[]).await;
    for n in 0..101 {
        page = sign_in(&mut stranger, &page, &format!("user{n}"), "wrong").await;
    }
    assert_eq!(page.step(), Some("wait"));
    assert!(enter(&mut browser, &shop, "bert").await.parameter("code").is_some());
}

#[tokio::test]
async fn a_known_browser_waits_after_ten_and_locks_nobody_else() {
    let (idp, shop) = house().await;
    let (mut one, two) = (known(&idp, &shop, "bert").await, known(&idp, &shop, "bert").await);
    assert_eq!(wrong_until_locked(&mut one, &shop, "bert").await, 10);
    assert_eq!(enter(&mut one, &shop, "bert").await.step(), Some("wait"), "the right one too");
    assert!(enter(&mut two.clone(), &shop, "bert").await.parameter("code").is_some());
    assert!(enter(&mut idp.browser(), &shop, "bert").await.parameter("code").is_some());
    idp.clock().advance(Duration::from_mins(5));
    assert_eq!(wrong_until_locked(&mut one, &shop, "bert").await, 10);
    idp.clock().advance(Duration::from_mins(5));
    assert_eq!(enter(&mut one, &shop, "bert").await.step(), Some("wait"), "the second wait is longer");
    idp.clock().advance(Duration::from_mins(5));
    assert!(enter(&mut one.clone(), &shop, "bert").await.parameter("code").is_some());
    assert_eq!(wrong_until_locked(&mut one, &shop, "bert").await, 10, "success forgets");
    let unlocked = idp.idp().help(DOMAIN, "bert", vestibule::SupportAction::Unlock).await;
    assert_eq!(unlocked.unwrap(), vestibule::SupportOutcome::Done);
    assert!(enter(&mut one, &shop, "bert").await.parameter("code").is_some());
}

/// It is valid for one user of one tenant, even if others are known by the same cookie.
#[tokio::test]
async fn a_cookie_buys_no_tries_at_another_account() {
    let (idp, shop) = house().await;
    let mut browser = known(&idp, &shop, "bert").await;
    assert_eq!(wrong_until_locked(&mut browser, &shop, "tina").await, 5);
    assert_eq!(wrong_until_locked(&mut browser, &shop, "nobody").await, 5);
    let mut page = open(&mut browser, &shop, &[]).await;
    for n in 0..6 {
        assert_eq!(page.step(), Some("identify"), "{n}");
        let fields = [("tenant", "other.sms"), ("username", "bert"), ("password", "wrong")];
        page = browser.submit(&page, &fields).await;
    }
    assert_eq!(page.step(), Some("wait"), "the other tenant's Bert");
    assert_eq!(wrong_until_locked(&mut browser, &shop, "bert").await, 10);
}

/// Attacks 118 and 121: with a cookie that is known for another user, a name that exists and one that does not are the
/// same page and the same work.
#[tokio::test]
async fn a_known_browser_tells_nothing_of_other_names() {
    let (idp, shop) = house().await;
    let browser = known(&idp, &shop, "bert").await;
    let mut seen = Vec::new();
    for username in ["tina", "nobody", "no name"] {
        let mut browser = browser.clone();
        let mut page = open(&mut browser, &shop, &[]).await;
        for _ in 0..6 {
            let before = idp.cost();
            page = sign_in(&mut browser, &page, username, "wrong").await;
            let text = bare(&page).replace(&format!("value=\"{username}\""), "");
            seen.push((username, page.status, text, idp.cost() - before));
        }
    }
    let (first, others) = seen.split_at(6);
    for (n, (name, status, text, cost)) in others.iter().enumerate() {
        let (_, expected, page, work) = &first[n % 6];
        assert_eq!((status, text, cost), (expected, page, work), "{name}, try {}", n % 6);
    }
}

#[tokio::test]
async fn a_new_password_takes_the_tries_of_all_browsers_away() {
    let (idp, shop) = house().await;
    let apply = |password: &str| {
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\npassword = \"{password}\"\n")
    };
    let mut browser = known(&idp, &shop, "bert").await;
    idp.idp().apply(&apply("a stapler for every second horse")).await.unwrap();
    assert_eq!(wrong_until_locked(&mut browser, &shop, "bert").await, 5);
    idp.idp().apply(&apply(PASSWORD)).await.unwrap();
    idp.clock().advance(Duration::from_mins(5));
    assert_eq!(wrong_until_locked(&mut browser, &shop, "bert").await, 5, "the old password is another one");
    idp.clock().advance(Duration::from_mins(10));
    assert!(enter(&mut browser, &shop, "bert").await.parameter("code").is_some());
    let mut browser = without_session(&browser);
    assert_eq!(wrong_until_locked(&mut browser, &shop, "bert").await, 10, "earned anew");
    let page = browser.get(&crate::recovery::link(&idp, "bert").await).await;
    crate::recovery::choose(&mut browser, &page, crate::recovery::NEW).await;
    assert_eq!(wrong_until_locked(&mut browser, &shop, "bert").await, 5, "a reset in this very browser");
}

/// What ends for a disabled user or tenant does not come back with them (`docs/ending.md`).
#[tokio::test]
async fn enabling_again_brings_no_tries_back() {
    let (idp, shop) = house().await;
    let user = |disabled: bool| {
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\ndisabled = {disabled}\n")
    };
    let tenant = |disabled: bool| format!("[[tenants]]\ndomain = \"{DOMAIN}\"\ndisabled = {disabled}\n");
    for document in [&user as &dyn Fn(bool) -> String, &tenant] {
        let mut browser = known(&idp, &shop, "bert").await;
        for disabled in [true, false] {
            idp.idp().apply(&document(disabled)).await.unwrap();
        }
        assert_eq!(wrong_until_locked(&mut browser, &shop, "bert").await, 5);
        idp.clock().advance(Duration::from_hours(1));
    }
}

/// A value that was not issued here is replaced, not adopted.
#[tokio::test]
async fn a_cookie_that_was_not_made_here_is_replaced() {
    let (idp, shop) = house().await;
    let mut browser = known(&idp, &shop, "bert").await;
    for (key, value) in browser.cookies() {
        if key.1.contains("known") {
            *value = "planted".to_owned();
        }
    }
    assert_eq!(wrong_until_locked(&mut browser, &shop, "bert").await, 5);
    idp.clock().advance(Duration::from_mins(5));
    enter(&mut browser, &shop, "bert").await;
    assert!(browser.cookies().values().all(|value| value != "planted"));
}

/// A user keeps ten; the one that is used longest ago goes.
#[tokio::test]
async fn the_eleventh_browser_takes_the_place_of_the_oldest() {
    let (idp, shop) = house().await;
    let mut all = Vec::new();
    for _ in 0..11 {
        all.push(known(&idp, &shop, "bert").await);
        idp.clock().advance(Duration::from_secs(1));
    }
    assert_eq!(wrong_until_locked(&mut all[1], &shop, "bert").await, 10);
    assert_eq!(wrong_until_locked(&mut all[0], &shop, "bert").await, 5);
}
