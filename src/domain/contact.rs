//! Contact addresses of users: email addresses and telephone numbers, each in one canonical form for storing, comparing
//! and sending.
//!
//! Why so strict: every accepted text is later put into an envelope or a gateway's request automatically.

mod country;
mod email_address;
mod phone_number;

pub use self::country::{Country, CountryError};
pub use self::email_address::{EmailAddress, EmailAddressError};
pub use self::phone_number::{PhoneNumber, PhoneNumberError};
