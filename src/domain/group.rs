//! Groups of a tenant's users, and the form in which clients read their names.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::client::Client;
use super::ids::{GroupId, TenantId};
use super::tenant::TenantDomain;

/// Maximum number of groups in a token; a user with more groups has them at UserInfo only.
pub const MAX_IN_TOKEN: usize = 200;

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id. A group that is created again with the same name has another id and no members.
    pub id: GroupId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name, unique in the tenant.
    pub name: GroupName,
}

/// The name of a group, which applications compare exactly, in NFC.
///
/// It contains no `/`: clients of the root issuer read `tenant-domain/group`, and a bare name must never look like
/// that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(try_from = "String", into = "String")]
#[sqlx(transparent)]
pub struct GroupName(String);

/// The text is not a valid group name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a name of 1 to 100 characters on one line, without / and without spaces around it")]
pub struct GroupNameError;

impl GroupName {
    const MAX: usize = 100;

    /// Validates a name and normalizes it to NFC.
    pub fn parse(text: &str) -> Result<Self, GroupNameError> {
        let name: String = text.nfc().collect();
        let shaped = (1..=Self::MAX).contains(&name.chars().count())
            && name.trim() == name
            && !name.chars().any(|c| c == '/' || c.is_control());
        if shaped { Ok(Self(name)) } else { Err(GroupNameError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for GroupName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for GroupName {
    type Error = GroupNameError;

    fn try_from(text: String) -> Result<Self, GroupNameError> {
        Self::parse(&text)
    }
}

impl From<GroupName> for String {
    fn from(name: GroupName) -> Self {
        name.0
    }
}

/// The form in which a client reads group names, by its trust in the tenant's administrators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupForm {
    /// Bare names, for the tenant's own clients and clients that name the tenant in `groups_of`.
    Bare,
    /// `tenant-domain/group`, for clients of the root issuer that name no tenant.
    Qualified,
    /// Neither groups nor roles, for clients that name other tenants only.
    Withheld,
}

impl GroupForm {
    /// The form in which this client reads this tenant's groups.
    pub fn of(client: &Client, tenant: &TenantId) -> Self {
        let named = &client.metadata.groups_of;
        match client.issuer.tenant() {
            Some(_) => Self::Bare,
            None if named.is_empty() => Self::Qualified,
            None if named.contains(tenant) => Self::Bare,
            None => Self::Withheld,
        }
    }

    /// The claim's values for a user of the tenant with this domain.
    pub fn names(self, domain: &TenantDomain, groups: &[GroupName]) -> Vec<String> {
        match self {
            Self::Bare => groups.iter().map(GroupName::to_string).collect(),
            Self::Qualified => groups.iter().map(|group| format!("{domain}/{group}")).collect(),
            Self::Withheld => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_without_a_slash() {
        for good in ["staff", "Sales North", "\u{e9}quipe", "a.b:c@d#e", &"\u{e4}".repeat(100)] {
            assert_eq!(GroupName::parse(good).unwrap().as_str(), good);
        }
        assert_eq!(GroupName::parse("e\u{301}quipe").unwrap().as_str(), "\u{e9}quipe");
        for bad in ["", " ", " a", "a ", "a\nb", "a\0", "other.test/admins", "/", &"a".repeat(101)] {
            assert_eq!(GroupName::parse(bad), Err(GroupNameError), "{bad:?}");
        }
    }
}
