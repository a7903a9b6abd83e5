//! The checks that an authorization request must pass once its client and redirect URI are proven.
//!
//! A table: each row is one rule about one parameter, reads it and writes what it means into the request. The order
//! is the order in which a client's developer learns of mistakes. To add a parameter, add a row.

use std::collections::BTreeMap;

use serde_json::Value;

use super::modes;
use crate::crypto::jwt::strict_json;
use crate::domain::acr::Acr;
use crate::domain::claims::{ClaimRequest, ClaimsRequest};
use crate::domain::client::{Client, GrantType, ResponseType};
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::issuer::Issuer;
use crate::domain::request::{AuthorizationRequest, Prompt};
use crate::domain::scope::{self, Scope};
use crate::management::Scopes;
use crate::protocol::parameters::Parameters;
use crate::protocol::resource::ResourceRequest;

/// What the checks read, and the request that they fill in.
pub(super) struct Draft<'a> {
    /// As they came.
    pub(super) parameters: &'a Parameters,
    /// The issuer that received it.
    pub(super) issuer: &'a Issuer,
    /// The client.
    pub(super) client: &'a Client,
    /// Did the client sign it (RFC 9101)?
    pub(super) is_signed: bool,
    /// Did it come by the way that this client's requests must take (RFC 9126)?
    pub(super) is_pushed_as_needed: bool,
    /// The user of `id_token_hint`.
    pub(super) hinted: Hinted,
    /// Every scope there is.
    pub(super) scopes: &'a Scopes<'a>,
    /// What becomes of it.
    pub(super) request: AuthorizationRequest,
}

/// What became of `id_token_hint`.
pub(super) enum Hinted {
    /// There was none.
    Nobody,
    /// It is not an ID token that this issuer gave this client.
    Stranger,
    /// It is about the user with this `sub`.
    User(String),
}

type Check = fn(&mut Draft<'_>) -> Result<(), OAuthError>;

const CHECKS: [(&str, Check); 15] = [
    ("each_parameter_once", |draft| draft.parameters.each_once()),
    ("unsupported", unsupported),
    ("pushed", pushed),
    ("signed", signed),
    ("response_type", response_type),
    ("response_mode", response_mode),
    ("resource", resource),
    ("scope", scope),
    ("code_challenge", code_challenge),
    ("nonce", nonce),
    ("prompt", prompt),
    ("max_age", max_age),
    ("claims", claims),
    ("id_token_hint", id_token_hint),
    ("expected_sub", expected_sub),
];

/// Voluntary parameters: unknown values are ignored.
const HINTS: [fn(&mut Draft<'_>); 3] = [acr_values, login_hint, ui_locales];

/// Runs the tables; the first check that fails speaks, and its name goes into the log.
pub(super) fn run(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    CHECKS.iter().try_for_each(|(name, check)| check(draft).map_err(|error| error.with_hint(*name)))?;
    for wish in HINTS {
        wish(draft);
    }
    Ok(())
}

fn refuse<T>(code: ErrorCode, description: &'static str) -> Result<T, OAuthError> {
    Err(OAuthError::new(code, description))
}

/// OpenID Connect Core §3.1.2.6: what is not supported must be refused, for the rest of the request may stand there.
/// Nothing is ever fetched from a `request_uri`.
fn unsupported(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    let unsupported = [
        ("request_uri", ErrorCode::RequestUriNotSupported),
        ("registration", ErrorCode::RegistrationNotSupported),
    ];
    match unsupported.into_iter().find(|(name, _)| draft.parameters.get(name).is_some()) {
        Some((_, code)) => refuse(code, "this parameter is not supported"),
        None => Ok(()),
    }
}

/// RFC 9126 §5
fn pushed(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    if draft.is_pushed_as_needed {
        return Ok(());
    }
    refuse(ErrorCode::InvalidRequest, "this request must be pushed to the endpoint for that first")
}

/// RFC 9101 §10.5
fn signed(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    if draft.is_signed || !draft.client.metadata.require_signed_request_object {
        return Ok(());
    }
    refuse(ErrorCode::InvalidRequest, "this client must send a signed request object")
}

/// RFC 6749 §3.1.1; the response types of other flows do not exist here.
fn response_type(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    let metadata = &draft.client.metadata;
    let words: Vec<&str> = draft.parameters.words("response_type").collect();
    match words.as_slice() {
        [] => refuse(ErrorCode::InvalidRequest, "response_type is missing"),
        ["code"]
            if metadata.response_types.contains(&ResponseType::Code)
                && metadata.grant_types.contains(&GrantType::AuthorizationCode) =>
        {
            Ok(())
        }
        ["code"] => refuse(ErrorCode::UnauthorizedClient, "the client may not use this response_type"),
        _ => refuse(ErrorCode::UnsupportedResponseType, "no such response_type"),
    }
}

fn response_mode(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    match draft.parameters.get("response_mode") {
        None => Ok(()),
        Some(name) if modes::named(name).is_some() => Ok(()),
        Some(_) => refuse(ErrorCode::InvalidRequest, "no such response_mode"),
    }
}

/// Unknown scopes and those that the client may not have are ignored (Core §3.1.2.1); at least one must remain.
///
/// `offline_access` (Core §11) is for clients that may refresh. Where the registration demands consent, it stands on
/// the consent page like every scope; a client without that is the operator's own, and `prompt=consent` asks anyway.
///
/// A scope that belongs to an API is for requests that name the API, or whose client has it as default audience.
fn scope(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    let registered = draft.client.metadata.scope.as_ref();
    let asked = Scope::parse(draft.parameters.get("scope").unwrap_or_default());
    let may_refresh = draft.client.metadata.may_use(GrantType::RefreshToken);
    let may_have = |word: &&str| match registered {
        _ if *word == scope::OFFLINE_ACCESS && !may_refresh => false,
        Some(registered) => registered.contains(word),
        None => !scope::RESERVED.contains(word),
    };
    let all = draft.scopes.all().into_iter();
    let given: Scope = all.filter(may_have).filter(|word| asked.contains(word)).map(str::to_owned).collect();
    let default = draft.client.metadata.default_audience.iter().cloned().collect();
    let named = &draft.request.resource;
    let audience = if named.is_empty() { &default } else { named };
    draft.request.scope = draft.scopes.own().narrowed(&given, audience);
    if draft.request.scope.is_empty() {
        return refuse(ErrorCode::InvalidScope, "scope is missing or holds nothing that the client may have");
    }
    Ok(())
}

/// RFC 8707 §2.1
fn resource(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    draft.request.resource =
        ResourceRequest::of(draft.parameters, draft.issuer, draft.client)?.requested()?;
    Ok(())
}

/// RFC 7636 §4.3, S256 alone.
fn code_challenge(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    let challenge = draft.parameters.get("code_challenge");
    let method = draft.parameters.get("code_challenge_method");
    match (challenge, method) {
        (None, None) if draft.client.must_use_pkce() => {
            refuse(ErrorCode::InvalidRequest, "code_challenge is missing; this client must use PKCE")
        }
        (None, None) => Ok(()),
        (Some(challenge), Some("S256")) if is_sha256(challenge) => {
            draft.request.code_challenge = Some(challenge.to_owned());
            Ok(())
        }
        (Some(_), Some("S256")) => {
            refuse(ErrorCode::InvalidRequest, "code_challenge is not a SHA-256 in base64url")
        }
        (Some(_), _) => refuse(ErrorCode::InvalidRequest, "code_challenge_method must be S256"),
        (None, Some(_)) => refuse(ErrorCode::InvalidRequest, "code_challenge_method without code_challenge"),
    }
}

/// 32 bytes in base64url without padding.
fn is_sha256(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn nonce(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    const MAX: usize = 1024;
    let nonce = draft.parameters.get("nonce");
    if nonce.is_some_and(|nonce| nonce.len() > MAX) {
        return refuse(ErrorCode::InvalidRequest, "nonce is longer than 1024 bytes");
    }
    draft.request.nonce = nonce.map(str::to_owned);
    Ok(())
}

/// OpenID Connect Core §3.1.2.1: `none` stands alone. Unknown words are ignored.
fn prompt(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    let words: Vec<&str> = draft.parameters.words("prompt").collect();
    let has = |word| words.contains(&word);
    if has("none") && words.len() > 1 {
        return refuse(ErrorCode::InvalidRequest, "prompt=none must stand alone");
    }
    draft.request.prompt = Prompt {
        none: has("none"),
        login: has("login"),
        consent: has("consent"),
        select_account: has("select_account"),
    };
    Ok(())
}

/// Plain digits, at most 68 years.
fn max_age(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    let Some(text) = draft.parameters.get("max_age") else {
        draft.request.max_age = draft.client.metadata.default_max_age;
        return Ok(());
    };
    let seconds = Some(text).filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    match seconds.and_then(|text| text.parse::<i32>().ok()).and_then(|age| u64::try_from(age).ok()) {
        Some(age) => {
            draft.request.max_age = Some(age);
            Ok(())
        }
        None => refuse(ErrorCode::InvalidRequest, "max_age is not a number of seconds"),
    }
}

/// A voluntary parameter (OpenID Connect Core §3.1.2.1): unknown classes are ignored.
fn acr_values(draft: &mut Draft<'_>) {
    let asked: Vec<&str> = draft.parameters.words("acr_values").collect();
    let known = asked.iter().filter(|value| Acr::parse(value).is_some()).map(|&value| value.to_owned());
    let defaults = draft.client.metadata.default_acr_values.clone();
    draft.request.acr_values = if asked.is_empty() { defaults } else { known.take(Acr::ALL.len()).collect() };
}

/// OpenID Connect Core §5.5. Claims of scopes that the client may not have are not given one by one either. Roles and
/// groups are asked for by the names that the client registered, and kept by the names of their scopes.
fn claims(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    const MAX: usize = 8 * 1024;
    let Some(text) = draft.parameters.get("claims") else { return Ok(()) };
    let parsed = Some(text).filter(|text| text.len() <= MAX).and_then(claims_request);
    let Some(mut claims) = parsed else {
        return refuse(
            ErrorCode::InvalidRequest,
            "claims is not a JSON object as in OpenID Connect Core 5.5",
        );
    };
    let metadata = &draft.client.metadata;
    for wanted in [&mut claims.userinfo, &mut claims.id_token] {
        let asked = [(&metadata.roles_claim, scope::ROLES), (&metadata.groups_claim, scope::GROUPS)];
        let asked = asked.map(|(name, word)| (word, wanted.remove(name)));
        wanted.extend(asked.into_iter().filter_map(|(word, how)| Some((word.to_owned(), how?))));
    }
    if let Some(allowed) = &metadata.scope {
        let withheld: Vec<&str> = scope::SUPPORTED
            .into_iter()
            .filter(|word| !allowed.contains(word))
            .flat_map(scope::claims_of)
            .copied()
            .collect();
        let narrow = |wanted: &mut BTreeMap<String, Option<ClaimRequest>>| {
            wanted.retain(|name, _| !withheld.contains(&name.as_str()));
        };
        narrow(&mut claims.userinfo);
        narrow(&mut claims.id_token);
    }
    draft.request.claims = claims;
    Ok(())
}

/// Each claim is wanted with `null` or an object, and a member that is `null` itself wants nothing. serde would take arrays
/// for objects, and the last of two members.
fn claims_request(text: &str) -> Option<ClaimsRequest> {
    let mut members = strict_json::object(text.as_bytes())?;
    members.retain(|_, wanted| !wanted.is_null());
    for wanted in ["userinfo", "id_token"].iter().filter_map(|name| members.get(*name)) {
        wanted.as_object().filter(|all| all.values().all(|one| one.is_null() || one.is_object()))?;
    }
    serde_json::from_value(Value::Object(members)).ok()
}

fn id_token_hint(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    match &draft.hinted {
        Hinted::Nobody => Ok(()),
        Hinted::Stranger => {
            refuse(ErrorCode::InvalidRequest, "id_token_hint is not an ID token of this client")
        }
        Hinted::User(sub) => {
            draft.request.expected_sub = Some(sub.clone());
            Ok(())
        }
    }
}

/// `claims` may name the one user that will do, too (OpenID Connect Core §5.5.1).
fn expected_sub(draft: &mut Draft<'_>) -> Result<(), OAuthError> {
    let claims = &draft.request.claims;
    for wanted in [claims.id_token.get("sub"), claims.userinfo.get("sub")].into_iter().flatten().flatten() {
        let Some(sub) = &wanted.value else { continue };
        let sub = sub.as_str().unwrap_or_default();
        if draft.request.expected_sub.as_deref().is_some_and(|expected| expected != sub) {
            return refuse(ErrorCode::InvalidRequest, "claims and id_token_hint name different users");
        }
        draft.request.expected_sub = Some(sub.to_owned());
    }
    Ok(())
}

/// A hint that no user name could be is no hint.
fn login_hint(draft: &mut Draft<'_>) {
    const MAX: usize = 256;
    let usable = |hint: &&str| hint.len() <= MAX && !hint.chars().any(char::is_control);
    draft.request.login_hint = draft.parameters.get("login_hint").filter(usable).map(str::to_owned);
}

fn ui_locales(draft: &mut Draft<'_>) {
    draft.request.ui_locales = draft.parameters.ui_locales();
}
