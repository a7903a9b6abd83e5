//! Where a user can be reached: email addresses and telephone numbers, each in the one form in which it is stored,
//! compared and handed to a mail server or a gateway.
//!
//! Why so strict: whatever is accepted here is later put into an envelope or a gateway's request by machines.

mod country;
mod email_address;
mod phone_number;

pub use self::country::{Country, CountryError};
pub use self::email_address::{EmailAddress, EmailAddressError};
pub use self::phone_number::{PhoneNumber, PhoneNumberError};
