//! `vestibule user …`: an operator's actions for a user who cannot sign in, on the database of a stopped or running
//! server. Mail is queued in the outbox, and a running server sends it.

use clap::{Args, Subcommand};

use super::setup::{build, configure};
use crate::management::{SupportAction, SupportOutcome};
use crate::server::config::Flags;
use crate::server::failure::Failure;

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Revoke the user's authenticators and recovery codes and end all sessions: the user enrols again at the next
    /// login
    ResetEnrolment(Whose),
    /// Mail the user a link to choose a new password; a user with a second factor must prove it
    ResetPassword(Whose),
    /// End the locks set by wrong passwords and wrong codes
    Unlock(Whose),
    /// Print a link for a user who has lost everything. It is valid once, for ten minutes, leads to a new password and
    /// revokes the second factor. The user is notified by mail
    BreakGlass(Whose),
    /// Print a code that links the account with an upstream account: the user types it after signing in there. It is
    /// valid once, for 24 hours; from then on the user signs in only there
    LinkInvite {
        #[command(flatten)]
        whose: Whose,
        /// The provider's name, if the tenant has several
        #[arg(long, value_name = "NAME")]
        upstream: Option<String>,
    },
}

/// The user and the tenant.
#[derive(Args)]
pub(super) struct Whose {
    /// The tenant domain
    tenant: String,
    /// The name that the user signs in with
    username: String,
    #[command(flatten)]
    settings: Flags,
}

pub(super) async fn run(command: UserCommand) -> Result<(), Failure> {
    let (whose, help) = match command {
        UserCommand::ResetEnrolment(whose) => (whose, SupportAction::ResetEnrolment),
        UserCommand::ResetPassword(whose) => (whose, SupportAction::ResetPassword),
        UserCommand::Unlock(whose) => (whose, SupportAction::Unlock),
        UserCommand::BreakGlass(whose) => (whose, SupportAction::BreakGlass),
        UserCommand::LinkInvite { whose, upstream } => return invite(whose, upstream.as_deref()).await,
    };
    let Whose { tenant, username, settings } = whose;
    let idp = build(&configure(&settings)?).await?;
    let helped = idp.help(&tenant, &username, help).await;
    idp.db().close().await;
    let name = format!("{username} of {tenant}");
    let helped = helped.map_err(|failed| Failure::new(format!("{name}: {failed}")))?;
    println!("{}", told(&name, help, &helped));
    Ok(())
}

async fn invite(whose: Whose, upstream: Option<&str>) -> Result<(), Failure> {
    let Whose { tenant, username, settings } = whose;
    let idp = build(&configure(&settings)?).await?;
    let invited = idp.invite(&tenant, &username, upstream).await;
    idp.db().close().await;
    let invitation = invited.map_err(Failure::new)?;
    println!("{}", invitation.code());
    eprintln!("To be typed after signing in with {}: once, within 24 hours", invitation.upstream());
    Ok(())
}

fn told(name: &str, help: SupportAction, helped: &SupportOutcome) -> String {
    match helped {
        SupportOutcome::Mailed(address) => {
            format!("{name}: a mail to {address} waits to be sent by a running server")
        }
        SupportOutcome::Link(address) => format!("{name}: once, within ten minutes:\n{address}"),
        SupportOutcome::Done if help == SupportAction::Unlock => {
            format!("{name}: no failure counts any more")
        }
        SupportOutcome::Done => {
            format!("{name}: second factor and recovery codes are revoked, all sessions have ended")
        }
    }
}
