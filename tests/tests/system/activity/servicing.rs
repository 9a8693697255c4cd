//! GetServicing, BatchGetServicing and ListServicing: as of any instant, from what had occurred by then.

mod relationships;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contracts::wire::activity::{
    self, Activity, EmployeeActivity, PeriodEndCause, Servicing, ServicingState, ToolActivity,
};
use contracts::{ClientName, EmployeeName, PartnerName, activity_from_wire, timestamp};
use domain::access::{AccessHistory, EmployeeId, HubId};
use domain::activity::{Judgement, Verdict, judge};
use domain::policy::Policy;
use domain::servicing::{CountedActivity, periods, standing};
use domain::time::Instant;
use system_tests::{Cluster, ClusterOptions, DatabaseKind, at, fields, on_both_databases, reason, stamp};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

use super::{ANNA, LONG_AFTER, access_history, agency, other_policy, period_texts, servicing};

const BEN: &str = "ben@agency.example";

/// How a partner services a client with a minimum of live activities.
async fn servicing_of(cluster: &Cluster, minimum: i32, as_of: &str) -> Result<activity::GetServicingResponse, Status> {
    let request = activity::GetServicingRequest {
        partner: "partners/1001".to_owned(),
        client: "clients/2002".to_owned(),
        as_of_time: Some(stamp(as_of)),
        minimum,
        at_least_revisions: cluster.known_revisions(),
        ..Default::default()
    };
    cluster.activity().get_servicing(request).await.map(Response::into_inner)
}

async fn works(cluster: &Cluster, times: &[&str]) {
    for (number, when) in times.iter().enumerate() {
        cluster.work(2002, &format!("evt-{number}"), ANNA, when, "blog/publish").await;
    }
}

/// The state, when it ends or ended and why, and how many activities live.
fn line(servicing: Option<&Servicing>) -> String {
    let servicing = servicing.expect("a servicing");
    let state = servicing.state().as_str_name().trim_start_matches("SERVICING_STATE_");
    let time =
        |time: &prost_types::Timestamp| contracts::instant(time).expect("a time").format("%Y-%m-%dT%H:%MZ").to_string();
    let cause = servicing.end_cause().as_str_name().trim_start_matches("PERIOD_END_CAUSE_");
    let expires = servicing.expire_time.as_ref().map_or_else(|| "-".to_owned(), time);
    let since = servicing.serviced_since_time.as_ref().map_or_else(|| "-".to_owned(), time);
    format!("{state} since {since} until {expires} {cause}, {} live", servicing.live_activities)
}

async fn line_as_of(cluster: &Cluster, as_of: &str) -> String {
    line(servicing(cluster, 1001, 2002, as_of).await.servicing.as_ref())
}

on_both_databases!(r63_as_of_a_past_instant_what_occurred_later_does_not_speak, |cluster| {
    agency(&cluster).await;
    works(&cluster, &["2025-01-10T12:00:00Z", "2025-02-09T12:00:00Z"]).await;
    let as_of_january = servicing(&cluster, 1001, 2002, "2025-01-20").await;
    assert_eq!(
        line(as_of_january.servicing.as_ref()),
        "ACTIVE since 2025-01-10T12:00Z until 2025-03-11T12:00Z LAPSED, 1 live"
    );
    assert_eq!(period_texts(&as_of_january.periods), ["2025-01-10T12:00Z to 2025-03-11T12:00Z, LAPSED"]);
    assert_eq!(as_of_january.counted_activities.len(), 1);
    let last = as_of_january.servicing.and_then(|servicing| servicing.last_activity).expect("a last activity");
    assert_eq!(last.activity.expect("an activity").name, "clients/2002/activities/evt-0");
    // The very instant of an activity is one at which it has occurred.
    let second = "ACTIVE since 2025-01-10T12:00Z until 2025-04-10T12:00Z LAPSED, 2 live";
    assert_eq!(line_as_of(&cluster, "2025-02-09T12:00:00Z").await, second);
    let before = "ACTIVE since 2025-01-10T12:00Z until 2025-03-11T12:00Z LAPSED, 1 live";
    assert_eq!(line_as_of(&cluster, "2025-02-09T11:59:59.999999Z").await, before);
});

on_both_databases!(a_relationship_stands_as_its_periods_say_at_their_boundaries_and_between_them, |cluster| {
    agency(&cluster).await;
    works(&cluster, &["2025-01-10T12:00:00Z", "2025-03-20T08:00:00Z"]).await;
    let lapsed = "ENDED since - until 2025-03-11T12:00Z LAPSED, 0 live";
    for (as_of, expected) in [
        ("2025-01-10T11:59:59.999999Z", "NONE since - until - UNSPECIFIED, 0 live"),
        ("2025-01-10T12:00:00Z", "ACTIVE since 2025-01-10T12:00Z until 2025-03-11T12:00Z LAPSED, 1 live"),
        ("2025-03-11T11:59:59.999999Z", "EXPIRING since 2025-01-10T12:00Z until 2025-03-11T12:00Z LAPSED, 1 live"),
        ("2025-03-11T12:00:00Z", lapsed),
        ("2025-03-20T07:59:59.999999Z", lapsed),
        ("2025-03-20T08:00:00Z", "ACTIVE since 2025-03-20T08:00Z until 2025-05-19T08:00Z LAPSED, 1 live"),
        (LONG_AFTER, "ENDED since - until 2025-05-19T08:00Z LAPSED, 0 live"),
        ("9999-12-31T23:59:59.999999Z", "ENDED since - until 2025-05-19T08:00Z LAPSED, 0 live"),
        ("0001-01-01", "NONE since - until - UNSPECIFIED, 0 live"),
    ] {
        assert_eq!(line_as_of(&cluster, as_of).await, expected, "{as_of}");
    }
    let between = servicing(&cluster, 1001, 2002, "2025-03-15").await;
    assert_eq!(period_texts(&between.periods), ["2025-01-10T12:00Z to 2025-03-11T12:00Z, LAPSED"]);
    let last = between.servicing.and_then(|servicing| servicing.last_activity).expect("what lapsed is told still");
    assert_eq!(last.activity.expect("an activity").name, "clients/2002/activities/evt-0");
});

on_both_databases!(r71_an_ending_speaks_from_its_instant_on, |cluster| {
    let anna = agency(&cluster).await;
    works(&cluster, &["2025-06-01T09:00:00Z", "2025-06-15T10:00:00Z"]).await;
    cluster.remove(&anna, "2025-07-20T08:00:00Z").await.expect("a removal");
    let before = "EXPIRING since 2025-06-01T09:00Z until 2025-08-14T10:00Z LAPSED, 2 live";
    assert_eq!(line_as_of(&cluster, "2025-07-20T07:59:59.999999Z").await, before);
    let ended = "ENDED since - until 2025-07-20T08:00Z ALL_EMPLOYEES_REMOVED, 0 live";
    for as_of in ["2025-07-20T08:00:00Z", "2025-08-01", LONG_AFTER] {
        assert_eq!(line_as_of(&cluster, as_of).await, ended, "{as_of}");
    }
    // Somebody who was removed and came again revives nothing (R73); what is done then begins anew.
    cluster.user_since(2002, ANNA, "2025-07-21").await.expect("a user");
    cluster.work(2002, "anew", ANNA, "2025-07-22T10:00:00Z", "form/edit").await;
    assert_eq!(line_as_of(&cluster, "2025-07-22").await, ended);
    let anew = "ACTIVE since 2025-07-22T10:00Z until 2025-09-20T10:00Z LAPSED, 1 live";
    assert_eq!(line_as_of(&cluster, "2025-08-01").await, anew);
});

/// The policy with a tier that needs three activities and these windows.
fn policy_with_windows(windows: &str) -> Arc<Policy> {
    let document = include_str!("../../../../crates/domain/policy.toml")
        .replace("    { from = 0001-01-01, days = 60 },", windows)
        .replace(
            "minimum_activities = []",
            r#"minimum_activities = [{ from = 2024-01-01, tier = "ELITE", minimum = 3 }]"#,
        );
    let policy = Policy::parse(&document).expect("a policy");
    assert!(policy.minimums_ever().contains(&3) && policy.digest() != Policy::embedded().digest());
    Arc::new(policy)
}

/// From February until mid-March what is done counts for few days only.
const CHANGING_WINDOWS: &str =
    "{ from = 0001-01-01, days = 60 }, { from = 2025-02-01, days = 10 }, { from = 2025-03-15, days = 45 },";

async fn start(kind: DatabaseKind, policy: Arc<Policy>) -> Cluster {
    Cluster::start_with(kind, ClusterOptions { policy, ..ClusterOptions::default() }).await
}

async fn r57_a_tier_that_needs_three_activities_earns_while_three_live(kind: DatabaseKind) {
    let cluster = start(kind, other_policy(60)).await;
    agency(&cluster).await;
    works(&cluster, &["2025-01-10", "2025-01-20", "2025-01-30"]).await;
    let never = "NONE since - until - UNSPECIFIED, 2 live";
    let earns = "ACTIVE since 2025-01-30T00:00Z until 2025-03-11T00:00Z LAPSED, 3 live";
    let ended = "ENDED since - until 2025-03-11T00:00Z LAPSED, 2 live";
    for (as_of, expected) in [("2025-01-29T23:59:59.999999Z", never), ("2025-01-30", earns), ("2025-03-11", ended)] {
        let found = servicing_of(&cluster, 3, as_of).await.expect("a servicing");
        assert_eq!(line(found.servicing.as_ref()), expected, "{as_of}");
    }
    // With one it goes on.
    let of_one = servicing_of(&cluster, 1, "2025-03-11").await.expect("a servicing");
    let expected = "EXPIRING since 2025-01-10T00:00Z until 2025-03-31T00:00Z LAPSED, 2 live";
    assert_eq!(line(of_one.servicing.as_ref()), expected);
    cluster.stop().await;
}

async fn r63_what_lives_is_what_the_window_of_its_own_day_lets_live(kind: DatabaseKind) {
    let cluster = start(kind, policy_with_windows(CHANGING_WINDOWS)).await;
    agency(&cluster).await;
    // Until 11 March, 15 February, 18 March, 29 April and 4 May.
    works(&cluster, &["2025-01-10", "2025-02-05", "2025-03-08", "2025-03-15", "2025-03-20"]).await;
    let february = "EXPIRING since 2025-01-10T00:00Z until 2025-03-11T00:00Z LAPSED, 2 live";
    let on_the_ninth = "EXPIRING since 2025-01-10T00:00Z until 2025-03-18T00:00Z LAPSED, 2 live";
    for (as_of, expected) in [("2025-02-10", february), ("2025-03-09", on_the_ninth)] {
        assert_eq!(line_as_of(&cluster, as_of).await, expected, "{as_of}");
    }
    cluster.work(2002, "evt-5", ANNA, "2025-02-06", "blog/publish").await;
    for (as_of, expected) in [
        // The first is the last of the three to expire.
        ("2025-02-10", "EXPIRING since 2025-02-06T00:00Z until 2025-02-15T00:00Z LAPSED, 3 live"),
        ("2025-03-17", "ENDED since - until 2025-02-15T00:00Z LAPSED, 2 live"),
    ] {
        let found = servicing_of(&cluster, 3, as_of).await.expect("a servicing");
        assert_eq!(line(found.servicing.as_ref()), expected, "{as_of}");
    }
    cluster.stop().await;
}

async fn only_a_minimum_that_the_policy_has_known_can_be_asked_about(kind: DatabaseKind) {
    let cluster = start(kind, other_policy(60)).await;
    agency(&cluster).await;
    works(&cluster, &["2025-01-10"]).await;
    for minimum in [2, 4, -1, 1_000] {
        let refused = servicing_of(&cluster, minimum, "2025-01-20").await.expect_err("no periods are kept for it");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_FIELDS"));
        assert_eq!(fields(&refused), ["minimum"]);
        let violation = &refused.get_details_bad_request().expect("violations").field_violations[0];
        assert!(violation.description.ends_with(": 1, 3"), "{}", violation.description);
        let pair = activity::ServicingPair { partner: "partners/1001".to_owned(), client: "clients/2002".to_owned() };
        let batch = activity::BatchGetServicingRequest { pairs: vec![pair], minimum, ..Default::default() };
        let refused = cluster.activity().batch_get_servicing(batch).await.expect_err("no periods are kept for it");
        assert_eq!(fields(&refused), ["minimum"]);
        let partner = "partners/1001".to_owned();
        let list = activity::ListServicingRequest { partner, minimum, ..Default::default() };
        let refused = cluster.activity().list_servicing(list).await.expect_err("no periods are kept for it");
        assert_eq!(fields(&refused), ["minimum"]);
    }
    for minimum in [0, 1, 3] {
        servicing_of(&cluster, minimum, "2025-01-20").await.expect("periods are kept for it");
    }
    cluster.stop().await;
}

/// Runs a test that starts its cluster with a policy of its own on both databases.
macro_rules! with_own_policy {
    ($($name:ident)+) => { $(mod $name {
        use system_tests::DatabaseKind;

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn on_sqlite() {
            super::$name(DatabaseKind::Sqlite).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn on_postgresql() {
            super::$name(DatabaseKind::Postgresql).await;
        }
    })+ };
}

with_own_policy! {
    r57_a_tier_that_needs_three_activities_earns_while_three_live
    r63_what_lives_is_what_the_window_of_its_own_day_lets_live
    only_a_minimum_that_the_policy_has_known_can_be_asked_about
    reads_in_random_histories_say_what_the_domain_says_of_all_activities
}

on_both_databases!(who_did_how_much_with_which_tool_is_told_as_of_the_instant, |cluster| {
    agency(&cluster).await;
    cluster.employee(1001, BEN).await;
    cluster.user(2002, BEN).await;
    let carla = cluster.employee(1001, "carla@freemail.example").await;
    for (id, address, when, action) in [
        ("a1", ANNA, "2025-01-10", "blog/publish"),
        ("a2", ANNA, "2025-02-10", "form/edit"),
        ("a3", ANNA, "2025-02-11", "blog/preview"),
        ("a4", ANNA, "2025-02-12", "blog/publish"),
        ("b1", BEN, "2025-03-20", "blog/publish"),
        ("c1", "carla@freemail.example", "2025-03-21", "blog/publish"),
    ] {
        cluster.work(2002, id, address, when, action).await;
    }
    cluster.void(2002, "a4", "a test record").await.expect("voided");
    let employee = |address: &str, live, counted, not_counted, last: Option<&str>| {
        (address.to_owned(), live, counted, not_counted, last.map(stamp))
    };
    let employees = |found: &Servicing| -> Vec<_> {
        let told = |one: &EmployeeActivity| {
            let EmployeeActivity { email_address, live_activities, counted_activities, .. } = one.clone();
            let (not_counted, last) = (one.not_counted_activities, one.last_activity_time);
            (email_address, live_activities, counted_activities, not_counted, last)
        };
        found.employees.iter().map(told).collect()
    };
    let tools = |found: &Servicing| -> Vec<(String, i32, i32, Option<prost_types::Timestamp>)> {
        let told = |one: &ToolActivity| {
            (one.tool.clone(), one.live_activities, one.counted_activities, one.last_activity_time)
        };
        found.tools.iter().map(told).collect()
    };
    let tool = |tool: &str, live, counted, last: &str| (tool.to_owned(), live, counted, Some(stamp(last)));

    let found = servicing(&cluster, 1001, 2002, "2025-04-01").await.servicing.expect("a servicing");
    assert_eq!(
        employees(&found),
        [
            employee(BEN, 1, 1, 0, Some("2025-03-20")),
            // The first has expired; the preview and what was taken back do not count.
            employee(ANNA, 1, 2, 2, Some("2025-02-10")),
            employee("carla@freemail.example", 0, 0, 1, None),
        ]
    );
    assert_eq!(found.employees[2].employee, carla);
    assert_eq!(tools(&found), [tool("blog", 1, 2, "2025-03-20"), tool("form", 1, 1, "2025-02-10")]);
    let found = servicing(&cluster, 1001, 2002, "2025-02-10").await.servicing.expect("a servicing");
    assert_eq!(employees(&found), [employee(ANNA, 2, 2, 0, Some("2025-02-10"))]);
    assert_eq!(tools(&found), [tool("form", 1, 1, "2025-02-10"), tool("blog", 1, 1, "2025-01-10")]);
    let found = servicing(&cluster, 1001, 2002, "2025-01-09").await.servicing.expect("a servicing");
    assert!(found.employees.is_empty() && found.tools.is_empty());
});

on_both_databases!(r73_what_an_ending_cut_off_no_longer_lives_for_anybody, |cluster| {
    let anna = agency(&cluster).await;
    works(&cluster, &["2025-06-01"]).await;
    cluster.remove(&anna, "2025-06-10").await.expect("a removal");
    cluster.user_since(2002, ANNA, "2025-06-11").await.expect("a user");
    cluster.work(2002, "anew", ANNA, "2025-06-12", "form/edit").await;
    let found = servicing(&cluster, 1001, 2002, "2025-06-20").await.servicing.expect("a servicing");
    assert_eq!((found.employees[0].live_activities, found.employees[0].counted_activities), (1, 2));
    let live: Vec<_> = found.tools.iter().map(|tool| (tool.tool.as_str(), tool.live_activities)).collect();
    assert_eq!(live, [("form", 1), ("blog", 0)]);
});

on_both_databases!(evidence_is_the_newest_of_each_kind_also_what_nobody_was_found_for_and_what_was_voided, |cluster| {
    agency(&cluster).await;
    // Before the account knew of ben, nobody was found for his work.
    cluster.employee_since(1001, BEN, "2025-01-05").await.expect("an employee");
    for (id, address, when, action) in [
        ("b0", BEN, "2025-01-04", "blog/publish"),
        ("a1", ANNA, "2025-01-10", "blog/publish"),
        ("a2", ANNA, "2025-01-11", "blog/preview"),
        ("a3", ANNA, "2025-01-12", "form/edit"),
        ("a4", ANNA, "2025-01-13", "form/edit"),
        ("s1", "somebody@client.example", "2025-01-13", "form/edit"),
    ] {
        cluster.work(2002, id, address, when, action).await;
    }
    cluster.void(2002, "a4", "a test record").await.expect("voided");
    let ids = |judged: &[activity::JudgedActivity]| -> Vec<String> {
        let id = |name: &str| name.rsplit('/').next().expect("an id").to_owned();
        judged.iter().map(|judged| id(&judged.activity.as_ref().expect("an activity").name)).collect()
    };
    let found = servicing(&cluster, 1001, 2002, "2025-02-01").await;
    assert_eq!(ids(&found.counted_activities), ["a3", "a1"]);
    assert_eq!(ids(&found.not_counted_activities), ["a4", "a2", "b0"]);
    let voiding = found.not_counted_activities[0].voiding.as_ref().expect("who took it back");
    assert_eq!((voiding.actor.as_str(), voiding.reason.as_str()), ("platform", "a test record"));
    let found = servicing(&cluster, 1001, 2002, "2025-01-11").await;
    assert_eq!(ids(&found.counted_activities), ["a1"]);
    assert_eq!(ids(&found.not_counted_activities), ["a2", "b0"]);
    let request = activity::GetServicingRequest {
        partner: "partners/1001".to_owned(),
        client: "clients/2002".to_owned(),
        evidence_limit: 1,
        at_least_revisions: cluster.known_revisions(),
        ..Default::default()
    };
    let found = cluster.activity().get_servicing(request).await.expect("an answer").into_inner();
    assert_eq!(
        (ids(&found.counted_activities), ids(&found.not_counted_activities)),
        (vec!["a3".to_owned()], vec!["a4".to_owned()])
    );
});

on_both_databases!(r62_what_was_taken_back_is_no_evidence_of_what_a_credit_lacks, |cluster| {
    agency(&cluster).await;
    cluster.subscription(2002, "hub", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    works(&cluster, &["2025-01-10"]).await;
    cluster.work(2002, "preview", ANNA, "2025-01-11", "blog/preview").await;
    cluster.void(2002, "evt-0", "a test record").await.expect("voided");
    let told = format!("{:?}", cluster.explain(1001, 2002, "2025-01-20").await.expect("an explanation"));
    assert!(told.contains("11 January 2025") && !told.contains("10 January 2025"), "{told}");
});

/// What the domain says of all facts of a small world at once.
struct World<'a> {
    policy: &'a Policy,
    history: AccessHistory,
    judged: Vec<(domain::activity::Activity, Judgement)>,
}

impl<'a> World<'a> {
    async fn of(cluster: &'a Cluster, activities: &[Activity], voided: &BTreeSet<String>) -> Self {
        let history = access_history(cluster).await;
        let judged = activities.iter().map(|stated| {
            let activity = activity_from_wire("activity", stated).expect("a right activity");
            let judgement = judge(&activity, &history, &cluster.policy);
            let judgement = if voided.contains(&stated.name) { judgement.voided() } else { judgement };
            (activity, judgement)
        });
        Self { policy: &cluster.policy, judged: judged.collect(), history }
    }

    /// What a pair's people did by an instant, with how long it counts.
    fn done(
        &self,
        client: HubId,
        partner: HubId,
        as_of: Instant,
    ) -> impl Iterator<Item = (&domain::activity::Activity, EmployeeId, &Judgement, Option<CountedActivity>)> {
        let there = self.judged.iter().filter(move |(done, _)| done.client == client && done.occur_time <= as_of);
        there.filter_map(move |(done, judgement)| {
            let employee = judgement.attribution.filter(|found| found.partner == partner)?.employee;
            let life = match judgement.verdict {
                Verdict::Counted { expire_time } => Some(CountedActivity { occur_time: done.occur_time, expire_time }),
                _ => None,
            };
            Some((done, employee, judgement, life))
        })
    }

    /// The servicing with its periods, by all activities and endings. The last activity is left to its name.
    fn servicing(
        &self,
        client: HubId,
        partner: HubId,
        minimum: u32,
        as_of: Instant,
    ) -> (Servicing, Vec<activity::ServicingPeriod>, Option<String>) {
        let lives: Vec<CountedActivity> = self.done(client, partner, as_of).filter_map(|done| done.3).collect();
        let mut endings = self.history.endings(client, partner, self.policy);
        endings.retain(|ending| ending.time <= as_of);
        let known = periods(&lives, &endings, minimum);
        let standing = standing(&lives, &endings, minimum, as_of, self.policy.longest_warning_days());
        let last_ending = endings.iter().map(|ending| ending.time).max();
        let is_alive = |life: &CountedActivity| {
            as_of < life.expire_time && last_ending.is_none_or(|ending| ending <= life.occur_time)
        };
        let (mut employees, mut tools) = (BTreeMap::new(), BTreeMap::new());
        for (done, employee, judgement, life) in self.done(client, partner, as_of) {
            let of_employee = employees.entry(employee).or_insert_with(|| EmployeeActivity {
                employee: EmployeeName { partner, employee }.to_string(),
                email_address: done.address.to_string(),
                ..Default::default()
            });
            let Some(life) = life else {
                of_employee.not_counted_activities += 1;
                continue;
            };
            let tool = judgement.action.as_ref().expect("what counts is known").tool().to_owned();
            let of_tool = tools.entry(tool.clone()).or_insert_with(|| ToolActivity { tool, ..Default::default() });
            let lives = i32::from(is_alive(&life));
            of_employee.live_activities += lives;
            of_employee.counted_activities += 1;
            of_tool.live_activities += lives;
            of_tool.counted_activities += 1;
            for last in [&mut of_employee.last_activity_time, &mut of_tool.last_activity_time] {
                if last.as_ref().is_none_or(|last| seconds(last) < seconds(&timestamp(done.occur_time))) {
                    *last = Some(timestamp(done.occur_time));
                }
            }
        }
        let mut employees: Vec<EmployeeActivity> = employees.into_values().collect();
        employees.sort_by_key(|one| Reverse(one.last_activity_time.as_ref().map(seconds)));
        let mut tools: Vec<ToolActivity> = tools.into_values().collect();
        tools.sort_by_key(|one| Reverse(one.last_activity_time.as_ref().map(seconds)));
        let counted = self.done(client, partner, as_of).filter(|done| done.3.is_some());
        let last = counted.map(|(done, ..)| (done.occur_time, done.id.to_string())).max();
        let state = ServicingState::from(standing.state);
        let goes_on = matches!(state, ServicingState::Active | ServicingState::Expiring);
        let servicing = Servicing {
            partner: PartnerName(partner).to_string(),
            client: ClientName(client).to_string(),
            state: state.into(),
            serviced_since_time: standing.serviced_since.filter(|_| goes_on).map(timestamp),
            expire_time: standing.expire_time.map(timestamp),
            end_cause: known.last().map_or(PeriodEndCause::Unspecified, |last| last.end_cause.into()).into(),
            last_activity: None,
            live_activities: i32::try_from(standing.live_activities).expect("few"),
            employees,
            tools,
        };
        let last = last.map(|(_, id)| format!("{}/activities/{id}", ClientName(client)));
        (servicing, known.iter().map(Into::into).collect(), last)
    }

    /// The instants at which something changes, each with the one before.
    fn instants(&self) -> Vec<Instant> {
        let occurs = self.judged.iter().map(|(done, _)| done.occur_time);
        let expires = self.judged.iter().filter_map(|(_, judgement)| match judgement.verdict {
            Verdict::Counted { expire_time } => Some(expire_time),
            _ => None,
        });
        let access = self.history.changes().map(|change| change.effective_time);
        let all: BTreeSet<Instant> = occurs.chain(expires).chain(access).collect();
        all.into_iter().flat_map(|instant| [instant - chrono::TimeDelta::microseconds(1), instant]).collect()
    }
}

fn seconds(time: &prost_types::Timestamp) -> (i64, i32) {
    (time.seconds, time.nanos)
}

/// Takes the last activity out, and answers its name.
fn take_last(servicing: &mut Servicing) -> Option<String> {
    Some(servicing.last_activity.take()?.activity.expect("an activity").name)
}

/// Compares what all three reads say at some instants with what the domain says of all facts at once. Answers how many
/// relationships went on at those instants.
pub(super) async fn assert_read_as_the_domain_says(
    cluster: &Cluster,
    activities: &[Activity],
    voided: &BTreeSet<String>,
    partners: &[i64],
    clients: &[i64],
    seed: usize,
) -> usize {
    let world = World::of(cluster, activities, voided).await;
    let hub_id = |number: &i64| HubId::try_from(*number).expect("a hub id");
    let pairs: Vec<(HubId, HubId)> = clients
        .iter()
        .flat_map(|client| partners.iter().map(move |partner| (hub_id(client), hub_id(partner))))
        .collect();
    let minimums: Vec<u32> = cluster.policy.minimums_ever().into_iter().collect();
    let instants = world.instants();
    let mut going_on = 0;
    for draw in 0..6 {
        let as_of = instants[(seed * 7_919 + draw * 104_729) % instants.len()];
        let minimum = minimums[(seed + draw) % minimums.len()];
        let expected: Vec<_> =
            pairs.iter().map(|(client, partner)| world.servicing(*client, *partner, minimum, as_of)).collect();
        let wire_minimum = i32::try_from(minimum).expect("small");

        let asked = pairs.iter().map(|(client, partner)| activity::ServicingPair {
            partner: PartnerName(*partner).to_string(),
            client: ClientName(*client).to_string(),
        });
        let request = activity::BatchGetServicingRequest {
            pairs: asked.clone().collect(),
            as_of_time: Some(timestamp(as_of)),
            minimum: wire_minimum,
            at_least_revisions: cluster.known_revisions(),
        };
        let batch = cluster.activity().batch_get_servicing(request).await.expect("an answer").into_inner();
        for (mut found, (servicing, _, last)) in batch.servicings.into_iter().zip(&expected) {
            assert_eq!(take_last(&mut found), *last, "{as_of}");
            let without_work = Servicing { employees: Vec::new(), tools: Vec::new(), ..servicing.clone() };
            assert_eq!(found, without_work, "{as_of}, minimum {minimum}");
            going_on += usize::from(found.serviced_since_time.is_some());
        }

        for (pair, (servicing, periods, last)) in asked.zip(&expected) {
            let request = activity::GetServicingRequest {
                partner: pair.partner,
                client: pair.client,
                as_of_time: Some(timestamp(as_of)),
                minimum: wire_minimum,
                at_least_revisions: cluster.known_revisions(),
                ..Default::default()
            };
            let found = match cluster.activity().get_servicing(request).await {
                Ok(found) => found.into_inner(),
                // It was taken back that the client exists.
                Err(status) => {
                    assert_eq!((reason(&status).as_str(), last), ("UNKNOWN_CLIENT", &None));
                    continue;
                }
            };
            let mut of_pair = found.servicing.expect("a servicing");
            assert_eq!(take_last(&mut of_pair), *last, "{as_of}");
            assert_eq!((&of_pair, &found.periods), (servicing, periods), "{as_of}, minimum {minimum}");
        }

        // Listed is of what something had counted.
        for partner in partners {
            let mut expected: Vec<&Servicing> = expected
                .iter()
                .filter(|(servicing, _, last)| servicing.partner == format!("partners/{partner}") && last.is_some())
                .map(|(servicing, ..)| servicing)
                .collect();
            let request = activity::ListServicingRequest {
                partner: format!("partners/{partner}"),
                as_of_time: Some(timestamp(as_of)),
                minimum: wire_minimum,
                page_size: 1,
                ..Default::default()
            };
            let mut found = relationships::pages(cluster, request.clone()).await.concat();
            found.iter_mut().for_each(|servicing| servicing.last_activity = None);
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{as_of}, minimum {minimum}");
            let ended = ServicingState::Ended;
            let request = activity::ListServicingRequest { states: vec![ended.into()], ..request };
            let found = relationships::pages(cluster, request).await.concat();
            expected.retain(|servicing| servicing.state() == ended);
            assert_eq!(found.len(), expected.len(), "{as_of}, minimum {minimum}");
        }
    }
    going_on
}

/// Work of some people at random times under windows that change; partners and people come and go.
async fn reads_in_random_histories_say_what_the_domain_says_of_all_activities(kind: DatabaseKind) {
    let cluster = start(kind, policy_with_windows(CHANGING_WINDOWS)).await;
    let mut going_on = 0;
    for case in 0..6_usize {
        let base = 100_000 + 10 * i64::try_from(case).expect("small");
        let (partners, clients) = ([base, base + 1], [base + 5, base + 6]);
        for (partner, number) in partners.iter().zip(1..) {
            cluster.partner(*partner, &[&format!("p{number}.of{base}.example")]).await;
        }
        let address = |person: usize| format!("e{person}@p{}.of{base}.example", 1 + person / 2);
        let mut users = Vec::new();
        for person in 0..4 {
            cluster.employee(partners[person / 2], &address(person)).await;
        }
        for client in clients {
            cluster.client(client, "US").await;
            for person in 0..4 {
                users.push(cluster.user(client, &address(person)).await);
            }
        }
        let random = |draw: usize, bound: usize| (case * 48_271 + draw * 69_621 + draw * draw * 16_807) % bound;
        let actions = ["blog/publish", "form/edit", "list/create", "blog/preview"];
        let activities: Vec<Activity> = (0..40)
            .map(|draw| {
                let (client, person) = (clients[random(draw, 2)], random(draw + 100, 4));
                // Often at the same instants.
                let day = chrono::TimeDelta::hours(12 * i64::try_from(random(draw + 200, 260)).expect("small"));
                let when = (at("2025-01-01") + day).to_rfc3339();
                Cluster::activity_of(client, &format!("evt-{draw}"), &address(person), &when, actions[random(draw, 4)])
            })
            .collect();
        cluster.record(activities.clone()).await.expect("results");
        let mut voided = BTreeSet::new();
        for draw in [3, 17] {
            let name = &activities[draw].name;
            let (client, id) = (clients[random(draw, 2)], format!("evt-{draw}"));
            cluster.void(client, &id, "a test record").await.expect("voided");
            voided.insert(name.clone());
        }
        // All of the first partner's people are removed from the first client, and come again.
        for user in &users[..2] {
            cluster.remove(user, "2025-03-01").await.expect("a removal");
        }
        cluster.user_since(clients[0], &address(0), "2025-03-10").await.expect("a user");
        cluster.end_services(partners[1], clients[1], "2025-04-01").await.expect("ended services");
        going_on += assert_read_as_the_domain_says(&cluster, &activities, &voided, &partners, &clients, case).await;
    }
    assert!(going_on > 30, "only {going_on} relationships went on at the instants that were asked about");
    cluster.stop().await;
}
