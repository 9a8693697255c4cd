//! The points breakdown: its columns, filters, orders, pages and totals (R120, R124).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use contracts::wire::access::{Employee, UpdateEmployeeRequest};
use contracts::wire::credit::{
    self, CreditState, ListManagedCreditsRequest, ListManagedCreditsResponse, ManagedCredit, ManagedCreditFilter,
    ManagedCreditOrder as Order, NoCreditReason, SaleKind,
};
use managed_credit::running::Part;
use prost_types::{FieldMask, Timestamp};
use rust_decimal::Decimal;
use system_tests::{Cluster, fields, on_both_databases, stamp};

use super::{agency, named_client};

const AS_OF: &str = "2025-09-01";

/// Clients of every kind: shared, in a growth market, lapsed, expiring, left, not paying, of unknown MRR, never worked in,
/// of a currency without points, sold to only.
async fn programme(cluster: &Cluster) {
    agency(cluster, &[]).await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee(1002, "bea@studio.example").await;
    let clients = [
        (2001, "Àlpha", "IT", Some("1000.00 EUR"), Some("2025-08-20")),
        (2002, "beta", "IN", Some("2000.00 USD"), Some("2025-08-25")),
        (2003, "Gamma", "US", Some("500.00 USD"), Some("2025-05-01")),
        (2004, "delta", "JP", Some("120000 JPY"), Some("2025-07-06")),
        (2005, "Epsilon", "IT", Some("0.00 EUR"), Some("2025-08-01")),
        (2006, "zeta", "IT", None, Some("2025-08-02")),
        (2007, "Eta", "IT", Some("300.00 EUR"), None),
        (2008, "theta", "CH", Some("800.00 CHF"), Some("2025-08-03")),
        (2009, "Iota", "US", Some("700.00 USD"), Some("2025-08-04")),
    ];
    for (client, name, country, mrr, worked) in clients {
        named_client(cluster, client, name, country).await;
        if let Some(mrr) = mrr {
            cluster.subscription(client, "main", mrr, "2024-01-01").await.expect("a subscription");
        }
        if let Some(worked) = worked {
            cluster.work(client, "a", "anna@agency.example", worked, "form/edit").await;
        }
    }
    cluster.user(2001, "bea@studio.example").await;
    cluster.work(2001, "b", "bea@studio.example", "2025-08-21", "form/edit").await;
    let ended = contracts::wire::access::EndServicesRequest {
        client: "clients/2009".to_owned(),
        partner: "partners/1001".to_owned(),
        effective_time: Some(stamp("2025-08-10")),
        ..Default::default()
    };
    let ended = cluster.access().end_services(ended).await.expect("ended").into_inner();
    cluster.note(&ended.revision);
    cluster.client(2010, "US").await;
    cluster.sale(1001, "s", 2010, (SaleKind::Sourced, "1000.00 USD"), "2025-02-01").await.expect("a sale");
    cluster.sale(1001, "t", 2001, (SaleKind::Assisted, "88.00 EUR"), "2025-02-01").await.expect("a sale");
}

async fn breakdown(cluster: &Cluster, request: ListManagedCreditsRequest) -> ListManagedCreditsResponse {
    cluster.breakdown(1001, AS_OF, request).await.expect("a breakdown")
}

async fn filtered(cluster: &Cluster, filter: ManagedCreditFilter) -> ListManagedCreditsResponse {
    let request = ListManagedCreditsRequest {
        filter: Some(filter),
        order: Order::Client.into(),
        ..ListManagedCreditsRequest::default()
    };
    breakdown(cluster, request).await
}

fn numbers(rows: &[ManagedCredit]) -> Vec<&str> {
    rows.iter().map(|row| row.client.trim_start_matches("clients/")).collect()
}

on_both_databases!(r124_a_row_has_every_column, |cluster| {
    programme(&cluster).await;
    let rows = breakdown(&cluster, ListManagedCreditsRequest::default()).await.managed_credits;
    let row = |client: &str| rows.iter().find(|row| row.client == client).expect("a row").clone();
    let alpha = row("clients/2001");
    assert_eq!(
        (alpha.client_display_name.as_str(), alpha.country_code.as_str(), alpha.growth_market),
        ("Àlpha", "IT", false)
    );
    assert_eq!((alpha.servicing_partners, alpha.multiplier, alpha.units_per_point.as_str()), (2, 1, "88"));
    assert_eq!((alpha.points.as_deref(), alpha.sold_points.as_deref()), (Some("5.68"), Some("3.00")));
    let last = alpha.last_activity.expect("a last activity");
    assert_eq!((last.tool.as_str(), last.action.as_str(), last.person.as_str()), ("form", "edit", "anna"));
    assert_eq!((last.occur_time, alpha.last_activity_time), (Some(stamp("2025-08-20")), Some(stamp("2025-08-20"))));
    let swiss = row("clients/2008");
    assert_eq!((swiss.units_per_point.as_str(), swiss.points.as_deref()), ("", None));
    let sold_only = row("clients/2010");
    assert_eq!((sold_only.state(), sold_only.sold_points.as_deref()), (CreditState::NotManaged, Some("50.00")));
    assert_eq!((sold_only.mrr, sold_only.last_activity), (None, None));
});

on_both_databases!(r10_totals_are_of_the_whole_filter_and_one_amount_a_currency, |cluster| {
    programme(&cluster).await;
    let whole = breakdown(&cluster, ListManagedCreditsRequest { page_size: 2, ..Default::default() }).await;
    let told = |amounts: &[credit::Money]| -> Vec<String> {
        amounts.iter().map(|money| format!("{} {}", money.amount, money.currency_code)).collect()
    };
    assert_eq!((whole.total_size, whole.rows_with_credit), (10, 4));
    assert_eq!(told(&whole.total_mrrs), ["800.00 CHF", "1300.00 EUR", "120000 JPY", "3200.00 USD"]);
    assert_eq!(told(&whole.total_credits), ["800.00 CHF", "500.00 EUR", "120000 JPY", "2000.00 USD"]);
    // 5.68 of EUR, 40.00 of USD in a growth market, 8.33 of JPY; the francs have no points, and one MRR is unknown.
    assert_eq!((whole.total_points.as_str(), whole.rows_without_points), ("54.01", 2));
    assert_eq!((whole.total_sold_points.as_str(), whole.rows_without_sold_points), ("53.00", 0));
    assert_eq!(whole.warning_days, [30, 14, 7, 1]);
    let euros = ManagedCreditFilter { currency_code: "EUR".to_owned(), ..Default::default() };
    let euros = filtered(&cluster, euros).await;
    assert_eq!((numbers(&euros.managed_credits), euros.total_points.as_str()), (vec!["2001", "2005", "2007"], "5.68"));
});

on_both_databases!(r124_a_filter_leaves_exactly_the_rows_to_which_all_of_it_applies, |cluster| {
    programme(&cluster).await;
    let expected: Vec<(ManagedCreditFilter, Vec<&str>)> = vec![
        (ManagedCreditFilter { states: vec![CreditState::Ended.into()], ..Default::default() }, vec!["2003", "2009"]),
        (
            ManagedCreditFilter { states: vec![CreditState::Expiring.into()], ..Default::default() },
            vec!["2004", "2005", "2006"],
        ),
        (
            ManagedCreditFilter {
                states: vec![CreditState::NotManaged.into(), CreditState::Ended.into()],
                ..Default::default()
            },
            vec!["2003", "2007", "2009", "2010"],
        ),
        (ManagedCreditFilter { growth_market: Some(true), ..Default::default() }, vec!["2002"]),
        (ManagedCreditFilter { shared: Some(true), ..Default::default() }, vec!["2001"]),
        (ManagedCreditFilter { with_credit: Some(true), ..Default::default() }, vec!["2001", "2002", "2004", "2008"]),
        (ManagedCreditFilter { expiring_within_days: 2, ..Default::default() }, vec![]),
        (ManagedCreditFilter { expiring_within_days: 3, ..Default::default() }, vec!["2004"]),
        (
            ManagedCreditFilter {
                no_credit_reasons: vec![NoCreditReason::Lapsed.into(), NoCreditReason::MrrUnknown.into()],
                ..Default::default()
            },
            vec!["2003", "2006"],
        ),
        (
            ManagedCreditFilter {
                currency_code: "USD".to_owned(),
                with_credit: Some(false),
                no_credit_reasons: vec![NoCreditReason::ServicesEnded.into()],
                ..Default::default()
            },
            vec!["2009"],
        ),
    ];
    for (filter, clients) in expected {
        let found = filtered(&cluster, filter.clone()).await;
        assert_eq!(numbers(&found.managed_credits), clients, "{filter:?}");
        assert_eq!(usize::try_from(found.total_size), Ok(clients.len()));
    }
});

on_both_databases!(a_filter_that_is_wrong_says_what_would_be_right, |cluster| {
    agency(&cluster, &[2002]).await;
    let filter = ManagedCreditFilter {
        states: vec![CreditState::Active.into(), 0],
        currency_code: "EURO".to_owned(),
        expiring_within_days: 3_661,
        no_credit_reasons: vec![99],
        ..Default::default()
    };
    let request = ListManagedCreditsRequest { filter: Some(filter), ..ListManagedCreditsRequest::default() };
    let wrong = cluster.breakdown(1001, AS_OF, request).await.expect_err("wrong");
    let expected =
        ["filter.states[1]", "filter.no_credit_reasons[0]", "filter.expiring_within_days", "filter.currency_code"];
    assert_eq!(fields(&wrong), expected);
});

/// What a row is ordered by, as anybody would say it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i128),
    Text(String),
    Amount(String, Decimal),
}

fn key(row: &ManagedCredit, order: Order) -> Option<Key> {
    let number = |number: i32| Some(Key::Number(number.into()));
    let decimal = |text: &Option<String>| text.as_ref().map(|text| text.parse::<Decimal>().expect("a number"));
    let points = |points: Option<Decimal>| points.map(|points| Key::Amount(String::new(), points));
    let money = |money: &Option<credit::Money>| {
        let money = money.as_ref()?;
        Some(Key::Amount(money.currency_code.clone(), money.amount.parse().expect("an amount")))
    };
    let time = |time: &Option<Timestamp>| time.map(|time| Key::Number(i128::from(time.seconds)));
    match order {
        Order::Unspecified | Order::ClientDisplayName => (!row.client_display_name.is_empty())
            .then(|| Key::Text(row.client_display_name.replace('À', "a").to_lowercase())),
        Order::Client => Some(Key::Number(row.client.trim_start_matches("clients/").parse().expect("a number"))),
        Order::Points => points(decimal(&row.points)),
        Order::ExpireTime => time(&row.expire_time),
        Order::CountryCode => Some(Key::Text(row.country_code.clone())),
        Order::Mrr => money(&row.mrr),
        Order::ServicingPartners => number(row.servicing_partners),
        Order::Credit => money(&row.credit),
        Order::Multiplier => number(row.multiplier),
        Order::SoldPoints => points(decimal(&row.sold_points)),
        Order::TotalPoints => {
            let both = decimal(&row.points).zip(decimal(&row.sold_points));
            points(both.map(|(managed, sold)| managed + sold))
        }
        Order::State => number(row.state),
        Order::NoCreditReason => number(row.no_credit_reason).filter(|_| row.no_credit_reason != 0),
        Order::ServicedSinceTime => time(&row.serviced_since_time),
        Order::LastActivityTime => time(&row.last_activity_time),
    }
}

fn compare(one: &ManagedCredit, other: &ManagedCredit, order: Order, descending: bool) -> Ordering {
    let by_key = match (key(one, order), key(other, order)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) => {
            if descending {
                other.cmp(&one)
            } else {
                one.cmp(&other)
            }
        }
    };
    by_key.then(one.client.len().cmp(&other.client.len())).then(one.client.cmp(&other.client))
}

on_both_databases!(r124_pages_of_any_size_are_the_rows_in_the_order_of_any_column, |cluster| {
    programme(&cluster).await;
    let whole = breakdown(&cluster, ListManagedCreditsRequest::default()).await;
    let mut orders = 0;
    for order in (0..=15).filter_map(|number| Order::try_from(number).ok()) {
        for descending in [false, true] {
            let mut expected = whole.managed_credits.clone();
            expected.sort_by(|one, other| compare(one, other, order, descending));
            for page_size in [1, 3, 50] {
                let mut question =
                    ListManagedCreditsRequest { order: order.into(), descending, page_size, ..Default::default() };
                let mut rows = Vec::new();
                loop {
                    let page = breakdown(&cluster, question.clone()).await;
                    assert_eq!((page.total_size, &page.total_points), (10, &whole.total_points));
                    rows.extend(page.managed_credits);
                    if page.next_page_token.is_empty() {
                        break;
                    }
                    question.page_token = page.next_page_token;
                }
                assert_eq!(
                    numbers(&rows),
                    numbers(&expected),
                    "{order:?}, descending {descending}, {page_size} a page"
                );
                assert_eq!(rows, expected);
            }
        }
        orders += 1;
    }
    assert_eq!(orders, 16);
});

on_both_databases!(a_breakdown_does_without_the_last_activities_while_activity_tracking_is_away, |cluster| {
    programme(&cluster).await;
    let by_client = |page: ListManagedCreditsResponse| -> BTreeMap<String, Option<String>> {
        page.managed_credits.into_iter().map(|row| (row.client, row.points)).collect()
    };
    let with_last_activity = |page: &ListManagedCreditsResponse| -> Vec<String> {
        let rows = page.managed_credits.iter().filter(|row| row.last_activity.is_some());
        rows.map(|row| row.client.clone()).collect()
    };
    let asked = |search: &str| ListManagedCreditsRequest { client_search: search.to_owned(), ..Default::default() };
    let now = async |cluster: &Cluster, search: &str| {
        cluster.breakdown(1001, "2025-12-31", asked(search)).await.expect("rows")
    };
    assert_eq!(with_last_activity(&now(&cluster, "2001").await), ["clients/2001"]);
    cluster.stop_part(Part::Activity).await;
    let away = now(&cluster, "").await;
    assert_eq!(with_last_activity(&away), ["clients/2001"], "nobody can be asked what is not known yet");
    cluster.start_part(Part::Activity).await;
    let back = now(&cluster, "").await;
    assert!(with_last_activity(&back).len() > 1);
    assert_eq!(by_client(away), by_client(back));
});

on_both_databases!(who_did_what_last_is_told_as_it_is_now, |cluster| {
    const ANNA: &str = "anna@agency.example";
    cluster.partner(1001, &["agency.example"]).await;
    let anna = cluster.employee(1001, ANNA).await;
    cluster.client(2001, "IT").await;
    cluster.user(2001, ANNA).await;
    let at = "2025-08-20";
    let last = async |cluster: &Cluster| {
        let row = cluster.managed_credit(1001, 2001, "2025-08-21").await.expect("a row");
        let explained = cluster.explain(1001, 2001, "2025-08-21").await.expect("an explanation");
        assert_eq!(Some(&row), explained.managed_credit.as_ref());
        let last = row.last_activity.expect("a last activity");
        (format!("{}/{}", last.tool, last.action), last.person)
    };
    let told = |action: &str, person: &str| (action.to_owned(), person.to_owned());
    cluster.work(2001, "a", ANNA, at, "form/edit").await;
    assert_eq!(last(&cluster).await, told("form/edit", "anna"));
    // Of one instant either may be the last; which it is, is known at once.
    cluster.work(2001, "b", ANNA, at, "blog/publish").await;
    last(&cluster).await;
    cluster.void(2001, "a", "a mistake").await.expect("taken back");
    assert_eq!(last(&cluster).await, told("blog/publish", "anna"));
    let employee = Employee { name: anna, display_name: "Anna Rossi".to_owned(), ..Employee::default() };
    let mask = FieldMask { paths: vec!["display_name".to_owned()] };
    let request = UpdateEmployeeRequest { employee: Some(employee), update_mask: Some(mask), ..Default::default() };
    let renamed = cluster.access().update_employee(request).await.expect("another name").into_inner();
    cluster.note(&renamed.revision);
    assert_eq!(last(&cluster).await, told("blog/publish", "Anna Rossi"));
});
