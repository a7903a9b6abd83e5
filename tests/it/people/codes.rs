//! Codes as people type and paste them.

use std::time::Duration;

use vestibule::ext::Clock;
use vestibule::testing::{Answer, Browser, TestIdp, totp};

use crate::login::{SECRET, code, enter, house, shown_codes, shown_secret};

/// `123456` in the digits that begin with `zero`.
fn written(code: &str, zero: char) -> String {
    let digit = |c: char| char::from_u32(u32::from(zero) + c.to_digit(10)?);
    code.chars().filter_map(digit).collect()
}

#[tokio::test]
async fn a_code_counts_in_groups_and_in_the_digits_of_any_keyboard() {
    let (idp, shop) = house().await;
    let ways: [fn(&str) -> String; 6] = [
        |code| format!("{}-{}", &code[..3], &code[3..]),
        |code| format!("{} {}", &code[..3], &code[3..]),
        |code| format!("{}\u{2011}{}", &code[..3], &code[3..]),
        |code| written(code, '０'),
        |code| written(code, '٠'),
        |code| format!("\u{2068}{code}\u{2069}\u{200b}"),
    ];
    for way in ways {
        idp.clock().advance(Duration::from_secs(30));
        let mut browser = idp.browser();
        let page = enter(&mut browser, &shop, "tina").await;
        let typed = way(&code(&idp));
        let done = browser.submit(&page, &[("code", &typed)]).await;
        assert!(done.parameter("code").is_some(), "{typed}: {}", done.body);
    }
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "tina").await;
    let next = totp(SECRET, idp.clock().now().plus(Duration::from_secs(30)));
    for wrong in [format!("{next}0"), format!("x{next}"), next[1..].to_owned()] {
        let again = browser.submit(&page, &[("code", &wrong)]).await;
        assert_eq!(again.step(), Some("second_factor"), "{wrong}");
    }
}

async fn enrol(idp: &TestIdp, browser: &mut Browser, page: &Answer) -> Vec<String> {
    let first = written(&totp(&shown_secret(page), idp.clock().now()), '०');
    let codes = browser.submit(page, &[("code", &first)]).await;
    assert_eq!(codes.step(), Some("recovery_codes"), "{}", codes.body);
    shown_codes(&codes)
}

#[tokio::test]
async fn the_first_code_and_recovery_codes_are_read_like_any_other() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "anna").await;
    let codes = enrol(&idp, &mut browser, &page).await;
    let page = browser.get(page.url.as_str()).await;
    assert!(browser.submit(&page, &[("stored", "yes")]).await.parameter("code").is_some());

    let wide: String = codes[0].chars().filter_map(|c| char::from_u32(u32::from(c) + 0xfee0)).collect();
    let dashed = format!("\u{200e}{}", codes[1].replace('-', "\u{2014}").to_lowercase());
    for typed in [wide, dashed] {
        let mut browser = idp.browser();
        let page = enter(&mut browser, &shop, "anna").await;
        assert_eq!(page.step(), Some("second_factor"));
        let recovery = browser.get(&page.url.as_str().replace("second_factor", "recovery")).await;
        assert_eq!(recovery.step(), Some("recovery"), "{}", recovery.body);
        let done = browser.submit(&recovery, &[("code", &typed)]).await;
        assert_ne!(done.step(), Some("recovery"), "{typed}: {}", done.body);
    }
}
