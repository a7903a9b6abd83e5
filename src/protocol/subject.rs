//! `sub`: how an issuer names a user to a client (OpenID Connect Core §8). The one place where it is made.

use crate::domain::ids::UserId;

/// The public name of the user: the same for every client.
pub(super) fn of(user: &UserId) -> String {
    user.as_str().to_owned()
}
