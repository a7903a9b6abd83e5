//! The registered metadata of a client: its members, and the rules that hold between them.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::domain::client::{
    AssertionAlgorithm, ClientAuthentication, ClientMetadata, GrantType, ResponseType, SigningAlgorithm,
};
use crate::domain::reserved_names;
use crate::domain::scope::Scope;
use crate::management::members::{DISABLED, Member, MemberKind, Members, STATE, localized, member};
use crate::management::scopes::Scopes;
use crate::management::validation::Validation;
use crate::management::values;

const ALGORITHMS: &[&str] = &[
    SigningAlgorithm::Rs256.as_str(),
    SigningAlgorithm::Es256.as_str(),
    SigningAlgorithm::EdDsa.as_str(),
    SigningAlgorithm::Ed25519.as_str(),
];

pub(super) const MEMBERS: &[Member] = &[
    member("tenant", MemberKind::One(values::tenant_domain)),
    member("client_id", MemberKind::One(values::client_id)),
    STATE,
    member("client_secret", MemberKind::One(values::secret)),
    member("client_secret_hash", MemberKind::One(values::secret)),
    member("client_secret_sealed", MemberKind::One(values::secret)),
    member("token_endpoint_auth_method", MemberKind::Word(&ClientAuthentication::METHODS)),
    member("token_endpoint_auth_signing_alg", MemberKind::Word(&AssertionAlgorithm::NAMES)),
    member("jwks", MemberKind::One(values::key_set)),
    member("jwks_uri", MemberKind::One(values::web_address)),
    DISABLED,
    localized("client_name", MemberKind::One(values::text)),
    member("redirect_uris", MemberKind::Each(values::redirect_uri)),
    member("post_logout_redirect_uris", MemberKind::Each(values::redirect_uri)),
    member("application_type", MemberKind::Word(&["web", "native"])),
    member("grant_types", MemberKind::Words(&GrantType::NAMES)),
    member("response_types", MemberKind::Words(&ResponseType::NAMES)),
    member("scope", MemberKind::One(values::scopes)),
    member("subject_type", MemberKind::Word(&["public", "pairwise"])),
    member("sector_identifier_uri", MemberKind::One(values::web_address)),
    member("id_token_signed_response_alg", MemberKind::Word(ALGORITHMS)),
    member("userinfo_signed_response_alg", MemberKind::Word(ALGORITHMS)),
    member("introspection_signed_response_alg", MemberKind::Word(ALGORITHMS)),
    member("default_max_age", MemberKind::One(values::number)),
    member("default_acr_values", MemberKind::Each(values::item)),
    localized("client_uri", MemberKind::One(values::web_address)),
    localized("logo_uri", MemberKind::One(values::web_address)),
    localized("policy_uri", MemberKind::One(values::web_address)),
    localized("tos_uri", MemberKind::One(values::web_address)),
    member("contacts", MemberKind::Each(values::item)),
    member("software_id", MemberKind::One(values::text)),
    member("software_version", MemberKind::One(values::text)),
    member("initiate_login_uri", MemberKind::One(values::web_address)),
    member("audiences", MemberKind::Each(values::resource)),
    member("default_audience", MemberKind::One(values::optional_resource)),
    member("own_audiences", MemberKind::Each(values::resource)),
    member("require_consent", MemberKind::One(values::flag)),
    member("id_token_claims", MemberKind::One(values::flag)),
    member("roles_claim", MemberKind::One(values::optional_claim)),
    member("groups_claim", MemberKind::One(values::optional_claim)),
    member("groups_of", MemberKind::Each(values::tenant_domain)),
    member("require_pushed_authorization_requests", MemberKind::One(values::flag)),
    member("request_object_signing_alg", MemberKind::Word(ALGORITHMS)),
    member("require_signed_request_object", MemberKind::One(values::flag)),
    member("require_pkce", MemberKind::One(values::flag)),
    member("localhost_redirects", MemberKind::One(values::flag)),
    member("backend_logout", MemberKind::One(values::flag)),
    member("backchannel_logout_uri", MemberKind::One(values::backchannel_logout_uri)),
    member("backchannel_logout_session_required", MemberKind::One(values::flag)),
    member("access_token_format", MemberKind::Word(&["jwt", "opaque"])),
    member("access_token_signed_response_alg", MemberKind::Word(ALGORITHMS)),
    member("access_token_lifetime", MemberKind::Span),
    member("refresh_token_lifetime", MemberKind::Span),
    member("refresh_token_idle", MemberKind::Span),
];

impl Validation<'_, '_> {
    /// Returns the client's metadata; `stored_form` are the members with the ids of tenants.
    pub(super) fn metadata(
        &mut self,
        members: &Members,
        base: &ClientMetadata,
        stored_form: Map<String, Value>,
    ) -> ClientMetadata {
        let (localized, mut named): (Map<_, _>, Map<_, _>) =
            stored_form.into_iter().partition(|(name, _)| name.contains('#'));
        named.insert("localized".to_owned(), Value::Object(localized));
        let metadata = self.overlay(members.path(), base, &named).unwrap_or_else(|| base.clone());
        let signs_in = metadata.grant_types.contains(&GrantType::AuthorizationCode);
        let unknown = members.refuses(&["grant_types", "redirect_uris"]);
        if signs_in && metadata.redirect_uris.is_empty() && !unknown {
            self.mistakes.at(&members.path_of("redirect_uris"), "must name at least one address");
        }
        if members.names("scope") && !members.refuses(&["grant_types"]) {
            // Scopes for client credentials are words of the APIs behind the client.
            let is_free = |word: &&str| {
                metadata.may_use(GrantType::ClientCredentials) && !reserved_names::has_own_prefix(word)
            };
            let words = metadata.scope.iter().flat_map(Scope::iter).filter(|word| !is_free(word));
            self.scopes_exist(&members.path_of("scope"), words);
        }
        metadata
    }

    /// Refuses a scope that does not exist: no token would ever carry it.
    fn scopes_exist<'s>(&mut self, place: &str, mut words: impl Iterator<Item = &'s str>) {
        let scopes = Scopes::new(self.management.own_claims, Arc::new(self.set.own_scopes.clone()));
        let known = scopes.all();
        if let Some(word) = words.find(|word| !known.contains(word)) {
            let wrong = format!("{word:?} is not a scope; {}", values::one_of(&known));
            self.mistakes.at(place, wrong);
        }
    }
}
