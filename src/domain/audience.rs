//! Resource indicators and audiences: the APIs that an access token is for (RFC 8707, RFC 9068 §3).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use url::Url;

use super::issuer::IssuerUrl;

/// The identifier of an API: an absolute URI without a fragment (RFC 8707 §2). Different spellings are different
/// identifiers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceIndicator(String);

/// The text is not a valid resource indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an absolute URI of at most 1024 visible ASCII characters, without a fragment")]
pub struct ResourceIndicatorError;

impl ResourceIndicator {
    const MAX: usize = 1024;

    /// Validates the form and keeps the spelling, because the API compares it with its own identifier byte by byte.
    pub fn parse(text: &str) -> Result<Self, ResourceIndicatorError> {
        // The URL parser would drop tabs and line ends, so they are rejected first.
        let plain = text.len() <= Self::MAX && text.bytes().all(|b| b.is_ascii_graphic());
        let url = Some(text).filter(|_| plain).and_then(|text| Url::parse(text).ok());
        match url {
            Some(url) if url.fragment().is_none() => Ok(Self(text.to_owned())),
            _ => Err(ResourceIndicatorError),
        }
    }

    /// The identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The provider itself, whose API is UserInfo.
impl From<&IssuerUrl> for ResourceIndicator {
    fn from(issuer: &IssuerUrl) -> Self {
        Self(issuer.to_string())
    }
}

impl TryFrom<String> for ResourceIndicator {
    type Error = ResourceIndicatorError;

    fn try_from(text: String) -> Result<Self, ResourceIndicatorError> {
        Self::parse(&text)
    }
}

impl From<ResourceIndicator> for String {
    fn from(resource: ResourceIndicator) -> Self {
        resource.0
    }
}

/// A set of resource indicators: in JSON a string if it has one, otherwise an array (RFC 7519 §4.1.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrMany", into = "OneOrMany")]
pub struct Audience(BTreeSet<ResourceIndicator>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(ResourceIndicator),
    Many(BTreeSet<ResourceIndicator>),
}

impl Audience {
    /// Returns whether the resource is in the set.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|resource| resource.as_str() == name)
    }

    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether every resource of this set is in the other.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Returns whether any of these resources is in the set.
    pub fn contains_any(&self, resources: &[ResourceIndicator]) -> bool {
        resources.iter().any(|resource| self.0.contains(resource))
    }

    /// The resources in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.0.intersection(&other.0).cloned().collect()
    }

    /// Adds a resource.
    #[must_use]
    pub fn with(mut self, resource: ResourceIndicator) -> Self {
        self.0.insert(resource);
        self
    }
}

impl FromIterator<ResourceIndicator> for Audience {
    fn from_iter<I: IntoIterator<Item = ResourceIndicator>>(resources: I) -> Self {
        Self(resources.into_iter().collect())
    }
}

impl From<OneOrMany> for Audience {
    fn from(read: OneOrMany) -> Self {
        match read {
            OneOrMany::One(resource) => Self(BTreeSet::from([resource])),
            OneOrMany::Many(resources) => Self(resources),
        }
    }
}

impl From<Audience> for OneOrMany {
    fn from(Audience(mut resources): Audience) -> Self {
        match (resources.pop_first(), resources.is_empty()) {
            (Some(only), true) => Self::One(only),
            (first, _) => {
                resources.extend(first);
                Self::Many(resources)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn audience(names: &[&str]) -> Audience {
        names.iter().map(|name| ResourceIndicator::parse(name).unwrap()).collect()
    }

    #[test]
    fn a_resource_is_an_absolute_uri_without_a_fragment() {
        for good in ["https://api.test", "https://api.test/a?b=c", "urn:example:api", "app://x"] {
            assert_eq!(ResourceIndicator::parse(good).unwrap().as_str(), good);
        }
        let long = format!("https://api.test/{}", "a".repeat(1024));
        for bad in
            ["", "api", "/api", "//api.test", "https://api.test/#", "https://api.test/#x", " https://a.test"]
                .into_iter()
                .chain([
                    "https://a.test\n",
                    "https://a.te\tst",
                    "https://\u{e4}.test",
                    "https://a.test/a b",
                    &long,
                ])
        {
            assert_eq!(ResourceIndicator::parse(bad), Err(ResourceIndicatorError), "{bad:?}");
        }
    }

    #[test]
    fn one_is_a_string_and_several_are_a_list() {
        for (names, written) in [
            (vec!["https://a.test"], json!("https://a.test")),
            (vec!["https://b.test", "https://a.test"], json!(["https://a.test", "https://b.test"])),
            (vec![], json!([])),
        ] {
            let audience = audience(&names);
            assert_eq!(serde_json::to_value(&audience).unwrap(), written);
            assert_eq!(serde_json::from_value::<Audience>(written).unwrap(), audience);
        }
        for odd in [
            json!(null),
            json!(7),
            json!(["https://a.test", 7]),
            json!({}),
            json!("a"),
            json!([["https://a.test"]]),
        ] {
            assert!(serde_json::from_value::<Audience>(odd.clone()).is_err(), "{odd}");
        }
    }

    #[test]
    fn sets_are_compared() {
        let (one, both) = (audience(&["https://a.test"]), audience(&["https://a.test", "https://b.test"]));
        assert!(one.is_subset(&both) && !both.is_subset(&one));
        assert!(both.contains_any(&[ResourceIndicator::parse("https://a.test").unwrap()]));
        assert!(
            !one.contains_any(&[ResourceIndicator::parse("https://b.test").unwrap()])
                && !one.contains_any(&[])
        );
        assert!(both.contains("https://b.test") && !one.contains("https://b.test"));
        assert_eq!(both.intersection(&one), one);
        assert_eq!(one.with(ResourceIndicator::parse("https://b.test").unwrap()), both);
    }
}
