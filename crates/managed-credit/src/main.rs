//! The program `managed-credit`; what it does is in the library, so that tests can start services as it does.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Many small pieces are taken and given back, most by another thread than the one that took them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    managed_credit::run()
}
