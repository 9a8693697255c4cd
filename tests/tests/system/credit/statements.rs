//! Frozen months.

use contracts::wire::access::AccessRole;
use contracts::wire::credit::{
    ExportStatementRequest, GetStatementRequest, IssueStatementRequest, IssueStatementResponse, ListStatementsRequest,
    SaleKind, Tier,
};
use domain::statement::Statement;
use managed_credit::running::Part;
use system_tests::{Cluster, by, fields, on_both_databases, reason, stamp};
use tonic::{Code, Status};

use super::{agency, anna_works};
use crate::maintenance::verify::verify;

const ADMIN: &str = "admin@agency.example";

async fn issue(cluster: &Cluster, month: &str) -> Result<IssueStatementResponse, Status> {
    let request = IssueStatementRequest {
        parent: "partners/1001".to_owned(),
        month: month.to_owned(),
        at_least_revisions: cluster.known_revisions(),
    };
    cluster.credit().issue_statement(request).await.map(tonic::Response::into_inner)
}

async fn exported(cluster: &Cluster, month: &str) -> Vec<u8> {
    let name = format!("partners/1001/statements/{month}");
    let mut stream =
        cluster.credit().export_statement(ExportStatementRequest { name }).await.expect("a document").into_inner();
    let mut document = Vec::new();
    while let Some(piece) = stream.message().await.expect("a piece") {
        assert!(piece.data.len() <= 65_536);
        document.extend(piece.data);
    }
    document
}

/// Anna works at two clients of different currencies, one of them shared; something was sold; an MRR rose in the month.
async fn a_month(cluster: &Cluster) {
    agency(cluster, &[2002, 2003]).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee(1002, "bea@studio.example").await;
    cluster.user(2002, "bea@studio.example").await;
    cluster.client(2004, "US").await;
    cluster.user(2004, "anna@agency.example").await;
    cluster.subscription(2002, "main", "1000.00 EUR", "2025-01-01").await.expect("a subscription");
    cluster.subscription(2003, "main", "500.00 USD", "2025-01-01").await.expect("a subscription");
    cluster.new_mrr(2003, "main", "700.00 USD", "2025-11-20").await.expect("another MRR");
    anna_works(cluster, 2002, "a", "2025-11-05").await;
    anna_works(cluster, 2003, "a", "2025-10-05").await;
    cluster.work(2002, "b", "bea@studio.example", "2025-11-10", "form/edit").await;
    cluster.sale(1001, "deal-7", 2003, (SaleKind::Assisted, "200.00 USD"), "2025-03-01").await.expect("a sale");
    cluster.grant(1001, Tier::Gold, "2025-06-01").await.expect("a grant");
}

on_both_databases!(a_statement_holds_the_month_and_adds_up, |cluster| {
    a_month(&cluster).await;
    let issued = issue(&cluster, "2025-11").await.expect("a statement");
    let statement = issued.statement.expect("a statement");
    assert_eq!((statement.rows, statement.credited_tier(), issued.already_issued), (3, Tier::Gold, false));
    // Before November 5.00 managed and 6.00 sold points; at its end 5.68 of EUR, 7.00 of USD, 6.00 sold.
    assert_eq!((statement.opening_points.as_str(), statement.closing_points.as_str()), ("11.00", "18.68"));
    assert_eq!((statement.managed_points.as_str(), statement.sold_points.as_str()), ("12.68", "6.00"));
    let credits: Vec<String> =
        statement.credits.iter().map(|credit| format!("{} {}", credit.amount, credit.currency_code)).collect();
    assert_eq!(credits, ["500.00 EUR", "700.00 USD"]);

    let document = exported(&cluster, "2025-11").await;
    let parsed: Statement = serde_json::from_slice(&document).expect("a document");
    assert_eq!(parsed.check(), []);
    assert_eq!((parsed.sha256.clone(), parsed.exported()), (statement.sha256.clone(), document));
    let changes: Vec<(&str, &str, &str)> = parsed
        .changes
        .iter()
        .map(|change| (change.client.as_str(), change.cause.as_str(), change.difference.as_str()))
        .collect();
    assert_eq!(
        changes,
        [("clients/2002", "ACTIVITY", "11.36"), ("clients/2002", "SHARE", "-5.68"), ("clients/2003", "MRR", "2.00"),]
    );
    let whole = cluster.breakdown(1001, "2025-11-30T23:59:59.999999Z", Default::default()).await.expect("a breakdown");
    assert_eq!(whole.total_points, statement.managed_points);
    assert_eq!(verify(&cluster, Part::Credit).await.differences, []);
});

on_both_databases!(later_facts_never_change_a_statement, |cluster| {
    a_month(&cluster).await;
    issue(&cluster, "2025-11").await.expect("a statement");
    let before = exported(&cluster, "2025-11").await;
    anna_works(&cluster, 2004, "late", "2025-11-25").await;
    cluster.void(2003, "a", "a mistake").await.expect("voided");
    cluster.new_mrr(2002, "main", "9000.00 EUR", "2025-11-15").await.expect("another MRR");
    let erasure = contracts::wire::access::EraseAddressRequest {
        email_address: "anna@agency.example".to_owned(),
        reason: "asked for".to_owned(),
        ..Default::default()
    };
    let erased = cluster.access().erase_address(erasure).await.expect("erased").into_inner();
    cluster.note(&erased.revision);
    let again = issue(&cluster, "2025-11").await.expect("the statement");
    assert!(again.already_issued);
    assert_eq!(exported(&cluster, "2025-11").await, before);
    assert!(!String::from_utf8(before).expect("text").contains("anna"), "nobody is named in it");
    // The next month knows all of it.
    let december = issue(&cluster, "2025-12").await.expect("a statement").statement.expect("a statement");
    assert_ne!(december.opening_points, again.statement.expect("a statement").closing_points);
});

on_both_databases!(a_month_is_frozen_only_when_nothing_of_it_can_be_missing, |cluster| {
    a_month(&cluster).await;
    for wrong in ["2025-13", "November", ""] {
        assert_eq!(fields(&issue(&cluster, wrong).await.expect_err("no month")), ["month"]);
    }
    let ahead = issue(&cluster, "2026-01").await.expect_err("not over");
    assert_eq!((ahead.code(), reason(&ahead).as_str()), (Code::FailedPrecondition, "STATEMENT_NOT_DUE"));
    assert!(ahead.message().contains("2026-01 is not over yet"), "{}", ahead.message());
    // The copies were last known to be complete before the end of January.
    cluster.stop_part(Part::Activity).await;
    cluster.stop_part(Part::Access).await;
    cluster.clock.set(system_tests::at("2026-02-02"));
    let unknown = issue(&cluster, "2026-01").await.expect_err("nobody knows");
    assert!(unknown.message().contains("not known to be complete"), "{}", unknown.message());
    // What is recorded while access-management is away is provisional.
    cluster.start_part(Part::Activity).await;
    let provisional = cluster.work(2002, "c", "anna@agency.example", "2026-01-20", "form/edit").await;
    assert!(provisional.provisional);
    let early = issue(&cluster, "2025-11").await.expect_err("a verdict is provisional");
    assert!(early.message().contains("1 verdicts are provisional"), "{}", early.message());
    cluster.start_part(Part::Access).await;
    let january = loop {
        match issue(&cluster, "2026-01").await {
            Ok(issued) => break issued,
            Err(status) => {
                assert!(["STATEMENT_NOT_DUE", "FACTS_BEHIND"].contains(&reason(&status).as_str()), "{status}")
            }
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(january.statement.expect("a statement").as_of_time, Some(stamp("2026-01-31T23:59:59.999999Z")));
});

on_both_databases!(people_read_the_statements_of_the_partner_whose_credit_they_may_view, |cluster| {
    a_month(&cluster).await;
    for month in ["2025-10", "2025-11"] {
        issue(&cluster, month).await.expect("a statement");
    }
    let list = |page_token: &str| ListStatementsRequest {
        parent: "partners/1001".to_owned(),
        page_size: 1,
        page_token: page_token.to_owned(),
    };
    let first = cluster.credit().list_statements(by(ADMIN, list(""))).await.expect("a page").into_inner();
    let last = cluster.credit().list_statements(by(ADMIN, list(&first.next_page_token))).await.expect("a page");
    let last = last.into_inner();
    let names = [&first.statements[0].name, &last.statements[0].name];
    assert_eq!(names, ["partners/1001/statements/2025-11", "partners/1001/statements/2025-10"]);
    assert_eq!((first.total_size, last.next_page_token.as_str()), (2, ""));

    let get = |month: &str| GetStatementRequest { name: format!("partners/1001/statements/{month}") };
    let found = cluster.credit().get_statement(by(ADMIN, get("2025-11"))).await.expect("a statement").into_inner();
    assert_eq!(found.statement, Some(first.statements[0].clone()));
    let absent = cluster.credit().get_statement(by(ADMIN, get("2025-09"))).await.expect_err("none");
    assert_eq!((absent.code(), reason(&absent).as_str()), (Code::NotFound, "UNKNOWN_STATEMENT"));
    let plain = cluster.credit().get_statement(by("anna@agency.example", get("2025-11"))).await.expect_err("refused");
    assert_eq!(reason(&plain), "PERMISSION_MISSING");
    let export = ExportStatementRequest { name: "partners/1001/statements/2025-11".to_owned() };
    let stranger = cluster.credit().export_statement(by("bea@studio.example", export)).await.expect_err("refused");
    assert_eq!(reason(&stranger), "UNKNOWN_PARTNER");
    let issued = IssueStatementRequest {
        parent: "partners/1001".to_owned(),
        month: "2025-11".to_owned(),
        at_least_revisions: vec![],
    };
    let issued = cluster.credit().issue_statement(by(ADMIN, issued)).await.expect_err("platform only");
    assert_eq!(reason(&issued), "ACTOR_NOT_ALLOWED");
});
