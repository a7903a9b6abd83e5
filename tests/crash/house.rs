//! The provider as a process that can be killed and started again over the same store.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::mail::{self, ResetMails};

const WORLD: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "One"
    [tenants.policy]
    session_idle = "8h"
    session_max = "24h"
    [[users]]
    tenant = "one.test"
    username = "anna"
    password = "correct horse battery staple"
    [[clients]]
    client_id = "shop"
    client_secret = "a secret of at least 32 characters, for one shop"
    token_endpoint_auth_method = "client_secret_post"
    redirect_uris = ["https://shop.test/callback"]
    grant_types = ["authorization_code", "refresh_token"]
"#;

/// A folder, a database and a port.
pub(crate) struct House {
    folder: PathBuf,
    database: String,
    address: String,
    issuer: String,
}

/// The running provider.
pub(crate) struct Server(Child);

impl House {
    /// Makes the store and puts people and a client into it: with a mail server, also the users who ask for mails while
    /// the provider works this long.
    pub(crate) async fn furnish(server: Option<&str>, mails: Option<&ResetMails>, time: Duration) -> Self {
        let folder = std::env::temp_dir().join(format!("vestibule-crash-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let database = match server {
            None => format!("sqlite://{}", folder.join("vestibule.db").display()),
            Some(server) => fresh_database(server).await,
        };
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let issuer = format!("http://{address}");
        let house = Self { folder, database, address, issuer };
        let mut world = WORLD.to_owned();
        if let Some(mails) = mails {
            let settings =
                format!("[mail]\nsmtp = \"smtp://127.0.0.1:{}\"\nfrom = \"id@one.test\"\n", mails.port());
            std::fs::write(house.folder.join("vestibule.toml"), settings).unwrap();
            world.extend((0..ResetMails::users_for(time)).map(user));
        }
        std::fs::write(house.folder.join("world.toml"), world).unwrap();
        let applied = house.vestibule("apply").arg("world.toml").status().unwrap();
        assert!(applied.success(), "the world was not applied");
        house
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Starts it and waits until it listens.
    pub(crate) async fn serve(&self) -> Server {
        let mut command = self.vestibule("serve");
        let child = command.args(["--listen", &self.address]).spawn().unwrap();
        while TcpStream::connect(&self.address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Server(child)
    }

    fn vestibule(&self, command: &str) -> Command {
        let mut process = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        process.arg(command).current_dir(&self.folder);
        process.args(["--issuer", &self.issuer, "--database", &self.database, "--keys", "keys"]);
        process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        process
    }
}

impl Drop for House {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

impl Server {
    /// SIGKILL: nothing is flushed, nothing is said.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed already, which is as good.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A user with an address, as a table of the set-up document.
fn user(number: usize) -> String {
    let address = mail::address(number);
    format!("[[users]]\ntenant = \"one.test\"\nusername = \"user{number}\"\nemail = \"{address}\"\n")
}

async fn fresh_database(server: &str) -> String {
    use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

    let name = format!("vestibule_crash_{}", std::process::id());
    let mut connection = PgConnection::connect(server).await.unwrap();
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.to_string()
}
