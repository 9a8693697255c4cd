//! Why a credit was lost, by whom, and that doing what the answer says brings it back (R126).

use std::sync::Arc;

use contracts::wire::access::{self, AccessRole};
use contracts::wire::activity::VerdictOutcome;
use contracts::wire::credit::{
    ChangeAuthor, ChangeEvidence, Condition, ConditionKind, Explanation, MinimumChange, NoCreditReason, RemedyAim,
    RemedyStep, RemedyStepKind, RemedyTaker, Tier,
};
use domain::policy::Policy;
use system_tests::{Cluster, ClusterOptions, DatabaseKind, by, on_both_databases, stamp};

use super::{agency, amount, anna_works};

const ANNA: &str = "anna@agency.example";
const BRUNO: &str = "bruno@agency.example";
const BOSS: &str = "boss@client.example";
/// The harness's clock.
const NOW: &str = "2026-01-01";

/// What partner 1001 is told of client 2002 now.
async fn why(cluster: &Cluster) -> Explanation {
    cluster.explain(1001, 2002, NOW).await.expect("an explanation")
}

fn condition(explanation: &Explanation, kind: ConditionKind) -> &Condition {
    explanation.conditions.iter().find(|condition| condition.kind() == kind).expect("every condition is answered")
}

/// What is told of the change behind a condition of Anna: by whom, by which colleague, why.
fn change_of_anna(explanation: &Explanation, kind: ConditionKind) -> (ChangeAuthor, &str, &str) {
    let evidence = condition(explanation, kind).evidence.iter().find(|evidence| evidence.text.starts_with("anna"));
    let change: &ChangeEvidence = evidence.and_then(|evidence| evidence.change.as_ref()).expect("a change");
    (change.author(), &change.colleague, &change.reason)
}

/// Anna has worked in client 2002, and so have people of two other partners; Bruno is Partner admin there and manages
/// partner 1001's access.
async fn three_partners(cluster: &Cluster) -> String {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, ANNA).await;
    cluster.employee_with(1001, BRUNO, AccessRole::ClientAccessManager).await;
    cluster.client(2002, "US").await;
    let anna = cluster.user(2002, ANNA).await;
    cluster.user_with(2002, BOSS, "SUPER_ADMIN").await;
    for (partner, address) in [(1002, "bea@studio.example"), (1003, "dan@works.example")] {
        cluster.partner(partner, &[address.split('@').next_back().expect("a domain")]).await;
        cluster.employee(partner, address).await;
        cluster.user(2002, address).await;
        cluster.work(2002, address.split('@').next().expect("a name"), address, "2025-12-20", "form/edit").await;
    }
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(cluster, 2002, "a", "2025-12-01T12:00:00Z").await;
    anna
}

/// Nobody is named who is not of partner 1001 (R127).
fn assert_names_no_stranger(explanation: &Explanation) {
    let texts = format!("{explanation:?}");
    for stranger in ["bea", "dan@", "boss", "1002", "1003", "studio", "works.example", "client.example"] {
        assert!(!texts.contains(stranger), "{stranger} in {texts}");
    }
}

on_both_databases!(r127_the_share_is_told_by_a_number_and_what_keeps_the_credit_by_its_date, |cluster| {
    three_partners(&cluster).await;
    let explained = why(&cluster).await;
    let share = condition(&explained, ConditionKind::EqualShare);
    assert_eq!(share.statement, "3 partners earn on Client 2002, you among them, in equal parts.");
    let country = condition(&explained, ConditionKind::CountryKnown);
    assert_eq!(country.statement, "Client 2002 is in US, which is no growth market.");
    assert_eq!(explained.remedy_aim(), RemedyAim::Keep);
    let [work] = &explained.remedy_steps[..] else { panic!("{:?}", explained.remedy_steps) };
    assert_eq!((work.kind(), work.taker(), work.activities), (RemedyStepKind::Work, RemedyTaker::Employee, 1));
    assert_eq!((work.email_address.as_str(), work.before_time), (ANNA, Some(stamp("2026-01-30T12:00:00Z"))));
    assert_eq!(explained.activity_minimum.map(|minimum| (minimum.live_activities, minimum.minimum)), Some((1, 1)));
    assert_names_no_stranger(&explained);
});

on_both_databases!(evidence_says_who_changed_what_and_why_and_strangers_have_no_name, |cluster| {
    let anna = three_partners(&cluster).await;
    let bruno = cluster.user_with(2002, BRUNO, "PARTNER_ADMIN").await;

    // A colleague.
    let request =
        access::DeactivateClientUserRequest { name: anna.clone(), reason: "On leave".to_owned(), ..Default::default() };
    let answer = cluster.access().deactivate_client_user(by(BRUNO, request)).await.expect("deactivated");
    cluster.note(&answer.get_ref().revision);
    let explained = why(&cluster).await;
    let deactivated = change_of_anna(&explained, ConditionKind::UserActive);
    assert_eq!(deactivated, (ChangeAuthor::Colleague, "bruno", "On leave"));
    let text = &condition(&explained, ConditionKind::UserActive).evidence[0].text;
    assert!(text.ends_with("deactivated there since 1 January 2026 at 00:00 UTC by bruno (\"On leave\")"), "{text}");
    assert_names_no_stranger(&explained);

    // The platform, for somebody at the client.
    let mut request = by("platform", access::ReactivateClientUserRequest { name: anna.clone(), ..Default::default() });
    request.metadata_mut().insert("x-on-behalf-of", BOSS.parse().expect("ASCII"));
    let answer = cluster.access().reactivate_client_user(request).await.expect("reactivated");
    cluster.note(&answer.get_ref().revision);
    let explained = why(&cluster).await;
    let reactivated = change_of_anna(&explained, ConditionKind::UserActive);
    assert_eq!(reactivated, (ChangeAuthor::PlatformForOther, "", ""));

    // The client's super admin removes both: the relationship is over.
    for (name, reason) in [(&anna, ""), (&bruno, "The contract is over")] {
        let request =
            access::RemoveClientUserRequest { name: name.clone(), reason: reason.to_owned(), ..Default::default() };
        let removed = cluster.access().remove_client_user(by(BOSS, request)).await.expect("a removal");
        cluster.note(&removed.get_ref().revision);
    }
    let explained = why(&cluster).await;
    assert!(
        explained
            .headline
            .ends_with("was removed from its account by someone at the client (\"The contract is over\")."),
        "{}",
        explained.headline
    );
    let loss = explained.loss.as_ref().expect("a loss");
    assert_eq!((loss.cause(), loss.lose_time), (NoCreditReason::AllEmployeesRemoved, Some(stamp(NOW))));
    let change = loss.change.as_ref().expect("the change that ended it");
    assert_eq!((change.author(), change.reason.as_str()), (ChangeAuthor::Other, "The contract is over"));
    assert_eq!(loss.activities.len(), 1);
    assert_names_no_stranger(&explained);
});

on_both_databases!(an_end_of_services_says_for_whom_the_platform_recorded_it, |cluster| {
    three_partners(&cluster).await;
    let request = access::EndServicesRequest {
        partner: "partners/1001".to_owned(),
        client: "clients/2002".to_owned(),
        ..Default::default()
    };
    let mut request = by("platform", request);
    request.metadata_mut().insert("x-on-behalf-of", BRUNO.parse().expect("ASCII"));
    let ended = cluster.access().end_services(request).await.expect("services end");
    cluster.note(&ended.get_ref().revision);
    let explained = why(&cluster).await;
    assert!(
        explained
            .headline
            .ends_with("your company ended its services for the client (recorded by the platform for bruno)."),
        "{}",
        explained.headline
    );
    let unassigned = change_of_anna(&explained, ConditionKind::ClientAssigned);
    assert_eq!(unassigned, (ChangeAuthor::PlatformForColleague, "bruno", ""));
    assert_eq!(condition(&explained, ConditionKind::ClientAssigned).since_time, Some(stamp(NOW)));
    assert_names_no_stranger(&explained);
});

/// The names that the steps are taken with.
struct Names {
    employee: String,
    user: String,
}

/// Takes a step as the one who takes it would, now.
async fn take(cluster: &Cluster, names: &mut Names, step: &RemedyStep) {
    let address = &step.email_address;
    match step.kind() {
        RemedyStepKind::AddEmployee => {
            names.employee = cluster.employee_since(1001, address, NOW).await.expect("an employee")
        }
        RemedyStepKind::FlagEmployee => {
            cluster.flag(&names.employee, true, NOW).await.expect("flagged");
        }
        RemedyStepKind::AddClientUser => names.user = cluster.user_since(2002, address, NOW).await.expect("a user"),
        RemedyStepKind::ReactivateClientUser => {
            cluster.reactivate(&names.user, NOW).await.expect("reactivated");
        }
        RemedyStepKind::LinkClient => {
            cluster.link(&names.employee, 2002, NOW).await;
        }
        RemedyStepKind::Work => {
            for number in 0..step.activities {
                let id = format!("again-{number}");
                let verdict = cluster.work(2002, &id, address, NOW, "form/edit").await;
                assert_eq!(verdict.outcome(), VerdictOutcome::Counted, "{step:?}");
            }
        }
        RemedyStepKind::PaySubscription => {
            cluster.new_mrr(2002, "main", "500.00 USD", NOW).await.expect("another MRR");
        }
        kind => panic!("nothing that somebody takes here: {kind:?}"),
    }
}

/// Follows the steps that are told, which must be these, and asks again.
async fn follow(cluster: &Cluster, mut names: Names, expected: &[RemedyStepKind]) {
    let told = why(cluster).await;
    let kinds: Vec<_> = told.remedy_steps.iter().map(RemedyStep::kind).collect();
    assert_eq!((told.remedy_aim(), &kinds[..]), (RemedyAim::Restore, expected), "{}", told.remedy);
    for step in &told.remedy_steps {
        take(cluster, &mut names, step).await;
    }
    let after = why(cluster).await;
    let row = after.managed_credit.as_ref().expect("a row");
    assert_eq!(row.no_credit_reason(), NoCreditReason::Unspecified, "{}", after.headline);
    assert_ne!(amount(row.credit.as_ref()), "0.00 USD");
    assert_eq!((after.loss.as_ref(), after.remedy_aim()), (None, RemedyAim::Keep));
}

/// Anna of the domain, whose only work there expired long ago.
async fn lapsed(cluster: &Cluster) -> Names {
    agency(cluster, &[]).await;
    cluster.client(2002, "US").await;
    let user = cluster.user(2002, ANNA).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(cluster, 2002, "a", "2025-09-01T12:00:00Z").await;
    let employees = access::ListEmployeesRequest { parent: "partners/1001".to_owned(), ..Default::default() };
    let listed = cluster.access().list_employees(employees).await.expect("employees").into_inner();
    Names { employee: listed.employees.first().expect("Anna").name.clone(), user }
}

on_both_databases!(the_steps_restore_the_credit_of_people_who_lack_something, |cluster| {
    let names = lapsed(&cluster).await;
    cluster.deactivate(&names.user, "2025-11-01").await.expect("deactivated");
    cluster.unlink(&names.employee, 2002, "2025-11-02").await.expect("unlinked");
    cluster.flag(&names.employee, false, "2025-11-03").await.expect("not flagged");
    let expected = [
        RemedyStepKind::FlagEmployee,
        RemedyStepKind::ReactivateClientUser,
        RemedyStepKind::LinkClient,
        RemedyStepKind::Work,
    ];
    follow(&cluster, names, &expected).await;
});

on_both_databases!(the_steps_restore_the_credit_of_people_who_are_gone, |cluster| {
    let names = lapsed(&cluster).await;
    cluster.remove(&names.user, "2025-11-01").await.expect("removed");
    cluster.delete_employee(&names.employee, "2025-11-02").await.expect("deleted");
    cluster.new_mrr(2002, "main", "0.00 USD", "2025-11-03").await.expect("another MRR");
    // The domain assigns the client by itself (R23).
    let expected = [
        RemedyStepKind::AddEmployee,
        RemedyStepKind::AddClientUser,
        RemedyStepKind::Work,
        RemedyStepKind::PaySubscription,
    ];
    follow(&cluster, names, &expected).await;
});

on_both_databases!(r77_a_cancelled_subscription_is_the_loss_and_lasts_as_its_cause, |cluster| {
    let names = lapsed(&cluster).await;
    cluster.new_mrr(2002, "main", "0.00 USD", "2025-10-01").await.expect("another MRR");
    let serviced = cluster.explain(1001, 2002, "2025-10-15").await.expect("an explanation");
    assert!(serviced.headline.contains("but it has paid for no subscription since 1 October 2025"));
    for as_of in ["2025-10-15", NOW] {
        let loss = cluster.explain(1001, 2002, as_of).await.expect("an explanation").loss.expect("a loss");
        let found = (loss.cause(), loss.lose_time);
        assert_eq!(found, (NoCreditReason::NoPaidSubscription, Some(stamp("2025-10-01"))), "{as_of}");
    }
    follow(&cluster, names, &[RemedyStepKind::Work, RemedyStepKind::PaySubscription]).await;
});

/// A policy under which Gold needs three activities, and from 15 December 2025 on two are needed without a tier.
fn policy_of_minimums() -> Policy {
    let document = include_str!("../../../../crates/domain/policy.toml");
    let minimums = r#"minimum_activities = [
        { from = 2025-12-15, tier = "NONE", minimum = 2 },
        { from = 0001-01-01, tier = "GOLD", minimum = 3 },
    ]"#;
    Policy::parse(&document.replace("minimum_activities = []", minimums)).expect("a policy")
}

async fn rising_minimums_on(kind: DatabaseKind) {
    let options = ClusterOptions { policy: Arc::new(policy_of_minimums()), ..ClusterOptions::default() };
    let cluster = Cluster::start_with(kind, options).await;
    agency(&cluster, &[2002]).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    anna_works(&cluster, 2002, "a", "2025-12-01T12:00:00Z").await;

    let lost = async |as_of: &str| {
        let explained = cluster.explain(1001, 2002, as_of).await.expect("an explanation");
        let loss = explained.loss.clone().expect("a loss");
        assert_eq!((loss.cause(), loss.activities.len()), (NoCreditReason::TierActivityMinimum, 0), "{loss:?}");
        let step = &explained.remedy_steps[0];
        (loss.lose_time, loss.minimum_change, step.activities, explained.headline)
    };
    let change = |before, after, tier_after: Tier| {
        Some(MinimumChange { before, after, tier_before: Tier::None.into(), tier_after: tier_after.into() })
    };
    assert_eq!(cluster.explain(1001, 2002, "2025-12-14").await.expect("an explanation").loss, None);
    let (time, minimum, missing, headline) = lost("2025-12-20").await;
    assert_eq!((time, minimum, missing), (Some(stamp("2025-12-15")), change(1, 2, Tier::None), 1));
    assert!(headline.contains("the programme asks a partner without a tier for 2 qualifying activities"), "{headline}");

    // A tier that it got earlier.
    cluster.grant(1001, Tier::Gold, "2025-12-05").await.expect("a grant");
    let (time, minimum, missing, headline) = lost("2025-12-20").await;
    assert_eq!((time, minimum, missing), (Some(stamp("2025-12-05")), change(1, 3, Tier::Gold), 2));
    assert!(headline.contains("from then on you are credited with Gold, which needs 3"), "{headline}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r57_a_minimum_that_rises_is_the_cause_of_the_loss_on_sqlite() {
    rising_minimums_on(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r57_a_minimum_that_rises_is_the_cause_of_the_loss_on_postgresql() {
    rising_minimums_on(DatabaseKind::Postgresql).await;
}

on_both_databases!(r60_somebody_whose_work_counts_for_another_company_is_told_so_without_its_name, |cluster| {
    cluster.partner(1001, &[]).await;
    let bea = cluster.employee(1001, "bea@studio.example").await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee(1002, "bea@studio.example").await;
    cluster.client(2002, "US").await;
    cluster.user(2002, "bea@studio.example").await;
    cluster.link(&bea, 2002, "2025-01-01").await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    cluster.work(2002, "a", "bea@studio.example", "2025-12-20", "form/edit").await;
    let explained = why(&cluster).await;
    assert_eq!(
        explained.headline,
        "Client 2002 has never counted for you: work of bea there counts for another company that the address works for."
    );
    let kinds: Vec<_> = explained.remedy_steps.iter().map(RemedyStep::kind).collect();
    let expected =
        [RemedyStepKind::AddEmployee, RemedyStepKind::AddClientUser, RemedyStepKind::LinkClient, RemedyStepKind::Work];
    assert_eq!(kinds, expected);
    assert!(!format!("{explained:?}").contains("1002"));

    // A colleague who follows the steps earns a share.
    let employee = cluster.employee_since(1001, "cara@freemail.example", NOW).await.expect("an employee");
    cluster.user_since(2002, "cara@freemail.example", NOW).await.expect("a user");
    cluster.link(&employee, 2002, NOW).await;
    cluster.work(2002, "b", "cara@freemail.example", NOW, "form/edit").await;
    let row = why(&cluster).await.managed_credit.expect("a row");
    assert_eq!(amount(row.credit.as_ref()), "500.00 USD");
});
