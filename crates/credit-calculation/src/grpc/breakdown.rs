//! The points breakdown: what is asked.

use contracts::wire::credit as wire;
use contracts::{Failure, PartnerName, Violations, no_credit_reason_from_wire};
use service_kit::page::{DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE};

use crate::operations::{BreakdownFilter, BreakdownOrder, BreakdownQuery, PageStart, Question};

/// The longest text to search for, in characters.
const SEARCH_LENGTH: usize = 200;

/// How many states and reasons there are.
const STATES: usize = 4;
const REASONS: usize = 10;

/// The most days within which a credit may be asked to end: the longest window of a policy.
const MAXIMUM_DAYS: u32 = 3_660;

pub(super) fn breakdown_query(
    mut violations: Violations,
    request: &wire::ListManagedCreditsRequest,
    question: &Question,
) -> Result<(BreakdownQuery, Option<PageStart>, usize), Failure> {
    let partner: Option<PartnerName> = violations.parse("parent", &request.parent);
    let search = search(&mut violations, &request.client_search);
    let filter = filter(&mut violations, &request.filter.clone().unwrap_or_default());
    let order = order(&mut violations, request.order);
    let page_size = violations.bounded("page_size", request.page_size, DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE);
    let query = partner.zip(order).zip(filter).map(|((PartnerName(partner), order), filter)| BreakdownQuery {
        partner,
        search,
        filter,
        order,
        descending: request.descending,
        as_of: question.as_of,
    });
    let start = page_start(&mut violations, query.as_ref(), &request.page_token);
    violations.finish(|| Some((query?, start, usize::try_from(page_size?).ok()?)))
}

fn search(violations: &mut Violations, text: &str) -> String {
    if text.chars().count() > SEARCH_LENGTH {
        violations.add("client_search", format!("at most {SEARCH_LENGTH} characters"));
    }
    text.to_owned()
}

fn filter(violations: &mut Violations, stated: &wire::ManagedCreditFilter) -> Option<BreakdownFilter> {
    let names = ("state", "CreditState");
    let states = violations.values("filter.states", &stated.states, STATES, names, |number| {
        wire::CreditState::try_from(number).ok().filter(|state| *state != wire::CreditState::Unspecified)
    });
    let (names, numbers) = (("reason", "NoCreditReason"), &stated.no_credit_reasons);
    let reasons = violations.values("filter.no_credit_reasons", numbers, REASONS, names, |number| {
        wire::NoCreditReason::try_from(number).ok().and_then(no_credit_reason_from_wire)
    });
    let days = stated.expiring_within_days;
    let expiring_within_days = u32::try_from(days).ok().filter(|days| *days <= MAXIMUM_DAYS);
    if expiring_within_days.is_none() {
        violations.add("filter.expiring_within_days", format!("1 to {MAXIMUM_DAYS}, or 0 where it is not asked"));
    }
    Some(BreakdownFilter {
        states,
        currency: violations.parse_optional("filter.currency_code", &stated.currency_code),
        growth_market: stated.growth_market,
        shared: stated.shared,
        expiring_within_days: expiring_within_days.filter(|days| *days > 0),
        no_credit_reasons: reasons,
        with_credit: stated.with_credit,
    })
}

fn order(violations: &mut Violations, order: i32) -> Option<BreakdownOrder> {
    use wire::ManagedCreditOrder as Stated;
    let Ok(order) = Stated::try_from(order) else {
        violations.add("order", "a value of ManagedCreditOrder");
        return None;
    };
    Some(match order {
        Stated::Unspecified | Stated::ClientDisplayName => BreakdownOrder::ClientDisplayName,
        Stated::Client => BreakdownOrder::Client,
        Stated::Points => BreakdownOrder::Points,
        Stated::ExpireTime => BreakdownOrder::ExpireTime,
        Stated::CountryCode => BreakdownOrder::CountryCode,
        Stated::Mrr => BreakdownOrder::Mrr,
        Stated::ServicingPartners => BreakdownOrder::ServicingPartners,
        Stated::Credit => BreakdownOrder::Credit,
        Stated::Multiplier => BreakdownOrder::Multiplier,
        Stated::SoldPoints => BreakdownOrder::SoldPoints,
        Stated::TotalPoints => BreakdownOrder::TotalPoints,
        Stated::State => BreakdownOrder::State,
        Stated::NoCreditReason => BreakdownOrder::NoCreditReason,
        Stated::ServicedSinceTime => BreakdownOrder::ServicedSince,
        Stated::LastActivityTime => BreakdownOrder::LastActivity,
    })
}

/// Where the page begins; a token can only be read where the rest of its query is right.
fn page_start(violations: &mut Violations, query: Option<&BreakdownQuery>, token: &str) -> Option<PageStart> {
    let query = query.filter(|_| !token.is_empty())?;
    violations.check("page_token", query.page_start(token))
}
