//! The keys and the database of a provider under test.

use std::path::{Path, PathBuf};
use std::thread;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use url::Url;

use crate::crypto::random;

/// The environment variable with the PostgreSQL server that is used instead of SQLite.
const SERVER: &str = "VESTIBULE_TEST_DATABASE";

/// A folder and a database URL; both are removed on drop.
pub(super) struct TestDatabase {
    folder: TestFolder,
    database: String,
    /// Kept to be dropped.
    _own: Option<OwnDatabase>,
}

impl TestDatabase {
    /// A new database: a SQLite file, or one on the server named in the environment.
    pub(super) async fn fresh() -> Self {
        let folder = TestFolder::create();
        let server = std::env::var(SERVER).ok().filter(|server| !server.is_empty());
        let (database, own) = if let Some(server) = server {
            let own = OwnDatabase::create(&server).await;
            (own.url.to_string(), Some(own))
        } else {
            (format!("sqlite://{}", folder.0.join("vestibule.db").display()), None)
        };
        Self { folder, database, _own: own }
    }

    pub(super) fn database(&self) -> &str {
        &self.database
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder.0
    }
}

/// A database on a PostgreSQL server, dropped together with its open connections.
struct OwnDatabase {
    server: String,
    name: String,
    url: Url,
}

impl OwnDatabase {
    async fn create(server: &str) -> Self {
        let mut url = Url::parse(server).unwrap_or_else(|error| panic!("{SERVER}: {error}"));
        assert!(matches!(url.scheme(), "postgres" | "postgresql"), "{SERVER} must begin with postgres://");
        let name = format!("vestibule_test_{}", random::uuid().replace('-', ""));
        let created = execute(server, format!("CREATE DATABASE {name}")).await;
        created.unwrap_or_else(|error| panic!("{SERVER}: {error}"));
        url.set_path(&name);
        Self { server: server.to_owned(), name, url }
    }
}

impl Drop for OwnDatabase {
    /// Runs on a thread with a runtime of its own and waits for it: the test's runtime cannot block on a future from
    /// within, and would cancel a task at its end.
    fn drop(&mut self) {
        let (server, drop) = (self.server.clone(), format!("DROP DATABASE {} WITH (FORCE)", self.name));
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(execute(&server, drop))
        });
        let outcome = dropped.join();
        // A second panic would abort the whole run and hide the first.
        assert!(thread::panicking() || matches!(outcome, Ok(Ok(()))), "{} stays: {outcome:?}", self.name);
    }
}

async fn execute(server: &str, sql: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(server).await?;
    connection.execute(AssertSqlSafe(sql)).await?;
    connection.close().await
}

/// A folder that is removed on drop.
struct TestFolder(PathBuf);

impl TestFolder {
    fn create() -> Self {
        let path = std::env::temp_dir().join(format!("vestibule-test-{}", random::uuid()));
        std::fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        // A folder left in the temporary directory does no harm.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
