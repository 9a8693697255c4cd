//! The log against itself, and what is kept beside it against the log.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{AccessLinkName, ClientName, ClientUserName, EmployeeName};
use domain::access::{AccessChange, AccessFact, AccessHistory, AccessLinkId, EmployeeId, HubId};
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::access_log::{self, Question};
use service_kit::feed::read_head;
use service_kit::maintenance::Verification;
use service_kit::{ReadTransaction, ServiceError};

use crate::AccessManagement;
use crate::store::access_link::{self, AccessLink};
use crate::store::asset::{self, Asset};

/// How many employees' links, or assets, are compared at once.
const EMPLOYEES_AT_ONCE: u64 = 100;
const ASSETS_AT_ONCE: u64 = 500;

impl AccessManagement {
    pub(super) async fn verify_everything(&self, verification: &mut Verification) -> Result<(), ServiceError> {
        let transaction = self.database.begin_read().await?;
        let head = read_head(&*transaction, access_log::FEED).await?;
        access_log::verify(&*transaction, head.position, &head.chain_hash, verification).await?;
        verify_access_links(&transaction, verification).await?;
        let now = access_log::present_instant(&*transaction, self.clock.now()).await?;
        verify_assets(&transaction, now, verification).await
    }
}

/// What the log says of a link, and its row must say too.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LinkState {
    employee: EmployeeName,
    for_client: Option<HubId>,
    expire_time: Instant,
    creator: String,
    create_time: Instant,
    is_revoked: bool,
    approved_client: Option<HubId>,
}

impl From<AccessLink> for LinkState {
    fn from(link: AccessLink) -> Self {
        Self {
            employee: link.name.employee,
            for_client: link.for_client,
            expire_time: link.expire_time,
            creator: link.creator,
            create_time: link.create_time,
            is_revoked: link.is_revoked,
            approved_client: link.approved_user.map(|user| user.client),
        }
    }
}

async fn verify_access_links(
    transaction: &ReadTransaction,
    verification: &mut Verification,
) -> Result<(), ServiceError> {
    verification.begin("access links").await?;
    let mut last = None;
    loop {
        let employees = access_link::next_employees(&**transaction, last, EMPLOYEES_AT_ONCE).await?;
        last = employees.last().copied();
        if last.is_none() {
            return Ok(());
        }
        let employees: BTreeSet<EmployeeId> = employees.into_iter().collect();
        let stored = access_link::of_employees(&**transaction, &employees).await?;
        let stored = stored.into_iter().map(|link| (link.name.link, link.into())).collect();
        let expected = link_states(access_log::access_link_changes(&**transaction, &employees).await?);
        verification.compare(&stored, &expected, link_name(&stored, &expected), link_in_words);
        verification.checked(stored.len()).await?;
    }
}

fn link_states(changes: Vec<AccessChange>) -> BTreeMap<AccessLinkId, LinkState> {
    let mut states: BTreeMap<AccessLinkId, LinkState> = BTreeMap::new();
    for AccessChange { fact, actor, record_time, .. } in changes {
        match fact {
            AccessFact::AccessLinkCreated { partner, employee, link, for_client, expire_time, .. } => {
                let created = LinkState {
                    employee: EmployeeName { partner, employee },
                    for_client,
                    expire_time,
                    creator: actor.to_string(),
                    create_time: record_time,
                    is_revoked: false,
                    approved_client: None,
                };
                states.insert(link, created);
            }
            AccessFact::AccessLinkRevoked { link, .. } => {
                states.entry(link).and_modify(|state| state.is_revoked = true);
            }
            AccessFact::AccessLinkApproved { link, client, .. } => {
                states.entry(link).and_modify(|state| state.approved_client = Some(client));
            }
            _ => {}
        }
    }
    states
}

fn link_name(
    stored: &BTreeMap<AccessLinkId, LinkState>,
    expected: &BTreeMap<AccessLinkId, LinkState>,
) -> impl Fn(&AccessLinkId) -> String {
    |link| {
        let state = expected.get(link).or_else(|| stored.get(link));
        state.map(|state| AccessLinkName { employee: state.employee, link: *link }.to_string()).unwrap_or_default()
    }
}

fn link_in_words(state: &LinkState) -> String {
    let LinkState { employee, for_client, expire_time, creator, create_time, is_revoked, approved_client } = state;
    let client =
        |client: &Option<HubId>| client.map_or("any client".to_owned(), |client| ClientName(client).to_string());
    let mut words = format!(
        "of {employee} for {}, made by {creator} at {}, until {}",
        client(for_client),
        create_time.to_rfc3339(),
        expire_time.to_rfc3339()
    );
    if *is_revoked {
        words.push_str(", revoked");
    }
    if approved_client.is_some() {
        words.push_str(&format!(", approved by {}", client(approved_client)));
    }
    words
}

/// Only who is a user of the asset's client owns it: a removal gives away what the user had.
async fn verify_assets(
    transaction: &ReadTransaction,
    now: Instant,
    verification: &mut Verification,
) -> Result<(), ServiceError> {
    verification.begin("owned assets").await?;
    let mut last = None;
    loop {
        let assets = asset::owned(&**transaction, last.as_ref(), ASSETS_AT_ONCE).await?;
        last = assets.last().map(|asset| asset.name.clone());
        if last.is_none() {
            return Ok(());
        }
        let history = history_of_owners(&**transaction, &assets).await?;
        for asset in &assets {
            let client = asset.name.client;
            let is_present =
                |owner| history.client_users(client).any(|user| user.user == owner && user.period.contains(now));
            if let Some(user) = asset.owner.filter(|owner| !is_present(*owner)) {
                let owner = ClientUserName { client, user }.to_string();
                verification.differs(asset.name.to_string(), &owner, "an owner who is a user there, or none");
            }
        }
        verification.checked(assets.len()).await?;
    }
}

async fn history_of_owners<C: ConnectionTrait>(
    connection: &C,
    assets: &[Asset],
) -> Result<AccessHistory, ServiceError> {
    let owners = assets.iter().filter_map(|asset| asset.owner).collect();
    access_log::history(connection, &[Question::ClientUsers(&owners)]).await
}
