//! The program `managed-credit`; what it does is in the library, so that tests can start services as it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    managed_credit::run()
}
