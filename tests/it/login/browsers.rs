//! A mail tells of a sign-in in a browser that was not used for it before (functional specification 6.11).

use std::time::Duration;

use vestibule::testing::{Browser, Sent, TestIdp};

use super::{DOMAIN, enter, house, open};

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
        "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"dora\"\npassword = \"{}\"\nemail = \"dora@example.test\"\n",
        super::PASSWORD
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

/// Half a sign-in is none, and to whom no mail can go nothing is kept for.
#[tokio::test]
async fn only_a_sign_in_makes_a_browser_known() {
    let (idp, shop) = house().await;
    for username in ["tina", "nobody"] {
        let mut browser = idp.browser();
        enter(&mut browser, &shop, username).await;
        assert!(browser.cookies().keys().all(|(_, name)| !name.contains("known")), "{username}");
    }
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "tina").await;
    let back = browser.submit(&page, &[("code", &super::code(&idp))]).await;
    assert!(back.parameter("code").is_some());
    assert!(browser.cookies().keys().all(|(_, name)| !name.contains("known")), "Tina has no address");
}
