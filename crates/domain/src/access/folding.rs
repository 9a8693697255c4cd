//! How names are compared: without regard to case and accents.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A text in lower case and without accents: `Müller S.p.A.` is `muller s.p.a.`.
#[must_use]
pub fn folded(text: &str) -> String {
    // Lower case first: some capital letters become a letter with a mark.
    text.to_lowercase().nfd().filter(|character| !is_combining_mark(*character)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_do_not_matter() {
        for (one, other) in [("Müller", "MULLER"), ("Caffè Nero", "caffe nero"), ("İstanbul", "istanbul")] {
            assert_eq!(folded(one), folded(other), "{one}");
        }
        // The same letter, composed and not.
        assert_eq!(folded("Cittá"), folded("Citta\u{301}"));
    }

    #[test]
    fn letters_that_only_look_alike_stay_different() {
        assert_ne!(folded("ß"), folded("s"));
        assert_ne!(folded("ø"), folded("o"));
        assert_eq!(folded("50%_\\"), "50%_\\");
    }
}
