//! What was measured, and the table of it.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// So many a second.
    PerSecond,
    Milliseconds,
    Seconds,
    Megabytes,
    /// So many.
    Count,
}

/// One measured number, and what it is compared with.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub what: String,
    pub unit: Unit,
    pub value: f64,
    /// What was measured beside it, and how it is called.
    pub limit: Option<(String, f64)>,
}

impl Figure {
    pub fn new(what: impl Into<String>, unit: Unit, value: f64) -> Self {
        Self { what: what.into(), unit, value, limit: None }
    }

    pub fn beside(mut self, limit: impl Into<String>, value: f64) -> Self {
        self.limit = Some((limit.into(), value));
        self
    }
}

/// The figures of several runs, in their order.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    order: Vec<(String, String)>,
    runs: BTreeMap<(String, String), Vec<Figure>>,
}

impl Figures {
    pub fn add(&mut self, figures: Vec<Figure>) {
        for figure in figures {
            let limit = figure.limit.as_ref().map(|(name, _)| name.clone()).unwrap_or_default();
            let key = (figure.what.clone(), limit);
            if !self.runs.contains_key(&key) {
                self.order.push(key.clone());
            }
            self.runs.entry(key).or_default().push(figure);
        }
    }

    /// A row a figure: its median, its extremes, the limit's median and the median of the runs' ratios.
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::ASCII_MARKDOWN);
        table.set_header(["Figure", "Median", "Lowest", "Highest", "Beside", "Median", "Ratio"]);
        for key in &self.order {
            let runs = &self.runs[key];
            let unit = runs[0].unit;
            let values = sorted(runs.iter().map(|run| run.value));
            let limits = sorted(runs.iter().filter_map(|run| Some(run.limit.as_ref()?.1)));
            let ratios = sorted(runs.iter().filter_map(|run| Some(run.value / run.limit.as_ref()?.1)));
            let ratio = if ratios.is_empty() { String::new() } else { format!("{:.2}", median(&ratios)) };
            let limit = if limits.is_empty() { String::new() } else { shown(unit, median(&limits)) };
            table.add_row([
                key.0.clone(),
                shown(unit, median(&values)),
                shown(unit, values[0]),
                shown(unit, values[values.len() - 1]),
                key.1.clone(),
                limit,
                ratio,
            ]);
        }
        for column in [1, 2, 3, 5, 6] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

fn shown(unit: Unit, value: f64) -> String {
    match unit {
        Unit::PerSecond => format!("{value:.0}/s"),
        Unit::Milliseconds => format!("{value:.2} ms"),
        Unit::Seconds => format!("{value:.2} s"),
        Unit::Megabytes => format!("{value:.0} MB"),
        Unit::Count => format!("{value:.0}"),
    }
}
