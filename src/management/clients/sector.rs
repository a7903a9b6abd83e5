//! The sector of a client that knows users by pairwise subjects (OpenID Connect Core §8.1, Registration §5).
//!
//! Clients of one sector get the same subject for a user, so membership in a sector is proven: either all redirect URIs of
//! the client have one host, or the list at `sector_identifier_uri` contains each of them. The list is fetched, by the
//! guarded client, only when there is something new to prove: a registration that was proven once can be applied again
//! without a network. A redirect URI without a registrable host (a custom scheme, an IP address) makes no sector, because
//! every native application has such URIs. A client whose redirect URIs all lead to the user's machine is a sector of its
//! own, so that pairwise subjects can be tried there.

use std::collections::BTreeSet;

use url::{Host, Url};

use crate::domain::client::{ClientMetadata, SubjectType};
use crate::domain::loopback;
use crate::domain::redirect_uri::RedirectUri;
use crate::management::members::Members;
use crate::management::validation::Validation;

/// The largest list, in bytes: some hundred addresses.
const LIMIT: usize = 64 * 1024;

impl Validation<'_, '_> {
    /// Checks that the client belongs to its sector; `known` is the registered metadata.
    pub(super) async fn sector(
        &mut self,
        members: &Members,
        metadata: &ClientMetadata,
        known: Option<&ClientMetadata>,
    ) {
        let unknown = members.refuses(&["subject_type", "sector_identifier_uri", "redirect_uris"]);
        if metadata.subject_type == SubjectType::Public || unknown {
            return;
        }
        let place = members.path_of("sector_identifier_uri");
        let hosts: BTreeSet<Option<String>> = metadata.redirect_uris.iter().map(own_host).collect();
        let Some(address) = &metadata.sector_identifier_uri else {
            let is_local = !hosts.is_empty() && metadata.redirect_uris.iter().all(RedirectUri::is_loopback);
            if !is_local && (hosts.len() != 1 || hosts.contains(&None)) {
                let wrong =
                    "is missing: the redirect URIs of a pairwise client do not all have one host name";
                self.mistakes.at(&place, wrong);
            }
            return;
        };
        let Some(url) = self.mistakes.keep(&place, Url::parse(address)) else { return };
        if self.mistakes.keep(&place, self.management.outbound.admits(&url)).is_none() {
            return;
        }
        let has_its_host = |host: &Option<String>| host.is_some() && host.as_deref() == url.host_str();
        if hosts.iter().all(has_its_host) || known.is_some_and(|known| is_proven(known, metadata)) {
            return;
        }
        let listed = self.management.outbound.get_json::<Vec<String>>(&url, LIMIT).await;
        let Some(listed) = self.mistakes.keep(&place, listed) else { return };
        for uri in &metadata.redirect_uris {
            if !listed.iter().any(|listed| listed == uri.as_str()) {
                self.mistakes.at(&place, format!("does not list {}", uri.as_str()));
            }
        }
    }
}

/// Returns whether the same was proven when this was registered.
fn is_proven(known: &ClientMetadata, metadata: &ClientMetadata) -> bool {
    let proof =
        |of: &ClientMetadata| (of.subject_type, of.sector_identifier_uri.clone(), of.redirect_uris.clone());
    proof(known) == proof(metadata)
}

fn own_host(uri: &RedirectUri) -> Option<String> {
    match Url::parse(uri.as_str()).ok()?.host()? {
        host @ Host::Domain(name) if !loopback::is_loopback(&host) => Some(name.to_owned()),
        _ => None,
    }
}
