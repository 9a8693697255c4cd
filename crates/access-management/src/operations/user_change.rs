//! What all changes of one client user have in common.

use std::collections::BTreeSet;

use contracts::ClientUserName;
use contracts::wire::access as wire;
use domain::access::{AccessFact, AccessHistory, ClientUserId, ClientUserSpell, EmailAddress, HubId};
use service_kit::{ServiceError, access_log, require_etag};

use super::recording::Recording;
use super::user_permission::{Intent, require_user, unknown};
use crate::resource;

/// Which client user is to be changed.
pub(crate) struct UserChange {
    pub name: ClientUserName,
    /// What the caller has read; empty is not compared.
    pub etag: String,
}

/// The address of a user that the actor may deactivate, reactivate or remove; before anything is said about whether it
/// exists.
pub(super) async fn require_change(
    recording: &Recording<'_>,
    name: ClientUserName,
) -> Result<EmailAddress, ServiceError> {
    let (policy, actor, now) = (recording.policy(), recording.actor(), recording.now());
    require_user(&**recording.transaction(), policy, actor, name, Intent::Change, now).await
}

/// The user as it is, if it is what the caller has read.
pub(super) fn require_unchanged<'history>(
    recording: &Recording<'_>,
    history: &'history AccessHistory,
    change: &UserChange,
) -> Result<&'history ClientUserSpell, ServiceError> {
    let spell = spell_of(history, change.name).ok_or_else(|| unknown(change.name))?;
    require_etag(&change.etag, &resource::client_user(history, spell, recording.now()).etag)?;
    Ok(spell)
}

/// Records a change by which the user stays in the client account, so that it concerns nobody else there; answers with
/// what the user is then.
pub(super) async fn record_change_of_one(
    recording: &mut Recording<'_>,
    change: &UserChange,
    fact: impl FnOnce(HubId, ClientUserId, EmailAddress) -> AccessFact,
) -> Result<Option<wire::ClientUser>, ServiceError> {
    let address = require_change(recording, change.name).await?;
    let ClientUserName { client, user } = change.name;
    let (clients, addresses) = (BTreeSet::from([client]), BTreeSet::from([address.clone()]));
    let mut history = access_log::history_for_judging(&**recording.transaction(), &clients, &addresses).await?;
    record_change(recording, &mut history, change, fact(client, user, address)).await
}

/// Records a change of the user; answers with what it is then.
pub(super) async fn record_change(
    recording: &mut Recording<'_>,
    history: &mut AccessHistory,
    change: &UserChange,
    fact: AccessFact,
) -> Result<Option<wire::ClientUser>, ServiceError> {
    require_unchanged(recording, history, change)?;
    recording.record(history, fact).await?;
    Ok(user_now(recording, history, change.name))
}

/// The user as it is now.
pub(super) fn user_now(
    recording: &Recording<'_>,
    history: &AccessHistory,
    name: ClientUserName,
) -> Option<wire::ClientUser> {
    spell_of(history, name).map(|user| resource::client_user(history, user, recording.now()))
}

fn spell_of(history: &AccessHistory, name: ClientUserName) -> Option<&ClientUserSpell> {
    history.client_users(name.client).find(|spell| spell.user == name.user)
}
