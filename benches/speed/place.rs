//! Where a provider keeps its rows and keys while it is measured: a folder on a real disk, and a SQLite file in it or
//! a database on the PostgreSQL server that `--database` names.

use std::path::PathBuf;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use url::Url;

use crate::runtime;

/// The document's file in the folder.
const WORLD: &str = "world.json";

/// What is made here goes when this is dropped.
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) database: String,
    /// Server and name of a database to be dropped.
    own: Option<(String, String)>,
}

impl Place {
    /// A fresh one.
    pub(crate) fn new(server: Option<&str>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("vestibule_bench_{}_{number}", process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        let Some(server) = server else {
            let database = format!("sqlite://{}", folder.join("vestibule.db").display());
            return Self { folder, database, own: None };
        };
        runtime().block_on(execute(server, format!("CREATE DATABASE {name}")));
        let mut url = Url::parse(server).unwrap();
        url.set_path(&name);
        Self { folder, database: url.to_string(), own: Some((server.to_owned(), name)) }
    }

    /// The delivered binary at this place, with nothing of this process's settings.
    pub(crate) fn vestibule(&self) -> Command {
        self.command(env!("CARGO_BIN_EXE_vestibule"))
    }

    /// This binary in another role.
    pub(crate) fn role(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(std::env::current_exe().unwrap().to_str().unwrap());
        command.arg("role").args(arguments);
        command
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder);
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VESTIBULE_"))
        {
            command.env_remove(name);
        }
        command.env("VESTIBULE_DATABASE", &self.database);
        command
    }

    /// Brings in what an `apply` document (JSON) describes.
    pub(crate) fn apply(&self, document: &serde_json::Value) {
        let mut command = self.vestibule();
        self.run(command.args(["apply", WORLD]), document);
    }

    /// The same by a provider whose hashes cost nothing: the delivered one would wrap such hashes in its own.
    pub(crate) fn apply_without_hashes(&self, document: &serde_json::Value) {
        self.run(&mut self.role(&["apply", WORLD]), document);
    }

    fn run(&self, command: &mut Command, document: &serde_json::Value) {
        std::fs::write(self.folder.join(WORLD), document.to_string()).unwrap();
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs one statement, past the provider: for rows by the million. `$1` is a number.
    pub(crate) fn fill(&self, sql: &'static str, number: i64) {
        runtime().block_on(async {
            if self.own.is_some() {
                let mut connection = PgConnection::connect(&self.database).await.unwrap();
                sqlx::query(sql).bind(number).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            } else {
                let mut connection = SqliteConnection::connect(&self.database).await.unwrap();
                sqlx::query(sql).bind(number).execute(&mut connection).await.unwrap();
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
                connection.close().await.unwrap();
            }
        });
    }

    /// Bytes of the database, with what SQLite has not yet moved into it.
    pub(crate) fn size(&self) -> u64 {
        if self.own.is_none() {
            let bytes = |name: &str| std::fs::metadata(self.folder.join(name)).map_or(0, |file| file.len());
            return bytes("vestibule.db") + bytes("vestibule.db-wal");
        }
        runtime().block_on(async {
            let mut connection = PgConnection::connect(&self.database).await.unwrap();
            let size: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
                .fetch_one(&mut connection)
                .await
                .unwrap();
            size.unsigned_abs()
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.own {
            runtime().block_on(execute(server, format!("DROP DATABASE {name} WITH (FORCE)")));
        }
        // A folder left in the build's own folder does no harm.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

async fn execute(server: &str, sql: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
}
