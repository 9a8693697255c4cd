//! How far something is that takes a while: on a terminal only, on standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over so many rows or bytes; it is drawn only where standard error is a terminal.
pub(crate) fn bar(what: &str, total: u64, is_bytes: bool) -> ProgressBar {
    let template =
        if is_bytes { "{msg} {wide_bar} {bytes}/{total_bytes} {eta}" } else { "{msg} {wide_bar} {pos}/{len} {eta}" };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_message(what.to_owned())
}

/// A counter of bytes, where nobody knows how many there will be.
pub(crate) fn spinner(what: &str) -> ProgressBar {
    counting(what, "{spinner} {msg} {bytes}")
}

/// A counter of things, where nobody knows how many there will be.
pub(crate) fn counter(what: &str) -> ProgressBar {
    counting(what, "{spinner} {msg} {pos}")
}

fn counting(what: &str, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    let spinner = ProgressBar::new_spinner().with_style(style).with_message(what.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(200));
    spinner
}
