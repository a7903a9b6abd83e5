//! Reset mails, asked for beside the sign-ins and sent through a mail server that takes its time.
//!
//! Each request names a user of its own, so that no limit per user is met. A mail that goes out twice is not an error:
//! the process may be killed after the mail server took a mail and before that was written down.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use vestibule::testing::Browser;

use crate::client::over_the_network;
use crate::ledger::{Broken, Ledger};
use crate::smtp::SmtpServer;

/// 200 requests a minute.
const INTERVAL: Duration = Duration::from_millis(300);
/// Time before each of the mail server's answers; a mail takes about six of them.
const PAUSE: Duration = Duration::from_millis(200);
/// Time in which every mail must have been sent: a claim of a killed process is free again after two minutes.
const PATIENCE: Duration = Duration::from_mins(4);

/// A user's address by number.
pub(crate) fn address(number: usize) -> String {
    format!("user{number}@one.test")
}

/// The mail server, and who asked for a mail.
pub(crate) struct ResetMails {
    server: SmtpServer,
    /// How many users were asked for.
    asked: usize,
    /// The users whose request was acknowledged.
    acknowledged: Vec<usize>,
}

impl ResetMails {
    pub(crate) async fn start() -> Self {
        let server = SmtpServer::start_with_pause(false, &[], PAUSE).await;
        Self { server, asked: 0, acknowledged: Vec::new() }
    }

    /// The port of the mail server.
    pub(crate) fn port(&self) -> u16 {
        self.server.port
    }

    /// The number of users that this long a time needs.
    pub(crate) fn users_for(time: Duration) -> usize {
        usize::try_from(time.as_millis() / INTERVAL.as_millis()).unwrap() + 100
    }

    /// Asks for mails until the time is over or the provider is gone.
    pub(crate) async fn work(&mut self, issuer: &str, end: Instant) -> Option<Broken> {
        let mut ticks = tokio::time::interval(INTERVAL);
        while Instant::now() < end {
            let user = self.asked;
            self.asked += 1;
            if !ask(issuer, user).await {
                return (Instant::now() < end).then_some(Broken::Refused);
            }
            self.acknowledged.push(user);
            ticks.tick().await;
        }
        None
    }

    /// Waits until each acknowledged mail was sent, and counts those that never were.
    pub(crate) async fn reckon(&self, ledger: &mut Ledger) {
        let end = Instant::now() + PATIENCE;
        loop {
            let sent = self.sent();
            let missing =
                self.acknowledged.iter().filter(|user| !sent.contains_key(&address(**user))).count();
            if missing == 0 || Instant::now() > end {
                ledger.mails(self.acknowledged.len(), sent.values().sum());
                for number in 0..self.acknowledged.len() {
                    ledger.check(number >= missing, Broken::MailLost);
                }
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// How many mails each address got.
    fn sent(&self) -> BTreeMap<String, usize> {
        let mut sent = BTreeMap::new();
        for mail in self.server.received() {
            let address = mail.to.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            *sent.entry(address).or_default() += 1;
        }
        sent
    }
}

/// Fills in the form "Forgot password?" in a fresh browser; `false` if it was not acknowledged.
async fn ask(issuer: &str, user: usize) -> bool {
    let mut browser = Browser::new(over_the_network());
    let page = browser.get(&format!("{issuer}/reset")).await;
    if page.status != StatusCode::OK {
        return false;
    }
    let fields = [("tenant", "one.test"), ("username", &*format!("user{user}"))];
    let answer = browser.submit(&page, &fields).await;
    // The page after the redirect may be cut off; then the request was acknowledged all the same.
    answer.url.path() == "/reset/sent"
}
