//! Opening, migrating, writing, closing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::tenant::Tenant;
use vestibule::ext::SystemClock;
use vestibule::storage::{Catalogue, Db, Error, Result, Tx, issuers, tenants};

use super::rows::{keep, tenant};
use super::{Own, on_each, on_each_empty, open, read, write};

/// Runs a statement as another program would.
pub(super) async fn execute(own: &Own, sql: &'static str) {
    if own.is_sqlite() {
        SqliteConnection::connect(&own.url).await.unwrap().execute(sql).await.unwrap();
    } else {
        PgConnection::connect(&own.url).await.unwrap().execute(sql).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_at_once_migrate_once() {
    on_each_empty(async |own| {
        let start = async |_| {
            let db = Db::open(&own.url).await?;
            db.migrate().await?;
            Ok(db)
        };
        let started: Vec<Result<Db>> = join_all((0..6).map(start)).await;
        for db in started {
            let db = db.unwrap();
            let name = keep(tenant("a"));
            write!(db, tx => tenants::upsert(tx, name)).unwrap();
            db.migrate().await.unwrap();
            assert_eq!(read!(db, tx => tenants::all(tx)).len(), 1);
            db.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused() {
    on_each_empty(async |own| {
        open(own).await.close().await;
        execute(
            own,
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'later', TRUE, '', 0)",
        )
        .await;
        let db = Db::open(&own.url).await.unwrap();
        let refused = db.migrate().await.unwrap_err();
        assert!(matches!(refused, Error::Newer { found: 9999, known: 1.. }), "{refused}");
        assert!(refused.to_string().contains("newer version"), "{refused}");
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_address_that_is_no_database_is_refused() {
    for (url, reason) in [("mysql://x", "sqlite://"), ("sqlite::memory:", "memory"), ("", "sqlite://")] {
        let refused = Db::open(url).await.err().unwrap().to_string();
        assert!(refused.contains(reason), "{url}: {refused}");
    }
    assert!(Db::open("sqlite:///proc/nowhere/x.db").await.is_err());
    assert!(matches!(Db::open("postgres://localhost:1/x").await, Err(Error::Busy(_))));
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_and_its_side_files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let own = Own::sqlite();
    let db = open(&own).await;
    let a = tenant("a");
    write!(db, tx => tenants::upsert(tx, a)).unwrap();
    let path = own.url.strip_prefix("sqlite://").unwrap();
    for file in [path.to_owned(), format!("{path}-wal"), format!("{path}-shm")] {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    db.close().await;
    own.remove().await;
}

async fn rename(tx: &mut Tx<'_>, tenant: &'static Tenant, name: String) -> Result<()> {
    tenants::upsert(tx, &Tenant { name, ..tenant.clone() }).await
}

#[tokio::test]
async fn a_failed_write_leaves_nothing() {
    on_each(async |db| {
        let a = tenant("a");
        write!(db, tx => tenants::upsert(tx, a)).unwrap();
        let failed = write!(db, tx => async {
            rename(tx, a, "half done".to_owned()).await?;
            issuers::set_hosts(tx, &a.id, &["x.test".to_owned(), "x.test".to_owned()]).await
        });
        assert!(matches!(failed, Err(Error::Conflict)));
        assert_eq!(read!(db, tx => tenants::all(tx)), std::slice::from_ref(a));
        assert!(read!(db, tx => issuers::hosts(tx, &a.id)).is_empty());
    })
    .await;
}

/// Many closures share a commit; one that fails or panics does not affect the others.
#[tokio::test]
async fn a_failing_closure_does_not_touch_its_neighbours() {
    on_each_empty(async |own| {
        let db = open(own).await;
        let names: Vec<_> = (0..40).map(|n| tenant(&n.to_string())).collect();
        let runs: &'static AtomicUsize = keep(AtomicUsize::new(0));
        let writes = names.iter().copied().enumerate().map(|(n, tenant)| {
            let db = db.clone();
            // A task of its own, because on PostgreSQL the caller's task is the one that panics.
            let write = tokio::spawn(async move {
                write!(db, tx => async {
                    runs.fetch_add(1, Ordering::Relaxed);
                    tenants::upsert(tx, tenant).await?;
                    assert!(n != 17, "on purpose");
                    if n == 23 { Err(Error::Conflict) } else { Ok(n) }
                })
            });
            async { write.await.unwrap_or(Err(Error::Conflict)) }
        });
        let answers = join_all(writes).await;
        for (n, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.ok(), Some(n).filter(|n| !matches!(n, 17 | 23)));
        }
        let stored = read!(db, tx => tenants::all(tx));
        assert_eq!(stored.len(), 38);
        assert!(!stored.iter().any(|tenant| matches!(tenant.domain.as_str(), "17.sms" | "23.sms")));
        if own.is_sqlite() {
            let runs = runs.load(Ordering::Relaxed);
            assert!((41..=80).contains(&runs), "run together, then each alone: {runs}");
        }
        let first = names[0];
        assert!(write!(db, tx => rename(tx, first, "goes on".to_owned())).is_ok());
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_has_gone_leaves_the_store_usable() {
    on_each(async |db| {
        for n in 0..50 {
            let a = tenant("a");
            let write = async { write!(db, tx => rename(tx, a, n.to_string())) };
            let _ = futures_util::future::select(Box::pin(write), Box::pin(tokio::task::yield_now())).await;
        }
        let b = tenant("b");
        write!(db, tx => tenants::upsert(tx, b)).unwrap();
        assert_eq!(read!(db, tx => tenants::by_id(tx, &b.id)).as_ref(), Some(b));
    })
    .await;
}

#[tokio::test]
async fn closing_serves_those_who_wait_and_then_refuses() {
    on_each_empty(async |own| {
        let db = open(own).await;
        let (a, b) = (tenant("a"), tenant("b"));
        let write = async { write!(db, tx => tenants::upsert(tx, a)) };
        if own.is_sqlite() {
            let (written, ()) = futures_util::future::join(write, db.close()).await;
            written.unwrap();
        } else {
            write.await.unwrap();
            db.close().await;
        }
        assert!(matches!(write!(db, tx => tenants::upsert(tx, b)), Err(Error::Busy(_))));
        assert!(matches!(tenants::all(&mut db.read().tx()).await, Err(Error::Busy(_))));
        db.close().await;
        let again = open(own).await;
        assert_eq!(read!(again, tx => tenants::all(tx)), std::slice::from_ref(a));
        again.close().await;
    })
    .await;
}

#[tokio::test]
async fn statements_are_counted() {
    on_each(async |db| {
        let a = tenant("a");
        let before = db.statements();
        write!(db, tx => tenants::upsert(tx, a)).unwrap();
        assert_eq!(db.statements() - before, 2, "the row and the revision");
        read!(db, tx => tenants::by_id(tx, &a.id));
        assert_eq!(db.statements() - before, 3);
    })
    .await;
}

/// Another process holds the lock for too long.
#[tokio::test]
async fn a_locked_file_is_busy_and_heals() {
    let own = Own::sqlite();
    let db = open(&own).await;
    let mut other = SqliteConnection::connect(&own.url).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let (a, b) = (tenant("a"), tenant("b"));
    let both = futures_util::future::join(async { write!(db, tx => tenants::upsert(tx, a)) }, async {
        write!(db, tx => tenants::upsert(tx, b))
    });
    let (one, two) = both.await;
    assert!(matches!((one, two), (Err(Error::Busy(_)), Err(Error::Busy(_)))));
    assert!(read!(db, tx => tenants::all(tx)).is_empty(), "reading goes on");
    other.execute("ROLLBACK").await.unwrap();
    write!(db, tx => tenants::upsert(tx, a)).unwrap();
    assert_eq!(read!(db, tx => tenants::all(tx)), std::slice::from_ref(a));
    db.close().await;
    own.remove().await;
}

/// A server that does not answer, then one that cuts the connection, then a working one.
#[tokio::test]
async fn a_hanging_and_a_cut_connection_are_busy_and_heal() {
    on_each_empty(async |own| {
        if own.is_sqlite() {
            return;
        }
        let db = open(own).await;
        let a = tenant("a");
        let mut other = PgConnection::connect(&own.url).await.unwrap();
        other.execute("BEGIN; LOCK TABLE tenants IN ACCESS EXCLUSIVE MODE").await.unwrap();
        assert!(matches!(write!(db, tx => tenants::upsert(tx, a)), Err(Error::Busy(_))), "hangs");

        let write = tokio::spawn({
            let db = db.clone();
            async move { write!(db, tx => tenants::upsert(tx, a)) }
        });
        while !write.is_finished() {
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))";
            other.execute(cut).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert!(matches!(write.await.unwrap(), Err(Error::Busy(_))), "cut");

        other.execute("ROLLBACK").await.unwrap();
        write!(db, tx => tenants::upsert(tx, a)).unwrap();
        assert_eq!(read!(db, tx => tenants::all(tx)), std::slice::from_ref(a));
        other.close().await.unwrap();
        db.close().await;
    })
    .await;
}

/// The reachability check uses a separate connection, whatever the state of the others.
#[tokio::test]
async fn a_database_that_is_gone_or_hangs_is_told_from_one_that_answers() {
    on_each_empty(async |own| {
        let db = open(own).await;
        assert!(db.answers(Duration::from_mins(1)).await);
        if own.is_sqlite() {
            let path = own.url.strip_prefix("sqlite://").unwrap();
            std::fs::rename(path, format!("{path}.away")).unwrap();
            assert!(!db.answers(Duration::from_mins(1)).await);
            assert!(std::fs::metadata(path).is_err(), "asking makes no file");
            std::fs::rename(format!("{path}.away"), path).unwrap();
        } else {
            let mut other = PgConnection::connect(&own.url).await.unwrap();
            other.execute("BEGIN; LOCK TABLE revision IN ACCESS EXCLUSIVE MODE").await.unwrap();
            assert!(!db.answers(Duration::from_millis(100)).await);
            other.execute("ROLLBACK").await.unwrap();
            other.close().await.unwrap();
        }
        assert!(db.answers(Duration::from_mins(1)).await);
        db.close().await;
    })
    .await;
}

/// What reads holds no connection between two statements, so that it may wait for anything there, the catalogue
/// included.
#[tokio::test]
async fn who_reads_holds_a_connection_for_a_statement_alone() {
    on_each(async |db| {
        let a = tenant("a");
        write!(db, tx => tenants::upsert(tx, a)).unwrap();
        let mut readers: Vec<_> = (0..64).map(|_| db.read()).collect();
        for reader in &mut readers {
            assert_eq!(tenants::all(&mut reader.tx()).await.unwrap().len(), 1);
        }
        let mut reading: Vec<_> = readers.iter_mut().map(vestibule::storage::Reader::tx).collect();
        for tx in &mut reading {
            assert_eq!(tenants::all(tx).await.unwrap().len(), 1);
        }
        let pool = db.figures().pool;
        assert_eq!((pool.in_use, pool.waits, pool.refused), (0, 0, 0));
    })
    .await;
}

/// A closure that writes holds a connection, or is the one writer: it must not wait for another use of the store.
/// Before, 16 of them could take every connection on PostgreSQL, and one was enough to stop the writer on SQLite for
/// good.
#[tokio::test]
async fn a_write_reaches_for_nothing_but_its_own_transaction() {
    on_each(async |db| {
        let a = tenant("a");
        let catalogue =
            Catalogue::new(db.clone(), Arc::new(SystemClock), IssuerUrl::parse("https://id.test").unwrap());
        let (reading, writing) = (db.clone(), db.clone());
        let refused = |outcome: Result<()>| matches!(outcome, Err(Error::Other(_)));
        let outcome = db.write(move |tx| {
            let (reading, writing, catalogue) = (reading.clone(), writing.clone(), catalogue.clone());
            Box::pin(async move {
                let read = tenants::all(&mut reading.read().tx()).await.map(drop);
                let wrote = writing.write(move |tx| Box::pin(tenants::upsert(tx, a))).await;
                let looked = catalogue.revision().await.map(drop);
                tenants::upsert(tx, a).await?;
                Ok(refused(read) && refused(wrote) && refused(looked))
            })
        });
        assert!(outcome.await.unwrap());
        assert_eq!(read!(db, tx => tenants::all(tx)).len(), 1);
    })
    .await;
}
