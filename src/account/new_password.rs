//! A password that a user has chosen, checked against the rules and not stored yet.
//!
//! How easily a text is guessed is estimated by `zxcvbn`, which knows the common passwords, names, dates and rows of keys,
//! and is told what an attacker would try first: the names of the user, of the tenant and of the product. What is left
//! out withstands every guesser who has to come by the login page, where a hundred tries take a day.

use zxcvbn::{Score, zxcvbn};

use super::passwords::stored_password;
use super::{Account, Error};
use crate::crypto::password::{Against, Password, PasswordError};
use crate::domain::ids::UserId;
use crate::domain::password::{PasswordFault, PasswordRules};
use crate::domain::tenant::Tenant;
use crate::domain::user::User;
use crate::storage::users;

/// A password that obeys the rules; only [`NewPassword::check`] makes one.
#[derive(Clone, Debug)]
pub(crate) struct NewPassword(Password);

impl NewPassword {
    /// Checks what was typed twice.
    pub(crate) fn check(
        typed: &str,
        again: &str,
        user: &User,
        tenant: &Tenant,
    ) -> Result<Self, PasswordFault> {
        let rules = PasswordRules::of(user.is_admin());
        let password = match Password::normalise(typed) {
            Ok(password) => password,
            Err(PasswordError::Empty) => return Err(PasswordFault::TooShort(rules.least)),
            Err(PasswordError::TooLong) => return Err(PasswordFault::TooLong),
        };
        if password.expose().chars().count() < usize::try_from(rules.least).unwrap_or(usize::MAX) {
            return Err(PasswordFault::TooShort(rules.least));
        }
        if zxcvbn(password.expose(), &context(user, tenant)).score() < Score::Two {
            return Err(PasswordFault::Guessable);
        }
        if typed != again {
            return Err(PasswordFault::Different);
        }
        Ok(Self(password))
    }
}

/// What an attacker who knows the user would try first.
fn context<'a>(user: &'a User, tenant: &'a Tenant) -> Vec<&'a str> {
    let profile = &user.profile;
    let named = [
        &profile.name,
        &profile.given_name,
        &profile.family_name,
        &profile.nickname,
        &profile.email,
        &profile.phone_number,
        &profile.birthdate,
    ];
    let mut words = vec!["vestibule", user.username.as_str(), tenant.domain.as_str(), &tenant.name];
    words.extend(named.into_iter().flatten().map(String::as_str));
    let parts: Vec<_> = words.iter().flat_map(|words| words.split([' ', '.', '@', '-'])).collect();
    words.extend(parts.into_iter().filter(|part| part.chars().count() > 2));
    words
}

impl Account<'_> {
    /// Whether it is the user's present password.
    pub(crate) async fn is_password(&self, user: &UserId, password: &NewPassword) -> Result<bool, Error> {
        let found = users::credentials_by_id(&mut self.db.read().tx(), user).await?;
        let against = found.as_ref().and_then(stored_password).unwrap_or(Against::Nothing(None));
        Ok(self.hasher.verify(password.0.clone(), against).await?.matches)
    }

    /// The PHC string of a new password.
    pub(crate) async fn hash_new(&self, password: &NewPassword) -> Result<String, Error> {
        Ok(self.hasher.hash(password.0.clone()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::branding::Branding;
    use crate::domain::claims::Profile;
    use crate::domain::epoch::Epoch;
    use crate::domain::ids::TenantId;
    use crate::domain::locale::Locale;
    use crate::domain::tenant::{TenantDomain, TenantPolicy};
    use crate::domain::time::Time;
    use crate::domain::user::{Role, Username};
    use crate::domain::zone::Zone;

    fn check(typed: &str, again: &str, is_admin: bool) -> Result<(), PasswordFault> {
        let tenant = Tenant {
            id: TenantId::new("t"),
            domain: TenantDomain::parse("example.works").unwrap(),
            name: "Kranbau Lehmann".to_owned(),
            reseller: None,
            disabled: false,
            epoch: Epoch::default(),
            locale: Locale::De,
            time_zone: Zone::UTC,
            policy: TenantPolicy::default(),
            branding: Branding::default(),
        };
        let user = User {
            id: UserId::new("u"),
            tenant: tenant.id.clone(),
            username: Username::parse("annabella").unwrap(),
            disabled: false,
            epoch: Epoch::default(),
            roles: if is_admin { vec![Role::Admin] } else { Vec::new() },
            profile: Profile { family_name: Some("Kellermann".to_owned()), ..Profile::default() },
            updated_at: Time::from_unix(0),
            personal_desktop: None,
            upstream: None,
            directory: None,
        };
        NewPassword::check(typed, again, &user, &tenant).map(drop)
    }

    #[test]
    fn length_is_counted_in_characters_and_administrators_need_more() {
        let fault = |typed: &str, admin| check(typed, typed, admin).err();
        assert_eq!(fault("xK7#q!z", false), Some(PasswordFault::TooShort(8)));
        assert_eq!(fault("ÄÖÜßéèêç", false), None, "eight characters in sixteen bytes");
        assert_eq!(fault("", false), Some(PasswordFault::TooShort(8)));
        assert_eq!(fault("xK7#q!zP2mv", true), Some(PasswordFault::TooShort(12)));
        assert_eq!(fault("xK7#q!zP2mvY", true), None);
        // Nothing repeats in it, for that would be guessed.
        let long = |length: u8| -> String {
            (0..length).map(|at| char::from(b'!' + at.wrapping_mul(at) % 94)).collect()
        };
        assert_eq!(fault(&long(128), false), None);
        assert_eq!(fault(&long(129), false), Some(PasswordFault::TooLong));
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for typed in [
            "password",
            "Password1",
            "qwertzuiop",
            "12345678",
            "aaaaaaaa",
            "annabella",
            "Annabella1",
            "Kellermann1",
            "lehmann2024",
            "kranbaulehmann",
            "vestibule",
            "vestibule1",
            "example.works",
            "sommer2024",
        ] {
            assert_eq!(check(typed, typed, false), Err(PasswordFault::Guessable), "{typed}");
        }
        for typed in ["correct horse battery staple", "mein Hund mag keine Katzen", "t5W!mp0-qe"] {
            assert_eq!(check(typed, typed, false), Ok(()), "{typed}");
        }
    }

    #[test]
    fn both_fields_hold_the_same() {
        assert_eq!(check("t5W!mp0-qe", "t5W!mp0-qE", false), Err(PasswordFault::Different));
    }
}
