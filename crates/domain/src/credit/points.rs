//! From an amount to points (R90, R95, R96).

use rust_decimal::Decimal;

use crate::money::{Money, Points};

/// The most points of one share: 10^13 points, so that thousands of clients still add up within 64 bits. No programme
/// reaches it; an absurd conversion (a millionth of a yen for a point) saturates here.
pub const MAXIMUM_POINTS: Points = Points(1_000_000_000_000_000);

/// The points of an amount: amount / units per point x factor, exact until it is rounded once, half up, to two decimals. The
/// factor is the multiplier of a growth market; of a sale, with the points of one step (R92).
///
/// `units_per_point` is in whole units of the amount's currency (100 of USD, not 10,000 cents) and above zero, as in
/// every policy document. The result is at most [`MAXIMUM_POINTS`].
#[must_use]
pub fn converted_points(amount: Money, units_per_point: Decimal, factor: u32) -> Points {
    let units = units_per_point.normalize();
    let hundredths = i128::from(amount.minor_units) * i128::from(factor) * 100;
    // With units = mantissa / 10^scale and amount = minor units / 10^exponent, 10^scale belongs above the fraction bar.
    // The denominator is at most 2^96 x 10^4, so ten times a remainder fits.
    let denominator = (units.mantissa() * 10_i128.pow(amount.currency.exponent())).max(1);
    let (quotient, remainder) = divide_with_decimals(hundredths, denominator, units.scale());
    let rounded = quotient.saturating_add(i128::from(2 * remainder >= denominator));
    i64::try_from(rounded).map_or(MAXIMUM_POINTS, |hundredths| Points(hundredths).min(MAXIMUM_POINTS))
}

/// `numerator` x 10^`decimals` / `denominator`, as quotient and remainder: long division, because the product itself
/// can be wider than 128 bits. The quotient saturates.
fn divide_with_decimals(numerator: i128, denominator: i128, decimals: u32) -> (i128, i128) {
    let whole = (numerator / denominator, numerator % denominator);
    (0..decimals).fold(whole, |(quotient, remainder), _| {
        let digit = 10 * remainder / denominator;
        (quotient.saturating_mul(10).saturating_add(digit), 10 * remainder % denominator)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credit::testing::money;
    use crate::testing::cases;
    use proptest::prelude::*;

    fn points(code: &str, amount: &str, units_per_point: &str, multiplier: u32) -> String {
        let units_per_point = units_per_point.parse().expect("a test writes decimals");
        converted_points(money(code, amount), units_per_point, multiplier).to_string()
    }

    #[test]
    fn r3_a_thousand_dollars_are_ten_points() {
        assert_eq!(points("USD", "1000", "100", 1), "10.00");
    }

    #[test]
    fn example_08_a_third_of_a_thousand_dollars_is_three_point_three_three() {
        assert_eq!(points("USD", "333.34", "100", 1), "3.33");
        assert_eq!(points("USD", "333.33", "100", 1), "3.33");
    }

    #[test]
    fn example_11_points_of_other_currencies_follow_their_units() {
        for (code, amount, new_units, new_points, old_units, old_points) in [
            ("EUR", "1000", "88", "11.36", "75", "13.33"),
            ("GBP", "1000", "74.00", "13.51", "62.50", "16.00"),
            ("JPY", "100000", "14400", "6.94", "12000", "8.33"),
        ] {
            assert_eq!(points(code, amount, new_units, 1), new_points);
            assert_eq!(points(code, amount, old_units, 1), old_points);
        }
    }

    #[test]
    fn example_12_a_growth_market_doubles_the_points() {
        assert_eq!(points("USD", "1000", "100", 2), "20.00");
    }

    #[test]
    fn r96_exactly_half_a_hundredth_rounds_up_and_less_rounds_down() {
        assert_eq!(points("USD", "0.50", "100", 1), "0.01");
        assert_eq!(points("USD", "0.49", "100", 1), "0.00");
        assert_eq!(points("USD", "1.50", "100", 1), "0.02");
        assert_eq!(points("USD", "1.49", "100", 1), "0.01");
        // Doubled before it is rounded: 0.25 USD in a growth market is exactly half a hundredth.
        assert_eq!(points("USD", "0.25", "100", 2), "0.01");
        assert_eq!(points("USD", "0.24", "100", 2), "0.00");
    }

    #[test]
    fn r96_the_currencys_own_decimals_count() {
        assert_eq!(points("KWD", "1.000", "0.5", 1), "2.00");
        assert_eq!(points("JPY", "1", "0.5", 1), "2.00");
        assert_eq!(points("CLF", "0.0001", "0.01", 1), "0.01");
    }

    #[test]
    fn points_beyond_every_programme_saturate() {
        assert_eq!(points("JPY", "1000000000000000", "0.000001", u32::MAX), MAXIMUM_POINTS.to_string());
        assert_eq!(points("JPY", "1000000000000000", "0.0000000000000000000000000001", 1), MAXIMUM_POINTS.to_string());
        assert_eq!(points("USD", "10000000000000", "1000000000000", 1), "10.00");
    }

    /// The definition by search: the most hundredths h with h - 1/2 <= the exact quotient, all in whole numbers. With
    /// at most six decimals in the units every product fits 128 bits.
    fn slow_reference(minor_units: i64, exponent: u32, units_in_millionths: i64, multiplier: u32) -> i128 {
        let numerator = i128::from(minor_units) * i128::from(multiplier) * 100 * 1_000_000;
        let denominator = i128::from(units_in_millionths) * 10_i128.pow(exponent);
        let (mut reached, mut beyond) = (0_i128, 2 * i128::from(MAXIMUM_POINTS.0));
        while beyond - reached > 1 {
            let middle = i128::midpoint(reached, beyond);
            let not_above = (2 * middle - 1).checked_mul(denominator).is_some_and(|twice| twice <= 2 * numerator);
            if not_above { reached = middle } else { beyond = middle }
        }
        reached.min(i128::from(MAXIMUM_POINTS.0))
    }

    proptest! {
        #![proptest_config(cases(1000))]

        #[test]
        fn r96_points_equal_the_slow_reference(
            code in prop::sample::select(vec!["JPY", "USD", "KWD", "CLF"]),
            minor_units in prop_oneof![0..=Money::MAXIMUM_MINOR_UNITS, 0..=1_000_000_i64],
            units_in_millionths in prop_oneof![1..=1_000_000_000_000_000_000_i64, 1..=1_000_000_000_i64],
            multiplier in 1_u32..=10,
        ) {
            let share = Money { minor_units, ..money(code, "0") };
            let points = converted_points(share, Decimal::new(units_in_millionths, 6), multiplier);
            let reference = slow_reference(minor_units, share.currency.exponent(), units_in_millionths, multiplier);
            prop_assert_eq!(i128::from(points.0), reference);
        }
    }
}
