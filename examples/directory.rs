//! A host application that has users of its own: people in a table of its own database, whom the provider signs in.
//!
//! Second factors, sessions and consent are the provider's. Whoever leaves the table is out at the next token.

use std::net::SocketAddr;

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use axum::Router;
use sqlx::{Row, SqlitePool, sqlite::SqliteRow};
use vestibule::ext::{BoxFuture, Directory, DirectoryUser, Unavailable};
use vestibule::{DirectoryKey, Idp, IssuerUrl, Settings, TenantDomain, Username};

type Answer<T> = Result<T, Unavailable>;
type Problem = Box<dyn std::error::Error + Send + Sync>;

/// The host's people, all of one tenant.
pub struct People {
    pool: SqlitePool,
    /// What is compared where there is nobody: so a name that nobody has takes as long as one that somebody has.
    nobody: String,
}

impl People {
    /// What they type beside their name.
    pub const TENANT: &'static str = "people.example";

    /// Opens the host's database.
    pub async fn open(url: &str) -> Result<Self, Problem> {
        let pool = SqlitePool::connect(url).await?;
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS people (
                 number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, mail TEXT, password TEXT NOT NULL,
                 has_left BOOLEAN NOT NULL DEFAULT FALSE)",
        )
        .execute(&pool)
        .await?;
        let nobody = Argon2::default().hash_password(b"nobody's").map_err(|error| error.to_string())?;
        Ok(Self { pool, nobody: nobody.to_string() })
    }

    /// Lets somebody in.
    pub async fn add(&self, name: &str, mail: &str, password: &str) -> Result<(), Problem> {
        let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|error| error.to_string())?;
        sqlx::query("INSERT OR IGNORE INTO people (name, mail, password) VALUES ($1, $2, $3)")
            .bind(Username::parse(name)?.key())
            .bind(mail)
            .bind(hash.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    fn person(row: &SqliteRow) -> Result<DirectoryUser, Problem> {
        let number: i64 = row.try_get("number")?;
        let username = Username::parse(row.try_get("name")?)?;
        let mut person = DirectoryUser::new(number.to_string(), username);
        person.disabled = row.try_get("has_left")?;
        person.profile.email = row.try_get("mail")?;
        Ok(person)
    }

    async fn matches(&self, key: Option<&DirectoryKey>, typed: String) -> Result<bool, Problem> {
        let stored: Option<String> = sqlx::query_scalar("SELECT password FROM people WHERE number = $1")
            .bind(key.and_then(|key| key.as_str().parse::<i64>().ok()))
            .fetch_optional(&self.pool)
            .await?;
        let is_somebody = stored.is_some();
        let hash = stored.unwrap_or_else(|| self.nobody.clone());
        // Hashing takes its time: not on the threads that answer requests.
        let matches = tokio::task::spawn_blocking(move || {
            let verdict = PasswordHash::new(&hash)
                .map(|hash| Argon2::default().verify_password(typed.as_bytes(), &hash).is_ok());
            verdict.unwrap_or(false)
        });
        Ok(matches.await? && is_somebody)
    }
}

impl Directory for People {
    fn holds(&self, tenant: &TenantDomain) -> bool {
        tenant.as_str() == Self::TENANT
    }

    fn find<'a>(
        &'a self,
        _: &'a TenantDomain,
        username: &'a Username,
    ) -> BoxFuture<'a, Answer<Option<DirectoryUser>>> {
        Box::pin(async {
            let query = sqlx::query("SELECT * FROM people WHERE name = $1").bind(username.key());
            let row = query.fetch_optional(&self.pool).await.map_err(Unavailable::new)?;
            row.as_ref().map(Self::person).transpose().map_err(Unavailable::new)
        })
    }

    fn check_password<'a>(
        &'a self,
        _: &'a TenantDomain,
        key: Option<&'a DirectoryKey>,
        password: &'a str,
    ) -> BoxFuture<'a, Answer<bool>> {
        Box::pin(async move { self.matches(key, password.to_owned()).await.map_err(Unavailable::new) })
    }

    fn by_key<'a>(
        &'a self,
        _: &'a TenantDomain,
        key: &'a DirectoryKey,
    ) -> BoxFuture<'a, Answer<Option<DirectoryUser>>> {
        Box::pin(async move {
            let number = key.as_str().parse::<i64>().map_err(Unavailable::new)?;
            let query = sqlx::query("SELECT * FROM people WHERE number = $1").bind(number);
            let row = query.fetch_optional(&self.pool).await.map_err(Unavailable::new)?;
            row.as_ref().map(Self::person).transpose().map_err(Unavailable::new)
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let people = People::open("sqlite://people.db?mode=rwc").await?;
    people.add("anna", "anna@people.example", "correct horse battery staple").await?;

    let issuer = IssuerUrl::parse("http://localhost:3000/id")?;
    let idp = Idp::builder(Settings::new(issuer)).directory(people).build().await?;
    idp.apply(&format!("[[tenants]]\ndomain = \"{}\"\nname = \"Our people\"\n", People::TENANT)).await?;
    tokio::spawn(idp.clone().housekeeping());

    let app = Router::new().nest("/id", idp.router()).merge(idp.well_known());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
