//! How lines for people are written: without what only traces need.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing_subscriber::field::{RecordFields, VisitOutput as _};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};

/// What only traces need.
const OF_TRACES: &str = "otel.";

/// Writes fields as usual, but for those that only traces need.
pub(super) struct ForPeople;

impl<'writer> FormatFields<'writer> for ForPeople {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = Selecting(DefaultVisitor::new(writer, true));
        fields.record(&mut visitor);
        visitor.0.finish()
    }
}

struct Selecting<'writer>(DefaultVisitor<'writer>);

impl Visit for Selecting<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if !field.name().starts_with(OF_TRACES) {
            self.0.record_str(field, value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.0.record_error(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if !field.name().starts_with(OF_TRACES) {
            self.0.record_debug(field, value);
        }
    }
}
