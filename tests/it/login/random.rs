//! The house's promise over the real router: whatever is posted in whatever order, a code only ever stands for what
//! was proved.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use vestibule::testing::{Answer, Browser, TestIdp};

use super::{DOMAIN, PASSWORD, code, house, open};

/// One thing a browser may do.
#[derive(Clone, Debug)]
enum Act {
    /// Posts to a step, whatever page is due: the form's own token, then these fields.
    Post(&'static str, Vec<(&'static str, &'static str)>),
    /// Types tenant, name and the right or a wrong password.
    Password(&'static str, bool),
    /// Types the right code or a wrong one, to a step of its choice.
    Code(&'static str, bool),
    /// Opens a step.
    Get(&'static str),
}

const STEPS: [&str; 8] = [
    "identify",
    "second_factor",
    "recovery",
    "enrol",
    "recovery_codes",
    "notice",
    "consent",
    "choose_account",
];

fn act() -> impl Strategy<Value = Act> {
    let step = || proptest::sample::select(STEPS.to_vec());
    let fields = proptest::sample::select(vec![
        vec![("skip", "yes")],
        vec![("enable", "yes")],
        vec![("allow", "yes")],
        vec![("stored", "yes")],
        vec![("account", "this")],
        vec![("account", "other")],
        vec![("code", "000000")],
        vec![],
    ]);
    prop_oneof![
        2 => (step(), fields).prop_map(|(step, fields)| Act::Post(step, fields)),
        2 => (proptest::sample::select(vec!["anna", "bert", "tina"]), any::<bool>())
            .prop_map(|(user, right)| Act::Password(user, right)),
        2 => (step(), any::<bool>()).prop_map(|(step, right)| Act::Code(step, right)),
        1 => step().prop_map(Act::Get),
    ]
}

/// What the browser really proved in this login.
#[derive(Clone, Debug, Default)]
struct Truth {
    user: Option<&'static str>,
    otp: bool,
}

/// Does it; keeps the books of what was proved.
async fn perform(
    idp: &TestIdp,
    browser: &mut Browser,
    page: &Answer,
    act: &Act,
    truth: &mut Truth,
) -> Answer {
    let at = |step: &str| {
        let (before, rest) = page.url.as_str().rsplit_once('/').unwrap();
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        format!("{before}/{step}?{query}")
    };
    let token = page.body.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let csrf = ("csrf", token.unwrap_or_default());
    let due = page.step();
    match act {
        Act::Post(step, fields) => {
            let fields: Vec<_> = std::iter::once(csrf).chain(fields.iter().copied()).collect();
            browser.post(&at(step), &fields).await
        }
        Act::Password(user, right) => {
            let password = if *right { PASSWORD } else { "wrong" };
            let fields = [csrf, ("tenant", DOMAIN), ("username", user), ("password", password)];
            if *right && due == Some("identify") {
                *truth = Truth { user: Some(user), otp: truth.otp && truth.user == Some(user) };
            }
            browser.post(&at("identify"), &fields).await
        }
        Act::Code(step, right) => {
            let now = code(idp);
            let typed = if *right { now.as_str() } else { "123456" };
            // Both pages ask for the second factor, so a post to either is taken.
            let asked = matches!(due, Some("second_factor" | "recovery"));
            if *right && asked && *step == "second_factor" && truth.user == Some("tina") {
                truth.otp = true;
            }
            browser.post(&at(step), &[csrf, ("code", typed)]).await
        }
        Act::Get(step) => browser.get(&at(step)).await,
    }
}

#[test]
fn no_order_of_posts_yields_a_code_that_was_not_earned() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 32, failure_persistence: None, ..Config::default() });
    let acts = proptest::collection::vec(act(), 1..14);
    runner
        .run(&acts, |acts| {
            runtime.block_on(async {
                let (idp, shop) = house().await;
                let mut browser = idp.browser();
                let mut page = open(&mut browser, &shop, &[]).await;
                let mut truth = Truth::default();
                for act in &acts {
                    page = perform(&idp, &mut browser, &page, act, &mut truth).await;
                    assert!(!page.status.is_server_error(), "{act:?} {}", page.body);
                    if page.parameter("code").is_some() {
                        let token = shop.redeem(&page).await.id_token;
                        // Anna must enrol, which nobody does here; Tina must show a code; Bert's password will do.
                        assert_ne!(truth.user, Some("anna"), "{acts:?}");
                        assert!(truth.user.is_some(), "{acts:?}");
                        let two = token["acr"] == "urn:vestibule:acr:2fa";
                        assert_eq!(two, truth.user == Some("tina"), "{acts:?}");
                        assert!(truth.user != Some("tina") || truth.otp, "{acts:?}");
                        return;
                    }
                }
            });
            Ok(())
        })
        .unwrap();
}
