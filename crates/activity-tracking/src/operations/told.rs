//! Activities as somebody is told them.

use std::collections::{BTreeMap, BTreeSet};

use contracts::ActivityName;
use domain::access::{AccessHistory, Actor, EmailAddress, HubId};
use domain::activity::{Verdict, Voiding};
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};

use super::read::Reading;
use crate::store::activity::Recorded;
use crate::store::voiding;

/// An activity, and who took it back if anybody did.
#[derive(Debug)]
pub(crate) struct Told {
    pub recorded: Recorded,
    pub voiding: Option<Voiding>,
}

impl Reading {
    /// These activities as the actor may see them. People ask about those of one `partner`.
    pub async fn told(
        &self,
        recorded: Vec<Recorded>,
        actor: &Actor,
        partner: Option<HubId>,
    ) -> Result<Vec<Told>, ServiceError> {
        let voided = recorded.iter().filter(|recorded| recorded.judgement.verdict == Verdict::Voided);
        let mut voidings = voiding::find(&*self.transaction, &voided.map(Recorded::name).collect()).await?;
        if *actor != Actor::Platform {
            self.hide_others(&mut voidings, partner).await?;
        }
        let tell = |recorded: Recorded| Told { voiding: voidings.remove(&recorded.name()), recorded };
        Ok(recorded.into_iter().map(tell).collect())
    }

    /// Leaves nobody in voidings who is and was not of the partner (R127).
    async fn hide_others(
        &self,
        voidings: &mut BTreeMap<ActivityName, Voiding>,
        partner: Option<HubId>,
    ) -> Result<(), ServiceError> {
        let named: BTreeSet<EmailAddress> =
            voidings.values().filter_map(|voiding| voiding.on_behalf_of.clone()).collect();
        let history = if named.is_empty() {
            AccessHistory::default()
        } else {
            access_log::history(&*self.transaction, &[Question::EmployeesAt(&named)]).await?
        };
        for voiding in voidings.values_mut() {
            let is_own =
                |address: &EmailAddress| history.employees(address).any(|employee| Some(employee.partner) == partner);
            voiding.on_behalf_of = voiding.on_behalf_of.take().filter(is_own);
        }
        Ok(())
    }
}
