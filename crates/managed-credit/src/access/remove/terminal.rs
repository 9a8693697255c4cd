//! Questions to the person at the terminal. They go to standard error: what is asked is no answer of the program.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Context as _;

/// Whether somebody can answer.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal()
}

/// The line that is typed; empty at the end of input.
pub(super) async fn ask(question: &str) -> anyhow::Result<String> {
    write!(io::stderr(), "{question}")?;
    let read = || {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line.trim().to_owned())
    };
    // A thread of its own may block.
    tokio::task::spawn_blocking(read).await.context("the question")?.context("standard input")
}

/// Whether an answer consents; anything but a clear yes does not.
pub(super) fn is_yes(answer: &str) -> bool {
    matches!(answer.to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_consents() {
        assert!(["y", "Y", "yes", "YES"].into_iter().all(is_yes));
        assert!(!["", "n", "no", "ye", "yes please", "leave"].into_iter().any(is_yes));
    }
}
