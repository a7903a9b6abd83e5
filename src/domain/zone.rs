//! Time zones by their IANA names, in which dates are shown to users.
//!
//! Why the database is compiled in and not the machine's: a container without one would show other dates.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A time zone, for example `Europe/Berlin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

/// No time zone has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of a time zone, such as Europe/Berlin")]
pub struct ZoneError;

impl Zone {
    /// The zone used if none is known.
    pub const UTC: Self = Self(Tz::UTC);

    /// Finds a zone by name.
    pub fn parse(name: &str) -> Result<Self, ZoneError> {
        name.parse().map(Self).map_err(|_| ZoneError)
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        self.0.name()
    }

    /// Its rules.
    pub(crate) const fn rules(self) -> Tz {
        self.0
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(name: String) -> Result<Self, ZoneError> {
        Self::parse(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_a_name_that_the_database_knows() {
        for name in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"] {
            assert_eq!(Zone::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "Berlin", "Europe/berlin ", "+01:00", "../../etc/passwd"] {
            assert_eq!(Zone::parse(name), Err(ZoneError), "{name}");
        }
    }
}
