//! What is measured of every service in the same way: how far it is, and its connections to the database.
//!
//! It is looked up in the background, at an interval: whoever scrapes does not make the database work.

use std::time::Duration;

use domain::time::Instant;
use metrics::{Unit, describe_gauge, gauge};

use super::{CopyStatus, Maintain, RejudgingStatus, ServiceStatus};
use crate::ServiceError;
use crate::feed::Following;

/// How old what is measured may be.
const INTERVAL: Duration = Duration::from_secs(5);

const INFO: &str = "managed_credit_service_info";
const MEASURED_TIME: &str = "managed_credit_measured_time_seconds";
const HEAD_POSITION: &str = "managed_credit_feed_head_position";
const POSITION: &str = "managed_credit_feed_position";
const LAG: &str = "managed_credit_feed_lag_seconds";
const STATE: &str = "managed_credit_feed_state";
const WAITING_TASKS: &str = "managed_credit_waiting_tasks";
const OLDEST_TASK: &str = "managed_credit_oldest_waiting_task_seconds";
const PROVISIONAL: &str = "managed_credit_provisional_activities";
const CONNECTIONS: &str = "db_client_connection_count";
const MAXIMUM_CONNECTIONS: &str = "db_client_connection_max";

/// Measures a service until it is dropped.
pub async fn measure<M: Maintain>(service: M, name: &'static str, policy_version: String, policy_digest: String) {
    describe();
    let info = [("service", name.to_owned()), ("version", env!("CARGO_PKG_VERSION").to_owned())];
    let of_policy = [("policy_version", policy_version), ("policy_digest", policy_digest)];
    let labels: Vec<_> = info.into_iter().chain(of_policy).collect();
    gauge!(INFO, &labels).set(1.0);
    loop {
        if let Err(error) = measure_once(&service, name).await {
            tracing::warn!(service = name, %error, "how far the service is cannot be measured");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

fn describe() {
    describe_gauge!(INFO, "What runs: version of the program, and the policy by which it judges");
    describe_gauge!(MEASURED_TIME, Unit::Seconds, "When the database last told how far the service is, since 1970");
    describe_gauge!(HEAD_POSITION, "The newest position of the feed that the service owns");
    describe_gauge!(POSITION, "How far the service's copy of a feed has come");
    describe_gauge!(LAG, Unit::Seconds, "Since when the service's copy of a feed was last known to be complete");
    describe_gauge!(STATE, "1 for how following a feed goes, 0 for everything else");
    describe_gauge!(WAITING_TASKS, "Tasks that wait to be judged again after facts or the policy have changed");
    describe_gauge!(OLDEST_TASK, Unit::Seconds, "How long the oldest of the waiting tasks has waited");
    describe_gauge!(PROVISIONAL, "Verdicts given while access-management could not be asked for its newest facts");
    describe_gauge!(CONNECTIONS, "Connections of the pool, by whether they are used");
    describe_gauge!(MAXIMUM_CONNECTIONS, "The most connections that the pool may have");
}

async fn measure_once<M: Maintain>(service: &M, name: &'static str) -> Result<(), ServiceError> {
    // Before the database is asked: this is also so where it does not answer.
    measure_pool(service, name);
    let now = service.clock().now();
    let ServiceStatus { head, copies, rejudging, provisional_activities } = service.status().await?;
    gauge!(HEAD_POSITION, "service" => name, "feed" => head.feed.as_str()).set(float(head.position));
    copies.iter().for_each(|copy| measure_copy(name, copy, now));
    if let Some(RejudgingStatus { waiting_tasks, oldest_time, .. }) = rejudging {
        gauge!(WAITING_TASKS, "service" => name).set(float(waiting_tasks));
        gauge!(OLDEST_TASK, "service" => name).set(oldest_time.map_or(0.0, |oldest| seconds_since(oldest, now)));
        gauge!(PROVISIONAL, "service" => name).set(float(provisional_activities));
    }
    // Where the database does not answer, all of these stay as they are: this tells since when.
    gauge!(MEASURED_TIME, "service" => name).set(seconds_since(Instant::UNIX_EPOCH, now));
    Ok(())
}

fn measure_pool<M: Maintain>(service: &M, name: &'static str) {
    let pool = service.database().pool();
    for (state, count) in [("idle", pool.idle), ("used", pool.used)] {
        let labels = [("db_client_connection_pool_name", name), ("db_client_connection_state", state)];
        gauge!(CONNECTIONS, &labels).set(f64::from(count));
    }
    gauge!(MAXIMUM_CONNECTIONS, "db_client_connection_pool_name" => name).set(f64::from(pool.maximum));
}

fn measure_copy(name: &'static str, copy: &CopyStatus, now: Instant) {
    let feed = copy.cursor.feed.as_str();
    gauge!(POSITION, "service" => name, "feed" => feed).set(float(copy.cursor.position));
    if let Some(complete) = copy.cursor.caught_up_time {
        gauge!(LAG, "service" => name, "feed" => feed).set(seconds_since(complete, now));
    }
    for following in Following::ALL {
        let is_so = if following == copy.following { 1.0 } else { 0.0 };
        gauge!(STATE, "service" => name, "feed" => feed, "state" => following.as_str()).set(is_so);
    }
}

/// As metrics are: beyond 2^53 the last digits are lost.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "metrics are floats")]
pub fn float(count: u64) -> f64 {
    count as f64
}

fn seconds_since(then: Instant, now: Instant) -> f64 {
    now.signed_duration_since(then).to_std().unwrap_or_default().as_secs_f64()
}
