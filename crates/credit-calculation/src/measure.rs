//! What credit-calculation measures beside what every service does: the credit that ends soon.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use domain::access::HubId;
use domain::credit::Mrr;
use domain::money::Money;
use metrics::{Unit, describe_gauge, gauge};
use service_kit::ServiceError;
use service_kit::maintenance::float;

use crate::CreditCalculation;
use crate::store::{servicing, subscriptions};

/// How old it may be: it changes within days, and many relationships are looked at for it, by every replica.
const INTERVAL: Duration = Duration::from_secs(10 * 60);

/// How many clients are looked at in one statement.
const CLIENTS_AT_ONCE: usize = 500;

const CREDITS: &str = "managed_credit_expiring_credits";
const MRR: &str = "managed_credit_expiring_mrr";
const HELD: &str = "managed_credit_held_facts_bytes";

/// Measures until it is dropped.
pub(crate) async fn measure(service: CreditCalculation, name: &'static str) {
    describe_gauge!(
        CREDITS,
        "Relationships of partners with clients that end within the policy's warning days if nothing else happens"
    );
    describe_gauge!(MRR, "The whole MRR of the clients of these relationships, in units of the currency");
    describe_gauge!(HELD, Unit::Bytes, "Facts of clients that are held in memory between questions, about");
    let mut measured = BTreeMap::new();
    loop {
        match service.expiring().await {
            Ok((credits, mrr)) => {
                gauge!(CREDITS, "service" => name).set(float(credits));
                // A currency in which nothing expires any more is zero from now on.
                measured.values_mut().for_each(|units| *units = 0.0);
                measured.extend(mrr);
            }
            Err(error) => tracing::warn!(service = name, %error, "what expires cannot be measured"),
        }
        for (currency, units) in &measured {
            gauge!(MRR, "service" => name, "currency" => *currency).set(*units);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// How many bytes of facts are held in memory.
pub(crate) fn held(bytes: usize) {
    gauge!(HELD, "service" => crate::NAME).set(float(u64::try_from(bytes).unwrap_or(u64::MAX)));
}

impl CreditCalculation {
    /// How many relationships end soon, by the smallest minimum (R57), and the MRR of their clients by currency.
    async fn expiring(&self) -> Result<(u64, BTreeMap<&'static str, f64>), ServiceError> {
        let now = self.clock.now();
        let soon = now + TimeDelta::days(i64::from(self.policy.longest_warning_days()));
        let transaction = self.database.begin_read().await?;
        let clients = servicing::expiring(&*transaction, now, soon).await?;
        let mut sums: BTreeMap<&str, Money> = BTreeMap::new();
        let distinct: Vec<HubId> = clients.keys().copied().collect();
        for portion in distinct.chunks(CLIENTS_AT_ONCE) {
            for history in subscriptions::histories(&*transaction, portion).await?.into_values() {
                if let Mrr::Known { mrr, .. } = history.mrr_at(now) {
                    let sum = sums.entry(mrr.currency.code()).or_insert_with(|| Money::zero(mrr.currency));
                    sum.minor_units = sum.minor_units.saturating_add(mrr.minor_units);
                }
            }
        }
        let sums = sums.into_values().map(|sum| (sum.currency.code(), units(sum)));
        Ok((clients.values().sum(), sums.collect()))
    }
}

/// An amount as metrics have it, which are floats: to look at, not to pay by.
fn units(sum: Money) -> f64 {
    float(sum.minor_units.unsigned_abs()) / 10_f64.powf(f64::from(sum.currency.exponent()))
}
