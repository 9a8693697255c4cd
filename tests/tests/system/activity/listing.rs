//! GetActivity, ListActivities and ListQualifyingActions: every filter, every page, and who may see what.

use std::collections::BTreeSet;
use std::sync::Arc;

use contracts::wire::access::AccessRole;
use contracts::wire::activity::{
    self, Activity, JudgedActivity, ListActivitiesRequest, NotCountedReason, Origin, RemedyKind, VerdictOutcome,
};
use contracts::{ActivityName, instant};
use domain::policy::Policy;
use domain::time::Instant;
use managed_credit::running::Part;
use proptest::prelude::{Strategy, any};
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sea_orm::ConnectionTrait as _;
use system_tests::{Cluster, ClusterOptions, DatabaseKind, at, by, fields, metadata, on_both_databases, reason, stamp};
use tonic::{Code, Request, Response, Status};

use super::{ANNA, agency};

const BRUNO: &str = "bruno@agency.example";
const BEA: &str = "bea@studio.example";
const CARLO: &str = "carlo@freemail.example";
const ADMIN: &str = "admin@agency.example";

async fn list(
    cluster: &Cluster,
    actor: &str,
    request: ListActivitiesRequest,
) -> Result<activity::ListActivitiesResponse, Status> {
    let request = ListActivitiesRequest { at_least_revisions: cluster.known_revisions(), ..request };
    cluster.activity().list_activities(by(actor, request)).await.map(Response::into_inner)
}

/// What each page of a list has, with at most `page_size` rows each.
async fn pages(cluster: &Cluster, request: &ListActivitiesRequest, page_size: i32) -> Vec<Vec<JudgedActivity>> {
    let mut request = ListActivitiesRequest { page_size, ..request.clone() };
    let mut pages = Vec::new();
    loop {
        let page = list(cluster, "platform", request.clone()).await.expect("a page");
        assert!(page.activities.len() <= usize::try_from(page_size).expect("positive"));
        pages.push(page.activities);
        if page.next_page_token.is_empty() {
            return pages;
        }
        request.page_token = page.next_page_token;
    }
}

fn name_of(judged: &JudgedActivity) -> String {
    judged.activity.as_ref().expect("an activity").name.clone()
}

fn names(judged: &[JudgedActivity]) -> Vec<String> {
    judged.iter().map(name_of).collect()
}

async fn get(cluster: &Cluster, actor: &str, name: &str) -> Result<activity::GetActivityResponse, Status> {
    let request = activity::GetActivityRequest { name: name.to_owned(), at_least_revisions: cluster.known_revisions() };
    cluster.activity().get_activity(by(actor, request)).await.map(Response::into_inner)
}

/// Two agencies, three clients and a person whom nobody knows. Answers the names of the employees.
async fn two_agencies(cluster: &Cluster) -> Vec<String> {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.partner(1002, &["studio.example"]).await;
    let mut employees = Vec::new();
    for (partner, address) in [(1001, ANNA), (1001, BRUNO), (1002, BEA)] {
        employees.push(cluster.employee(partner, address).await);
    }
    for client in [2002, 2003, 2004] {
        cluster.client(client, "US").await;
        for address in [ANNA, BEA] {
            cluster.user(client, address).await;
        }
    }
    employees
}

/// Activities of a few days, so that many are of one instant.
fn work() -> impl Strategy<Value = Vec<Activity>> {
    let actions = ["blog/publish", "blog/preview", "form/edit", "list/create", "list/view", "nonsense/do"];
    let origins = vec![Origin::Person, Origin::Person, Origin::Person, Origin::Workflow];
    let one = (
        select(vec![2002, 2002, 2003, 2004, 2005]),
        select(vec![ANNA, ANNA, BRUNO, BEA, CARLO]),
        0..20_i64,
        select(actions.to_vec()),
        select(origins),
    );
    proptest::collection::vec(one, 300).prop_map(|drawn| {
        let stated = |(number, (client, address, day, action, origin)): (usize, (_, &str, _, &str, Origin))| {
            let activity = Cluster::activity_of(client, &format!("evt-{number}"), address, &day_text(day), action);
            Activity { origin: origin.into(), ..activity }
        };
        drawn.into_iter().enumerate().map(stated).collect()
    })
}

fn day_text(day: i64) -> String {
    (at("2025-01-01") + chrono::TimeDelta::days(day)).to_rfc3339()
}

/// Which activities are asked for: often nothing is said about a field, and the employees are those of `two_agencies`.
fn question(employees: &[String]) -> impl Strategy<Value = ListActivitiesRequest> + use<> {
    let text = |texts: &[&str]| {
        let said: Vec<String> = texts.iter().map(ToString::to_string).collect();
        (any::<bool>(), select(said)).prop_map(|(is_said, text)| if is_said { text } else { String::new() })
    };
    let employees: Vec<&str> = employees.iter().map(String::as_str).collect();
    let seldom = |number: u8| number == 0;
    let outcomes = vec![VerdictOutcome::Counted, VerdictOutcome::NotCounted, VerdictOutcome::Voided];
    let reasons: Vec<NotCountedReason> =
        (1..=12).map(|number| NotCountedReason::try_from(number).expect("a reason")).collect();
    let places = (text(&["partners/1001", "partners/1002"]), text(&["clients/2002", "clients/2003", "clients/2005"]));
    let people = (text(&employees), text(&[ANNA, CARLO, "Bea@Studio.Example"]), 0..3_u8, 0..3_u8);
    let verdicts = (0..3_u8, subsequence(outcomes, 0..3), 0..3_u8, subsequence(reasons, 1..4));
    let times = (proptest::option::of(0..20_i64), 1..20_i64, any::<bool>());
    let others = (text(&["blog", "form", "nonsense", "seo"]), 0..6_u8);
    (places, people, verdicts, times, others).prop_map(move |(places, people, verdicts, times, others)| {
        let ((partner, client), (employee, address, is_of_employee, is_of_address)) = (places, people);
        let (has_outcomes, outcomes, has_reasons, reasons) = verdicts;
        let (from, days, is_bounded) = times;
        let employee = if seldom(is_of_employee) { employee } else { String::new() };
        // Of another partner's employee nothing may be asked.
        let partner = if employee.is_empty() || employee.starts_with(&partner) { partner } else { String::new() };
        let to = is_bounded.then(|| from.unwrap_or_default() + days);
        ListActivitiesRequest {
            partner,
            client,
            employee,
            email_address: if seldom(is_of_address) { address } else { String::new() },
            tool: others.0,
            outcomes: if seldom(has_outcomes) { outcomes.into_iter().map(i32::from).collect() } else { Vec::new() },
            reasons: if seldom(has_reasons) { reasons.into_iter().map(i32::from).collect() } else { Vec::new() },
            from_time: from.map(|day| stamp(&day_text(day))),
            to_time: to.map(|day| stamp(&day_text(day))),
            provisional_only: seldom(others.1),
            ..ListActivitiesRequest::default()
        }
    })
}

/// Whether an activity fulfils all that is asked, said once more and plainly.
fn is_asked(judged: &JudgedActivity, asked: &ListActivitiesRequest) -> bool {
    let (activity, verdict) = (judged.activity.as_ref().expect("one"), judged.verdict.as_ref().expect("one"));
    let is = |asked: &str, found: &str| asked.is_empty() || asked == found;
    let tool = verdict.catalogue_action.as_ref().map(|action| action.tool.as_str()).unwrap_or_default();
    let occurred = occur_time(judged);
    let time = |time: &Option<prost_types::Timestamp>| time.as_ref().map(|time| instant(time).expect("a time"));
    is(&asked.partner, &verdict.partner)
        && (asked.client.is_empty() || activity.name.starts_with(&format!("{}/", asked.client)))
        && is(&asked.employee, &verdict.employee)
        && is(&asked.email_address.to_lowercase(), &activity.email_address)
        && is(&asked.tool, tool)
        && (asked.outcomes.is_empty() || asked.outcomes.contains(&verdict.outcome))
        && (asked.reasons.is_empty() || asked.reasons.contains(&verdict.reason))
        && time(&asked.from_time).is_none_or(|from| from <= occurred)
        && time(&asked.to_time).is_none_or(|to| occurred < to)
        && (verdict.provisional || !asked.provisional_only)
}

fn occur_time(judged: &JudgedActivity) -> Instant {
    let activity = judged.activity.as_ref().expect("an activity");
    instant(activity.occur_time.as_ref().expect("a time")).expect("a time")
}

/// The newest first; of one instant by client and id.
fn place(judged: &JudgedActivity) -> (Instant, i64, String) {
    let name: ActivityName = name_of(judged).parse().expect("a name");
    (occur_time(judged), name.client.get(), name.activity.to_string())
}

on_both_databases!(every_filter_and_every_page_is_what_a_look_at_all_activities_finds, |cluster| {
    let employees = two_agencies(&cluster).await;
    // The same activities and questions in every run.
    let mut runner = TestRunner::deterministic();
    let work = work().new_tree(&mut runner).expect("activities").current();
    let (known, late) = work.split_at(260);
    cluster.record(known.to_vec()).await.expect("results");
    for activity in known.iter().step_by(17) {
        let id = activity.name.rsplit('/').next().expect("an id");
        let client = activity.name[8..12].parse().expect("a client");
        cluster.void(client, id, "a test record").await.expect("voided");
    }
    // What comes while access-management is away stays provisional.
    cluster.stop_part(Part::Access).await;
    assert!(cluster.record(late.to_vec()).await.expect("results").provisional);

    let mut all = Vec::new();
    for activity in &work {
        all.push(cluster.get_activity(&activity.name).await.expect("an activity").activity.expect("an activity"));
    }
    all.sort_by_key(|judged| std::cmp::Reverse(place(judged)));
    let (mut found, mut several) = (0, 0);
    for number in 0..150 {
        let asked = question(&employees).new_tree(&mut runner).expect("a question").current();
        let page_size = if number % 2 == 0 { 1_000 } else { 1 + number % 7 };
        let pages = pages(&cluster, &asked, page_size).await;
        several += usize::from(pages.len() > 1);
        let listed = pages.concat();
        let expected: Vec<&JudgedActivity> = all.iter().filter(|judged| is_asked(judged, &asked)).collect();
        assert_eq!(listed.iter().collect::<Vec<_>>(), expected, "{asked:?}");
        found += usize::from(!listed.is_empty());
    }
    assert!(found > 40 && several > 20, "{found} answers that are not empty, {several} of several pages");
    let outcomes: BTreeSet<(i32, i32, bool)> =
        all.iter().filter_map(|judged| judged.verdict.as_ref()).map(|v| (v.outcome, v.reason, v.provisional)).collect();
    assert!(outcomes.len() > 9, "many verdicts: {outcomes:?}");
});

on_both_databases!(a_page_ends_after_ten_thousand_rows_that_a_filter_leaves_out, |cluster| {
    agency(&cluster).await;
    cluster.work(2002, "rare", ANNA, "2025-01-10", "blog/publish").await;
    let mut options = sea_orm::ConnectOptions::new(cluster.database_url(Part::Activity));
    options.max_connections(1).sqlx_logging(false);
    let database = sea_orm::Database::connect(options).await.expect("the database");
    let many = "WITH RECURSIVE series(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < 25000)
        INSERT INTO activity (client_id, activity_id, address, occur_time, payload, record_time, verdict, partner_id,
            employee_id, tool, action, expire_time, provisional)
        SELECT client_id, 'other-' || i, address, occur_time + i, payload, record_time, verdict, partner_id,
            employee_id, 'form', 'edit', expire_time, provisional FROM activity, series WHERE activity_id = 'rare'";
    database.execute_unprepared(many).await.expect("to insert");
    database.close().await.expect("to close");
    // What no activity can be is no reason to look at any.
    let (outcomes, reasons) = (vec![VerdictOutcome::Counted.into()], vec![NotCountedReason::NotHuman.into()]);
    let impossible = ListActivitiesRequest { outcomes, reasons, ..Default::default() };
    assert_eq!(pages(&cluster, &impossible, 50).await, [vec![]]);
    for (partner, client) in [("partners/1001", ""), ("", "clients/2002"), ("", "")] {
        let (partner, client) = (partner.to_owned(), client.to_owned());
        let asked = ListActivitiesRequest { partner, client, tool: "blog".to_owned(), ..Default::default() };
        let pages: Vec<Vec<String>> = pages(&cluster, &asked, 50).await.iter().map(|page| names(page)).collect();
        assert_eq!(pages, [vec![], vec![], vec!["clients/2002/activities/rare".to_owned()]]);
    }
});

on_both_databases!(people_list_the_activities_of_the_partner_whose_credit_they_may_read, |cluster| {
    two_agencies(&cluster).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.employee_with(1001, "cam@agency.example", AccessRole::ClientAccessManager).await;
    cluster.employee_with(1002, "boss@studio.example", AccessRole::SuperAdmin).await;
    cluster.work(2002, "anna", ANNA, "2025-01-10", "blog/publish").await;
    cluster.work(2002, "bea", BEA, "2025-01-11", "blog/publish").await;
    cluster.work(2002, "carlo", CARLO, "2025-01-12", "blog/publish").await;
    let of_partner =
        |number: i64| ListActivitiesRequest { partner: format!("partners/{number}"), ..Default::default() };
    for allowed in [ADMIN, "Cam@Agency.Example"] {
        let listed = list(&cluster, allowed, of_partner(1001)).await.expect("a list");
        assert_eq!(names(&listed.activities), ["clients/2002/activities/anna"], "{allowed}");
        let of_client = ListActivitiesRequest { client: "clients/2002".to_owned(), ..of_partner(1001) };
        assert_eq!(list(&cluster, allowed, of_client).await.expect("a list").activities, listed.activities);
    }
    let all = list(&cluster, "platform", ListActivitiesRequest::default()).await.expect("a list");
    assert_eq!(all.activities.len(), 3);

    let missing = list(&cluster, ANNA, of_partner(1001)).await.expect_err("no permission");
    assert_eq!((missing.code(), reason(&missing).as_str()), (Code::PermissionDenied, "PERMISSION_MISSING"));
    assert_eq!(metadata(&missing, "permission"), "VIEW_CREDIT");
    for stranger in ["boss@studio.example", BEA, "nobody@nowhere.example"] {
        let hidden = list(&cluster, stranger, of_partner(1001)).await.expect_err("invisible");
        let absent = list(&cluster, stranger, of_partner(1999)).await.expect_err("no such partner");
        assert_eq!((hidden.code(), reason(&hidden).as_str()), (Code::NotFound, "UNKNOWN_PARTNER"), "{stranger}");
        assert_eq!(hidden.message().replace("1001", "N"), absent.message().replace("1999", "N"));
    }
    let absent = list(&cluster, "platform", of_partner(1999)).await.expect_err("no such partner");
    assert_eq!(reason(&absent), "UNKNOWN_PARTNER");

    // Who asks about everybody is told what is missing.
    let everybody = ListActivitiesRequest { email_address: ANNA.to_owned(), ..Default::default() };
    let refused = list(&cluster, ADMIN, everybody).await.expect_err("a person");
    assert_eq!(fields(&refused), ["partner", "email_address"]);
});

on_both_databases!(what_is_not_of_the_askers_partner_is_as_if_it_had_never_been, |cluster| {
    two_agencies(&cluster).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.employee_with(1002, "boss@studio.example", AccessRole::SuperAdmin).await;
    for (id, address) in [("anna", ANNA), ("bea", BEA), ("carlo", CARLO)] {
        cluster.work(2002, id, address, "2025-01-10", "blog/publish").await;
    }
    let name = |id: &str| format!("clients/2002/activities/{id}");
    assert_eq!(
        names(&[get(&cluster, ADMIN, &name("anna")).await.expect("its own").activity.expect("one")]),
        [name("anna")]
    );
    let never = get(&cluster, "platform", &name("NEVER")).await.expect_err("there is none");
    let hidden = [
        (ADMIN, "bea"),
        // Nobody's: not the platform's business to tell a partner.
        (ADMIN, "carlo"),
        (ADMIN, "NEVER"),
        ("boss@studio.example", "anna"),
        // Of the partner, without the permission, and not even for the own work.
        (ANNA, "anna"),
        ("nobody@nowhere.example", "anna"),
    ];
    for (actor, id) in hidden {
        let refused = get(&cluster, actor, &name(id)).await.expect_err("it does not exist for them");
        assert_eq!((refused.code(), reason(&refused)), (never.code(), reason(&never)), "{actor} {id}");
        assert_eq!(refused.message().replace(id, "NEVER"), never.message(), "{actor} {id}");
    }
    assert_eq!((never.code(), reason(&never).as_str()), (Code::NotFound, "UNKNOWN_ACTIVITY"));
    let wrong = get(&cluster, "platform", "clients/2002").await.expect_err("not the name of an activity");
    assert_eq!(fields(&wrong), ["name"]);
});

on_both_databases!(r127_who_voided_is_told_to_people_only_where_it_is_one_of_theirs, |cluster| {
    agency(&cluster).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    let for_whom = [("own", "Anna@Agency.Example"), ("other", "boss@client.example"), ("none", "")];
    for (id, address) in for_whom {
        cluster.work(2002, id, ANNA, "2025-01-10", "blog/publish").await;
        let mut request = Request::new(activity::VoidActivityRequest {
            name: format!("clients/2002/activities/{id}"),
            reason: "a test record".to_owned(),
            ..Default::default()
        });
        if !address.is_empty() {
            request.metadata_mut().insert("x-on-behalf-of", address.parse().expect("ASCII"));
        }
        let voided = cluster.activity().void_activity(request).await.expect("voided").into_inner();
        cluster.note(&voided.revision);
    }
    let told = async |actor: &str| {
        let asked = ListActivitiesRequest { partner: "partners/1001".to_owned(), ..Default::default() };
        let listed = list(&cluster, actor, asked).await.expect("a list").activities;
        for judged in &listed {
            let single = get(&cluster, actor, &name_of(judged)).await.expect("an activity");
            assert_eq!((single.activity.as_ref(), single.remedies.len()), (Some(judged), 0));
        }
        let voidings = listed.into_iter().map(|judged| judged.voiding.expect("a voiding"));
        voidings
            .map(|voiding| format!("{} {} {}", voiding.actor, voiding.on_behalf_of, voiding.reason))
            .collect::<Vec<_>>()
    };
    let own = "platform anna@agency.example a test record";
    assert_eq!(told("platform").await, [own, "platform boss@client.example a test record", "platform  a test record"]);
    assert_eq!(told(ADMIN).await, [own, "platform  a test record", "platform  a test record"]);
});

on_both_databases!(what_does_not_count_is_told_with_every_step_that_was_missing, |cluster| {
    cluster.partner(1001, &[]).await;
    cluster.employee(1001, ANNA).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.client(2002, "US").await;
    cluster.work(2002, "early", ANNA, "2025-01-10", "blog/preview").await;
    let steps = async |actor: &str, id: &str| {
        let found = get(&cluster, actor, &format!("clients/2002/activities/{id}")).await.expect("an activity");
        found.remedies.iter().map(activity::Remedy::kind).collect::<Vec<_>>()
    };
    let all = [RemedyKind::UseQualifyingAction, RemedyKind::AddClientUser, RemedyKind::LinkClient];
    for actor in ["platform", ADMIN] {
        assert_eq!(steps(actor, "early").await, all, "{actor}");
    }
    // What was done since is no help for what was done before (R22), and other work counts.
    cluster.user_since(2002, ANNA, "2025-02-01").await.expect("a user");
    assert_eq!(steps(ADMIN, "early").await, all);
    cluster.work(2002, "later", ANNA, "2025-02-10", "blog/publish").await;
    assert_eq!(steps(ADMIN, "later").await, [RemedyKind::LinkClient]);
    cluster.void(2002, "later", "a test record").await.expect("voided");
    assert_eq!(steps(ADMIN, "later").await, []);
});

on_both_databases!(everything_that_is_wrong_with_a_question_is_named, |cluster| {
    let wrong = ListActivitiesRequest {
        partner: "partners/x".to_owned(),
        client: "clients/0".to_owned(),
        employee: "partners/1001".to_owned(),
        email_address: "nobody".to_owned(),
        tool: "No Tool".to_owned(),
        outcomes: vec![1, 0],
        reasons: vec![0, 12, 13],
        from_time: Some(stamp("2025-01-02")),
        to_time: Some(stamp("2025-01-02")),
        page_size: 1_001,
        page_token: "?".to_owned(),
        ..Default::default()
    };
    let refused = list(&cluster, "platform", wrong).await.expect_err("all of it");
    let expected = [
        "partner",
        "client",
        "email_address",
        "tool",
        "outcomes[1]",
        "reasons[0]",
        "reasons[2]",
        "to_time",
        "employee",
        "page_size",
        "page_token",
    ];
    assert_eq!(fields(&refused), expected);
    let mixed = ListActivitiesRequest {
        partner: "partners/1002".to_owned(),
        employee: "partners/1001/employees/0190a0b0-0000-7000-8000-000000000001".to_owned(),
        outcomes: vec![1; 4],
        reasons: vec![1; 13],
        ..Default::default()
    };
    assert_eq!(
        fields(&list(&cluster, "platform", mixed).await.expect_err("a mixture")),
        ["outcomes", "reasons", "employee"]
    );

    agency(&cluster).await;
    for day in ["2025-01-10", "2025-01-11"] {
        cluster.work(2002, day, ANNA, day, "blog/publish").await;
    }
    let one = ListActivitiesRequest { page_size: 1, ..Default::default() };
    let token = list(&cluster, "platform", one.clone()).await.expect("a page").next_page_token;
    let of_another = ListActivitiesRequest { tool: "blog".to_owned(), page_token: token.clone(), ..one.clone() };
    assert_eq!(fields(&list(&cluster, "platform", of_another).await.expect_err("another list")), ["page_token"]);
    // The size of the pages may change, and what they must know.
    let larger = ListActivitiesRequest { page_size: 7, page_token: token, ..one };
    let rest = cluster.activity().list_activities(larger).await.expect("a page").into_inner();
    assert_eq!(names(&rest.activities), ["clients/2002/activities/2025-01-10"]);
    assert_eq!(rest.next_page_token, "");
});

on_both_databases!(r60_an_activity_in_an_unknown_client_is_listed_and_an_unknown_employee_has_none, |cluster| {
    agency(&cluster).await;
    cluster.work(2999, "lost", ANNA, "2025-01-10", "blog/publish").await;
    let of_client = ListActivitiesRequest { client: "clients/2999".to_owned(), ..Default::default() };
    let listed = list(&cluster, "platform", of_client).await.expect("a list");
    assert_eq!(names(&listed.activities), ["clients/2999/activities/lost"]);
    let employee = "partners/1001/employees/0190a0b0-0000-7000-8000-000000000001".to_owned();
    let of_nobody = ListActivitiesRequest { employee, ..Default::default() };
    assert_eq!(list(&cluster, "platform", of_nobody).await.expect("a list").activities, []);
});

/// The catalogue as of an instant, asked by a plain employee, whom everybody may be.
async fn catalogue(cluster: &Cluster, as_of: &str, tool: &str) -> activity::ListQualifyingActionsResponse {
    let (as_of_time, tool) = (Some(stamp(as_of)), tool.to_owned());
    let request = activity::ListQualifyingActionsRequest { as_of_time, tool, qualifying_only: false };
    let answer = cluster.activity().list_qualifying_actions(by(ANNA, request)).await;
    answer.expect("everybody may ask").into_inner()
}

/// `tool/action`, with a `-` before it where it does not qualify.
fn actions(catalogue: &activity::ListQualifyingActionsResponse) -> Vec<String> {
    let text = |listed: &activity::QualifyingAction| {
        let activity::CatalogueAction { tool, action } = listed.action.clone().expect("an action");
        format!("{}{tool}/{action}", if listed.qualifying { "" } else { "-" })
    };
    catalogue.actions.iter().map(text).collect()
}

/// The embedded policy, in which previews of blog posts qualify from 2025 on, and everything counts for 30 days then.
fn policy_of_previews() -> Arc<Policy> {
    let document = include_str!("../../../../crates/domain/policy.toml").replace(
        "{ from = 0001-01-01, days = 60 }",
        "{ from = 0001-01-01, days = 60 }, { from = 2025-01-01, days = 30 }",
    );
    let later = "\n[[catalogue]]\nfrom = 2025-01-01\ntools = [\"blog\"]\nqualifying = [\"preview\", \"publish\"]\n";
    Arc::new(Policy::parse(&format!("{document}{later}")).expect("a policy"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r50_everybody_reads_the_catalogue_as_of_any_instant() {
    let options = ClusterOptions { policy: policy_of_previews(), ..ClusterOptions::default() };
    let cluster = Cluster::start_with(DatabaseKind::Sqlite, options).await;
    let before = catalogue(&cluster, "2024-12-31T23:59:59Z", "blog").await;
    let since = catalogue(&cluster, "2025-01-01", "blog").await;
    assert!(actions(&before).contains(&"blog/publish".to_owned()));
    assert!(actions(&before).contains(&"-blog/preview".to_owned()));
    assert!(actions(&since).contains(&"blog/preview".to_owned()));
    assert_eq!((before.window_days, since.window_days), (60, 30));
    assert_eq!(before.policy_version, cluster.policy.version());
    assert_eq!(before.as_of_time, Some(stamp("2024-12-31T23:59:59Z")));
    let publish = |answer: &activity::ListQualifyingActionsResponse| {
        let is_publish =
            |listed: &&activity::QualifyingAction| listed.action.as_ref().expect("one").action == "publish";
        answer.actions.iter().find(is_publish).cloned().expect("it is known")
    };
    assert_eq!((publish(&before).from_time, publish(&before).to_time), (None, Some(stamp("2025-01-01"))));
    assert_eq!((publish(&since).from_time, publish(&since).to_time), (Some(stamp("2025-01-01")), None));
    assert!(publish(&since).source_patterns.contains(&"ACCOUNT_ACTIVITY CONTENT/BLOG_POST/PUBLISH".to_owned()));

    let whole = catalogue(&cluster, "2024-06-01", "").await;
    let mut sorted = whole.actions.clone();
    sorted.sort_by_key(|listed| listed.action.as_ref().map(|action| (action.tool.clone(), action.action.clone())));
    assert_eq!(whole.actions, sorted, "by tool and action");
    assert_eq!(whole.actions.len(), cluster.policy.listed_actions(at("2024-06-01")).len());
    let qualifying = activity::ListQualifyingActionsRequest { qualifying_only: true, ..Default::default() };
    let now = cluster.activity().list_qualifying_actions(qualifying).await.expect("now").into_inner();
    assert!(now.actions.iter().all(|listed| listed.qualifying) && !now.actions.is_empty());
    assert_eq!(now.as_of_time, Some(stamp("2026-01-01")));

    assert_eq!(catalogue(&cluster, "2025-01-01", "telepathy").await.actions, []);
    let wrong = activity::ListQualifyingActionsRequest { tool: "Blog".to_owned(), ..Default::default() };
    let refused = cluster.activity().list_qualifying_actions(wrong.clone()).await.expect_err("no word");
    assert_eq!(fields(&refused), ["tool"]);
    let nobody = cluster.activity().list_qualifying_actions(by("nobody", wrong)).await.expect_err("no actor");
    assert_eq!(reason(&nobody), "ACTOR_NOT_ALLOWED");
    cluster.stop().await;
}
