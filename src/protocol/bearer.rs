//! Who calls an API of ours: the access token in the request, and the user behind it.

use axum::http::{HeaderMap, Uri};

use super::access_token;
use super::userinfo;
use crate::domain::audience::{Audience, ResourceIndicator};
use crate::domain::error::ErrorCode;
use crate::domain::grant::Grant;
use crate::domain::issuer::Issuer;
use crate::domain::user::User;
use crate::provider::Idp;

pub(crate) use super::error::BearerError;

/// A user, by an application that holds the scope.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// What the user allowed the application.
    pub(crate) grant: Grant,
    /// The user.
    pub(crate) user: User,
}

/// The caller, if the request carries an access token of this issuer with this scope that stands.
///
/// It must be meant for this issuer *alone*: another API that is shown a token must not be able to do here what its user
/// may. UserInfo is less strict, for what it tells the application may tell anyway.
pub(crate) async fn caller(
    idp: &Idp,
    issuer: &Issuer,
    uri: &Uri,
    headers: &HeaderMap,
    scope: &'static str,
) -> Result<Caller, BearerError> {
    // The body is the API's own: no token is looked for in there.
    let token = userinfo::presented(uri, headers, &[])?;
    let live = access_token::for_us(idp, issuer, &token).await?;
    let ours: Audience = [ResourceIndicator::from(&issuer.url)].into_iter().collect();
    if !live.token.aud.is_subset(&ours) {
        return Err(access_token::invalid("another API gets to see it too"));
    }
    match live.person {
        Some(person) if live.token.scope.contains(scope) => {
            Ok(Caller { grant: person.grant().clone(), user: person.user().clone() })
        }
        _ => Err(BearerError::new(ErrorCode::InsufficientScope, "the token lacks the scope")),
    }
}
