//! Who has worked in a client account for a partner, and with what tools.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::{AccessHistory, EmailAddress, EmployeeId};
use domain::time::Instant;
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};

use super::read::Reading;
use crate::store::Pair;
use crate::store::activity::{CountedWork, counted_work, not_counted_work};

/// What was done for a pair.
#[derive(Debug, Default)]
pub(crate) struct PairWork {
    /// Those with the newest counted work first.
    pub employees: Vec<EmployeeWork>,
    /// Those with the newest first.
    pub tools: Vec<ToolWork>,
}

/// What one employee did.
#[derive(Debug)]
pub(crate) struct EmployeeWork {
    pub employee: EmployeeId,
    pub address: EmailAddress,
    pub counted: Counted,
    /// How many do not count, also those that were taken back.
    pub not_counted_activities: u64,
}

/// What was done with one tool.
#[derive(Debug)]
pub(crate) struct ToolWork {
    pub tool: String,
    pub counted: Counted,
}

/// How much of something counts.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counted {
    /// How many activities live at the instant.
    pub live_activities: u64,
    /// How many have ever counted by then.
    pub activities: u64,
    /// When the last of them occurred; absent where there is none.
    pub last_time: Option<Instant>,
}

impl Counted {
    fn add(&mut self, work: &CountedWork) {
        self.live_activities += work.live_activities;
        self.activities += work.activities;
        self.last_time = self.last_time.max(Some(work.last_time));
    }
}

impl Reading {
    /// What had been done for these pairs by the instant of the reading, in their order. Each is asked about with the
    /// instant since when everything has occurred that lives, absent where nothing does.
    pub async fn work(&self, pairs: &[(Pair, Option<Instant>)]) -> Result<Vec<PairWork>, ServiceError> {
        let (transaction, as_of) = (&*self.transaction, self.as_of_time);
        let names: Vec<Pair> = pairs.iter().map(|(pair, _)| *pair).collect();
        let counted = counted_work(transaction, pairs, as_of).await?;
        let not_counted = not_counted_work(transaction, &names, as_of).await?;
        let who_counts = counted.values().flatten().map(|work| work.employee);
        let employees: BTreeSet<EmployeeId> =
            who_counts.chain(not_counted.values().flat_map(|counts| counts.keys().copied())).collect();
        let history = access_log::history(transaction, &[Question::Employees(&employees)]).await?;
        let work = names.iter().map(|pair| {
            let counted = counted.get(pair).map_or(&[][..], Vec::as_slice);
            PairWork { employees: by_employee(counted, not_counted.get(pair), &history), tools: by_tool(counted) }
        });
        Ok(work.collect())
    }
}

fn by_employee(
    counted: &[CountedWork],
    not_counted: Option<&BTreeMap<EmployeeId, u64>>,
    history: &AccessHistory,
) -> Vec<EmployeeWork> {
    let mut by_employee: BTreeMap<EmployeeId, (Counted, u64)> = BTreeMap::new();
    for work in counted {
        by_employee.entry(work.employee).or_default().0.add(work);
    }
    for (employee, activities) in not_counted.into_iter().flatten() {
        by_employee.entry(*employee).or_default().1 = *activities;
    }
    let mut employees: Vec<EmployeeWork> = by_employee
        .into_iter()
        .filter_map(|(employee, (counted, not_counted_activities))| {
            // Whose employment was taken back never was an employee (R22).
            let address = history.employee(employee)?.address.clone();
            Some(EmployeeWork { employee, address, counted, not_counted_activities })
        })
        .collect();
    employees.sort_by_key(|employee| std::cmp::Reverse(employee.counted.last_time));
    employees
}

fn by_tool(counted: &[CountedWork]) -> Vec<ToolWork> {
    let mut by_tool: BTreeMap<&str, Counted> = BTreeMap::new();
    for work in counted {
        by_tool.entry(&work.tool).or_default().add(work);
    }
    let mut tools: Vec<ToolWork> =
        by_tool.into_iter().map(|(tool, counted)| ToolWork { tool: tool.to_owned(), counted }).collect();
    tools.sort_by_key(|tool| std::cmp::Reverse(tool.counted.last_time));
    tools
}
