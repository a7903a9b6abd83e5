//! What this issuer can do, said exactly (OpenID Connect Discovery §3, RFC 8414 §2): nothing is listed that does not work.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::authorize::modes;
use super::request_object;
use crate::domain::acr::Acr;
use crate::domain::claims;
use crate::domain::client::{
    AssertionAlgorithm, ClientAuthentication, GrantType, ResponseType, SigningAlgorithm,
};
use crate::domain::issuer::IssuerUrl;
use crate::domain::locale::Locale;
use crate::domain::passkey::RpId;
use crate::ext::OwnClaims;
use crate::http::{CurrentIssuer, IfNoneMatch};
use crate::provider::{Document, Idp, Internal};

/// How long the document may be kept.
const MAX_AGE: Duration = Duration::from_mins(5);

/// `GET /.well-known/openid-configuration` and `GET /.well-known/oauth-authorization-server`: one document serves both.
pub(super) async fn configuration(
    State(idp): State<Idp>,
    current: CurrentIssuer,
    known: IfNoneMatch,
) -> Result<Response, Internal> {
    let url = &current.issuer.url;
    let revision = idp.catalogue().revision().await?;
    let must_push = idp.settings().require_pushed_authorization_requests;
    let build = async {
        let scopes = idp.scopes().await?;
        let metadata = metadata(url, must_push, &scopes.all(), idp.own_claims());
        Document::json(idp.settings(), &metadata.to_string(), MAX_AGE)
    };
    let document = idp.documents().or_build(&current.issuer.id, "discovery", revision, build).await?;
    Ok(document.answer(&known))
}

fn metadata(issuer: &IssuerUrl, must_push: bool, scopes: &[&str], own: &[OwnClaims]) -> Value {
    let proven: Vec<_> = ClientAuthentication::METHODS.into_iter().filter(|name| *name != "none").collect();
    json!({
        "issuer": issuer.as_str(),
        "authorization_endpoint": issuer.at("/authorize"),
        "token_endpoint": issuer.at("/token"),
        "pushed_authorization_request_endpoint": issuer.at("/par"),
        "require_pushed_authorization_requests": must_push,
        "userinfo_endpoint": issuer.at("/userinfo"),
        "introspection_endpoint": issuer.at("/introspect"),
        "revocation_endpoint": issuer.at("/revoke"),
        "jwks_uri": issuer.at("/jwks"),
        "end_session_endpoint": issuer.at("/logout"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "scopes_supported": scopes,
        "response_types_supported": ResponseType::NAMES,
        "response_modes_supported": modes::names(),
        "grant_types_supported": GrantType::NAMES,
        "acr_values_supported": acr_values_supported(issuer),
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": SigningAlgorithm::ALL.map(SigningAlgorithm::as_str),
        "userinfo_signing_alg_values_supported": SigningAlgorithm::ALL.map(SigningAlgorithm::as_str),
        "introspection_signing_alg_values_supported": SigningAlgorithm::ALL.map(SigningAlgorithm::as_str),
        "introspection_endpoint_auth_methods_supported": proven,
        "introspection_endpoint_auth_signing_alg_values_supported": AssertionAlgorithm::NAMES,
        "revocation_endpoint_auth_methods_supported": ClientAuthentication::METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": AssertionAlgorithm::NAMES,
        "token_endpoint_auth_methods_supported": ClientAuthentication::METHODS,
        "token_endpoint_auth_signing_alg_values_supported": AssertionAlgorithm::NAMES,
        "code_challenge_methods_supported": ["S256"],
        "display_values_supported": ["page", "popup"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claim_types_supported": ["normal"],
        "claims_supported": claims_supported(own),
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_object_signing_alg_values_supported": request_object::ALGORITHMS.map(SigningAlgorithm::as_str),
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
        "ui_locales_supported": Locale::ALL.map(Locale::tag),
    })
}

/// Weakest first, so that a client that sends the whole list demands no more than the weakest. The class that needs a
/// passkey is left out where browsers offer none.
fn acr_values_supported(issuer: &IssuerUrl) -> Vec<&'static str> {
    let passkeys = RpId::of(issuer).is_some();
    Acr::ALL.into_iter().filter(|acr| passkeys || *acr != Acr::PhishingResistant).map(Acr::as_str).collect()
}

fn claims_supported(own: &[OwnClaims]) -> Vec<&str> {
    let hosts: BTreeSet<&str> = own.iter().flat_map(|own| own.names.iter().map(String::as_str)).collect();
    let mut all: Vec<&str> = claims::OF_ID_TOKEN.into_iter().chain(claims::about_users()).collect();
    all.extend(hosts);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope;

    #[test]
    fn says_what_works() {
        let issuer = IssuerUrl::parse("https://id.test/a/t/one.test").unwrap();
        let lines: Vec<String> = match metadata(&issuer, false, &scope::SUPPORTED, &[]) {
            Value::Object(members) => members.iter().map(|(name, value)| format!("{name} {value}")).collect(),
            _ => Vec::new(),
        };
        insta::assert_snapshot!(lines.join("\n"), @r#"
        issuer "https://id.test/a/t/one.test"
        authorization_endpoint "https://id.test/a/t/one.test/authorize"
        token_endpoint "https://id.test/a/t/one.test/token"
        pushed_authorization_request_endpoint "https://id.test/a/t/one.test/par"
        require_pushed_authorization_requests false
        userinfo_endpoint "https://id.test/a/t/one.test/userinfo"
        introspection_endpoint "https://id.test/a/t/one.test/introspect"
        revocation_endpoint "https://id.test/a/t/one.test/revoke"
        jwks_uri "https://id.test/a/t/one.test/jwks"
        end_session_endpoint "https://id.test/a/t/one.test/logout"
        backchannel_logout_supported true
        backchannel_logout_session_supported true
        scopes_supported ["openid","profile","email","address","phone","roles","groups","offline_access"]
        response_types_supported ["code"]
        response_modes_supported ["query","form_post"]
        grant_types_supported ["authorization_code","refresh_token","client_credentials"]
        acr_values_supported ["urn:vestibule:acr:1fa","urn:vestibule:acr:2fa","phr"]
        subject_types_supported ["public","pairwise"]
        id_token_signing_alg_values_supported ["RS256","ES256","EdDSA","Ed25519"]
        userinfo_signing_alg_values_supported ["RS256","ES256","EdDSA","Ed25519"]
        introspection_signing_alg_values_supported ["RS256","ES256","EdDSA","Ed25519"]
        introspection_endpoint_auth_methods_supported ["client_secret_basic","client_secret_post","client_secret_jwt","private_key_jwt"]
        introspection_endpoint_auth_signing_alg_values_supported ["RS256","ES256","EdDSA","Ed25519","HS256","HS384","HS512"]
        revocation_endpoint_auth_methods_supported ["client_secret_basic","client_secret_post","client_secret_jwt","private_key_jwt","none"]
        revocation_endpoint_auth_signing_alg_values_supported ["RS256","ES256","EdDSA","Ed25519","HS256","HS384","HS512"]
        token_endpoint_auth_methods_supported ["client_secret_basic","client_secret_post","client_secret_jwt","private_key_jwt","none"]
        token_endpoint_auth_signing_alg_values_supported ["RS256","ES256","EdDSA","Ed25519","HS256","HS384","HS512"]
        code_challenge_methods_supported ["S256"]
        display_values_supported ["page","popup"]
        prompt_values_supported ["none","login","consent","select_account"]
        claim_types_supported ["normal"]
        claims_supported ["iss","sub","aud","exp","iat","auth_time","nonce","acr","amr","sid","at_hash","name","family_name","given_name","middle_name","nickname","preferred_username","profile","picture","website","gender","birthdate","zoneinfo","locale","updated_at","email","email_verified","address","phone_number","phone_number_verified","roles","groups","tenant","personal_desktop"]
        claims_parameter_supported true
        request_parameter_supported true
        request_object_signing_alg_values_supported ["RS256","ES256","EdDSA","Ed25519"]
        request_uri_parameter_supported false
        authorization_response_iss_parameter_supported true
        ui_locales_supported ["en","de","fr"]
        "#);
    }
}
