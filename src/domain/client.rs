//! A registered client, with the member names of RFC 7591, and its permissions.

mod algorithm;
mod authentication;
mod localized;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

pub use algorithm::{AssertionAlgorithm, MacAlgorithm, SigningAlgorithm};
pub use authentication::{ClientAuthentication, ClientKeys};

use super::audience::ResourceIndicator;
use super::epoch::Epoch;
use super::ids::{ClientId, IssuerId, TenantId};
use super::redirect_uri::{FreePorts, RedirectUri};
use super::scope::{self, Scope};

/// A client of one issuer.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// The `client_id`.
    pub id: ClientId,
    /// The issuer it belongs to.
    pub issuer: IssuerId,
    /// A disabled client is treated as unknown.
    pub disabled: bool,
    /// The sum of its epoch and its tenant's; only the store changes them.
    pub epoch: Epoch,
    /// Its authentication at the token endpoint.
    pub authentication: ClientAuthentication,
    /// The registered metadata.
    pub metadata: ClientMetadata,
}

impl Client {
    /// Returns whether it cannot keep a secret (RFC 6749 §2.1).
    pub const fn is_public(&self) -> bool {
        matches!(self.authentication, ClientAuthentication::None)
    }

    /// Returns whether its authorization requests must have a `code_challenge` (RFC 9700 §2.1.1).
    pub const fn must_use_pkce(&self) -> bool {
        self.is_public() || self.metadata.require_pkce
    }

    /// The row name that its secret is sealed for: its id alone, so that an export can be imported after the tenant was
    /// removed, whose issuer then has another id.
    pub fn secret_row(&self) -> String {
        format!("clients/{}/secret", self.id)
    }

    /// The registered URI that matches the request's `redirect_uri`.
    pub fn redirect_uri(&self, requested: &str) -> Option<&RedirectUri> {
        self.metadata.redirect_uri(requested)
    }

    /// The origins of its `http` and `https` redirect URIs, where its pages can be.
    pub fn origins(&self) -> impl Iterator<Item = String> {
        let addresses = self.metadata.redirect_uris.iter().filter_map(|uri| Url::parse(uri.as_str()).ok());
        let web = addresses.filter(|url| matches!(url.scheme(), "http" | "https"));
        web.map(|url| url.origin().ascii_serialization())
    }

    /// Returns whether it has registered public keys.
    pub const fn has_keys(&self) -> bool {
        matches!(self.authentication, ClientAuthentication::PrivateKeyJwt(_))
    }

    /// The sector of its pairwise identifiers (OpenID Connect Core §8.1): the host of `sector_identifier_uri` or of its
    /// redirect URIs; a separate sector for a client on the user's machine. `None`: it gets public identifiers.
    pub fn sector(&self) -> Option<String> {
        let metadata = &self.metadata;
        if metadata.subject_type == SubjectType::Public {
            return None;
        }
        let addresses = metadata.redirect_uris.iter().filter(|uri| !uri.is_loopback());
        let addresses = addresses.map(RedirectUri::as_str);
        let mut hosts =
            metadata.sector_identifier_uri.as_deref().into_iter().chain(addresses).filter_map(host);
        // `localhost` is shared by every application on users' machines, so it is not a sector.
        Some(hosts.next().unwrap_or_else(|| format!("client {}/{}", self.issuer, self.id)))
    }

    /// Its name in no particular language.
    pub fn name(&self) -> &str {
        self.metadata.client_name.as_deref().unwrap_or_else(|| self.id.as_str())
    }
}

/// Registered metadata; member names as in RFC 7591 §2, OpenID Connect Registration §2, then our own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of its own")]
pub struct ClientMetadata {
    /// The name shown to users.
    pub client_name: Option<String>,
    /// The URIs that codes may be sent to.
    pub redirect_uris: Vec<RedirectUri>,
    /// The URIs that the browser may be sent to after sign-out.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// `web` or `native`; a native client may use any port of a loopback address.
    pub application_type: ApplicationType,
    /// Own member: it may use any port of `http://localhost` too.
    pub localhost_redirects: bool,
    /// Its permitted grant types at the token endpoint.
    pub grant_types: Vec<GrantType>,
    /// Its permitted response types at the authorization endpoint.
    pub response_types: Vec<ResponseType>,
    /// The scopes it may request; `None` = all.
    pub scope: Option<Scope>,
    /// Public or pairwise user identifiers.
    pub subject_type: SubjectType,
    /// The URL whose host is its sector; the redirect URIs of the sector's clients are published there.
    pub sector_identifier_uri: Option<String>,
    /// The required algorithm of its assertions; `None` = any that fits its method.
    pub token_endpoint_auth_signing_alg: Option<AssertionAlgorithm>,
    /// The algorithm of its ID tokens.
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// `max_age` for requests without one.
    pub default_max_age: Option<u64>,
    /// `acr_values` for requests without them.
    pub default_acr_values: Vec<String>,
    /// The page about the client.
    pub client_uri: Option<String>,
    /// The client's logo on the login page.
    pub logo_uri: Option<String>,
    /// The client's privacy policy.
    pub policy_uri: Option<String>,
    /// The client's terms of service.
    pub tos_uri: Option<String>,
    /// Members in other languages, by their names with a language tag (RFC 7591 §2.2): `client_name#de`.
    pub localized: BTreeMap<String, String>,
    /// Contacts of the people responsible for the client.
    pub contacts: Vec<String>,
    /// The id of the software that the client is an installation of.
    pub software_id: Option<String>,
    /// The version of that software.
    pub software_version: Option<String>,
    /// The URL that starts a login at this client (OpenID Connect Core §4).
    pub initiate_login_uri: Option<String>,
    /// Own member: the APIs for which it may request tokens, by the values of `resource` (RFC 8707). Not named
    /// `resources`, because a Resource is a self-service portal in the settings.
    pub audiences: Vec<ResourceIndicator>,
    /// Own member: the API of its tokens if `resource` is missing; it may also be requested.
    pub default_audience: Option<ResourceIndicator>,
    /// Own member: the identifiers of the API that this client is. It may introspect tokens for it.
    pub own_audiences: Vec<ResourceIndicator>,
    /// Own member: the user is asked for consent.
    pub require_consent: bool,
    /// Own member: ID tokens contain the claims of the granted scopes too, for applications that do not call UserInfo.
    pub id_token_claims: bool,
    /// Own member: the name of the claim with the user's roles.
    pub roles_claim: String,
    /// Own member: the name of the claim with the user's groups.
    pub groups_claim: String,
    /// Own member: the tenants whose groups a client of the root issuer reads by bare names (see [`super::group`]).
    pub groups_of: Vec<TenantId>,
    /// The algorithm of its UserInfo responses; `None` = plain JSON.
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// The algorithm of introspection responses as JWTs, if it requests them (RFC 9701 §6).
    pub introspection_signed_response_alg: SigningAlgorithm,
    /// Whether it must push its authorization requests (RFC 9126 §6).
    pub require_pushed_authorization_requests: bool,
    /// The required algorithm of its request objects; `None` = any supported one (OpenID Connect Registration §2).
    pub request_object_signing_alg: Option<SigningAlgorithm>,
    /// Whether its authorization requests must be signed request objects (RFC 9101 §10.5).
    pub require_signed_request_object: bool,
    /// Own member: whether it must use PKCE (RFC 7636). A public client always must.
    pub require_pkce: bool,
    /// Own member: whether its back end may end its users' sessions with an unexpired ID token alone.
    pub backend_logout: bool,
    /// The URL that receives logout tokens (Back-Channel Logout §2.2).
    pub backchannel_logout_uri: Option<String>,
    /// Whether logout tokens must contain `sid`; they always do.
    pub backchannel_logout_session_required: bool,
    /// Own member: the format of its access tokens.
    pub access_token_format: TokenFormat,
    /// Own member: the algorithm of its access tokens; by default that of its ID tokens.
    pub access_token_signed_response_alg: Option<SigningAlgorithm>,
    /// Own member: lifetime of an access token in seconds.
    pub access_token_lifetime: u64,
    /// Own member: seconds after the login until which tokens can be refreshed.
    pub refresh_token_lifetime: u64,
    /// Own member: idle lifetime of a refresh token with `offline_access` in seconds.
    pub refresh_token_idle: u64,
}

impl Default for ClientMetadata {
    fn default() -> Self {
        Self {
            client_name: None,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            application_type: ApplicationType::Web,
            localhost_redirects: false,
            grant_types: vec![GrantType::AuthorizationCode],
            response_types: vec![ResponseType::Code],
            scope: None,
            subject_type: SubjectType::Public,
            sector_identifier_uri: None,
            token_endpoint_auth_signing_alg: None,
            id_token_signed_response_alg: SigningAlgorithm::Rs256,
            default_max_age: None,
            default_acr_values: Vec::new(),
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            localized: BTreeMap::new(),
            contacts: Vec::new(),
            software_id: None,
            software_version: None,
            initiate_login_uri: None,
            audiences: Vec::new(),
            default_audience: None,
            own_audiences: Vec::new(),
            require_consent: false,
            id_token_claims: false,
            roles_claim: scope::ROLES.to_owned(),
            groups_claim: scope::GROUPS.to_owned(),
            groups_of: Vec::new(),
            userinfo_signed_response_alg: None,
            introspection_signed_response_alg: SigningAlgorithm::Rs256,
            require_pushed_authorization_requests: false,
            request_object_signing_alg: None,
            require_signed_request_object: false,
            require_pkce: false,
            backend_logout: false,
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
            access_token_format: TokenFormat::Jwt,
            access_token_signed_response_alg: None,
            access_token_lifetime: 300,
            refresh_token_lifetime: 30 * 24 * 3600,
            refresh_token_idle: 14 * 24 * 3600,
        }
    }
}

impl ClientMetadata {
    /// The registered URI that matches the request's `redirect_uri`.
    pub fn redirect_uri(&self, requested: &str) -> Option<&RedirectUri> {
        self.redirect_uris.iter().find(|uri| uri.matches(requested, self.free_ports()))
    }

    /// The loopback hosts on which it may use any port (RFC 8252 §7.3).
    pub fn free_ports(&self) -> FreePorts {
        FreePorts {
            addresses: self.application_type == ApplicationType::Native,
            localhost: self.localhost_redirects,
        }
    }

    /// Lifetime of an access token.
    pub const fn access_token_lifetime(&self) -> Duration {
        Duration::from_secs(self.access_token_lifetime)
    }

    /// How long after the login tokens can be refreshed.
    pub const fn refresh_token_lifetime(&self) -> Duration {
        Duration::from_secs(self.refresh_token_lifetime)
    }

    /// Idle lifetime of a refresh token with `offline_access`.
    pub const fn refresh_token_idle(&self) -> Duration {
        Duration::from_secs(self.refresh_token_idle)
    }

    /// Returns whether the client may use this grant type.
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// Returns whether the issuer signs anything with this algorithm for the client.
    pub fn uses(&self, algorithm: SigningAlgorithm) -> bool {
        let always = [
            self.id_token_signed_response_alg,
            self.access_token_alg(),
            self.introspection_signed_response_alg,
        ];
        always.contains(&algorithm) || self.userinfo_signed_response_alg == Some(algorithm)
    }

    /// The algorithm of access tokens.
    pub fn access_token_alg(&self) -> SigningAlgorithm {
        self.access_token_signed_response_alg.unwrap_or(self.id_token_signed_response_alg)
    }
}

fn host(address: &str) -> Option<String> {
    Url::parse(address).ok()?.host_str().map(str::to_owned)
}

/// `subject_type` of OpenID Connect Registration §2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectType {
    /// A user has the same identifier at all clients.
    #[default]
    Public,
    /// A user has a different identifier in every sector.
    Pairwise,
}

/// `application_type` of OpenID Connect Registration §2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApplicationType {
    /// Runs on a server or in a browser.
    #[default]
    Web,
    /// Runs on the user's machine.
    Native,
}

/// The format of an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenFormat {
    /// RFC 9068: an API can validate it locally.
    Jwt,
    /// A random text, which an API must introspect.
    Opaque,
}

/// The supported grant types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 §4.1
    AuthorizationCode,
    /// RFC 6749 §6
    RefreshToken,
    /// RFC 6749 §4.4
    ClientCredentials,
}

impl GrantType {
    /// Every grant type, in the order of discovery. A test holds that the token endpoint has one handler for each.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The value of `grant_type` of each.
    pub const NAMES: [&'static str; 3] = {
        let [first, second, third] = Self::ALL;
        [first.as_str(), second.as_str(), third.as_str()]
    };

    /// The value of `grant_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

/// The supported response types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseType {
    /// RFC 6749 §4.1
    Code,
}

impl ResponseType {
    /// Every response type, in the order of discovery.
    pub const ALL: [Self; 1] = [Self::Code];

    /// The value of `response_type` of each.
    pub const NAMES: [&'static str; 1] = {
        let [first] = Self::ALL;
        [first.as_str()]
    };

    /// The value of `response_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_those_that_registrations_are_stored_with() {
        assert_eq!(json!(GrantType::ALL), json!(GrantType::NAMES));
        assert_eq!(json!(ResponseType::ALL), json!(ResponseType::NAMES));
    }
}
