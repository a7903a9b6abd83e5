//! The reference paths, one file each: a scenario that is run twice, over plain HTTP and in a real browser.
//!
//! Paths 11 to 14 are stories of Resources, which there are none of yet.

mod path_01;
mod path_02;
mod path_03;
mod path_04;
mod path_05;
mod path_06;
mod path_07;
mod path_08;
mod path_09;
mod path_10;
mod path_15;
mod path_16;
mod path_17;
mod path_18;
mod path_19;
mod path_20;
mod shop;
mod visitor;

pub(crate) use shop::{Shop, identify, provider};
pub(crate) use visitor::{PageRequest, Plain, Window, told};

use vestibule::domain::message::Channel;
use vestibule::testing::TestIdp;

use crate::login::HOUSE;

/// A provider whose tenant has these rules.
pub(crate) fn house(policy: &str) -> String {
    let named = "name = \"Example Works\"\n";
    HOUSE.replacen(named, &format!("{named}[tenants.policy]\n{policy}\n"), 1)
}

/// A second factor for everybody, of three kinds, and the office computer is asked for.
pub(crate) fn strict_house() -> String {
    house("mfa = \"required\"\nask_desktop_name = true\nmethods = [\"totp\", \"sms\", \"mail\"]")
}

/// The code that was sent last this way.
pub(crate) async fn sent_code(idp: &TestIdp, channel: Channel) -> String {
    let sent = idp.mailbox().await;
    let last = sent.iter().rev().find(|message| message.channel == channel && message.code().is_some());
    last.and_then(|message| message.code()).expect("a code was sent").to_owned()
}
