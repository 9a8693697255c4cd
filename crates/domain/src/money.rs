//! Money in minor units and points in hundredths: exact integers, decimal text at the edges (R95, R96).

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

/// More digits before the point are too large for every currency, and for what reads them.
const MAXIMUM_WHOLE_DIGITS: usize = 20;

/// An ISO 4217 currency that has a minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    iso: iso_currency::Currency,
    exponent: u32,
}

/// A non-negative amount of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// The currency.
    pub currency: Currency,
    /// Minor units: cents of USD, whole yen of JPY.
    pub minor_units: i64,
}

/// Points in hundredths: 1,136 is 11.36 points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Points(pub i64);

/// What is wrong with a currency or an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a currency with a minor unit.
    #[error("a currency is an ISO 4217 code in upper case, for example EUR")]
    UnknownCurrency,
    /// Not plain decimal digits.
    #[error("an amount is a decimal number in digits, for example 1234.50")]
    NotANumber,
    /// Below zero.
    #[error("an amount is not negative")]
    Negative,
    /// More decimals than the currency has.
    #[error("an amount of {currency} has at most {decimals} decimals")]
    TooManyDecimals {
        /// The currency's code.
        currency: &'static str,
        /// How many decimals it has.
        decimals: u32,
    },
    /// More than the largest amount.
    #[error("an amount is at most {maximum} minor units", maximum = Money::MAXIMUM_MINOR_UNITS)]
    TooLarge,
}

impl Currency {
    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.iso.code()
    }

    /// How many decimals an amount has: JPY 0, USD 2, KWD 3.
    #[must_use]
    pub const fn exponent(&self) -> u32 {
        self.exponent
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        let iso = iso_currency::Currency::from_code(code).ok_or(MoneyError::UnknownCurrency)?;
        let exponent = iso.exponent().ok_or(MoneyError::UnknownCurrency)?;
        Ok(Self { iso, exponent: u32::from(exponent) })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code().fmt(formatter)
    }
}

impl Money {
    /// The largest amount, in minor units: 10^15, ten trillion of a currency with two decimals. A thousand of them
    /// still add up within 64 bits.
    pub const MAXIMUM_MINOR_UNITS: i64 = 1_000_000_000_000_000;

    /// Nothing of a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { currency, minor_units: 0 }
    }

    /// Reads a decimal amount such as `1234.50`; never rounds.
    ///
    /// # Errors
    /// Text that is no plain decimal number, is negative, has more decimals than the currency, or is too large.
    pub fn parse(currency: Currency, amount: &str) -> Result<Self, MoneyError> {
        let plain = amount.strip_prefix('-').unwrap_or(amount);
        let is_plain = plain.starts_with(|first: char| first.is_ascii_digit())
            && plain.ends_with(|last: char| last.is_ascii_digit())
            && plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !is_plain {
            return Err(MoneyError::NotANumber);
        }
        let (whole, decimals) = plain.split_once('.').unwrap_or((plain, ""));
        if decimals.contains('.') {
            return Err(MoneyError::NotANumber);
        }
        if plain.len() < amount.len() && plain.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
            return Err(MoneyError::Negative);
        }
        let decimals = decimals.trim_end_matches('0');
        if decimals.len() > currency.exponent as usize {
            return Err(MoneyError::TooManyDecimals { currency: currency.code(), decimals: currency.exponent });
        }
        if whole.len() > MAXIMUM_WHOLE_DIGITS {
            return Err(MoneyError::TooLarge);
        }
        let decimal = Decimal::from_str_exact(&format!("{whole}.{decimals}0")).map_err(|_| MoneyError::NotANumber)?;
        let decimal = decimal.normalize();
        let minor_units = decimal.mantissa() * 10_i128.pow(currency.exponent - decimal.scale());
        if minor_units > i128::from(Self::MAXIMUM_MINOR_UNITS) {
            return Err(MoneyError::TooLarge);
        }
        Ok(Self { currency, minor_units: i64::try_from(minor_units).map_err(|_| MoneyError::TooLarge)? })
    }

    /// The amount as decimal text with all decimals of the currency: `1234.50`.
    #[must_use]
    pub fn amount(&self) -> String {
        Decimal::new(self.minor_units, self.currency.exponent).to_string()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.amount(), self.currency)
    }
}

/// A text that is no number of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("points are a decimal number with two decimals, for example 11.36 or -0.50")]
pub struct PointsError;

impl FromStr for Points {
    type Err = PointsError;

    /// Reads points as they are printed; no other spelling.
    fn from_str(text: &str) -> Result<Self, PointsError> {
        let decimal = Decimal::from_str_exact(text).map_err(|_| PointsError)?;
        let hundredths = i64::try_from(decimal.mantissa()).map_err(|_| PointsError)?;
        let points = Self(hundredths);
        if points.to_string() == text { Ok(points) } else { Err(PointsError) }
    }
}

impl std::iter::Sum for Points {
    fn sum<I: Iterator<Item = Self>>(points: I) -> Self {
        Self(points.map(|points| points.0).fold(0, i64::saturating_add))
    }
}

impl fmt::Display for Points {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&Decimal::new(self.0, 2).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(code: &str, amount: &str) -> Result<Money, MoneyError> {
        Money::parse(code.parse()?, amount)
    }

    #[test]
    fn r96_an_amount_is_kept_in_the_currencys_minor_unit() {
        assert_eq!(money("USD", "1000").map(|money| money.minor_units), Ok(100_000));
        assert_eq!(money("JPY", "100000").map(|money| money.minor_units), Ok(100_000));
        assert_eq!(money("COP", "1.5").map(|money| money.minor_units), Ok(150));
        assert_eq!(money("USD", "1.500").map(|money| money.to_string()), Ok("1.50 USD".to_owned()));
        assert_eq!(money("USD", "0").map(|money| money.to_string()), Ok("0.00 USD".to_owned()));
    }

    #[test]
    fn a_bad_amount_says_what_would_be_right() {
        for wrong in ["", "abc", "1e3", "1,5", "1.", ".5", "+1", " 1", "1 ", "1.2.3", "--1", "NaN"] {
            assert_eq!(money("USD", wrong), Err(MoneyError::NotANumber), "{wrong}");
        }
        assert_eq!(money("USD", "-0.01"), Err(MoneyError::Negative));
        assert_eq!(money("USD", "-0.00").map(|money| money.minor_units), Ok(0));
        let zeros = "0".repeat(40);
        let too_many = Err(MoneyError::TooManyDecimals { currency: "USD", decimals: 2 });
        assert_eq!(money("USD", &format!("1.{zeros}1")), too_many);
        assert_eq!(money("USD", &format!("1.5{zeros}")).map(|money| money.minor_units), Ok(150));
        assert_eq!(money("JPY", "0.5"), Err(MoneyError::TooManyDecimals { currency: "JPY", decimals: 0 }));
        assert_eq!(money("USD", "10000000000000.00").map(|money| money.minor_units), Ok(Money::MAXIMUM_MINOR_UNITS));
        assert_eq!(money("USD", "10000000000000.01"), Err(MoneyError::TooLarge));
        assert_eq!(money("USD", "99999999999999999999999999999999"), Err(MoneyError::TooLarge));
        assert_eq!(money("USD", &format!("{:020}", 1)).map(|money| money.minor_units), Ok(100));
        assert_eq!(money("USD", &format!("{:021}", 1)), Err(MoneyError::TooLarge));
        assert_eq!(money("usd", "1"), Err(MoneyError::UnknownCurrency));
        assert_eq!(money("XAU", "1"), Err(MoneyError::UnknownCurrency));
    }

    #[test]
    fn points_are_read_as_they_are_printed_and_in_no_other_spelling() {
        for points in [Points(0), Points(5), Points(-568), Points(1_000), Points(i64::MAX)] {
            assert_eq!(points.to_string().parse(), Ok(points));
        }
        for wrong in ["", "1", "1.5", "1.500", "01.50", "+1.50", "1.50 ", "-0.00", "1e2", "99999999999999999999.00"] {
            assert_eq!(wrong.parse::<Points>(), Err(PointsError), "{wrong}");
        }
    }

    #[test]
    fn r95_points_have_two_decimals() {
        assert_eq!(Points(1_000).to_string(), "10.00");
        assert_eq!(Points(333).to_string(), "3.33");
    }
}
