use super::*;
use crate::credit::testing::{at, hub, money, standing};
use crate::servicing::Standing;

const SINCE: &str = "2025-01-10T12:00:00Z";
const EXPIRES: &str = "2025-03-11T12:00:00Z";
const PARTNER: i64 = 1;
const CLIENT: i64 = 2002;

/// A question about partner 1 at an Italian client that pays 1,000 USD, serviced by partner 1 alone.
struct Case {
    partner: i64,
    country: Option<&'static str>,
    mrr: Mrr,
    servicing: Vec<(i64, &'static str)>,
    relationship: Standing,
    earning: Standing,
    as_of: &'static str,
}

impl Default for Case {
    fn default() -> Self {
        let active = standing(ServicingState::Active, SINCE, EXPIRES, 1);
        Self {
            partner: PARTNER,
            country: Some("IT"),
            mrr: pays("USD", "1000"),
            servicing: vec![(PARTNER, SINCE)],
            relationship: active,
            earning: active,
            as_of: "2025-02-01T00:00:00Z",
        }
    }
}

impl Case {
    fn ask(&self) -> ManagedCredit {
        let servicing_partners: Vec<_> = self
            .servicing
            .iter()
            .map(|(partner, since)| ServicingPartner { partner: hub(*partner), serviced_since: at(since) })
            .collect();
        managed_credit(&CreditQuestion {
            partner: hub(self.partner),
            client: hub(CLIENT),
            country: self.country.map(|country| country.parse().expect("a test writes valid countries")),
            mrr: self.mrr,
            servicing_partners: &servicing_partners,
            relationship: self.relationship.into(),
            earning: self.earning.into(),
            policy: &Policy::embedded(),
            as_of: at(self.as_of),
        })
    }

    /// The same with nobody of partner 1 in the divisor, in this state.
    fn not_earning(state: ServicingState) -> Self {
        let relationship = standing(state, SINCE, EXPIRES, 0);
        Self { servicing: vec![], relationship, earning: relationship, ..Self::default() }
    }
}

fn pays(code: &str, amount: &str) -> Mrr {
    Mrr::Known { mrr: money(code, amount), since: at("2024-01-01T00:00:00Z") }
}

fn points(hundredths: i64) -> PointsOutcome {
    PointsOutcome::Known(Points(hundredths))
}

/// What a test looks at: reason, credit, points.
fn outcome(credit: ManagedCredit) -> (Option<NoCreditReason>, Option<Money>, PointsOutcome) {
    (credit.no_credit_reason, credit.credit, credit.points)
}

#[test]
fn source_example_one_thousand_usd_one_partner_is_one_thousand_credit_and_ten_points() {
    let credit = Case::default().ask();
    assert_eq!(outcome(credit), (None, Some(money("USD", "1000.00")), points(1_000)));
    assert_eq!(credit.servicing_partners, 1);
    assert_eq!(credit.multiplier, Some(1));
    assert_eq!((credit.state, credit.serviced_since), (ServicingState::Active, Some(at(SINCE))));
    assert_eq!(credit.expire_time, Some(at(EXPIRES)));
}

/// Nothing in the question says who sold the subscription: 2 services what another partner may have sold, and has all
/// of it, as long as that other one does not service it.
#[test]
fn r4_a_partner_that_sold_nothing_has_the_whole_credit_of_what_it_services() {
    let servicing = vec![(2, SINCE)];
    let not_selling = Case { partner: 2, servicing: servicing.clone(), ..Case::default() }.ask();
    assert_eq!(outcome(not_selling), (None, Some(money("USD", "1000.00")), points(1_000)));
    let selling_only = Case { servicing, ..Case::not_earning(ServicingState::None) }.ask();
    assert_eq!(outcome(selling_only), (Some(NoCreditReason::NotManaged), Some(money("USD", "0")), points(0)));
}

#[test]
fn example_08_two_and_three_partners_share_the_credit_and_each_rounds_its_points() {
    let two = vec![(1, SINCE), (2, "2025-01-11T12:00:00Z")];
    assert_eq!(
        outcome(Case { servicing: two, ..Case::default() }.ask()),
        (None, Some(money("USD", "500.00")), points(500))
    );
    for (partner, amount) in [(1, "333.34"), (2, "333.33"), (3, "333.33")] {
        let servicing = vec![(3, "2025-01-12T12:00:00Z"), (1, SINCE), (2, "2025-01-11T12:00:00Z")];
        let credit = Case { partner, servicing, ..Case::default() }.ask();
        assert_eq!(outcome(credit), (None, Some(money("USD", amount)), points(333)));
        assert_eq!(credit.servicing_partners, 3);
    }
}

#[test]
fn example_09_neither_the_number_of_activities_nor_mere_access_changes_the_shares() {
    let forty = standing(ServicingState::Active, SINCE, EXPIRES, 40);
    let servicing = vec![(1, SINCE), (2, SINCE)];
    let busy = Case { servicing: servicing.clone(), relationship: forty, earning: forty, ..Case::default() }.ask();
    let calm = Case { partner: 2, servicing, ..Case::default() }.ask();
    assert_eq!(busy.credit, Some(money("USD", "500.00")));
    assert_eq!(calm.credit, Some(money("USD", "500.00")));
    let beside_mere_access = Case::default().ask();
    assert_eq!(beside_mere_access.credit, Some(money("USD", "1000.00")));
}

#[test]
fn example_10_when_one_of_two_lapses_the_other_has_everything_from_that_instant() {
    let both = vec![(1, SINCE), (2, "2025-02-01T12:00:00Z")];
    let before = Case { partner: 2, servicing: both, as_of: "2025-03-11T11:59:59.999999Z", ..Case::default() }.ask();
    assert_eq!(before.credit, Some(money("USD", "500.00")));
    let alone = vec![(2, "2025-02-01T12:00:00Z")];
    let after = Case { partner: 2, servicing: alone.clone(), as_of: EXPIRES, ..Case::default() }.ask();
    assert_eq!(after.credit, Some(money("USD", "1000.00")));
    let lapsed =
        Case { servicing: alone, as_of: EXPIRES, ..Case::not_earning(ServicingState::Ended(PeriodEndCause::Lapsed)) };
    assert_eq!(outcome(lapsed.ask()), (Some(NoCreditReason::Lapsed), Some(money("USD", "0")), points(0)));
    assert_eq!(lapsed.ask().servicing_partners, 1);
}

#[test]
fn example_11_the_policy_of_the_as_of_instant_converts_to_points() {
    for (code, amount, old, new) in
        [("EUR", "1000", 1_333, 1_136), ("GBP", "1000", 1_600, 1_351), ("JPY", "100000", 833, 694)]
    {
        let mrr = pays(code, amount);
        let before = Case { mrr, as_of: "2025-07-14T23:59:59.999999Z", ..Case::default() }.ask();
        let after = Case { mrr, as_of: "2025-07-15T00:00:00Z", ..Case::default() }.ask();
        assert_eq!((before.points, after.points), (points(old), points(new)), "{code}");
        // R10: the credit stays in the client's own currency.
        assert_eq!(after.credit, Some(money(code, amount)));
    }
}

#[test]
fn example_12_a_client_in_a_growth_market_brings_double_points_and_the_same_credit() {
    let india = Case { country: Some("IN"), ..Case::default() }.ask();
    assert_eq!(outcome(india), (None, Some(money("USD", "1000")), points(2_000)));
    assert_eq!(india.multiplier, Some(2));
}

#[test]
fn example_13_the_whole_month_is_worth_the_mrr_of_the_instant() {
    let before = Case { mrr: pays("USD", "1000"), ..Case::default() }.ask();
    let after = Case { mrr: pays("USD", "1500"), ..Case::default() }.ask();
    assert_eq!((before.points, after.points), (points(1_000), points(1_500)));
}

#[test]
fn example_16_below_the_minimum_of_its_tier_a_partner_has_no_credit_and_dilutes_nobody() {
    let two_activities = standing(ServicingState::Active, SINCE, EXPIRES, 2);
    let below = Case {
        relationship: two_activities,
        earning: standing(ServicingState::None, SINCE, EXPIRES, 2),
        servicing: vec![(2, SINCE)],
        ..Case::default()
    };
    let reason = Some(NoCreditReason::TierActivityMinimum);
    assert_eq!(outcome(below.ask()), (reason, Some(money("USD", "0")), points(0)));
    assert_eq!(below.ask().servicing_partners, 1);
    assert_eq!(below.ask().state, ServicingState::Active);
    assert_eq!(Case { partner: 2, ..below }.ask().credit, Some(money("USD", "1000.00")));

    // The third brings full credit; that it ends within the warning days is said of the three (R57).
    let reached = Case {
        relationship: standing(ServicingState::Active, SINCE, "2025-04-20T12:00:00Z", 3),
        earning: standing(ServicingState::Expiring, "2025-01-30T12:00:00Z", EXPIRES, 3),
        ..Case::default()
    }
    .ask();
    assert_eq!(outcome(reached), (None, Some(money("USD", "1000.00")), points(1_000)));
    assert_eq!((reached.state, reached.expire_time), (ServicingState::Expiring, Some(at(EXPIRES))));
    assert_eq!(reached.serviced_since, Some(at(SINCE)));
}

#[test]
fn r98_a_currency_without_units_has_a_credit_and_no_points() {
    let credit = Case { mrr: pays("ISK", "1000"), ..Case::default() }.ask();
    let absent = PointsOutcome::Absent(PointsAbsentReason::UnsupportedCurrency);
    assert_eq!(outcome(credit), (None, Some(money("ISK", "1000")), absent));
}

#[test]
fn points_wait_for_the_country_of_a_client_that_is_not_known_yet() {
    let credit = Case { country: None, ..Case::default() }.ask();
    let absent = PointsOutcome::Absent(PointsAbsentReason::CountryUnknown);
    assert_eq!(outcome(credit), (None, Some(money("USD", "1000")), absent));
    assert_eq!(credit.multiplier, None);
    let nothing_to_convert = Case { country: None, mrr: pays("USD", "0"), ..Case::default() }.ask();
    assert_eq!(nothing_to_convert.points, points(0));
}

#[test]
fn r127_an_unknown_mrr_is_no_zero() {
    let credit = Case { mrr: Mrr::Unknown, ..Case::default() }.ask();
    let absent = PointsOutcome::Absent(PointsAbsentReason::MrrUnknown);
    assert_eq!(outcome(credit), (Some(NoCreditReason::MrrUnknown), None, absent));
    // An ended relationship brings no points whatever is paid; its credit is a zero of no known currency.
    let lapsed = Case { mrr: Mrr::Unknown, ..Case::not_earning(ServicingState::Ended(PeriodEndCause::Lapsed)) };
    assert_eq!(outcome(lapsed.ask()), (Some(NoCreditReason::Lapsed), None, points(0)));
}

#[test]
fn r11_without_a_paid_subscription_the_credit_is_zero_and_the_relationship_goes_on() {
    let credit = Case { mrr: pays("EUR", "0"), ..Case::default() }.ask();
    let reason = Some(NoCreditReason::NoPaidSubscription);
    assert_eq!(outcome(credit), (reason, Some(money("EUR", "0.00")), points(0)));
    assert_eq!((credit.state, credit.serviced_since), (ServicingState::Active, Some(at(SINCE))));
}

#[test]
fn r12_a_partner_earns_nothing_on_its_own_account() {
    let credit = Case { partner: CLIENT, servicing: vec![(CLIENT, SINCE)], ..Case::default() }.ask();
    assert_eq!(outcome(credit), (Some(NoCreditReason::OwnAccount), Some(money("USD", "0")), points(0)));
}

#[test]
fn r70_every_end_of_the_relationship_is_a_true_zero_with_its_reason() {
    for (state, reason) in [
        (ServicingState::None, NoCreditReason::NotManaged),
        (ServicingState::Ended(PeriodEndCause::Lapsed), NoCreditReason::Lapsed),
        (
            ServicingState::Ended(PeriodEndCause::Ended(EndingCause::AllEmployeesRemoved)),
            NoCreditReason::AllEmployeesRemoved,
        ),
        (ServicingState::Ended(PeriodEndCause::Ended(EndingCause::ServicesEnded)), NoCreditReason::ServicesEnded),
        (ServicingState::Ended(PeriodEndCause::Ended(EndingCause::PartnerLeft)), NoCreditReason::PartnerLeft),
        (ServicingState::Ended(PeriodEndCause::Ended(EndingCause::ClientClosed)), NoCreditReason::ClientClosed),
    ] {
        let credit = Case::not_earning(state).ask();
        assert_eq!(outcome(credit), (Some(reason), Some(money("USD", "0")), points(0)));
        assert_eq!((credit.state, credit.serviced_since), (state, None));
    }
    let ended = Case::not_earning(ServicingState::Ended(PeriodEndCause::Lapsed)).ask();
    assert_eq!(ended.expire_time, Some(at(EXPIRES)));
}

#[test]
fn r97_a_share_of_nothing_is_known_and_worth_no_points() {
    let servicing = vec![(1, "2025-01-11T12:00:00Z"), (2, SINCE)];
    let credit = Case { servicing, mrr: pays("USD", "0.01"), ..Case::default() }.ask();
    assert_eq!(outcome(credit), (None, Some(money("USD", "0.00")), points(0)));
}
