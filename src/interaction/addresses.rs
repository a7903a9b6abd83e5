//! The addresses of the hosted pages, below the issuer of a request.

use super::page_request::PageRequest;
use crate::domain::ids::{ClientId, InteractionId};
use crate::http::{query_value, with_query};

/// The parameter of a page's address that carries a sealed request.
const CARRIED: &str = "carried";

impl PageRequest {
    /// A page of a login. It names the client, so that the way back is known when all else is forgotten.
    pub(super) fn login_address(
        &self,
        login: &InteractionId,
        client: &ClientId,
        step: &str,
        carried: Option<&str>,
    ) -> String {
        let page = format!("{}/login/{login}/{step}", self.issuer.url.path());
        carrying(with_query(&page, [("client_id", client.to_string())]), carried)
    }

    /// The page for a forgotten password, reached from a login in progress or from elsewhere.
    pub(super) fn forgotten_address(&self, from: Option<(&InteractionId, &ClientId)>) -> String {
        let page = format!("{}/reset", self.issuer.url.path());
        match from {
            None => page,
            Some((login, client)) => {
                with_query(&page, [("login", login.to_string()), ("client_id", client.to_string())])
            }
        }
    }

    /// A page of a reset.
    pub(super) fn reset_address(&self, step: &str) -> String {
        format!("{}/reset/{step}", self.issuer.url.path())
    }

    /// The sealed request that the address of this request's page carries.
    pub(super) fn carried(&self) -> Option<String> {
        query_value(&self.uri, CARRIED)
    }
}

/// The address, with the sealed request that it has to carry.
pub(super) fn carrying(address: String, sealed: Option<&str>) -> String {
    match sealed {
        Some(sealed) => with_query(&address, [(CARRIED, sealed.to_owned())]),
        None => address,
    }
}
