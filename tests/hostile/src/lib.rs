//! Hostile input for the tests of whatever reads something: random, and valid input that somebody has tampered with.
//!
//! Owns: how input is made hostile, how often a test tries, how a failure is repeated, and how it is told. Does not own: what must come of
//! it; that is said where it is read.

use std::fmt::Debug;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Write as _;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// How many times as often as usual a test tries.
const EXECUTIONS_VARIABLE: &str = "MANAGED_CREDIT_TEST_EXECUTIONS";

/// The seed of a run that failed, to repeat it.
const SEED_VARIABLE: &str = "MANAGED_CREDIT_SEED";

/// Values that programs have stumbled over: numbers at and beyond every bound, what looks like a number, signs that are not
/// seen or turn the text around, separators, ends of strings, dates and times that are none.
pub const TEXTS: [&str; 66] = [
    "",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\0",
    "a\0b",
    "\u{7f}",
    "\u{1b}[31m",
    "0",
    "-0",
    "-0.00",
    "00",
    "+1",
    "-1",
    "1e999",
    "1E5",
    "0x10",
    "1_000",
    "1,000.00",
    ".5",
    "5.",
    "NaN",
    "nan",
    "inf",
    "-Infinity",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "79228162514264337593543950336",
    "0.0000000000000000000000000000001",
    "99999999999999999999999999999999999999999999999999",
    "١٢٣",
    "１２",
    "½",
    "\u{feff}",
    "\u{200b}",
    "\u{202e}abc",
    "\u{2066}",
    "e\u{301}\u{301}\u{301}",
    "İ",
    "ß",
    "ﬁ",
    "K",
    "\u{ffff}",
    "\u{10ffff}",
    "👩‍👩‍👧‍👦",
    "'; DROP TABLE partner; --",
    "%",
    "_",
    "\\",
    "\"",
    "'",
    "`",
    "{}",
    "[",
    "${x}",
    "../../etc/passwd",
    "//",
    "@",
    "a@b@c",
    "0000-00-00T00:00:00Z",
    "+262142-12-31T23:59:60.999999999Z",
    "null",
];

/// Bytes that are no text.
const BYTES: [&[u8]; 7] =
    [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xef\xbb\xbf", b"\xfe\xff"];

/// How often a test tries that usually tries so often.
///
/// # Panics
/// A variable that is not a number.
#[must_use]
pub fn executions(usual: u32) -> u32 {
    usual * u32::try_from(number_of(EXECUTIONS_VARIABLE, 1)).expect(EXECUTIONS_VARIABLE)
}

/// The number that a variable of the environment says, or another where it is not set.
///
/// # Panics
/// A variable that is not a number.
#[must_use]
pub fn number_of(variable: &str, otherwise: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is a whole number, not {text}")))
}

/// Says something at once, and also where the test passes: what is printed is kept back then.
///
/// # Panics
/// Standard error is closed.
pub fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error");
}

/// The seed of this run: a new one, or that of a run to be repeated.
#[must_use]
pub fn seed() -> u64 {
    let stated = std::env::var(SEED_VARIABLE).ok().and_then(|seed| seed.parse().ok());
    stated.unwrap_or_else(|| RandomState::new().hash_one("hostile"))
}

/// What draws from a seed, and draws the same again from the same one.
#[must_use]
pub fn runner(seed: u64, cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() })
}

/// What a failing test says, so that it can be repeated.
#[must_use]
pub fn to_repeat(seed: u64) -> String {
    format!("to repeat: {SEED_VARIABLE}={seed}")
}

/// Tries `test` with so many values, usually, and shows the smallest that it fails with.
///
/// # Panics
/// The test does.
pub fn check<S: Strategy<Value: Debug>>(usual: u32, values: S, test: impl Fn(S::Value)) {
    let seed = seed();
    let tried = runner(seed, executions(usual)).run(&values, |value| {
        test(value);
        Ok(())
    });
    tried.unwrap_or_else(|failure| panic!("{failure}\n{}", to_repeat(seed)));
}

/// Any text: a hostile one, many times one, anything at all, or one of `valid` that was tampered with.
pub fn text(valid: &[&str]) -> impl Strategy<Value = String> + use<> {
    let tampered = tampered(valid.iter().map(|text| text.as_bytes().to_vec()).collect());
    prop_oneof![
        3 => select(&TEXTS[..]).prop_map(str::to_owned),
        1 => (select(&TEXTS[..]), 2..3_000_usize).prop_map(|(text, times)| text.repeat(times)),
        2 => any::<String>(),
        6 => tampered.prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ]
}

/// One of `valid`, tampered with up to four times: flipped bits, cut off, something put in, a part left out or repeated.
/// What stands in one of them is put into others too.
pub fn tampered(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let tampering = prop::collection::vec(tampering(valid.clone()), 0..=4);
    (select(valid), tampering).prop_map(|(mut input, tampering)| {
        for once in &tampering {
            once.apply(&mut input);
        }
        input
    })
}

#[derive(Debug, Clone)]
enum Tampering {
    Flip(Index, u8),
    CutOff(Index),
    PutIn(Index, Vec<u8>),
    LeaveOut(Index, usize),
    Repeat(Index, usize, usize),
}

fn tampering(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Tampering> {
    let part = (select(valid), any::<Index>(), any::<Index>()).prop_map(|(input, start, end)| {
        let (start, end) = (start.index(input.len() + 1), end.index(input.len() + 1));
        input[start.min(end)..start.max(end)].to_vec()
    });
    let put_in = prop_oneof![
        4 => select(&TEXTS[..]).prop_map(|text| text.as_bytes().to_vec()),
        2 => select(&BYTES[..]).prop_map(<[u8]>::to_vec),
        2 => prop::collection::vec(any::<u8>(), 1..20),
        2 => part,
    ];
    prop_oneof![
        3 => (any::<Index>(), 0..8_u8).prop_map(|(place, bit)| Tampering::Flip(place, bit)),
        1 => any::<Index>().prop_map(Tampering::CutOff),
        4 => (any::<Index>(), put_in).prop_map(|(place, bytes)| Tampering::PutIn(place, bytes)),
        2 => (any::<Index>(), 1..40_usize).prop_map(|(place, length)| Tampering::LeaveOut(place, length)),
        1 => (any::<Index>(), 1..60_usize, 1..40_usize)
            .prop_map(|(place, length, times)| Tampering::Repeat(place, length, times)),
    ]
}

impl Tampering {
    fn apply(&self, input: &mut Vec<u8>) {
        let length = input.len();
        match self {
            Self::Flip(..) if length == 0 => {}
            Self::Flip(place, bit) => input[place.index(length)] ^= 1 << bit,
            Self::CutOff(place) => input.truncate(place.index(length + 1)),
            Self::PutIn(place, bytes) => {
                let place = place.index(length + 1);
                input.splice(place..place, bytes.iter().copied());
            }
            Self::LeaveOut(place, count) => {
                let place = place.index(length + 1);
                input.drain(place..length.min(place + count));
            }
            Self::Repeat(place, count, times) => {
                let place = place.index(length + 1);
                let part = input[place..length.min(place + count)].repeat(*times);
                input.splice(place..place, part);
            }
        }
    }
}
