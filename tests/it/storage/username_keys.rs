//! Keys of user names: how those of earlier versions are rewritten, and what becomes of names that then are the same.

use std::time::Duration;

use futures_util::future::join_all;
use vestibule::domain::ids::UserId;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::domain::tenant::Tenant;
use vestibule::domain::user::{User, Username};
use vestibule::storage::{Db, Error, users};
use vestibule::{ApplyError, Idp};

use super::database::execute;
use super::rows::{keep, tenant, user};
use super::{Own, on_each_empty, open, read, unique, write};
use crate::log::{Memory, second_subscriber};

/// What a version before migration 40 had stored: keys in lower case, in a store that knows nothing of the rewrite.
const BEFORE: &str = "
    INSERT INTO tenants (id, domain, name, disabled, locale, policy, branding)
    VALUES ('tenant-a', 'a.sms', 'A', FALSE, 'de', '{}', '{}'), ('tenant-b', 'b.sms', 'B', FALSE, 'de', '{}', '{}');
    INSERT INTO users (id, tenant_id, username, username_key, disabled, roles, profile, updated_at) VALUES
        ('u1', 'tenant-a', 'STRASSE', 'strasse', FALSE, '[]', '{}', 0),
        ('u2', 'tenant-a', 'Straße', 'straße', FALSE, '[]', '{}', 0),
        ('u3', 'tenant-a', 'ßss', 'ßss', FALSE, '[]', '{}', 0),
        ('u4', 'tenant-a', 'ssß', 'ssß', FALSE, '[]', '{}', 0),
        ('u5', 'tenant-a', 'Jürgen', 'jürgen', FALSE, '[]', '{}', 0),
        ('u6', 'tenant-b', 'Straße', 'straße', FALSE, '[]', '{}', 0),
        ('u7', 'tenant-b', 'Σίσυφος', 'σίσυφος', FALSE, '[]', '{}', 0);
    INSERT INTO users (id, tenant_id, username, username_key, disabled, roles, profile, updated_at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)
    SELECT 'many-' || i, 'tenant-b', 'Fuß' || i, 'fuß' || i, FALSE, '[]', '{}', 0 FROM n;
    UPDATE rewrites SET position = '', finished = FALSE;
";

/// Who is found by this name.
async fn found(db: &Db, tenant: &'static Tenant, name: &str) -> Option<String> {
    let name = keep(Username::parse(name).unwrap());
    let found = read!(db, tx => users::credentials(tx, &tenant.id, Some(name)));
    found.map(|found| found.user.id.to_string())
}

async fn old_store(own: &Own) -> Db {
    let db = open(own).await;
    execute(own, BEFORE).await;
    db
}

/// What holds once every user was looked at.
async fn check(db: &Db) {
    let (a, b) = (tenant("a"), tenant("b"));
    for (tenant, name, expected) in [
        (a, "STRASSE", Some("u1")),
        (a, "strasse", Some("u1")),
        (a, "Straße", Some("u2")),
        (a, "ßss", Some("u3")),
        (a, "ssß", Some("u4")),
        (a, "ssss", None),
        (a, "JÜRGEN", Some("u5")),
        (b, "STRASSE", Some("u6")),
        (b, "straße", Some("u6")),
        (b, "ΣΊΣΥΦΟΣ", Some("u7")),
        (b, "σίσυφοσ", Some("u7")),
        (b, "FUSS1", Some("many-1")),
        (b, "Fuß1300", Some("many-1300")),
    ] {
        assert_eq!(found(db, tenant, name).await.as_deref(), expected, "{name}");
    }
    let all = read!(db, tx => users::all(tx, &b.id));
    assert!(all.iter().all(|stored| stored.username_key == stored.user.username.key()));
    assert_eq!(all.len(), 1302);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_at_once_rewrite_every_key_once() {
    on_each_empty(async |own| {
        old_store(own).await.close().await;
        let start = async |_| {
            let db = Db::open(&own.url).await?;
            db.migrate().await?;
            check(&db).await;
            db.close().await;
            Ok::<_, Error>(())
        };
        for started in join_all((0..4).map(start)).await {
            started.unwrap();
        }
    })
    .await;
}

/// A node may be gone at any moment; the next one goes on.
#[tokio::test]
async fn an_interrupted_rewrite_is_finished_by_the_next_start() {
    on_each_empty(async |own| {
        let db = old_store(own).await;
        let mut patience = Duration::ZERO;
        while tokio::time::timeout(patience, db.migrate()).await.is_err() {
            patience += Duration::from_millis(1);
        }
        assert!(patience > Duration::ZERO, "it was interrupted");
        check(&db).await;
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn users_whose_names_become_the_same_are_named_in_the_log() {
    let log = Memory::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone()).finish();
    let _running = tracing::subscriber::set_default(subscriber);
    let _second = second_subscriber();
    on_each_empty(async |own| {
        let (db, before) = (old_store(own).await, log.lines().len());
        let told = || {
            let lines = log.lines().split_off(before);
            lines.into_iter().filter(|line| line["fields"]["users"].is_string()).collect::<Vec<_>>()
        };
        db.migrate().await.unwrap();
        let first = told();
        let names: Vec<_> = first.iter().map(|line| line["fields"]["users"].as_str().unwrap()).collect();
        assert_eq!(names, ["STRASSE, Straße", "ßss, ssß"]);
        assert!(
            first.iter().all(|line| line["level"] == "WARN" && line["fields"]["tenant"] == "a.sms"),
            "{first:?}"
        );
        db.migrate().await.unwrap();
        assert_eq!(told(), first, "told once");
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn nobody_new_gets_a_name_that_others_share() {
    on_each_empty(async |own| {
        let db = old_store(own).await;
        db.migrate().await.unwrap();
        let a = tenant("a");
        for name in ["strasse", "STRAẞE", "ssss", "SSß"] {
            let new = keep(User { id: UserId::new("new"), ..user(a, name).clone() });
            assert!(matches!(write!(db, tx => users::upsert(tx, new)), Err(Error::Conflict)), "{name}");
        }
        // Those who share it can be changed and keep their keys.
        for (name, id) in [("Straße", "u2"), ("STRASSE", "u1"), ("ssß", "u4")] {
            let known = keep(User { id: UserId::new(id), disabled: true, ..user(a, name).clone() });
            write!(db, tx => users::upsert(tx, known)).unwrap();
            assert_eq!(found(&db, a, name).await.as_deref(), Some(id));
            assert!(read!(db, tx => users::by_id(tx, &known.id)).unwrap().disabled);
        }
        // The last one gets the name in every spelling.
        assert!(write!(db, tx => users::remove(tx, keep(UserId::new("u1")))).unwrap());
        for name in ["STRASSE", "straße", "Strasse"] {
            assert_eq!(found(&db, a, name).await.as_deref(), Some("u2"), "{name}");
        }
        assert!(write!(db, tx => users::remove(tx, keep(UserId::new("u2")))).unwrap());
        let new = user(a, "strasse");
        write!(db, tx => users::upsert(tx, new)).unwrap();
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_user_that_an_earlier_version_adds_meanwhile_is_found() {
    on_each_empty(async |own| {
        let db = old_store(own).await;
        db.migrate().await.unwrap();
        execute(
            own,
            "INSERT INTO users (id, tenant_id, username, username_key, disabled, roles, profile, updated_at)
             VALUES ('late', 'tenant-b', 'Weiß', 'weiß', FALSE, '[]', '{}', 0)",
        )
        .await;
        for name in ["Weiß", "weiß", "WEIß"] {
            assert_eq!(found(&db, tenant("b"), name).await.as_deref(), Some("late"), "{name}");
        }
        db.close().await;
    })
    .await;
}

/// `apply` tells it as a mistake with its place, and an export of such a store changes nothing.
#[tokio::test]
async fn documents_and_names_that_others_share() {
    on_each_empty(async |own| {
        old_store(own).await.close().await;
        execute(own, "DELETE FROM users WHERE id LIKE 'many-%'").await;
        let folder = std::env::temp_dir().join(format!("vestibule-{}", unique()));
        let issuer = IssuerUrl::parse("https://id.test").unwrap();
        let idp = Idp::builder(Settings::new(issuer)).database(&own.url).keys(&folder).build().await.unwrap();
        let refused = idp.apply("[[users]]\ntenant = \"a.sms\"\nusername = \"sSss\"").await.unwrap_err();
        let ApplyError::Mistakes(mistakes) = refused else { panic!("{refused}") };
        assert_eq!(mistakes, ["users[0].username: is the same name as ssß and ßss but for its spelling"]);
        let export = idp.export().await.unwrap();
        assert!(export.contains("\"Straße\"") && export.contains("\"STRASSE\""), "{export}");
        let applied = idp.apply(&export).await.unwrap();
        assert!(applied.is_nothing(), "{applied}");
        let removed =
            idp.apply("[[users]]\ntenant = \"a.sms\"\nusername = \"straße\"\nstate = \"absent\"").await;
        assert_eq!(removed.unwrap().removed, ["user a.sms/straße"]);
        let removed =
            idp.apply("[[users]]\ntenant = \"a.sms\"\nusername = \"Straße\"\nstate = \"absent\"").await;
        assert_eq!(removed.unwrap().removed, ["user a.sms/strasse"]);
        drop(idp);
        std::fs::remove_dir_all(folder).unwrap();
    })
    .await;
}
