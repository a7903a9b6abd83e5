//! The way back in: a forgotten password, and what a new one ends.

pub(crate) mod activation;
mod forgotten;
mod help;
mod link;
mod must_change;
pub(crate) mod passkey;

use vestibule::testing::{Answer, Browser, Sent, TestIdp};

use crate::login::DOMAIN;

/// What they choose.
pub(crate) const NEW: &str = "a stapler for every second horse";

/// Says at the page that the password is forgotten.
pub(crate) async fn forget(browser: &mut Browser, tenant: &str, username: &str) -> Answer {
    let page = browser.get(&format!("{}/reset", TestIdp::ISSUER)).await;
    assert_eq!(page.step(), Some("forgotten"), "{}", page.body);
    browser.submit(&page, &[("tenant", tenant), ("username", username)]).await
}

/// The links that were mailed so far, oldest first.
pub(crate) async fn links(idp: &TestIdp) -> Vec<String> {
    idp.mailbox().await.iter().filter_map(Sent::link).map(str::to_owned).collect()
}

/// The subjects of what was mailed so far.
pub(crate) async fn subjects(idp: &TestIdp) -> Vec<String> {
    idp.mailbox().await.into_iter().filter_map(|sent| sent.subject).collect()
}

/// A link for this user, from a new browser.
pub(crate) async fn link(idp: &TestIdp, username: &str) -> String {
    let before = links(idp).await.len();
    forget(&mut idp.browser(), DOMAIN, username).await;
    links(idp).await.into_iter().nth(before).expect("a link was mailed")
}

/// Types the new password twice.
pub(crate) async fn choose(browser: &mut Browser, page: &Answer, password: &str) -> Answer {
    browser.submit(page, &[("new_password", password), ("new_password_again", password)]).await
}
