use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::testing::cases;

fn money(code: &str, amount: &str) -> StatementMoney {
    StatementMoney { currency_code: code.to_owned(), amount: amount.to_owned() }
}

fn row(client: &str, mrr: Option<StatementMoney>) -> StatementRow {
    StatementRow {
        client: client.to_owned(),
        client_display_name: "Caffè \"Borgo\"".to_owned(),
        country_code: "IT".to_owned(),
        growth_market: false,
        mrr,
        servicing_partners: 1,
        credit: None,
        units_per_point: Some("88".to_owned()),
        multiplier: Some(1),
        managed_points: None,
        points_absent_reason: String::new(),
        sold_points: Some("0.00".to_owned()),
        state: "ACTIVE".to_owned(),
        no_credit_reason: String::new(),
        serviced_since_time: Some("2025-08-01T00:00:00.000000Z".to_owned()),
        expire_time: None,
        last_activity_time: None,
    }
}

/// Of 1,000 EUR a third, 500 USD that lapsed, an MRR that is not known, and a sale.
fn statement() -> Statement {
    let shared = StatementRow {
        servicing_partners: 3,
        credit: Some(money("EUR", "333.34")),
        managed_points: Some("3.79".to_owned()),
        sold_points: Some("3.00".to_owned()),
        ..row("clients/1", Some(money("EUR", "1000.00")))
    };
    let lapsed = StatementRow {
        servicing_partners: 0,
        credit: Some(money("USD", "0.00")),
        managed_points: Some("0.00".to_owned()),
        no_credit_reason: "LAPSED".to_owned(),
        ..row("clients/2", Some(money("USD", "500.00")))
    };
    let unknown = StatementRow {
        no_credit_reason: "MRR_UNKNOWN".to_owned(),
        points_absent_reason: "MRR_UNKNOWN".to_owned(),
        units_per_point: None,
        ..row("clients/3", None)
    };
    let sale = StatementSale {
        client: "clients/1".to_owned(),
        sold_credit_id: "deal-7".to_owned(),
        kind: "ASSISTED".to_owned(),
        amount: money("EUR", "88.00"),
        close_time: "2025-02-01T00:00:00.000000Z".to_owned(),
        units_per_point: Some("88".to_owned()),
        points_per_step: 3,
        multiplier: Some(1),
        points: Some("3.00".to_owned()),
    };
    let change = |cause: &str, difference: &str| StatementChange {
        time: "2025-08-10T00:00:00.000000Z".to_owned(),
        client: "clients/2".to_owned(),
        kind: "MANAGED".to_owned(),
        cause: cause.to_owned(),
        difference: difference.to_owned(),
    };
    let statement = Statement {
        format_version: FORMAT_VERSION,
        partner: "partners/1001".to_owned(),
        month: "2025-08".to_owned(),
        as_of_time: "2025-08-31T23:59:59.999999Z".to_owned(),
        issue_time: "2025-09-02T08:00:00.000000Z".to_owned(),
        policy_version: "2025-07-15".to_owned(),
        policy_digest: "00".to_owned(),
        revisions: vec!["access-7".to_owned()],
        credited_tier: "NONE".to_owned(),
        opening_points: "8.00".to_owned(),
        closing_points: "6.79".to_owned(),
        rows: vec![shared, lapsed, unknown],
        sales: vec![sale],
        changes: vec![change("LAPSE", "-5.00"), change("ACTIVITY", "3.79")],
        totals: StatementTotals {
            managed_points: "3.79".to_owned(),
            rows_without_points: 1,
            sold_points: "3.00".to_owned(),
            rows_without_sold_points: 0,
            total_points: "6.79".to_owned(),
            credits: vec![money("EUR", "333.34"), money("USD", "0.00")],
        },
        sha256: String::new(),
    };
    statement.sealed()
}

fn places(statement: &Statement) -> Vec<String> {
    statement.check().into_iter().map(|found| found.place).collect()
}

#[test]
fn a_statement_that_adds_up_has_no_discrepancy() {
    assert_eq!(statement().check(), []);
}

#[test]
fn the_canonical_form_has_sorted_members_and_no_white_space_and_text_as_it_is() {
    let text = String::from_utf8(statement().canonical()).expect("JSON is text");
    assert!(
        text.starts_with(r#"{"as_of_time":"2025-08-31T23:59:59.999999Z","changes":[{"cause":"LAPSE","client":"#),
        "{text}"
    );
    assert!(text.contains(r#""client_display_name":"Caffè \"Borgo\"""#), "{text}");
    assert!(!text.contains("sha256"), "{text}");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(serde_json::to_string(&value).expect("JSON"), text, "members come in the order of their names");
}

#[test]
fn a_changed_amount_is_found_whether_or_not_the_hash_was_made_anew() {
    let mut changed = statement();
    changed.rows[0].credit = Some(money("EUR", "333.35"));
    assert!(places(&changed).contains(&"sha256".to_owned()));
    let found = places(&changed.sealed());
    assert_eq!(found, ["rows[0].credit", "totals.credits"]);
}

#[test]
fn points_and_totals_are_computed_again() {
    let mut changed = statement();
    changed.rows[0].managed_points = Some("4.79".to_owned());
    assert_eq!(
        places(&changed.sealed()),
        ["rows[0].managed_points", "totals.managed_points", "totals.total_points", "closing_points"]
    );
    let mut changed = statement();
    changed.changes.pop();
    assert_eq!(places(&changed.sealed()), ["changes"]);
    let mut changed = statement();
    changed.sales.clear();
    assert_eq!(places(&changed.sealed()), ["rows[0].sold_points"]);
    let mut changed = statement();
    changed.month = "2025-07".to_owned();
    assert_eq!(places(&changed.sealed()), ["as_of_time"]);
}

#[test]
fn points_that_the_figures_give_cannot_be_left_out_and_unknown_ones_cannot_be_0() {
    let mut changed = statement();
    changed.rows[0].managed_points = None;
    changed.rows[0].points_absent_reason = "COUNTRY_UNKNOWN".to_owned();
    assert!(places(&changed.sealed()).contains(&"rows[0].managed_points".to_owned()));
    let mut changed = statement();
    changed.sales[0].points = None;
    assert!(places(&changed.sealed()).contains(&"sales[0].points".to_owned()));
    let mut changed = statement();
    changed.rows[2].managed_points = Some("0.00".to_owned());
    changed.rows[2].points_absent_reason = String::new();
    assert!(places(&changed.sealed()).contains(&"rows[2].managed_points".to_owned()));
}

#[test]
fn a_sale_that_cannot_be_converted_has_no_points_and_neither_has_its_client() {
    let mut changed = statement();
    changed.sales[0].points = None;
    changed.rows[0].sold_points = None;
    changed.totals.sold_points = "0.00".to_owned();
    changed.totals.rows_without_sold_points = 1;
    changed.totals.total_points = "3.79".to_owned();
    changed.closing_points = "3.79".to_owned();
    changed.changes[1].difference = "0.79".to_owned();
    for units in [None, Some("0"), Some("-88")] {
        changed.sales[0].units_per_point = units.map(str::to_owned);
        assert_eq!(changed.clone().sealed().check(), [], "{units:?}");
    }
    changed.totals.rows_without_sold_points = 0;
    assert_eq!(places(&changed.sealed()), ["totals.rows_without_sold_points"]);
}

#[test]
fn a_sale_belongs_to_a_client_that_has_a_row() {
    let mut changed = statement();
    changed.sales[0].client = "clients/9".to_owned();
    assert_eq!(places(&changed.sealed()), ["rows[0].sold_points", "sales[0].client"]);
}

#[test]
fn r96_what_divides_evenly_leaves_no_unit_over() {
    let share_of_two = |amount: &str| {
        let mut changed = statement();
        changed.rows[0].servicing_partners = 2;
        changed.rows[0].credit = Some(money("EUR", amount));
        places(&changed.sealed()).contains(&"rows[0].credit".to_owned())
    };
    assert!(share_of_two("499.99"));
    assert!(!share_of_two("500.00"));
    assert!(share_of_two("500.01"));
}

#[test]
fn a_share_of_nothing_makes_no_points_whatever_the_currency() {
    let mut changed = statement();
    changed.rows[1] = StatementRow {
        servicing_partners: 3,
        credit: Some(money("USD", "0.00")),
        units_per_point: None,
        managed_points: Some("0.00".to_owned()),
        ..row("clients/2", Some(money("USD", "0.01")))
    };
    assert_eq!(changed.sealed().check(), []);
}

#[test]
fn an_amount_has_one_spelling() {
    let mut changed = statement();
    changed.sales[0].amount = money("EUR", "88.0");
    let found: Vec<_> = changed.sealed().check().iter().map(ToString::to_string).collect();
    assert_eq!(found, ["sales[0].amount: is written 88.00, not 88.0"]);
}

#[test]
fn an_exported_statement_is_the_canonical_one_with_its_hash() {
    let text = String::from_utf8(statement().exported()).expect("JSON is text");
    assert_eq!(serde_json::from_str::<Statement>(&text).expect("a statement"), statement());
    let hash = format!(r#","sha256":"{}""#, statement().hash());
    assert_eq!(text.replace(&hash, "").into_bytes(), statement().canonical());
}

#[test]
fn sums_beyond_every_programme_are_told_and_stop_nothing() {
    let mut changed = statement();
    let most = "92233720368547758.07".to_owned();
    changed.rows[0].managed_points = Some(most.clone());
    changed.opening_points = most.clone();
    changed.changes[1].difference = most;
    assert!(!changed.sealed().check().is_empty());
}

/// How many values there are in a document, objects and lists apart.
fn count(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(count).sum(),
        Value::Array(elements) => elements.iter().map(count).sum(),
        _ => 1,
    }
}

/// Changes the value of that number.
fn change(value: &mut Value, number: &mut usize) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|member| change(member, number)),
        Value::Array(elements) => elements.iter_mut().for_each(|element| change(element, number)),
        other => {
            if *number == 0 {
                *other = match other {
                    Value::String(text) => Value::String(format!("{text}1")),
                    Value::Number(number) => Value::from(number.as_u64().unwrap_or_default() + 1),
                    Value::Bool(it_is) => Value::Bool(!*it_is),
                    _ => Value::String("2025-08-01T00:00:00.000000Z".to_owned()),
                };
            }
            *number = number.wrapping_sub(1);
        }
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn whatever_value_is_changed_is_found(number in any::<prop::sample::Index>()) {
        let mut value = serde_json::to_value(statement()).expect("JSON");
        let mut number = number.index(count(&value));
        change(&mut value, &mut number);
        // What is no statement any more is found by whoever reads it.
        if let Ok(changed) = serde_json::from_value::<Statement>(value) {
            prop_assert!(changed != statement());
            prop_assert!(places(&changed).contains(&"sha256".to_owned()));
        }
    }
}
