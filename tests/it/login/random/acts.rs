//! What can be done, and in which proportion: logins that come to their ends, for else nothing would be seen, and in
//! their midst and beside them everything else.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use vestibule::SupportAction;

use super::world::{PEOPLE, Rule};

/// One of two browsers, and one of its tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tab {
    pub(super) browser: usize,
    pub(super) tab: usize,
}

/// What an application asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Plain,
    Silent,
    Login,
    MaxAge(u64),
    Essential,
    Wish,
}

/// One action of a user or operator.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// An application sends the user.
    Open(Tab, Ask),
    /// What makes sense on the page that is due, for this person; with the box ticked that trusts the browser.
    Go(Tab, &'static str, bool),
    /// Something wrong on the page that is due.
    Err(Tab),
    /// The right code of a user, sent to a chosen page.
    Code(Tab, &'static str, &'static str),
    /// A recovery code of a user.
    Recover(Tab, &'static str),
    /// Any fields to any page.
    Post(Tab, &'static str, &'static [(&'static str, &'static str)]),
    /// Opens any page.
    Get(Tab, &'static str),
    /// The other browser takes over the address of a tab.
    Steal(Tab),
    /// A browser gets the session cookie of the other one, which mostly is a second user's.
    Plant(usize),
    /// A thief with the session cookie of a browser, and nothing else, asks for more than the session has.
    Thief(usize),
    /// Signs out.
    SignOut(usize),
    /// A user's password is forgotten.
    Forget(&'static str),
    /// Opens one of the links that were mailed.
    Link(usize, Index),
    /// Forgets it, opens the link that was mailed last, and goes on from there for so many pages.
    ForgetOn(&'static str, usize, usize),
    /// What makes sense on the page of a reset.
    Reset(usize),
    /// Something wrong there; or a recovery code.
    ResetErr(usize, bool),
    /// The operator helps.
    SupportAction(&'static str, SupportAction),
    /// The operator gives a user another authenticator.
    Equip(&'static str),
    /// The operator changes a rule of the tenant.
    Change(Rule),
    /// A user gains or loses the role of administrator.
    Promote(&'static str, bool),
    /// Time passes, in seconds.
    Wait(u64),
}

const STEPS: [&str; 15] = [
    "identify",
    "second_factor",
    "recovery",
    "resync",
    "choose_method",
    "phone",
    "email",
    "confirm_code",
    "enrol",
    "recovery_codes",
    "notice",
    "blocked",
    "consent",
    "choose_account",
    "new_password",
];

const FIELDS: [&[(&str, &str)]; 12] = [
    &[("skip", "yes")],
    &[("enable", "yes")],
    &[("allow", "yes")],
    &[("stored", "yes")],
    &[("another", "yes")],
    &[("change", "yes")],
    &[("resend", "yes")],
    &[("account", "other")],
    &[("method", "sms")],
    &[("code", "000000"), ("trust_browser", "yes")],
    &[("new_password", "a battery of horses"), ("new_password_again", "a battery of horses")],
    &[],
];

/// A few logins with other actions in between; mostly of two users, so that one user often acts twice in a row.
pub(super) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let person = || select(PEOPLE.to_vec());
    (person(), person()).prop_flat_map(|(one, other)| {
        let person = prop_oneof![8 => Just(one), 2 => Just(other), 1 => select(PEOPLE.to_vec())].boxed();
        vec(login(&person), 1..6).prop_map(|logins| logins.concat())
    })
}

/// What was before may end first; then a login, some of its pages, something else, and its other pages.
fn login(person: &BoxedStrategy<&'static str>) -> impl Strategy<Value = Vec<Act>> + use<> {
    let midst = vec(act(person), 0..3);
    let recovers = proptest::bool::weighted(0.3);
    (tab(), person.clone(), gap(), ask(), any::<bool>(), recovers, 0..5_usize, midst).prop_map(
        |(tab, person, gap, ask, tick, recovers, pages, midst)| {
            let end = match gap {
                Gap::None => None,
                Gap::SignedOut => Some(Act::SignOut(tab.browser)),
                Gap::Wait(seconds) => Some(Act::Wait(seconds)),
            };
            let go = Act::Go(tab, person, tick);
            let begun = std::iter::repeat_n(go.clone(), pages);
            let code = recovers.then_some(Act::Recover(tab, person));
            let ended = std::iter::repeat_n(go, 6 - pages.min(4));
            end.into_iter()
                .chain([Act::Open(tab, ask)])
                .chain(begun)
                .chain(code)
                .chain(midst)
                .chain(ended)
                .collect()
        },
    )
}

/// What is between two logins.
#[derive(Clone, Copy, Debug)]
enum Gap {
    None,
    SignedOut,
    Wait(u64),
}

fn gap() -> impl Strategy<Value = Gap> {
    prop_oneof![
        2 => Just(Gap::None),
        2 => Just(Gap::SignedOut),
        2 => select(vec![61, 1860, 50_000]).prop_map(Gap::Wait),
    ]
}

fn act(person: &BoxedStrategy<&'static str>) -> impl Strategy<Value = Act> + use<> {
    let person = || person.clone();
    let browser = || 0..2_usize;
    prop_oneof![
        2 => (tab(), ask()).prop_map(|(tab, ask)| Act::Open(tab, ask)),
        2 => (tab(), person(), any::<bool>()).prop_map(|(tab, person, tick)| Act::Go(tab, person, tick)),
        2 => tab().prop_map(Act::Err),
        3 => (tab(), person(), step()).prop_map(|(tab, person, step)| Act::Code(tab, person, step)),
        5 => (tab(), person()).prop_map(|(tab, person)| Act::Recover(tab, person)),
        3 => (tab(), step(), select(FIELDS.to_vec())).prop_map(|(tab, step, fields)| Act::Post(tab, step, fields)),
        1 => (tab(), step()).prop_map(|(tab, step)| Act::Get(tab, step)),
        1 => tab().prop_map(Act::Steal),
        4 => browser().prop_map(Act::Plant),
        4 => browser().prop_map(Act::Thief),
        2 => browser().prop_map(Act::SignOut),
        1 => person().prop_map(Act::Forget),
        2 => (browser(), any::<Index>()).prop_map(|(browser, which)| Act::Link(browser, which)),
        8 => (person(), browser(), 1..5_usize)
            .prop_map(|(person, browser, pages)| Act::ForgetOn(person, browser, pages)),
        4 => browser().prop_map(Act::Reset),
        3 => (browser(), any::<bool>()).prop_map(|(browser, recover)| Act::ResetErr(browser, recover)),
        6 => (person(), help()).prop_map(|(person, help)| Act::SupportAction(person, help)),
        4 => person().prop_map(Act::Equip),
        10 => rule().prop_map(Act::Change),
        4 => (person(), any::<bool>()).prop_map(|(person, admin)| Act::Promote(person, admin)),
        2 => select(vec![1, 61, 1860]).prop_map(Act::Wait),
    ]
}

fn help() -> impl Strategy<Value = SupportAction> {
    select(vec![
        SupportAction::Unlock,
        SupportAction::ResetPassword,
        SupportAction::ResetEnrolment,
        SupportAction::ResetEnrolment,
    ])
}

fn tab() -> impl Strategy<Value = Tab> {
    // Most of it in one tab, or nothing would come to an end.
    let place = prop_oneof![4 => Just((0, 0)), 1 => Just((0, 1)), 2 => Just((1, 0))];
    place.prop_map(|(browser, tab)| Tab { browser, tab })
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        6 => Just(Ask::Plain),
        2 => Just(Ask::Silent),
        1 => Just(Ask::Login),
        2 => select(vec![0, 60, 3600]).prop_map(Ask::MaxAge),
        2 => Just(Ask::Essential),
        1 => Just(Ask::Wish),
    ]
}

fn step() -> impl Strategy<Value = &'static str> {
    select(STEPS.to_vec())
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        any::<bool>().prop_map(Rule::Required),
        any::<bool>().prop_map(Rule::MailCounts),
        any::<bool>().prop_map(Rule::Trust),
        any::<bool>().prop_map(Rule::Duty),
        any::<bool>().prop_map(Rule::ByMail),
        select(vec!["", "\"totp\"", "\"sms\"", "\"mail\"", "\"totp\", \"sms\", \"mail\""])
            .prop_map(Rule::Methods),
    ]
}
