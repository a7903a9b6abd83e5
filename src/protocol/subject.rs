//! `sub`: how an issuer names a user to a client (OpenID Connect Core §8). The one place where it is made.

use crate::domain::client::Client;
use crate::domain::ids::UserId;
use crate::http::{Idp, Internal};

/// The name of the user for this client: the same in every token and answer that the client gets.
pub(super) async fn of(_idp: &Idp, _client: &Client, user: &UserId) -> Result<String, Internal> {
    Ok(user.as_str().to_owned())
}
