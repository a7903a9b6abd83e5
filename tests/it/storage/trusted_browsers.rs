//! Browsers that their users trust.

use vestibule::domain::ids::{Hash, TrustedBrowserId};
use vestibule::domain::trusted_browser::{BrowserSignals, MOST, Signal, TrustedBrowser};
use vestibule::domain::user::User;
use vestibule::storage::{sweep, trusted_browsers, users};

use super::rows::{FIRST, NOW, World, hash, keep, later, user};
use super::{on_each, read, write};

/// One that was seen `number` seconds from now.
fn browser(of: &User, number: u64) -> &'static TrustedBrowser {
    keep(TrustedBrowser {
        id: TrustedBrowserId::new(format!("{} {number}", of.id)),
        user: of.id.clone(),
        epoch: FIRST,
        cookie: Hash::new(format!("{} {number}", of.id)),
        profile: BrowserSignals([(Signal::System, Hash::new("linux"))].into()),
        label: "Firefox, Linux".to_owned(),
        created_at: NOW,
        seen_at: later(number),
        expires_at: later(1_000 + number),
    })
}

#[tokio::test]
async fn one_is_found_by_its_cookie_and_its_user_only() {
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        let bert = user(tenant, "Bert");
        let stored = browser(anna, 1);
        write!(db, tx => trusted_browsers::insert(tx, stored)).unwrap();
        let found = read!(db, tx => trusted_browsers::by_cookie(tx, &anna.id, &stored.cookie));
        assert_eq!(found.as_ref(), Some(stored));
        assert_eq!(read!(db, tx => trusted_browsers::by_cookie(tx, &bert.id, &stored.cookie)), None);
        assert_eq!(read!(db, tx => trusted_browsers::by_cookie(tx, &anna.id, hash("other"))), None);
    })
    .await;
}

#[tokio::test]
async fn the_one_seen_longest_ago_makes_room() {
    on_each(async |db| {
        let World { tenant, anna, .. } = World::store(db).await;
        let bert = user(tenant, "Bert");
        write!(db, tx => async {
            users::upsert(tx, bert).await?;
            trusted_browsers::insert(tx, browser(bert, 100)).await?;
            for number in 1..=u64::try_from(MOST).unwrap_or_default() {
                trusted_browsers::insert(tx, browser(anna, number)).await?;
            }
            Ok(())
        })
        .unwrap();
        let (first, second) = (browser(anna, 1), browser(anna, 2));
        assert!(write!(db, tx => trusted_browsers::touch(tx, &first.id, later(500))).unwrap());
        write!(db, tx => trusted_browsers::insert(tx, browser(anna, 50))).unwrap();
        let left = read!(db, tx => trusted_browsers::of_user(tx, &anna.id));
        assert_eq!(i64::try_from(left.len()), Ok(MOST));
        assert_eq!(left[0].id, first.id, "seen last");
        assert!(left.iter().all(|browser| browser.id != second.id), "seen longest ago");
        assert_eq!(read!(db, tx => trusted_browsers::of_user(tx, &bert.id)).len(), 1, "another's stays");
    })
    .await;
}

#[tokio::test]
async fn they_go_with_their_time_and_all_at_once() {
    on_each(async |db| {
        let World { anna, .. } = World::store(db).await;
        let (first, second) = (browser(anna, 1), browser(anna, 2));
        for browser in [first, second] {
            write!(db, tx => trusted_browsers::insert(tx, browser)).unwrap();
        }
        let end = later(1_001);
        assert!(
            !write!(db, tx => trusted_browsers::touch(tx, &first.id, end)).unwrap(),
            "over in its second"
        );
        write!(db, tx => sweep::sweep(tx, end, 100)).unwrap();
        let left = read!(db, tx => trusted_browsers::of_user(tx, &anna.id));
        assert_eq!(left, std::slice::from_ref(second));
        assert_eq!(write!(db, tx => trusted_browsers::remove_all(tx, &anna.id)).unwrap(), 1);
        assert_eq!(read!(db, tx => trusted_browsers::of_user(tx, &anna.id)), []);
    })
    .await;
}
