//! Linking an account with somebody at an upstream provider.
//!
//! Who somebody is upstream says that provider alone, by its `sub`: no administrator types it, and no address, name or
//! likeness is ever compared. So there are two halves that only the right person holds together. An administrator *invites*:
//! that makes a code for one account and one provider, which counts once and for a day, and says nothing about who will
//! bring it. And whoever is *signed in at that provider* in this very login brings the code: then, and only then, its
//! `sub` is written down. Why a code that is typed and not a link that is opened: a link in a mail is opened by whoever
//! sees the mail, mail scanners among them, in a browser that may be signed in as somebody else; the code is typed on a
//! page that names the provider, after signing in there.
//!
//! From then on the account is entered only there. Whatever opened it here goes in the same write (password, authenticators,
//! passkeys, recovery codes, sessions and all that they gave), for a second door would be the weaker one. Accounts that
//! `apply` makes with `upstream` have never had one here and wait for their invitation.

use super::Account;
use super::ending::{self, Spared};
use crate::crypto::random;
use crate::crypto::seal::Sealer;
use crate::domain::ids::{Hash, UpstreamId, UserId};
use crate::domain::time::Time;
use crate::storage::{
    self, Tx, authenticators, link_invitations, passkeys, recovery_codes, upstream_accounts, users,
};

/// The purpose under which codes are hashed.
const PURPOSE: &str = "link invitation";

/// Returns an invitation's code as it is stored.
pub(crate) fn code_hash(sealer: &Sealer, code: &str) -> Hash {
    sealer.keyed_hash(PURPOSE, code)
}

/// An invitation that somebody brings who is signed in at the provider.
#[derive(Clone, Debug)]
pub(crate) struct InvitationRedemption {
    pub(crate) user: UserId,
    upstream: UpstreamId,
    subject: String,
    hash: Hash,
}

impl InvitationRedemption {
    /// Links the account, and takes away whatever opened it here. `false`: the invitation is used up, or the account is
    /// linked already; of two at once, one gets `true`.
    pub(crate) async fn settle(&self, tx: &mut Tx<'_>, now: Time) -> storage::Result<bool> {
        let Self { user, upstream, subject, hash } = self;
        let ours = link_invitations::redeem(tx, user, upstream, hash, now).await?
            && upstream_accounts::link(tx, user, upstream, subject).await?;
        if ours {
            close_local_doors(tx, user).await?;
        }
        Ok(ours)
    }
}

/// Takes away whatever opens the account here: password, authenticators, passkeys and recovery codes; and ends what they
/// gave.
pub(crate) async fn close_local_doors(tx: &mut Tx<'_>, user: &UserId) -> storage::Result<()> {
    users::set_password(tx, user, None).await?;
    authenticators::remove_all(tx, user).await?;
    passkeys::remove_all(tx, user).await?;
    recovery_codes::replace(tx, user, &[]).await?;
    ending::end(tx, user, Spared::default()).await
}

impl Account<'_> {
    /// What a typed code invites this person to, as long as nobody takes it before.
    pub(crate) async fn redemption(
        &self,
        upstream: &UpstreamId,
        subject: &str,
        typed: &str,
    ) -> storage::Result<Option<InvitationRedemption>> {
        let hash = code_hash(self.sealer, &random::crockford_typed(typed));
        let mut reader = self.db.read();
        let user = link_invitations::invited(&mut reader.tx(), upstream, &hash, self.now()).await?;
        Ok(user.map(|user| InvitationRedemption {
            user,
            upstream: upstream.clone(),
            subject: subject.to_owned(),
            hash,
        }))
    }
}
