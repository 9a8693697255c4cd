//! A removal for people: who, what they own, what it would cost; and what was done.

use std::io::Write;

use comfy_table::Cell;
use contracts::wire::access::{Asset, ConfirmRemovalResponse, PlannedRemoval};
use contracts::wire::credit::{CreditState, ManagedCredit, NoCreditReason};

use super::assets;
use super::preview::{Effect, Preview, Stake, client_of, is_serviced};
use crate::output::{Width, keep_whole, number, paragraph, table};
use crate::wording::{self, count, hub_id};

/// The column of the users that is not broken.
const ADDRESS_COLUMN: usize = 2;

/// Assets that are listed; `--format json` has them all.
const MAXIMUM_LISTED_ASSETS: usize = 20;

/// Everything that a person has to know before they consent.
pub(super) fn write_preview(preview: &Preview, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "Would be removed: {}\n", preview.extent())?;
    write_users(preview, width, out)?;
    write_assets(preview, width, out)?;
    write_stakes(preview, width, out)?;
    write_left_out(preview, width, out)
}

fn write_users(preview: &Preview, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let mut table = table(width, ["Client", "User", "Address", "Permission set", "State", "Owns"]);
    for removal in &preview.answer.removals {
        let user = removal.client_user.clone().unwrap_or_default();
        table.add_row([
            Cell::new(wording::account(&removal.client_display_name, client_of(removal))),
            Cell::new(&user.display_name),
            Cell::new(&user.email_address),
            Cell::new(&user.permission_set),
            Cell::new(wording::client_user_state(user.state())),
            Cell::new(count(u64::try_from(removal.asset_count).unwrap_or_default(), "asset")),
        ]);
    }
    keep_whole(&mut table, ADDRESS_COLUMN);
    Ok(writeln!(out, "{table}")?)
}

fn write_assets(preview: &Preview, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let owned = &preview.answer.assets;
    if owned.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWhat they own:")?;
    let mut table = table(width, ["Client", "Asset", "Kind", "Id", "Owner"]);
    for asset in owned.iter().take(MAXIMUM_LISTED_ASSETS) {
        table.add_row([
            preview.client_label(assets::client_of(asset)),
            asset.display_name.clone(),
            asset.kind.clone(),
            // The vendor's id is the last part of the name, as a hub id is.
            hub_id(&asset.name).to_owned(),
            owner(asset, &preview.answer.removals).to_owned(),
        ]);
    }
    writeln!(out, "{table}")?;
    match owned.len().saturating_sub(MAXIMUM_LISTED_ASSETS) {
        0 => Ok(()),
        more => Ok(writeln!(out, "And {}; --format json lists them all.", count(more as u64, "asset"))?),
    }
}

fn owner<'preview>(asset: &Asset, removals: &'preview [PlannedRemoval]) -> &'preview str {
    let users = removals.iter().filter_map(|removal| removal.client_user.as_ref());
    users.into_iter().find(|user| user.name == asset.owner).map_or(wording::ABSENT, |user| &user.display_name)
}

/// Amounts are not added, for they are of different currencies (R10).
fn write_stakes(preview: &Preview, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "\nWhat it would cost:")?;
    let mut table = table(width, ["Client", "Managed relationship", "Credit", "Points", "Remark"]);
    let mut is_any_ending = false;
    for stake in &preview.stakes {
        table.add_row(stake_cells(stake, &preview.partner));
        is_any_ending |= matches!(&stake.effect, Effect::Ends(credit) if credit.as_deref().map_or(true, is_serviced));
    }
    let total = number(preview.total_points().as_deref().unwrap_or(wording::ABSENT));
    table.add_row([Cell::new("Total lost"), Cell::new(""), Cell::new(""), total]);
    writeln!(out, "{table}")?;
    if preview.ending_without_points() > 0 {
        writeln!(out, "Not in the total: {} whose points are not known.", preview.ending_without_points())?;
    }
    if is_any_ending {
        // R71, R73
        let rule = "A relationship ends at the instant at which nobody of the partner is left in the client account. \
                    Adding somebody again later revives nothing; only new qualifying work does.";
        writeln!(out, "{}", paragraph(rule, width))?;
    }
    Ok(())
}

fn stake_cells(stake: &Stake, asked_partner: &str) -> [Cell; 5] {
    let mut client = wording::account(&stake.client_display_name, &stake.client);
    if stake.partner != asked_partner {
        client.push_str(&format!(", for partner {}", hub_id(&stake.partner)));
    }
    let (relationship, credit, remark) = match &stake.effect {
        Effect::GoesOn => ("goes on", None, "others of the partner stay there".to_owned()),
        Effect::Ends(Ok(credit)) if is_serviced(credit) => ("ends at once", Some(credit), brings(credit)),
        Effect::Ends(Ok(credit)) => ("none now", Some(credit), brings(credit)),
        Effect::Ends(Err(unknown)) => ("ends at once", None, format!("not known: {unknown}")),
    };
    [
        Cell::new(client),
        Cell::new(relationship),
        number(wording::money(credit.and_then(|credit| credit.credit.as_ref()))),
        number(credit.and_then(|credit| credit.points.as_deref()).unwrap_or(wording::ABSENT)),
        Cell::new(remark),
    ]
}

fn brings(credit: &ManagedCredit) -> String {
    match credit.no_credit_reason() {
        _ if credit.state() == CreditState::NotManaged => "nothing has counted there yet".to_owned(),
        _ if credit.state() == CreditState::Ended => "had ended before".to_owned(),
        NoCreditReason::Unspecified => "brings this now".to_owned(),
        NoCreditReason::MrrUnknown => "what the client pays is not known".to_owned(),
        _ => "brings nothing now".to_owned(),
    }
}

/// R127: they are the actor's own employee's, so that they may be named.
fn write_left_out(preview: &Preview, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let left_out: Vec<&str> = preview.answer.clients_without_permission.iter().map(|client| hub_id(client)).collect();
    if !left_out.is_empty() {
        let clients = if left_out.len() == 1 { "client" } else { "clients" };
        let text = format!("Left out, because you may not remove users there: {clients} {}.", left_out.join(", "));
        writeln!(out, "{}", paragraph(&text, width))?;
    }
    Ok(())
}

/// What was done, or that nothing was.
pub(super) fn write_outcome(
    preview: &Preview,
    confirmed: Option<&ConfirmRemovalResponse>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let Some(confirmed) = confirmed else {
        return Ok(writeln!(out, "\nNothing is removed: that was a dry run.")?);
    };
    writeln!(out, "\nRemoved: {}.", preview.extent())?;
    for ended in &confirmed.ended_relationships {
        let client = preview.client_label(&ended.client);
        match preview.is_over(ended) {
            true => writeln!(out, "Nobody is left in {client}.")?,
            false => writeln!(out, "The managed relationship with {client} has ended.")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use contracts::wire::access::{ClientUser, ClientUserState, PreviewRemovalResponse};
    use contracts::wire::credit::Money;

    use super::*;
    use crate::access::remove::preview::CreditUnknown;

    fn removal(client: &str, name: &str, number: u32) -> PlannedRemoval {
        let user = ClientUser {
            name: format!("clients/{client}/users/{number}"),
            email_address: format!("{name}@agency.example"),
            display_name: name.to_owned(),
            permission_set: "STANDARD".to_owned(),
            state: ClientUserState::Active.into(),
            ..ClientUser::default()
        };
        PlannedRemoval {
            client_user: Some(user),
            client_display_name: format!("Client {client}"),
            ..PlannedRemoval::default()
        }
    }

    fn stake(client: &str, partner: &str, effect: Effect) -> Stake {
        Stake {
            client: format!("clients/{client}"),
            client_display_name: format!("Client {client}"),
            partner: partner.to_owned(),
            effect,
        }
    }

    fn credit(points: Option<&str>) -> Effect {
        let credit = Some(Money { currency_code: "EUR".to_owned(), amount: "100.00".to_owned() });
        let points = points.map(str::to_owned);
        Effect::Ends(Ok(Box::new(ManagedCredit { credit, points, ..ManagedCredit::default() })))
    }

    fn preview(answer: PreviewRemovalResponse, stakes: Vec<Stake>) -> Preview {
        Preview { partner: "partners/1".to_owned(), answer, stakes }
    }

    fn printed(preview: &Preview) -> String {
        let mut out = Vec::new();
        write_preview(preview, Width::Fixed, &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn points_are_added_exactly_and_what_is_not_known_is_counted_beside_them() {
        let stakes = vec![
            stake("1", "partners/1", credit(Some("0.10"))),
            stake("2", "partners/1", credit(Some("0.20"))),
            stake("3", "partners/1", credit(None)),
            stake("4", "partners/1", Effect::Ends(Err(CreditUnknown::Away))),
            stake("5", "partners/1", Effect::GoesOn),
        ];
        let text = printed(&preview(PreviewRemovalResponse::default(), stakes));
        let total = text.lines().find(|line| line.contains("Total lost")).expect("a total");
        assert!(total.contains(" 0.30 "), "{text}");
        assert!(text.contains("Not in the total: 2 whose points are not known."), "{text}");
        assert!(text.contains("credit-calculation does not answer"), "{text}");
    }

    #[test]
    fn r71_where_others_stay_nothing_is_said_to_end() {
        let text = printed(&preview(
            PreviewRemovalResponse { removals: vec![removal("1", "anna", 1)], ..Default::default() },
            vec![stake("1", "partners/1", Effect::GoesOn)],
        ));
        assert!(text.contains("goes on") && text.contains("others of the partner stay there"), "{text}");
        assert!(text.contains(" 0.00 ") && !text.contains("revives nothing"), "{text}");
    }

    #[test]
    fn where_nothing_is_serviced_any_more_nothing_is_said_to_end() {
        let over = |state: CreditState| ManagedCredit { state: state.into(), ..ManagedCredit::default() };
        let stakes = [CreditState::NotManaged, CreditState::Ended]
            .map(|state| stake("1", "partners/1", Effect::Ends(Ok(Box::new(over(state))))));
        let text = printed(&preview(PreviewRemovalResponse::default(), stakes.into()));
        assert!(text.contains("nothing has counted there yet") && text.contains("had ended before"), "{text}");
        assert_eq!(text.matches("none now").count(), 2, "{text}");
        assert!(!text.contains("ends at once") && !text.contains("revives nothing"), "{text}");
    }

    #[test]
    fn a_relationship_of_another_partner_is_named_so() {
        let text = printed(&preview(
            PreviewRemovalResponse::default(),
            vec![stake("1", "partners/2", Effect::Ends(Err(CreditUnknown::NotVisible)))],
        ));
        assert!(text.contains("for partner 2") && text.contains("you may not see its credit"), "{text}");
        let total = text.lines().find(|line| line.contains("Total lost")).expect("a total");
        assert!(total.contains(" - ") && !total.contains('0'), "what is not known is not 0: {text}");
    }

    #[test]
    fn every_asset_is_shown_with_its_owner_up_to_a_limit() {
        let asset = |number: u32| Asset {
            name: format!("clients/1/assets/form-{number}"),
            kind: "form".to_owned(),
            display_name: "Contact us".to_owned(),
            owner: "clients/1/users/7".to_owned(),
        };
        let answer = PreviewRemovalResponse {
            removals: vec![removal("1", "anna", 7)],
            assets: (0..23).map(asset).collect(),
            clients_without_permission: vec!["clients/8".to_owned(), "clients/9".to_owned()],
            ..PreviewRemovalResponse::default()
        };
        let text = printed(&preview(answer, vec![stake("1", "partners/1", Effect::GoesOn)]));
        assert_eq!(text.lines().filter(|line| line.contains("form-") && line.contains("anna")).count(), 20, "{text}");
        assert!(text.contains("And 3 assets; --format json lists them all."), "{text}");
        assert!(text.contains("Left out, because you may not remove users there: clients 8, 9."), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    }
}
