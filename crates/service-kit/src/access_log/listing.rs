//! The log as the audit log: the newest changes first, by what they are about.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{EmailAddress, EmployeeId, HubId};
use domain::time::Instant;
use prost::Message as _;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _};

use super::entity::{Column, Entity, Model};
use super::question::one_of;
use super::stored_position;
use crate::{ServiceError, StoredInstant};

/// Which changes are listed: those for which everything that is stated holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// Whom they concern; absent: anybody.
    pub concerning: Option<Concerning>,
    /// The client that they are about; absent: any, and none.
    pub client: Option<HubId>,
    /// Their kinds, of `KINDS`; none: all.
    pub kinds: BTreeSet<String>,
    /// They are effective at or after this instant.
    pub from: Option<Instant>,
    /// They are effective before this instant.
    pub to: Option<Instant>,
    /// Somebody should be told of them.
    pub notices_only: bool,
}

/// Whom changes concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concerning {
    /// A partner, or people who are or were its employees as users of client accounts; not what they are or were at other
    /// partners. Of these clients themselves, that they are closed, which ends its relationships (R76), and what of them
    /// was taken back.
    Partner {
        /// The partner account.
        partner: HubId,
        /// The addresses of all employees that it ever had.
        people: BTreeSet<EmailAddress>,
        /// The closed clients that exist for it (R26).
        closed_clients: BTreeSet<HubId>,
    },
    /// One employee: in the partner account, linked, and as a user of client accounts.
    Employee {
        /// The employee.
        employee: EmployeeId,
        /// Its address.
        address: EmailAddress,
    },
}

impl ChangeFilter {
    /// Conditions of which every listed change fulfils exactly one: each is answered in the order of positions from one
    /// index, where one condition of alternatives would read and sort them all.
    fn alternatives(&self) -> Vec<Condition> {
        let of_no_partner = || Condition::all().add(Column::PartnerId.is_null());
        match &self.concerning {
            None => vec![Condition::all()],
            Some(Concerning::Partner { partner, people, closed_clients }) => {
                let itself = Condition::all().add(Column::PartnerId.eq(partner.get()));
                let in_clients = one_of(Column::Address, people).map(|one| of_no_partner().add(one));
                let closings = one_of(Column::ClientId, closed_clients).map(|one| {
                    let kinds = Column::Kind.is_in(["client_closed", "change_retracted"]);
                    of_no_partner().add(Column::Address.is_null()).add(kinds).add(one)
                });
                [itself].into_iter().chain(in_clients).chain(closings).collect()
            }
            Some(Concerning::Employee { employee, address }) => {
                let as_employee =
                    Condition::any().add(Column::PartnerId.is_null()).add(Column::SubjectId.eq(employee.0));
                vec![Condition::all().add(Column::Address.eq(address.as_str())).add(as_employee)]
            }
        }
    }

    fn common(&self) -> Condition {
        let kinds = (!self.kinds.is_empty()).then(|| Column::Kind.is_in(self.kinds.iter().map(String::as_str)));
        Condition::all()
            .add_option(self.client.map(|client| Column::ClientId.eq(client.get())))
            .add_option(kinds)
            .add_option(self.from.map(|from| Column::EffectiveTime.gte(StoredInstant::from(from))))
            .add_option(self.to.map(|to| Column::EffectiveTime.lt(StoredInstant::from(to))))
            .add_option(self.notices_only.then(|| Column::IsNotice.eq(true)))
    }
}

/// The newest of these changes that are older than a position, newest first, at most `limit`; without chain hashes.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn newest<C: ConnectionTrait>(
    connection: &C,
    filter: &ChangeFilter,
    before: Option<u64>,
    limit: u64,
) -> Result<Vec<wire::AccessChange>, ServiceError> {
    let older = before.map(|before| Column::Position.lt(stored_position(before)));
    let mut rows: Vec<Model> = Vec::new();
    for alternative in filter.alternatives() {
        let condition = Condition::all().add(alternative).add(filter.common()).add_option(older.clone());
        let newest = Entity::find().filter(condition).order_by_desc(Column::Position).limit(limit);
        rows.extend(newest.all(connection).await?);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.position));
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    rows.iter().map(|row| Ok(wire::AccessChange::decode(row.payload.as_slice())?)).collect()
}
