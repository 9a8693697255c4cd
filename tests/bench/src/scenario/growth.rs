//! What an operation costs, with ever more activities, and with ever more partners.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use contracts::wire::credit::ManagedCreditOrder;
use plotters::prelude::*;
use tokio::task::JoinSet;

use super::reads::{gets, lists};
use crate::Arguments;
use crate::calls::Observed;
use crate::figure::{Figure, Unit};
use crate::programme::{Callers, Size, World};
use crate::store::Kind;

const SIZE: Size = Size { partners: 2, clients: 10_000, partners_per_client: 2 };
const FEWEST_ACTIVITIES: u64 = 10_000;
/// How many there are, one after the other, each with clients of its own.
const PARTNERS: [u64; 4] = [1, 10, 100, 1_000];
const CLIENTS_PER_PARTNER: u64 = 10;
const ACTIVITIES_PER_CLIENT: u64 = 10;
const BATCH: u64 = 1_000;
/// How many batches are on their way at a time.
const FILLERS: usize = 4;
/// How many calls tell what one costs.
const SAMPLES: usize = 100;

/// Records activities from one number to another, as fast as it goes.
pub(super) async fn fill(callers: &Callers, from: u64, to: u64) -> anyhow::Result<()> {
    let mut running = JoinSet::new();
    for number in (from..to).step_by(usize::try_from(BATCH)?) {
        if running.len() >= FILLERS {
            running.join_next().await.context("one runs")???;
        }
        let callers = callers.clone();
        running.spawn(async move {
            let edits = (number..to.min(number + BATCH)).map(|number| callers.edit_in_turn(number)).collect();
            callers.record_anyhow(number / BATCH, edits).await.map(|_| ())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(())
}

/// What is measured: its name, the colour in which it is drawn, and which cost it is.
type Operation = (&'static str, RGBColor, fn(&Costs) -> f64);

const OPERATIONS: [Operation; 4] = [
    ("1,000 activities recorded", RGBColor(0, 90, 160), |costs| costs.batch),
    ("one activity recorded", RGBColor(0, 140, 110), |costs| costs.single),
    ("GetManagedCredit", RGBColor(200, 110, 0), |costs| costs.get),
    ("a page of ListManagedCredits", RGBColor(150, 40, 120), |costs| costs.list),
];

/// What was measured where there are so many.
struct Costs {
    count: u64,
    /// In milliseconds.
    batch: f64,
    single: f64,
    get: f64,
    list: f64,
}

pub(super) async fn growth(arguments: &Arguments, kind: Kind) -> anyhow::Result<Vec<Figure>> {
    let by_activities = of_activities(arguments, kind).await?;
    let by_partners = of_partners(arguments, kind).await?;
    let mut figures = Vec::new();
    for (what, all) in [("activities", &by_activities), ("partners", &by_partners)] {
        if let Some(path) = &arguments.plot {
            plot(path, kind, what, all)?;
        }
        figures.extend(all.iter().flat_map(|costs| costs.figures(what)));
    }
    Ok(figures)
}

/// With ten times as many activities each time, of the same partners and clients.
async fn of_activities(arguments: &Arguments, kind: Kind) -> anyhow::Result<Vec<Costs>> {
    let world = World::create(arguments, kind, SIZE).await?;
    let (mut there, mut count, mut all) = (0, FEWEST_ACTIVITIES, Vec::new());
    while count <= arguments.activities {
        fill(&world.callers, there, count).await?;
        world.callers.credit_knows_all().await?;
        there = count;
        all.push(costs(&world.callers, count).await?);
        count *= 10;
    }
    Ok(all)
}

/// With ten times as many partners each time, and clients and activities in proportion.
async fn of_partners(arguments: &Arguments, kind: Kind) -> anyhow::Result<Vec<Costs>> {
    let mut all = Vec::new();
    for partners in PARTNERS {
        let clients = partners * CLIENTS_PER_PARTNER;
        let world = World::create(arguments, kind, Size { partners, clients, partners_per_client: 1 }).await?;
        fill(&world.callers, 0, clients * ACTIVITIES_PER_CLIENT).await?;
        world.callers.credit_knows_all().await?;
        all.push(costs(&world.callers, partners).await?);
    }
    Ok(all)
}

impl Costs {
    fn figures(&self, what: &str) -> Vec<Figure> {
        let of = |(operation, _, value): Operation| {
            Figure::new(format!("{operation} with {} {what}", self.count), Unit::Milliseconds, value(self))
        };
        OPERATIONS.into_iter().map(of).collect()
    }
}

async fn costs(callers: &Callers, count: u64) -> anyhow::Result<Costs> {
    // By the second time most is held in memory; half of it would make the median anything.
    gets(callers).await?;
    Ok(Costs {
        count,
        batch: recording(callers, 1_000).await?,
        single: recording(callers, 1).await?,
        get: gets(callers).await?.milliseconds(50.0),
        list: lists(callers, ManagedCreditOrder::Client).await?.milliseconds(50.0),
    })
}

/// The median of calls that are made one after the other.
async fn recording(callers: &Callers, count: usize) -> anyhow::Result<f64> {
    let mut observed = Observed::new()?;
    for _ in 0..SAMPLES {
        let edits = callers.mixed_edits(count);
        let asked = Instant::now();
        callers.record(0, edits).await?;
        observed.add(asked.elapsed());
    }
    Ok(observed.milliseconds(50.0))
}

/// Milliseconds over how many there are, both by powers of ten.
#[allow(clippy::cast_precision_loss, reason = "figures are for reading")]
fn plot(path: &Path, kind: Kind, what: &str, all: &[Costs]) -> anyhow::Result<()> {
    let path = path.with_extension(format!("{what}.{}.svg", format!("{kind:?}").to_lowercase()));
    let area = SVGBackend::new(&path, (720, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let (first, last) = all.first().zip(all.last()).context("something was measured")?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .margin_right(48)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d((first.count as f64..last.count as f64).log_scale(), (0.01_f64..1_000.0).log_scale())?;
    chart
        .configure_mesh()
        .x_desc(what)
        .y_desc("milliseconds, median")
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_label_formatter(&|value| format!("{value}"))
        .draw()?;
    for (name, colour, value) in OPERATIONS {
        let points = all.iter().map(|costs| (costs.count as f64, value(costs)));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(3))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
    }
    let labels = &mut chart.configure_series_labels();
    labels.position(SeriesLabelPosition::LowerLeft).background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}
