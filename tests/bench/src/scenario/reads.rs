//! What a client brings, and the pages of all clients.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::ensure;
use contracts::wire::credit::{GetManagedCreditRequest, ListManagedCreditsRequest, ManagedCreditOrder};

use super::TIME;
use crate::Arguments;
use crate::calls::{Observed, closed};
use crate::figure::{Figure, Unit};
use crate::limit::pgbench_selects;
use crate::programme::{Callers, Size, World, client_name, partner_name};
use crate::store::Kind;

/// All clients work with both partners.
const SIZE: Size = Size { partners: 2, clients: 10_000, partners_per_client: 2 };
const GET_CALLERS: u64 = 16;
const LIST_CALLERS: u64 = 2;

pub(super) async fn reads(arguments: &Arguments, kind: Kind) -> anyhow::Result<Vec<Figure>> {
    let world = World::create(arguments, kind, SIZE).await?;
    for client in 0..SIZE.clients / 500 {
        let edits = (0..1_000).map(|edit| world.callers.edit(client * 500 + edit / 2)).collect();
        world.callers.record(client, edits).await?;
    }
    world.callers.credit_knows_all().await?;
    let mut figures = Vec::new();

    let first = gets(&world.callers).await?;
    figures.push(Figure::new("GetManagedCredit from the start", Unit::PerSecond, first.per_second()));
    let got = gets(&world.callers).await?;
    let idle = world.callers.call_idly(GET_CALLERS, TIME).await?;
    let rate = Figure::new("GetManagedCredit", Unit::PerSecond, got.per_second());
    let late = Figure::new("GetManagedCredit, 99 %", Unit::Milliseconds, got.milliseconds(99.0));
    figures.push(rate.clone().beside("calls that do nothing", idle.per_second()));
    figures.push(late.clone().beside("calls that do nothing, 99 %", idle.milliseconds(99.0)));
    if kind == Kind::Postgresql {
        let selects = pgbench_selects(&world.store.url("credit"), GET_CALLERS, TIME).await?;
        figures.push(rate.beside("selects by pgbench, 16 clients", selects.per_second()));
        figures.push(late.beside("selects by pgbench, 99 %", selects.milliseconds(99.0)));
    }

    for (name, order) in [("by client", ManagedCreditOrder::Client), ("by credit", ManagedCreditOrder::Credit)] {
        let listed = lists(&world.callers, order).await?;
        figures.push(Figure::new(
            format!("a page of 50 {name}, median"),
            Unit::Milliseconds,
            listed.milliseconds(50.0),
        ));
        figures.push(Figure::new(format!("a page of 50 {name}, 99 %"), Unit::Milliseconds, listed.milliseconds(99.0)));
    }
    Ok(figures)
}

pub(super) async fn gets(callers: &Callers) -> anyhow::Result<Observed> {
    let callers = callers.clone();
    closed(GET_CALLERS, TIME, move |number| {
        let callers = callers.clone();
        async move {
            let client = fastrand::u64(..callers.size().clients);
            let question = GetManagedCreditRequest {
                partner: partner_name(client % callers.size().partners),
                client: client_name(client),
                ..Default::default()
            };
            let answer = callers.credit(number).get_managed_credit(question).await?.into_inner();
            ensure!(answer.managed_credit.is_some_and(|credit| credit.credit.is_some()), "there is credit");
            Ok(())
        }
    })
    .await
}

/// Page after page, from the first again behind the last.
pub(super) async fn lists(callers: &Callers, order: ManagedCreditOrder) -> anyhow::Result<Observed> {
    let (callers, tokens) = (callers.clone(), Arc::new(Mutex::new(String::new())));
    closed(LIST_CALLERS, TIME, move |number| {
        let (callers, tokens) = (callers.clone(), Arc::clone(&tokens));
        async move {
            let page_token = tokens.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let question = ListManagedCreditsRequest {
                parent: partner_name(0),
                order: order.into(),
                page_token,
                ..Default::default()
            };
            let answer = callers.credit(number).list_managed_credits(question).await?.into_inner();
            ensure!(!answer.managed_credits.is_empty(), "a page has rows");
            *tokens.lock().unwrap_or_else(PoisonError::into_inner) = answer.next_page_token;
            Ok(())
        }
    })
    .await
}
