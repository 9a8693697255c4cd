//! Who may work where: partners, employees, clients, client users, links, and what follows from them.

mod address;
mod change;
mod identity;

pub use address::{AddressError, EmailAddress, EmailDomain};
pub use change::{AccessChange, AccessFact, Actor, PermissionSet};
pub use identity::{ClientUserId, CountryCode, CountryCodeError, EmployeeId, HubId, HubIdError};
