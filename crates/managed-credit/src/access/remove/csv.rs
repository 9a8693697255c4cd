//! A removal for spreadsheets.

use std::io::Write;

use contracts::wire::access::ConfirmRemovalResponse;

use super::preview::{Preview, client_of};
use crate::output::not_a_formula;
use crate::wording::{hub_id, short_name};

/// One line per user, with whether it is removed and whether a relationship with the client ends.
pub(super) fn write(
    preview: &Preview,
    confirmed: Option<&ConfirmRemovalResponse>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record([
        "client",
        "client_display_name",
        "client_user",
        "employee",
        "email_address",
        "display_name",
        "permission_set",
        "state",
        "asset_count",
        "relationship_ends",
        "removed",
    ])?;
    for removal in &preview.answer.removals {
        let (user, client) = (removal.client_user.clone().unwrap_or_default(), client_of(removal));
        let ends = preview.answer.ended_relationships.iter().any(|ended| ended.client == client);
        writer.write_record([
            hub_id(client).to_owned(),
            not_a_formula(&removal.client_display_name),
            user.name.clone(),
            removal.employee.clone(),
            not_a_formula(&user.email_address),
            not_a_formula(&user.display_name),
            user.permission_set.clone(),
            short_name(user.state().as_str_name(), "CLIENT_USER_STATE_").to_owned(),
            removal.asset_count.to_string(),
            ends.to_string(),
            confirmed.is_some().to_string(),
        ])?;
    }
    Ok(writer.flush()?)
}
