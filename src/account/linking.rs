//! Links an account with a user of an upstream provider.
//!
//! An upstream user is identified by that provider's `sub` alone: no administrator types it, and no address or name is
//! compared. Linking has two halves that only the right person can bring together. An administrator *invites*, which makes
//! a code for one account and one provider, valid once and for a day. The user who is *signed in at that provider* in this
//! login types the code; only then is the `sub` stored. The code is typed and not opened as a link, because a link in a
//! mail is opened by everyone who sees the mail, mail scanners included, in a browser that may be signed in as another
//! user; the code is typed on a page that names the provider, after signing in there.
//!
//! From then on the user signs in only there. The same write removes every local credential (password, authenticators,
//! passkeys, recovery codes) and ends sessions and grants, because a second way in would be the weaker one. Accounts that
//! `apply` creates with `upstream` have no local credentials and wait for their invitation.

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

/// An invitation that a user brings who is signed in at the provider.
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
    pub(crate) async fn consume(&self, tx: &mut Tx<'_>, now: Time) -> storage::Result<bool> {
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
    /// The invitation of a typed code, to be claimed for this person.
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
