//! Every list is read from its index, on both databases: what they plan, and by hand (`tests/plans`) how long it takes.

use std::time::Instant as Stopwatch;

use domain::access::HubId;
use sea_orm::{DbBackend, QueryResult, QueryTrait as _, Statement, Value};

use super::*;
use crate::testing::{TestDatabase, rows_by_hand};

/// Enough that a list is read wrongly where more is read of it than a page looks at.
const SOME_ROWS: u64 = 200_000;

/// A database with so many activities.
async fn filled(test: TestDatabase, rows: u64) -> TestDatabase {
    let indexes = test.take_indexes().await;
    let values = [Value::from(vec![0_u8; 100]), Value::from(employee())];
    let backend = test.connection().get_database_backend();
    let insert = Statement::from_sql_and_values(backend, activities(rows), values);
    test.connection().execute_raw(insert).await.expect("to insert");
    for index in indexes {
        test.run(&index).await;
    }
    test
}

async fn lines(test: &TestDatabase, statement: Statement) -> Vec<String> {
    let rows = test.connection().query_all_raw(statement).await.expect("rows");
    // The plan is the last column of SQLite's, and the only one of PostgreSQL's.
    let text = |row: QueryResult| {
        row.try_get("", "detail").or_else(|_| row.try_get("", "QUERY PLAN")).expect("a line of a plan")
    };
    rows.into_iter().map(text).collect()
}

/// How rows are found; on PostgreSQL also how many.
async fn plan(test: &TestDatabase, query: &Select<Entity>) -> Vec<String> {
    let backend = test.connection().get_database_backend();
    let mut statement = query.build(backend);
    let explain = match backend {
        DbBackend::Postgres => "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)",
        _ => "EXPLAIN QUERY PLAN",
    };
    statement.sql = format!("{explain} {}", statement.sql);
    lines(test, statement).await
}

fn employee() -> Uuid {
    Uuid::from_u128(7)
}

/// Two years of work, nearly in the order of time. A tenth is in client 1, a fiftieth is an import into client 2, all of
/// one instant; the others have ever less. Partner 999 did the first tenth and nothing since; of what came then in client
/// 1, five have a part.
fn activities(rows: u64) -> String {
    format!(
        "WITH RECURSIVE series(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM series WHERE i < {rows}),
        numbered AS (SELECT i, (i * 2654435761) % 1000003 AS h, ((i * 2246822519) % 4294967296) / 7 AS k FROM series),
        varied AS (SELECT i, k % 20 AS employee, k % 1000 AS chance,
            CASE WHEN i % 10 = 0 THEN 1 WHEN i % 50 = 3 THEN 2 ELSE 3 + (h * h / 1000003) / 50 END AS client,
            CASE WHEN i < {rows} / 10 THEN 999 WHEN i % 10 = 0 THEN 1000 + k % 5 ELSE 1000 + h % 300 END AS partner,
            CASE WHEN i % 50 = 3 THEN 1735689600000000
                ELSE 1704067200000000 + i * (63072000000000 / {rows}) + h % 3600 * 1000000 END AS occurred
            FROM numbered),
        judged AS (SELECT *, CASE WHEN chance < 700 THEN 'COUNTED' WHEN chance < 800 THEN 'NON_QUALIFYING_ACTION'
            WHEN chance < 880 THEN 'NOT_ASSIGNED' WHEN chance < 940 THEN 'UNKNOWN_EMPLOYEE'
            WHEN chance < 998 THEN 'NO_USER_IN_CLIENT' WHEN chance < 999 THEN 'USER_DEACTIVATED' ELSE 'VOIDED' END
            AS verdict FROM varied)
        INSERT INTO activity (client_id, activity_id, address, occur_time, payload, record_time, verdict, partner_id,
            employee_id, tool, action, expire_time, provisional)
        SELECT client, 'evt-' || i, 'e' || employee || '@p' || partner || '.example', occurred, $1, occurred, verdict,
            CASE WHEN verdict <> 'UNKNOWN_EMPLOYEE' THEN partner END,
            CASE WHEN verdict <> 'UNKNOWN_EMPLOYEE' THEN $2 END,
            CASE WHEN i % 1000003 = 77 THEN 'seo' ELSE 'tool' || i % 20 END, 'edit',
            CASE WHEN verdict = 'COUNTED' THEN occurred + 5184000000000 END, i % 503 = 5
        FROM judged"
    )
}

/// A list, where its page begins, and the index that it is to be read from.
struct Query {
    title: &'static str,
    index: &'static str,
    filter: ActivityFilter,
    after: Option<Place>,
}

fn hub_id(number: i64) -> HubId {
    HubId::try_from(number).expect("a hub id")
}

fn at(text: &str) -> Instant {
    format!("{text}T00:00:00Z").parse().expect("an instant")
}

fn place_at(client: i64, id: &str, day: &str) -> Place {
    let name = contracts::ActivityName { client: hub_id(client), activity: id.parse().expect("an id") };
    Place { name, occur_time: at(day) }
}

/// Every way of reading a list, its first page and one in the middle, and what is left to be tested row by row.
fn queries() -> Vec<Query> {
    let all = ActivityFilter::default;
    let reason = |reason| ListedVerdict::NotCounted(reason);
    let verdicts = |verdicts: &[ListedVerdict]| Some(verdicts.iter().copied().collect());
    let address = Some("e5@p999.example".parse().expect("an address"));
    let seo = || Some("seo".to_owned());
    let of_partner = |partner| ActivityFilter { partner: Some(hub_id(partner)), ..all() };
    let of_client = |client| ActivityFilter { client: Some(hub_id(client)), ..all() };
    let of_person = || ActivityFilter { address: address.clone(), ..all() };
    let middle = || Some(place_at(1, "evt-5", "2025-03-01"));
    let query = |title, index, filter, after| Query { title, index, filter, after };
    vec![
        query("all, first page", "activity_time", all(), None),
        query("all, in the middle", "activity_time", all(), middle()),
        query(
            "all of a month",
            "activity_time",
            ActivityFilter { from: Some(at("2024-11-01")), to: Some(at("2024-12-01")), ..all() },
            None,
        ),
        query("of a rare tool", "activity_time", ActivityFilter { tool: seo(), ..all() }, None),
        query(
            "counted",
            "activity_time",
            ActivityFilter { verdicts: verdicts(&[ListedVerdict::Counted]), ..all() },
            None,
        ),
        query(
            "of two reasons",
            "activity_time",
            ActivityFilter {
                verdicts: verdicts(&[reason(NotCountedReason::NotAssigned), reason(NotCountedReason::UserDeactivated)]),
                ..all()
            },
            middle(),
        ),
        query(
            "of a frequent reason",
            "activity_reason",
            ActivityFilter { verdicts: verdicts(&[reason(NotCountedReason::NotAssigned)]), ..all() },
            middle(),
        ),
        query(
            "voided",
            "activity_reason",
            ActivityFilter { verdicts: verdicts(&[ListedVerdict::Voided]), ..all() },
            None,
        ),
        query("provisional", "activity_provisional", ActivityFilter { provisional_only: true, ..all() }, None),
        query(
            "provisional of a client, in the middle",
            "activity_provisional",
            ActivityFilter { provisional_only: true, ..of_client(1) },
            middle(),
        ),
        query("of a large client", "activity_client_time", of_client(1), None),
        query("of a large client, in the middle", "activity_client_time", of_client(1), middle()),
        query(
            "of a client, in the middle of one instant",
            "activity_client_time",
            of_client(2),
            Some(place_at(2, "evt-5", "2025-01-01")),
        ),
        query(
            "of a client and a partner",
            "activity_client_time",
            ActivityFilter { partner: Some(hub_id(1003)), ..of_client(1) },
            middle(),
        ),
        query(
            "of a client and a rare tool",
            "activity_client_time",
            ActivityFilter { tool: seo(), ..of_client(1) },
            None,
        ),
        query("of a partner", "activity_partner_time", of_partner(1003), None),
        query("of a partner, in the middle", "activity_partner_time", of_partner(1003), middle()),
        query("of a partner that has long done nothing", "activity_partner_time", of_partner(999), None),
        query(
            "of a partner, what does not count for a rare reason",
            "activity_partner_time",
            ActivityFilter { verdicts: verdicts(&[reason(NotCountedReason::UserDeactivated)]), ..of_partner(1003) },
            None,
        ),
        query(
            "of a partner, a rare tool of a year",
            "activity_partner_time",
            ActivityFilter {
                tool: seo(),
                from: Some(at("2024-01-01")),
                to: Some(at("2025-01-01")),
                ..of_partner(1003)
            },
            None,
        ),
        query(
            "of a partner, of a year, in the middle",
            "activity_partner_time",
            ActivityFilter { from: Some(at("2024-01-01")), to: Some(at("2026-01-01")), ..of_partner(1003) },
            middle(),
        ),
        query("of a person", "activity_person", of_person(), None),
        query(
            "of an employee, in the middle",
            "activity_person",
            ActivityFilter { employee: Some(EmployeeId(employee())), ..of_person() },
            middle(),
        ),
        query(
            "of a person in a client",
            "activity_person_in_client",
            ActivityFilter { client: Some(hub_id(1)), ..of_person() },
            middle(),
        ),
    ]
}

/// The queries of one page: where it looks at more rows than it has, for the place where it ends, and the page.
async fn steps(test: &TestDatabase, listing: &Listing) -> Vec<Select<Entity>> {
    let Some(end_of_page) = listing.end_of_page() else { return vec![listing.page(None).limit(51)] };
    let end = end_of_page.clone().into_tuple().one(test.connection()).await.expect("a place");
    let end = end.map(place).transpose().expect("a place");
    vec![end_of_page, listing.page(end).limit(51)]
}

/// The words of a plan.
fn words(plan: &[String]) -> impl Iterator<Item = &str> {
    plan.iter().flat_map(|line| line.split([' ', '(', ')', '='])).filter(|word| !word.is_empty())
}

/// Whether this index is the only one that is read.
fn is_read_from(plan: &[String], index: &str) -> bool {
    let indexes: BTreeSet<&str> =
        words(plan).filter(|word| word.starts_with("activity_") && *word != "activity_id").collect();
    indexes == BTreeSet::from([index])
}

/// The most rows that a step of a plan of PostgreSQL's has found or left out.
fn most_rows(plan: &[String]) -> u64 {
    let words: Vec<&str> = words(plan).collect();
    let said = words.windows(2).filter(|pair| matches!(pair[0], "rows" | "Filter:"));
    said.filter_map(|pair| pair[1].parse().ok()).max().expect("how many rows")
}

#[tokio::test]
async fn every_list_is_read_in_the_order_of_its_index_on_sqlite() {
    let test = filled(TestDatabase::on_sqlite().await, SOME_ROWS).await;
    // Nobody has to look at the data for it, and nothing is different where somebody has.
    for looked in [false, true] {
        if looked {
            test.run("ANALYZE").await;
        }
        for Query { title, index, filter, after } in queries() {
            for step in steps(&test, &Listing::of(&filter, after.as_ref())).await {
                let plan = plan(&test, &step).await;
                let is_sorted = plan.iter().any(|line| line.contains("TEMP B-TREE"));
                assert!(plan.len() == 1 && is_read_from(&plan, index) && !is_sorted, "{title}, of {index}: {plan:#?}");
                assert!(enters_the_index(&plan, after.is_some()), "{title}: {plan:#?}");
            }
        }
    }
    test.drop().await;
}

/// Whether a page in the middle begins where it begins, and not at the end of the index.
fn enters_the_index(plan: &[String], is_in_the_middle: bool) -> bool {
    !is_in_the_middle || plan[0].contains("activity_id)<(")
}

#[tokio::test]
async fn no_list_reads_more_rows_than_a_page_looks_at_on_postgresql() {
    let test = filled(TestDatabase::on_postgresql().await, SOME_ROWS).await;
    // Where commits are not waited for, rows whose commit is not on disk yet are not marked as visible to all, and indexes
    // alone do not answer.
    test.run("CHECKPOINT").await;
    test.run("VACUUM ANALYZE activity").await;
    for Query { title, index, filter, after } in queries() {
        for step in steps(&test, &Listing::of(&filter, after.as_ref())).await {
            let plan = plan(&test, &step).await;
            assert!(is_read_from(&plan, index), "{title}, of {index}: {plan:#?}");
            assert!(most_rows(&plan) <= ROWS_PER_PAGE, "{title}: {plan:#?}");
        }
    }
    test.drop().await;
}

/// By hand: prints how each list is read, and how long that takes.
#[expect(clippy::print_stdout, reason = "it is made to be read")]
async fn measure(test: &TestDatabase) {
    for Query { title, filter, after, .. } in queries() {
        println!("-- {title}");
        for step in steps(test, &Listing::of(&filter, after.as_ref())).await {
            for line in plan(test, &step).await {
                println!("   {line}");
            }
            let mut times = Vec::new();
            for _ in 0..5 {
                let started = Stopwatch::now();
                let rows = step.clone().into_json().all(test.connection()).await.expect("rows").len();
                times.push(started.elapsed().as_micros().to_string());
                if times.len() == 5 {
                    println!("   {rows} rows in {} us", times.join(", "));
                }
            }
        }
    }
}

#[tokio::test]
#[ignore = "by hand: takes minutes and gigabytes"]
async fn lists_of_very_many_activities_on_sqlite() {
    let test = filled(TestDatabase::on_sqlite().await, rows_by_hand()).await;
    measure(&test).await;
    test.drop().await;
}

#[tokio::test]
#[ignore = "by hand: takes minutes and gigabytes"]
async fn lists_of_very_many_activities_on_postgresql() {
    let test = filled(TestDatabase::on_postgresql().await, rows_by_hand()).await;
    test.run("VACUUM ANALYZE activity").await;
    measure(&test).await;
    test.drop().await;
}
