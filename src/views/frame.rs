//! What surrounds every page: language, addresses, the tenant's branding, the application that asks.

use super::assets::Asset;
use crate::domain::branding::{Accent, Branding};
use crate::domain::client::Client;
use crate::domain::issuer::Issuer;
use crate::domain::locale::Locale;
use crate::domain::tenant::Tenant;
use crate::domain::zone::Zone;

/// What every page needs besides its content.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The language.
    pub locale: Locale,
    /// The time zone in which times are shown.
    pub zone: Zone,
    /// The path below which the issuer's pages live: empty, or for example `/id/t/example.sms`.
    pub base: String,
    /// The path of this page, for the language switch to come back to; never more than path and query.
    pub here: String,
    /// The tenant, if it is known.
    pub tenant: Option<Brand>,
}

/// A tenant's name, logo and colour.
#[derive(Clone, Debug)]
pub struct Brand {
    /// Its name.
    pub name: String,
    /// The address of its logo.
    pub logo: Option<String>,
    /// The colour of buttons and links.
    pub accent: Option<Accent>,
}

impl Brand {
    /// The branding of a tenant on the pages of this issuer.
    pub fn of(tenant: &Tenant, issuer: &Issuer) -> Self {
        let Branding { accent, logo } = &tenant.branding;
        // A logo belongs to a tenant, so it lies below an issuer of that tenant, never below the root.
        let home =
            if issuer.tenant.is_some() { issuer.url.clone() } else { issuer.url.for_tenant(&tenant.domain) };
        let logo = logo.as_ref().map(|logo| format!("{}/assets/{}", home.path(), Asset::logo_file(logo)));
        Self { name: tenant.name.clone(), logo, accent: *accent }
    }
}

/// The application that asks, as its registration describes it.
#[derive(Clone, Debug)]
pub struct ApplicationInfo {
    /// Its name.
    pub name: String,
    /// Its logo; it is served by the application, so the page's content security policy must allow it.
    pub logo: Option<String>,
    /// Its privacy policy.
    pub policy: Option<String>,
    /// Its terms of service.
    pub terms: Option<String>,
}

impl ApplicationInfo {
    /// What pages in this language show of a client. Addresses that are not `https` or `http` are left out, because they
    /// become links.
    pub fn of(client: &Client, locale: Locale) -> Self {
        let web = |address: Option<&str>| {
            let is_web =
                |text: &&str| url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
            address.filter(is_web).map(str::to_owned)
        };
        Self {
            name: client.name_in(locale).to_owned(),
            logo: web(client.metadata.logo_uri_in(locale)),
            policy: web(client.metadata.policy_uri_in(locale)),
            terms: web(client.metadata.tos_uri_in(locale)),
        }
    }

    /// Whether there is anything to read before agreeing.
    pub(super) const fn has_legal(&self) -> bool {
        self.policy.is_some() || self.terms.is_some()
    }
}

/// A link out of a dead end, usually back to the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayBack {
    /// The application's name.
    pub name: String,
    /// The address that it leads to.
    pub address: String,
}
