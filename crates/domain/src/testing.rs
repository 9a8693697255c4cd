//! How property tests draw their cases, in one place.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// The variable that holds the seed of a run to repeat.
const SEED_VARIABLE: &str = "MANAGED_CREDIT_SEED";

/// The variable that holds by what the number of cases is divided: for a run that has to be fast.
const DIVISOR_VARIABLE: &str = "MANAGED_CREDIT_CASES_DIVISOR";

/// The seed of this run: the one to repeat, or another each time.
static SEED: LazyLock<u64> = LazyLock::new(|| match env::var(SEED_VARIABLE) {
    Ok(seed) => seed.parse().expect("the seed of a run is a whole number of 64 bits"),
    Err(_) => RandomState::new().hash_one(SEED_VARIABLE),
});

/// By what the number of cases is divided in this run: 1, unless it has to be fast.
static DIVISOR: LazyLock<u32> = LazyLock::new(|| match env::var(DIVISOR_VARIABLE) {
    Ok(divisor) => divisor.parse().expect("the divisor of the cases is a whole number"),
    Err(_) => 1,
});

/// So many cases, or the part of them that a fast run draws. The test that fails shows the seed, and the same seed draws
/// the same cases again.
#[expect(clippy::print_stderr, reason = "shown with a test that fails, and only then")]
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let cases = cases.div_ceil(*DIVISOR);
    eprintln!("to repeat these {cases} cases: {SEED_VARIABLE}={}", *SEED);
    ProptestConfig { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(*SEED), ..ProptestConfig::default() }
}
