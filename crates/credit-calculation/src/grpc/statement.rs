//! Frozen months: what is asked, and the answers.

use contracts::wire::credit as wire;
use contracts::{Failure, Feed, PartnerName, Revision, StatementName, Violations, timestamp};
use domain::access::HubId;
use domain::statement::{Month, StatementMoney};
use service_kit::page::PageRequest;

use super::answer::saturated;
use crate::operations::IssuedStatement;
use crate::store::statements::RecordedStatement;

/// The most bytes of one piece of a document.
const BYTES_PER_PIECE: usize = 65_536;

pub(super) fn month(
    mut violations: Violations,
    request: &wire::IssueStatementRequest,
) -> Result<StatementName, Failure> {
    let partner: Option<PartnerName> = violations.parse("parent", &request.parent);
    let month: Option<Month> = violations.parse("month", &request.month);
    violations.finish(|| Some(StatementName { partner: partner?.0, month: month? }))
}

pub(super) fn name(mut violations: Violations, name: &str) -> Result<StatementName, Failure> {
    let name: Option<StatementName> = violations.parse("name", name);
    violations.finish(|| name)
}

pub(super) fn statements_query(
    mut violations: Violations,
    request: &wire::ListStatementsRequest,
) -> Result<(HubId, PageRequest), Failure> {
    let partner: Option<PartnerName> = violations.parse("parent", &request.parent);
    let query = wire::ListStatementsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = PageRequest::read(&mut violations, &query, request.page_size, &request.page_token);
    violations.finish(|| Some((partner?.0, page?)))
}

pub(super) fn issued(issued: &IssuedStatement) -> wire::IssueStatementResponse {
    let revision = Revision { feed: Feed::Credit, position: issued.statement.position };
    wire::IssueStatementResponse {
        statement: Some(message(&issued.statement)),
        already_issued: issued.already_issued,
        revision: revision.to_string(),
    }
}

pub(super) fn message(recorded: &RecordedStatement) -> wire::Statement {
    let header = &recorded.header;
    let money = |money: &StatementMoney| wire::Money {
        currency_code: money.currency_code.clone(),
        amount: money.amount.clone(),
    };
    wire::Statement {
        name: recorded.name.to_string(),
        as_of_time: Some(timestamp(recorded.name.month.last_instant())),
        issue_time: Some(timestamp(recorded.issue_time)),
        rows: saturated(recorded.row_count),
        opening_points: header.opening_points.clone(),
        closing_points: header.closing_points.clone(),
        managed_points: header.totals.managed_points.clone(),
        rows_without_points: saturated(header.totals.rows_without_points),
        sold_points: header.totals.sold_points.clone(),
        credits: header.totals.credits.iter().map(money).collect(),
        credited_tier: wire::Tier::from_str_name(&format!("TIER_{}", header.credited_tier)).unwrap_or_default().into(),
        policy_version: header.policy_version.clone(),
        policy_digest: header.policy_digest.clone(),
        revisions: header.revisions.clone(),
        sha256: header.sha256.clone(),
    }
}

pub(super) fn statements(found: Vec<RecordedStatement>, page: &PageRequest) -> wire::ListStatementsResponse {
    // Months as text come in their order; the newest first.
    let rows = found.into_iter().map(|each| (each.name.month.to_string().into_bytes(), each)).collect();
    let page = page.page_of_messages(rows, true, message);
    wire::ListStatementsResponse {
        total_size: page.stated_total_size(),
        statements: page.rows,
        next_page_token: page.next_page_token,
    }
}

pub(super) fn pieces(document: &str) -> Vec<wire::ExportStatementResponse> {
    let pieces = document.as_bytes().chunks(BYTES_PER_PIECE);
    pieces.map(|data| wire::ExportStatementResponse { data: data.to_vec() }).collect()
}
