//! The signals that stop the process or make it reread its certificate.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that stop the process. From its creation on they no longer terminate it directly.
pub(crate) struct Stop {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
}

impl Stop {
    /// Listens for SIGTERM and SIGINT.
    #[cfg(unix)]
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one of them.
    #[cfg(unix)]
    pub(super) async fn asked(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// On other systems only Ctrl-C exists.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for Ctrl-C; if listening fails, it waits forever, and Ctrl-C terminates the process directly.
    #[cfg(not(unix))]
    async fn asked(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Receives SIGHUP repeatedly. From its creation on it no longer terminates the process.
pub(super) struct Hangup {
    #[cfg(unix)]
    signal: Option<Signal>,
}

impl Hangup {
    #[cfg(unix)]
    pub(super) fn listen() -> Self {
        Self { signal: signal(SignalKind::hangup()).ok() }
    }

    #[cfg(unix)]
    pub(super) async fn heard(&mut self) {
        match &mut self.signal {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    pub(super) async fn heard(&mut self) {
        std::future::pending().await
    }
}
