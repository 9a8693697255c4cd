//! The equal split of a client's MRR among the partners that service it (R5, R6, R96, R97).

use crate::access::HubId;
use crate::money::Money;
use crate::time::Instant;

/// A partner that earns credit on a client at some instant (R6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServicingPartner {
    /// The partner account.
    pub partner: HubId,
    /// When the present relationship began; it speaks of a minimum of one activity, whatever the tier needs (R57).
    pub serviced_since: Instant,
}

/// The part of an MRR that one partner is credited with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The partner account.
    pub partner: HubId,
    /// Its part, in the currency of the MRR.
    pub share: Money,
}

/// Splits an MRR in equal parts that add up to it exactly; each partner stands in `partners` once.
///
/// The shares come oldest relationship first, ties by lower hub id. Minor units that are left over go to the first of
/// them, one each (R97). Without partners there is no share.
#[must_use]
pub fn split(mrr: Money, partners: &[ServicingPartner]) -> Vec<Share> {
    let mut oldest_first = partners.to_vec();
    oldest_first.sort_unstable_by_key(|servicing| (servicing.serviced_since, servicing.partner));
    let partner_count = i64::try_from(oldest_first.len()).unwrap_or(i64::MAX).max(1);
    let (equal_part, left_over) = (mrr.minor_units / partner_count, mrr.minor_units % partner_count);
    (0..)
        .zip(oldest_first)
        .map(|(place, ServicingPartner { partner, .. })| {
            let minor_units = equal_part + i64::from(place < left_over);
            Share { partner, share: Money { currency: mrr.currency, minor_units } }
        })
        .collect()
}

/// The part of one of the partners in [`split`], without that of the others; nothing where it is none of them.
#[must_use]
pub fn share_of(mrr: Money, partners: &[ServicingPartner], partner: HubId) -> Option<Money> {
    let age = |servicing: &ServicingPartner| (servicing.serviced_since, servicing.partner);
    let own = age(partners.iter().find(|servicing| servicing.partner == partner)?);
    let count = |found: usize| i64::try_from(found).unwrap_or(i64::MAX);
    let place = count(partners.iter().filter(|servicing| age(servicing) < own).count());
    let (equal_part, left_over) = (mrr.minor_units / count(partners.len()), mrr.minor_units % count(partners.len()));
    Some(Money { currency: mrr.currency, minor_units: equal_part + i64::from(place < left_over) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credit::testing::{EVERY_CURRENCY, at, hub, money};
    use crate::testing::cases;
    use proptest::prelude::*;

    fn servicing(partner: i64, since: &str) -> ServicingPartner {
        ServicingPartner { partner: hub(partner), serviced_since: at(since) }
    }

    fn amounts(mrr: Money, partners: &[ServicingPartner]) -> Vec<(i64, String)> {
        split(mrr, partners).iter().map(|share| (share.partner.get(), share.share.amount())).collect()
    }

    fn expected(shares: &[(i64, &str)]) -> Vec<(i64, String)> {
        shares.iter().map(|(partner, amount)| (*partner, (*amount).to_owned())).collect()
    }

    #[test]
    fn example_08_two_partners_get_half_each_and_of_three_the_oldest_gets_the_odd_cent() {
        let first = servicing(30, "2025-01-01T00:00:00Z");
        let second = servicing(20, "2025-01-02T00:00:00Z");
        let third = servicing(10, "2025-01-03T00:00:00Z");
        let mrr = money("USD", "1000.00");
        assert_eq!(amounts(mrr, &[first]), expected(&[(30, "1000.00")]));
        assert_eq!(amounts(mrr, &[second, first]), expected(&[(30, "500.00"), (20, "500.00")]));
        let thirds = expected(&[(30, "333.34"), (20, "333.33"), (10, "333.33")]);
        assert_eq!(amounts(mrr, &[third, second, first]), thirds);
    }

    #[test]
    fn r97_of_relationships_of_one_age_the_lower_hub_id_gets_the_odd_unit() {
        let since = "2025-01-01T00:00:00Z";
        let partners = [servicing(9, since), servicing(10, since), servicing(2, since)];
        let shares = expected(&[(2, "334"), (9, "333"), (10, "333")]);
        assert_eq!(amounts(money("JPY", "1000"), &partners), shares);
    }

    #[test]
    fn r97_units_that_do_not_reach_everybody_go_to_the_oldest_relationships() {
        let partners = [servicing(1, "2025-01-03T00:00:00Z"), servicing(2, "2025-01-01T00:00:00Z")];
        assert_eq!(amounts(money("USD", "0.01"), &partners), expected(&[(2, "0.01"), (1, "0.00")]));
    }

    #[test]
    fn without_a_servicing_partner_there_is_no_share() {
        assert_eq!(split(money("USD", "1000.00"), &[]), []);
    }

    /// 1 to 50 partners, each once, with few enough starts that ties are common, in random order.
    fn partners() -> impl Strategy<Value = Vec<ServicingPartner>> {
        let since = (0_i64..5).prop_map(|day| at("2025-01-01T00:00:00Z") + chrono::TimeDelta::days(day));
        prop::collection::btree_map(1_i64..1_000, since, 1..=50)
            .prop_map(|by_id| {
                by_id
                    .into_iter()
                    .map(|(id, serviced_since)| ServicingPartner { partner: hub(id), serviced_since })
                    .collect::<Vec<_>>()
            })
            .prop_shuffle()
    }

    proptest! {
        #![proptest_config(cases(100))]

        #[test]
        fn r96_shares_add_up_to_the_mrr_and_differ_by_one_minor_unit_at_most(
            minor_units in 0..=Money::MAXIMUM_MINOR_UNITS,
            partners in partners(),
        ) {
            for &currency in EVERY_CURRENCY.iter() {
                let shares = split(Money { currency, minor_units }, &partners);
                let units: Vec<i64> = shares.iter().map(|share| share.share.minor_units).collect();
                prop_assert_eq!(units.len(), partners.len());
                prop_assert_eq!(units.iter().sum::<i64>(), minor_units);
                prop_assert!(units.iter().max().zip(units.iter().min()).is_some_and(|(most, least)| most - least <= 1));
                prop_assert!(units.is_sorted_by(|earlier, later| earlier >= later));
                prop_assert!(shares.iter().all(|share| share.share.currency == currency));
            }
        }

        #[test]
        fn r97_the_share_of_one_partner_is_that_of_the_split(
            minor_units in prop_oneof![0..=200_i64, 0..=Money::MAXIMUM_MINOR_UNITS],
            partners in partners(),
        ) {
            let mrr = Money { minor_units, ..money("EUR", "0") };
            for Share { partner, share } in split(mrr, &partners) {
                prop_assert_eq!(share_of(mrr, &partners, partner), Some(share));
            }
            prop_assert_eq!(share_of(mrr, &partners, hub(1_000_000)), None);
        }

        #[test]
        fn r5_neither_the_order_of_the_partners_nor_their_names_matter(
            (partners, shuffled) in partners().prop_flat_map(|partners| {
                (Just(partners.clone()), Just(partners).prop_shuffle())
            }),
            minor_units in 0..=Money::MAXIMUM_MINOR_UNITS,
            renaming in 1_i64..1_000_000,
        ) {
            let mrr = Money { minor_units, ..money("EUR", "0") };
            let shares = split(mrr, &partners);
            prop_assert_eq!(&shares, &split(mrr, &shuffled));

            // A renaming that keeps the order of the ids keeps every share.
            let renamed: Vec<_> = partners
                .iter()
                .map(|servicing| ServicingPartner { partner: hub(servicing.partner.get() + renaming), ..*servicing })
                .collect();
            let under_new_names: Vec<_> = split(mrr, &renamed).iter().map(|share| share.share).collect();
            prop_assert_eq!(shares.iter().map(|share| share.share).collect::<Vec<_>>(), under_new_names);
        }
    }
}
