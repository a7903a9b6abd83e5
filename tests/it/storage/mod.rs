//! The store: every repository method, on SQLite and on PostgreSQL.

mod attempts;
mod audit;
mod catalogue;
mod database;
mod delivered_codes;
mod grants;
mod groups;
mod imported_passwords;
mod interactions;
mod known_browsers;
mod logout_notices;
mod outbox;
mod passkeys;
mod people;
mod pushed_requests;
mod queue;
mod races;
mod resets;
mod rows;
mod rp_sessions;
mod signing_keys;
mod sweep;
mod tenants;
mod trusted_browsers;
mod upstreams;
mod username_keys;
mod wrapped_keys;

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use futures_util::FutureExt;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use vestibule::storage::Db;

/// A database that is one test's own.
pub(crate) struct Own {
    pub(crate) url: String,
    place: Place,
}

enum Place {
    Folder(PathBuf),
    Schema { server: String, name: String },
}

impl Own {
    fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(format!("vestibule-{}", unique()));
        std::fs::create_dir(&folder).unwrap();
        Self { url: format!("sqlite://{}", folder.join("test.db").display()), place: Place::Folder(folder) }
    }

    async fn postgres(server: String) -> Self {
        let name = format!("test_{}", unique());
        run(&server, format!("CREATE SCHEMA {name}")).await;
        let separator = if server.contains('?') { '&' } else { '?' };
        Self {
            url: format!("{server}{separator}options[search_path]={name}"),
            place: Place::Schema { server, name },
        }
    }

    async fn remove(self) {
        match self.place {
            Place::Folder(folder) => std::fs::remove_dir_all(folder).unwrap(),
            Place::Schema { server, name } => run(&server, format!("DROP SCHEMA {name} CASCADE")).await,
        }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.place, Place::Folder(_))
    }
}

/// SQLite always, PostgreSQL where there is one.
async fn backends() -> Vec<Own> {
    let mut all = vec![Own::sqlite()];
    if let Some(server) = crate::support::optional("the store on PostgreSQL", "VESTIBULE_TEST_POSTGRES") {
        all.push(Own::postgres(server).await);
    }
    all
}

/// Tells a story on every database, each time an empty one without a schema; it is gone afterwards whatever happened.
#[expect(clippy::print_stdout, reason = "libtest shows it where the test fails")]
pub(crate) async fn on_each_empty(story: impl AsyncFn(&Own)) {
    for own in backends().await {
        println!("on {}", own.url);
        let told = AssertUnwindSafe(story(&own)).catch_unwind().await;
        own.remove().await;
        told.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }
}

/// Tells a story on every database, migrated.
pub(crate) async fn on_each(story: impl AsyncFn(&Db)) {
    on_each_empty(async |own: &Own| {
        let db = open(own).await;
        story(&db).await;
        db.close().await;
    })
    .await;
}

pub(crate) async fn open(own: &Own) -> Db {
    let db = Db::open(&own.url).await.unwrap();
    db.migrate().await.unwrap();
    db
}

async fn run(server: &str, sql: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "names of test databases are no secrets")]
fn unique() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// `write!(db, tx => work)`: one closure, committed. What it uses must be `Copy`, as all of `rows` is.
macro_rules! write {
    ($db:expr, $tx:ident => $work:expr) => {
        $db.write(move |$tx| Box::pin(async move { $work.await })).await
    };
}

/// `read!(db, tx => work)`
macro_rules! read {
    ($db:expr, $tx:ident => $work:expr) => {{
        let mut reader = $db.read();
        let $tx = &mut reader.tx();
        $work.await.unwrap()
    }};
}

pub(crate) use {read, write};
