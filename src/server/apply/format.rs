//! The format of `apply` and `export`, as tables: which members a table of the document has and what each may hold.
//! Reading and writing both follow these lists, so they cannot drift apart; their order is the order of an export.

use serde_json::Value;

use super::value::{self, Checked};
use crate::crypto::otp::SecretEncoding;
use crate::domain::client::{
    AssertionAlgorithm, ClientAuthentication, GrantType, ResponseType, SigningAlgorithm,
};
use crate::domain::own_scopes::AccessTokenTyp;
use crate::domain::upstream::Authentication;

/// One member of a table.
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// May it stand there once more for each language, as `name#tag` (RFC 7591 §2.2)?
    pub(super) localized: bool,
}

impl Member {
    /// The language tag of a member's name in a document; empty for the name without one, `None` for another member.
    pub(super) fn tag<'a>(&self, written: &'a str) -> Option<&'a str> {
        match written.strip_prefix(self.name)? {
            "" => Some(""),
            rest => rest.strip_prefix('#').filter(|_| self.localized),
        }
    }
}

/// What a member holds.
pub(super) enum Kind {
    /// One value.
    One(fn(&Value) -> Checked),
    /// A list of values.
    Each(fn(&Value) -> Checked),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of some of these words.
    Words(&'static [&'static str]),
    /// A duration; stored as seconds.
    Span,
    /// A time; stored as seconds since 1970.
    Moment,
    /// The name of an image file beside the document, or a `data:` URL.
    Logo,
    /// A table.
    Table(&'static [Member]),
    /// A list of tables.
    Tables(&'static [Member]),
}

/// Shortens the lists below.
const fn member(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, localized: false }
}

/// Likewise, for members that people read.
const fn localized(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, localized: true }
}

const STATE: Member = member("state", Kind::Word(&["present", "absent"]));
const DISABLED: Member = member("disabled", Kind::One(value::flag));

/// The tables of a document, in the order in which they depend on each other.
pub(super) const DOCUMENT: &[Member] = &[
    member("resellers", Kind::Tables(RESELLER)),
    member("tenants", Kind::Tables(TENANT)),
    member("upstreams", Kind::Tables(UPSTREAM)),
    member("groups", Kind::Tables(GROUP)),
    member("users", Kind::Tables(USER)),
    member("scopes", Kind::Tables(SCOPE)),
    member("apis", Kind::Tables(API)),
    member("clients", Kind::Tables(CLIENT)),
];

const RESELLER: &[Member] =
    &[member("name", Kind::One(value::slug)), STATE, member("title", Kind::One(value::text))];

const UPSTREAM: &[Member] = &[
    member("name", Kind::One(value::slug)),
    STATE,
    member("reseller", Kind::One(value::slug)),
    member("tenant", Kind::One(value::tenant_domain)),
    member("title", Kind::One(value::text)),
    member("issuer", Kind::One(value::issuer)),
    member("client_id", Kind::One(value::client_id)),
    member("client_secret", Kind::One(value::secret)),
    member("token_endpoint_auth_method", Kind::Word(&Authentication::NAMES)),
    member("id_token_signed_response_alg", Kind::Word(UPSTREAM_ALGORITHMS)),
    member("mfa_acr", Kind::Each(value::text)),
    member("mfa_amr", Kind::Each(value::text)),
    member("activation_url", Kind::One(value::web_address)),
];

/// Those that are verified here; `HS…` are believed only where they are named.
const UPSTREAM_ALGORITHMS: &[&str] = &[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS256", "HS384",
    "HS512",
];

pub(super) const TENANT: &[Member] = &[
    member("domain", Kind::One(value::tenant_domain)),
    STATE,
    member("name", Kind::One(value::text)),
    member("reseller", Kind::One(value::optional_slug)),
    DISABLED,
    member("locale", Kind::One(value::locale)),
    member("time_zone", Kind::One(value::time_zone)),
    member("hosts", Kind::Each(value::host)),
    member("policy", Kind::Table(POLICY)),
    member("branding", Kind::Table(BRANDING)),
];

const POLICY: &[Member] = &[
    member("mfa", Kind::Word(&["optional", "required"])),
    member("admin_mfa_enforced_from", Kind::Moment),
    member("admin_activation", Kind::Word(&["inline", "mail"])),
    member("methods", Kind::Words(&["totp", "sms", "mail", "passkey"])),
    member("passkey_sign_in", Kind::One(value::flag)),
    member("mail_counts_as_2fa", Kind::One(value::flag)),
    member("resync", Kind::One(value::flag)),
    member("ask_desktop_name", Kind::One(value::flag)),
    member("trusted_browsers", Kind::Table(TRUSTED_BROWSERS)),
    member("session_idle", Kind::Span),
    member("session_max", Kind::Span),
];

const WEIGHTS: &[&str] = &["off", "minimal", "normal", "trusted"];

const TRUSTED_BROWSERS: &[Member] = &[
    member("days", Kind::One(value::number)),
    member("cookie", Kind::Word(WEIGHTS)),
    member("browser", Kind::Word(WEIGHTS)),
    member("system", Kind::Word(WEIGHTS)),
    member("languages", Kind::Word(WEIGHTS)),
    member("time_zone", Kind::Word(WEIGHTS)),
    member("screen", Kind::Word(WEIGHTS)),
];

const BRANDING: &[Member] = &[member("accent", Kind::One(value::accent)), member("logo", Kind::Logo)];

const GROUP: &[Member] =
    &[member("tenant", Kind::One(value::tenant_domain)), member("name", Kind::One(value::group_name)), STATE];

const SCOPE: &[Member] = &[
    member("name", Kind::One(value::scope)),
    STATE,
    member("title", Kind::Table(TITLE)),
    member("claims", Kind::Each(value::claim)),
];

const TITLE: &[Member] = &[
    member("en", Kind::One(value::text)),
    member("de", Kind::One(value::text)),
    member("fr", Kind::One(value::text)),
];

const API: &[Member] = &[
    member("audience", Kind::One(value::resource)),
    STATE,
    member("typ", Kind::Word(&AccessTokenTyp::NAMES)),
    member("scopes", Kind::Each(value::scope)),
];

pub(super) const USER: &[Member] = &[
    member("tenant", Kind::One(value::tenant_domain)),
    member("username", Kind::One(value::username)),
    STATE,
    member("sub", Kind::One(value::subject)),
    member("password", Kind::One(value::secret)),
    member("password_hash", Kind::One(value::secret)),
    member("must_change_password", Kind::One(value::flag)),
    member("upstream", Kind::One(value::optional_slug)),
    member("upstream_subject", Kind::One(value::text)),
    DISABLED,
    member("roles", Kind::Words(&["admin"])),
    member("groups", Kind::Each(value::group_name)),
    member("name", Kind::One(value::text)),
    member("given_name", Kind::One(value::text)),
    member("family_name", Kind::One(value::text)),
    member("middle_name", Kind::One(value::text)),
    member("nickname", Kind::One(value::text)),
    member("profile", Kind::One(value::web_address)),
    member("picture", Kind::One(value::web_address)),
    member("website", Kind::One(value::web_address)),
    member("email", Kind::One(value::email)),
    member("email_verified", Kind::One(value::flag)),
    member("gender", Kind::One(value::text)),
    member("birthdate", Kind::One(value::birthdate)),
    member("zoneinfo", Kind::One(value::text)),
    member("locale", Kind::One(value::language_tag)),
    member("phone_number", Kind::One(value::phone)),
    member("phone_number_verified", Kind::One(value::flag)),
    member("address", Kind::Table(ADDRESS)),
    member("personal_desktop", Kind::One(value::desktop)),
    member("authenticators", Kind::Tables(AUTHENTICATOR)),
    member("passkeys", Kind::Tables(PASSKEY)),
];

/// The members of [`USER`] that are not standard claims.
pub(super) const NOT_CLAIMS: [&str; 15] = [
    "tenant",
    "username",
    "state",
    "sub",
    "password",
    "password_hash",
    "must_change_password",
    "upstream",
    "upstream_subject",
    "disabled",
    "roles",
    "groups",
    "personal_desktop",
    "authenticators",
    "passkeys",
];

const ADDRESS: &[Member] = &[
    member("formatted", Kind::One(value::lines)),
    member("street_address", Kind::One(value::lines)),
    member("locality", Kind::One(value::text)),
    member("region", Kind::One(value::text)),
    member("postal_code", Kind::One(value::text)),
    member("country", Kind::One(value::text)),
];

/// As it was exported: nobody writes one by hand.
const PASSKEY: &[Member] = &[
    member("rp_id", Kind::One(value::text)),
    member("user_handle", Kind::One(value::text)),
    member("credential", Kind::One(value::text)),
    member("counter", Kind::One(value::number)),
];

const AUTHENTICATOR: &[Member] = &[
    member("kind", Kind::Word(&["totp", "hotp", "sms", "mail"])),
    member("secret", Kind::One(value::secret)),
    member("secret_encoding", Kind::Word(&SecretEncoding::NAMES)),
    member("allow_short_secret", Kind::One(value::flag)),
    member("algorithm", Kind::One(value::otp_algorithm)),
    member("digits", Kind::One(value::number)),
    member("period", Kind::One(value::number)),
    member("counter", Kind::One(value::number)),
    member("serial", Kind::One(value::text)),
    member("pin", Kind::One(value::secret)),
    member("pin_hash", Kind::One(value::secret)),
    member("pin_position", Kind::Word(&["before", "after"])),
    member("phone_number", Kind::One(value::phone)),
    member("email", Kind::One(value::email)),
];

const ALGORITHMS: &[&str] = &[
    SigningAlgorithm::Rs256.as_str(),
    SigningAlgorithm::Es256.as_str(),
    SigningAlgorithm::EdDsa.as_str(),
    SigningAlgorithm::Ed25519.as_str(),
];

pub(super) const CLIENT: &[Member] = &[
    member("tenant", Kind::One(value::tenant_domain)),
    member("client_id", Kind::One(value::client_id)),
    STATE,
    member("client_secret", Kind::One(value::secret)),
    member("client_secret_hash", Kind::One(value::secret)),
    member("client_secret_sealed", Kind::One(value::secret)),
    member("token_endpoint_auth_method", Kind::Word(&ClientAuthentication::METHODS)),
    member("token_endpoint_auth_signing_alg", Kind::Word(&AssertionAlgorithm::NAMES)),
    member("jwks", Kind::One(value::key_set)),
    member("jwks_uri", Kind::One(value::web_address)),
    DISABLED,
    localized("client_name", Kind::One(value::text)),
    member("redirect_uris", Kind::Each(value::redirect_uri)),
    member("post_logout_redirect_uris", Kind::Each(value::redirect_uri)),
    member("application_type", Kind::Word(&["web", "native"])),
    member("grant_types", Kind::Words(&GrantType::NAMES)),
    member("response_types", Kind::Words(&ResponseType::NAMES)),
    member("scope", Kind::One(value::scopes)),
    member("subject_type", Kind::Word(&["public", "pairwise"])),
    member("sector_identifier_uri", Kind::One(value::web_address)),
    member("id_token_signed_response_alg", Kind::Word(ALGORITHMS)),
    member("userinfo_signed_response_alg", Kind::Word(ALGORITHMS)),
    member("introspection_signed_response_alg", Kind::Word(ALGORITHMS)),
    member("default_max_age", Kind::One(value::number)),
    member("default_acr_values", Kind::Each(value::item)),
    localized("client_uri", Kind::One(value::web_address)),
    localized("logo_uri", Kind::One(value::web_address)),
    localized("policy_uri", Kind::One(value::web_address)),
    localized("tos_uri", Kind::One(value::web_address)),
    member("contacts", Kind::Each(value::item)),
    member("software_id", Kind::One(value::text)),
    member("software_version", Kind::One(value::text)),
    member("initiate_login_uri", Kind::One(value::web_address)),
    member("audiences", Kind::Each(value::resource)),
    member("default_audience", Kind::One(value::optional_resource)),
    member("own_audiences", Kind::Each(value::resource)),
    member("require_consent", Kind::One(value::flag)),
    member("id_token_claims", Kind::One(value::flag)),
    member("roles_claim", Kind::One(value::optional_claim)),
    member("groups_claim", Kind::One(value::optional_claim)),
    member("groups_of", Kind::Each(value::tenant_domain)),
    member("require_pushed_authorization_requests", Kind::One(value::flag)),
    member("request_object_signing_alg", Kind::Word(ALGORITHMS)),
    member("require_signed_request_object", Kind::One(value::flag)),
    member("require_pkce", Kind::One(value::flag)),
    member("localhost_redirects", Kind::One(value::flag)),
    member("backend_logout", Kind::One(value::flag)),
    member("access_token_format", Kind::Word(&["jwt", "opaque"])),
    member("access_token_signed_response_alg", Kind::Word(ALGORITHMS)),
    member("access_token_lifetime", Kind::Span),
    member("refresh_token_lifetime", Kind::Span),
    member("refresh_token_idle", Kind::Span),
];
