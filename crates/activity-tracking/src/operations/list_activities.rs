//! The activities that fulfil filters, newest first.

use std::collections::BTreeSet;

use contracts::EmployeeName;
use service_kit::{ServiceError, access_log};

use super::read::{Answer, Moment, Reading};
use super::told::Told;
use crate::ActivityTracking;
use crate::store::activity::{ActivityFilter, Listed, Place, list};

/// Which activities are asked for.
pub(crate) struct ActivitiesQuestion {
    /// People state its `partner`.
    pub filter: ActivityFilter,
    /// Of the filter's partner, if both are stated.
    pub employee: Option<EmployeeName>,
    /// Behind which activity the page begins.
    pub after: Option<Place>,
    /// How many activities the page has at most.
    pub limit: usize,
    pub moment: Moment,
}

/// A page of activities.
#[derive(Debug)]
pub(crate) struct ToldPage {
    /// Newest first.
    pub activities: Vec<Told>,
    /// Behind which place the next page begins; absent on the last one.
    pub next: Option<Place>,
}

impl ActivityTracking {
    pub(crate) async fn list_activities(&self, question: ActivitiesQuestion) -> Result<Answer<ToldPage>, ServiceError> {
        let ActivitiesQuestion { filter, employee, after, limit, moment } = question;
        let reading = self.begin_reading(&moment).await?;
        let partner = filter.partner;
        if let Some(partner) = partner {
            self.require_partner(&reading, &moment.actor, partner).await?;
            reading.require_partner_known(partner).await?;
        }
        let Listed { activities, next } = match filter_of(&reading, filter, employee).await? {
            Some(filter) => list(&*reading.transaction, &filter, after.as_ref(), limit).await?,
            None => Listed { activities: Vec::new(), next: None },
        };
        let activities = reading.told(activities, &moment.actor, partner).await?;
        Ok(reading.answer(ToldPage { activities, next }))
    }
}

/// The filter with what the employee adds to it; nothing where no activity can fulfil it.
async fn filter_of(
    reading: &Reading,
    filter: ActivityFilter,
    employee: Option<EmployeeName>,
) -> Result<Option<ActivityFilter>, ServiceError> {
    if filter.verdicts.as_ref().is_some_and(BTreeSet::is_empty) {
        return Ok(None);
    }
    let Some(EmployeeName { partner, employee }) = employee else { return Ok(Some(filter)) };
    let Some(address) = access_log::employee_address(&*reading.transaction, partner, employee).await? else {
        return Ok(None);
    };
    if filter.address.as_ref().is_some_and(|other| *other != address) {
        return Ok(None);
    }
    // What is attributed to the employee is attributed to its partner.
    Ok(Some(ActivityFilter { partner: None, employee: Some(employee), address: Some(address), ..filter }))
}
