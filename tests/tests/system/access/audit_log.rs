//! The audit log: reading it, taking back what it says, erasing a person from it.

use contracts::wire::access::access_change::Fact;
use contracts::wire::access::{
    self, AccessChange, AccessRole, ListAccessChangesRequest, ListAccessChangesResponse, Notice,
};
use system_tests::{Cluster, at, by, fields, on_both_databases, reason, stamp};
use tonic::{Response, Status};

const SARA: &str = "sara@agency.example";
const CAM: &str = "cam@agency.example";
const ANNA: &str = "anna@agency.example";
const DARIO: &str = "dario@other.example";
const BOSS: &str = "boss@client.example";
const STRANGER: &str = "stranger@nowhere.example";

async fn list(
    cluster: &Cluster,
    actor: &str,
    request: ListAccessChangesRequest,
) -> Result<ListAccessChangesResponse, Status> {
    cluster.access().list_access_changes(by(actor, request)).await.map(Response::into_inner)
}

async fn changes(cluster: &Cluster, actor: &str, request: ListAccessChangesRequest) -> Vec<AccessChange> {
    list(cluster, actor, request).await.expect("changes").changes
}

fn of_partner(partner: i64) -> ListAccessChangesRequest {
    ListAccessChangesRequest { partner: format!("partners/{partner}"), ..Default::default() }
}

fn positions(changes: &[AccessChange]) -> Vec<u64> {
    changes.iter().map(|change| change.position).collect()
}

async fn retract(cluster: &Cluster, actor: &str, position: u64) -> Result<(), Status> {
    let request = access::RetractChangeRequest { position, reason: "A mistake".to_owned(), ..Default::default() };
    let retracted = cluster.access().retract_change(by(actor, request)).await?;
    cluster.note(&retracted.get_ref().revision);
    Ok(())
}

async fn erase(cluster: &Cluster, address: &str, request_id: &str) -> Result<access::EraseAddressResponse, Status> {
    let request = access::EraseAddressRequest {
        email_address: address.to_owned(),
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    let erased = cluster.access().erase_address(request).await?.into_inner();
    cluster.note(&erased.revision);
    Ok(erased)
}

/// What became of a call, in a word.
fn word<T>(outcome: &Result<T, Status>) -> String {
    outcome.as_ref().map_or_else(reason, |_| "OK".to_owned())
}

/// Two agencies in one client account; each position is told beside what makes it.
struct Story {
    anna: String,
}

impl Story {
    async fn tell(cluster: &Cluster) -> Self {
        cluster.partner(1001, &["agency.example"]).await; // 1
        cluster.partner(1002, &["other.example"]).await; // 2
        cluster.client(2002, "US").await; // 3
        cluster.employee_with(1001, CAM, AccessRole::ClientAccessManager).await; // 4
        cluster.employee_with(1002, DARIO, AccessRole::SuperAdmin).await; // 5
        cluster.user_with(2002, BOSS, "SUPER_ADMIN").await; // 6
        // Anna is a user there before she is an employee.
        let user = cluster.user_with(2002, ANNA, "STANDARD").await; // 7
        cluster.user_with(2002, DARIO, "STANDARD").await; // 8
        cluster.clock.set(at("2026-02-01T00:00:00Z"));
        let anna = cluster.employee_with(1001, ANNA, AccessRole::None).await; // 9
        let request = access::DeactivateClientUserRequest { name: user.clone(), ..Default::default() };
        cluster.access().deactivate_client_user(by(BOSS, request)).await.expect("deactivated"); // 10
        let request = access::ReactivateClientUserRequest {
            name: user.clone(),
            reason: "Back from leave".to_owned(),
            request_id: "0190a0b0-0000-7000-8000-0000000000aa".to_owned(),
            ..Default::default()
        };
        let mut request = by("platform", request);
        request.metadata_mut().insert("x-on-behalf-of", BOSS.parse().expect("ASCII"));
        cluster.access().reactivate_client_user(request).await.expect("reactivated"); // 11
        Self { anna }
    }
}

on_both_databases!(the_log_is_read_newest_first_by_what_changes_are_about, |cluster| {
    let story = Story::tell(&cluster).await;
    let all = ListAccessChangesRequest::default();
    let about = |client: &str, kinds: &[&str]| ListAccessChangesRequest {
        client: client.to_owned(),
        kinds: kinds.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    let from = |from: Option<&str>, to: Option<&str>| ListAccessChangesRequest {
        from_time: from.map(stamp),
        to_time: to.map(stamp),
        ..Default::default()
    };
    let of_anna = ListAccessChangesRequest { employee: story.anna.clone(), ..Default::default() };
    let nobody = "partners/1001/employees/0190a0b0-0000-7000-8000-000000000001".to_owned();
    for (request, expected) in [
        (all.clone(), vec![11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        (of_partner(1001), vec![11, 10, 9, 7, 4, 1]),
        (of_partner(1002), vec![8, 5, 2]),
        (about("clients/2002", &[]), vec![11, 10, 8, 7, 6, 3]),
        (about("clients/2002", &["client_user_added", "client_added"]), vec![8, 7, 6, 3]),
        (ListAccessChangesRequest { client: "clients/2002".to_owned(), ..of_partner(1001) }, vec![11, 10, 7]),
        (of_anna.clone(), vec![11, 10, 9, 7]),
        (ListAccessChangesRequest { employee: nobody, ..Default::default() }, vec![]),
        (from(Some("2026-02-01"), None), vec![11, 10, 9]),
        (from(None, Some("2024-01-02")), vec![3, 2, 1]),
        (from(Some("2026-01-01"), Some("2026-02-01")), vec![8, 7, 6, 5, 4]),
        (ListAccessChangesRequest { notices_only: true, ..all.clone() }, vec![11, 10]),
        (about("clients/9", &[]), vec![]),
    ] {
        assert_eq!(positions(&changes(&cluster, "platform", request.clone()).await), expected, "{request:?}");
    }
    let newest = changes(&cluster, "platform", all).await.remove(0);
    assert_eq!((newest.actor.as_str(), newest.on_behalf_of.as_str()), ("platform", BOSS));
    assert_eq!(newest.reason, "Back from leave");
    assert_eq!(newest.request_id, "0190a0b0-0000-7000-8000-0000000000aa");
    assert_eq!((newest.old_state.as_str(), newest.new_state.as_str()), ("DEACTIVATED STANDARD", "ACTIVE STANDARD"));
    assert_eq!(newest.notices, [i32::from(Notice::Reactivated)]);
    assert!(newest.chain_hash.is_empty());
});

on_both_databases!(the_log_is_read_page_by_page_and_what_comes_meanwhile_repeats_nothing, |cluster| {
    Story::tell(&cluster).await;
    let mut found = Vec::new();
    let mut request = ListAccessChangesRequest { page_size: 2, ..of_partner(1001) };
    loop {
        let page = list(&cluster, "platform", request.clone()).await.expect("a page");
        found.extend(positions(&page.changes));
        cluster.employee_with(1001, &format!("new{}@agency.example", found.len()), AccessRole::None).await;
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(found, [11, 10, 9, 7, 4, 1]);
    let other = ListAccessChangesRequest { notices_only: true, ..request };
    assert_eq!(fields(&list(&cluster, "platform", other).await.expect_err("of another query")), ["page_token"]);
});

on_both_databases!(what_is_wrong_with_a_question_to_the_log_is_reported_at_once, |cluster| {
    let request = ListAccessChangesRequest {
        client: "x".to_owned(),
        employee: "y".to_owned(),
        kinds: vec!["client_linked".to_owned(), "client_eaten".to_owned()],
        from_time: Some(stamp("2026-01-02")),
        to_time: Some(stamp("2026-01-02")),
        page_size: 1_001,
        ..Default::default()
    };
    let refused = list(&cluster, CAM, request).await.expect_err("all of it is wrong");
    assert_eq!(fields(&refused), ["client", "employee", "partner", "kinds[1]", "to_time", "page_size"]);
    assert!(refused.message().contains("client_user_removed"), "it says what would be right: {}", refused.message());
    let foreign = "partners/1002/employees/0190a0b0-0000-7000-8000-000000000001".to_owned();
    let refused = list(&cluster, CAM, ListAccessChangesRequest { employee: foreign, ..of_partner(1001) }).await;
    assert_eq!(fields(&refused.expect_err("of another partner")), ["employee"]);
});

on_both_databases!(r127_a_partner_sees_its_own_people_and_of_others_only_that_somebody_acted, |cluster| {
    let story = Story::tell(&cluster).await;
    for (actor, expected) in [
        ("platform", "OK"),
        (CAM, "OK"),
        (ANNA, "PERMISSION_MISSING"),
        (DARIO, "UNKNOWN_PARTNER"),
        (BOSS, "UNKNOWN_PARTNER"),
        (STRANGER, "UNKNOWN_PARTNER"),
    ] {
        assert_eq!(word(&list(&cluster, actor, of_partner(1001)).await), expected, "{actor}");
    }
    for actor in ["platform", CAM] {
        assert_eq!(word(&list(&cluster, actor, of_partner(9)).await), "UNKNOWN_PARTNER", "{actor}");
    }
    let seen = changes(&cluster, CAM, of_partner(1001)).await;
    assert_eq!(positions(&seen), [11, 10, 9, 7, 4, 1]);
    assert_eq!((seen[0].actor.as_str(), seen[0].on_behalf_of.as_str()), ("platform", "someone at the client"));
    assert_eq!(seen[1].actor, "someone at the client");

    // Whom the own people act on is told with their names.
    let request = access::UnlinkClientRequest {
        employee: story.anna.clone(),
        client: "clients/2002".to_owned(),
        ..Default::default()
    };
    cluster.access().unlink_client(by(CAM, request)).await.expect("unlinked");
    assert_eq!(changes(&cluster, CAM, of_partner(1001)).await[0].actor, CAM);
});

on_both_databases!(r127_whose_relationship_ends_is_told_to_that_partner_only, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.partner(1002, &[]).await;
    cluster.client(2002, "US").await;
    cluster.employee_with(1001, CAM, AccessRole::ClientAccessManager).await;
    cluster.employee_with(1001, "both@freelance.example", AccessRole::None).await;
    cluster.employee_with(1002, "both@freelance.example", AccessRole::None).await;
    cluster.user_with(2002, CAM, "STANDARD").await;
    let both = cluster.user_with(2002, "both@freelance.example", "STANDARD").await;
    cluster.clock.set(at("2026-01-06T09:00:00Z"));
    let request = access::RemoveClientUserRequest { name: both, ..Default::default() };
    cluster.access().remove_client_user(request).await.expect("a removal");

    let newest = changes(&cluster, "platform", of_partner(1001)).await.remove(0);
    assert_eq!(newest.ended_relationships, ["partners/1002"]);
    assert_eq!(newest.notices, [i32::from(Notice::Removed), i32::from(Notice::RelationshipEnded)]);
    let newest = changes(&cluster, CAM, of_partner(1001)).await.remove(0);
    assert_eq!(newest.ended_relationships, Vec::<String>::new());
    assert_eq!(newest.notices, [i32::from(Notice::Removed)]);
});

on_both_databases!(r127_whom_a_partner_was_given_by_mistake_is_none_of_its_people, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.client(2002, "US").await;
    cluster.employee_with(1001, CAM, AccessRole::ClientAccessManager).await;
    cluster.user_with(2002, BOSS, "SUPER_ADMIN").await;
    let boss = cluster.employee(1001, BOSS).await;
    let mistake = cluster.access_position();
    retract(&cluster, "platform", mistake).await.expect("taken back");

    let own = [mistake + 1, mistake, 3, 1];
    assert_eq!(positions(&changes(&cluster, CAM, of_partner(1001)).await), own, "not where the boss is a user");
    let of_boss = ListAccessChangesRequest { employee: boss, ..of_partner(1001) };
    assert_eq!(positions(&changes(&cluster, CAM, of_boss).await), Vec::<u64>::new());
});

on_both_databases!(r76_a_partner_is_told_that_its_client_was_closed_and_nobody_else_is, |cluster| {
    for partner in [1001, 1002, 1003] {
        cluster.partner(partner, &[]).await;
        cluster.employee_with(partner, &format!("cam@{partner}.example"), AccessRole::ClientAccessManager).await;
    }
    cluster.client(2002, "US").await;
    cluster.client(2003, "US").await;
    cluster.user(2002, "cam@1001.example").await;
    let request = access::IntroduceClientRequest {
        client: "clients/2002".to_owned(),
        partner: "partners/1003".to_owned(),
        ..Default::default()
    };
    let introduced = cluster.access().introduce_client(request).await.expect("introduced").into_inner();
    cluster.note(&introduced.revision);
    retract(&cluster, "platform", cluster.access_position()).await.expect("taken back");
    cluster.close(2003, "2026-01-01").await.expect("closed");
    let closing = cluster.close(2002, "2026-01-01").await.expect("closed");

    let told = async |partner: i64, request: ListAccessChangesRequest| {
        changes(&cluster, &format!("cam@{partner}.example"), request).await
    };
    let closings =
        |partner| ListAccessChangesRequest { kinds: vec!["client_closed".to_owned()], ..of_partner(partner) };
    for request in [closings(1001), ListAccessChangesRequest { notices_only: true, ..of_partner(1001) }] {
        let found = told(1001, request).await;
        assert_eq!(positions(&found), [closing]);
        assert_eq!(found[0].ended_relationships, ["partners/1001"]);
        assert_eq!(found[0].notices, [i32::from(Notice::RelationshipEnded)]);
    }
    for partner in [1002, 1003] {
        assert_eq!(positions(&told(partner, closings(partner)).await), Vec::<u64>::new(), "{partner}");
    }
    retract(&cluster, "platform", closing).await.expect("taken back");
    assert_eq!(positions(&told(1001, of_partner(1001)).await)[..2], [cluster.access_position(), closing]);
});

on_both_databases!(r127_the_id_of_a_request_is_told_to_whoever_made_it, |cluster| {
    let story = Story::tell(&cluster).await;
    let request_id = |changes: Vec<AccessChange>| changes[0].request_id.clone();
    let on_behalf_of_the_boss = request_id(changes(&cluster, CAM, of_partner(1001)).await);
    assert_eq!(on_behalf_of_the_boss, "");
    let own = "0190a0b0-0000-7000-8000-0000000000ab".to_owned();
    let request = access::UnlinkClientRequest {
        employee: story.anna.clone(),
        client: "clients/2002".to_owned(),
        request_id: own.clone(),
        ..Default::default()
    };
    cluster.access().unlink_client(by(CAM, request)).await.expect("unlinked");
    assert_eq!(request_id(changes(&cluster, CAM, of_partner(1001)).await), own);
});

on_both_databases!(r22_a_mistake_is_taken_back_and_the_log_keeps_both, |cluster| {
    cluster.partner(1001, &[]).await; // 1
    cluster.client(2002, "US").await; // 2
    cluster.subscription(2002, "main", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    let anna = cluster.employee(1001, "anna@freelance.example").await; // 3
    cluster.user(2002, "anna@freelance.example").await; // 4
    cluster.link(&anna, 2002, "2025-11-01").await; // 5
    cluster.work(2002, "a", "anna@freelance.example", "2025-12-20T00:00:00Z", "blog/publish").await;
    let points = async |as_of| cluster.managed_credit(1001, 2002, as_of).await.expect("a row").points.expect("points");
    assert_eq!(points("2026-01-01").await, "10.00");

    assert_eq!(word(&retract(&cluster, ANNA, 5).await), "ACTOR_NOT_ALLOWED");
    assert_eq!(word(&retract(&cluster, "platform", 99).await), "UNKNOWN_CHANGE");
    assert_eq!(word(&retract(&cluster, "platform", 0).await), "INVALID_FIELDS");
    // What a later change needs is not taken back before that one.
    assert_eq!(word(&retract(&cluster, "platform", 3).await), "NOT_RETRACTABLE");
    assert_eq!(word(&retract(&cluster, "platform", 2).await), "NOT_RETRACTABLE");

    retract(&cluster, "platform", 5).await.expect("taken back"); // 6
    assert_eq!(points("2026-01-01").await, "0.00", "credit included");
    assert_eq!(word(&retract(&cluster, "platform", 5).await), "NOT_RETRACTABLE");
    assert_eq!(word(&retract(&cluster, "platform", 6).await), "NOT_RETRACTABLE");

    let log = changes(&cluster, "platform", ListAccessChangesRequest::default()).await;
    assert_eq!(positions(&log), [6, 5, 4, 3, 2, 1]);
    let Some(Fact::ChangeRetracted(retracted)) = &log[0].fact else { panic!("a retraction: {:?}", log[0]) };
    assert_eq!(retracted.position, 5);
    assert_eq!(log[0].effective_time, log[1].effective_time);
    assert_eq!(log[0].reason, "A mistake");

    // Now nobody needs the user or the employee any more: the whole way back.
    for position in [4, 3, 2, 1] {
        retract(&cluster, "platform", position).await.unwrap_or_else(|status| panic!("{position}: {status:?}"));
    }
    let unknown = list(&cluster, "platform", of_partner(1001)).await;
    assert_eq!(word(&unknown), "UNKNOWN_PARTNER", "as if it had never been");
});

on_both_databases!(r22_domains_that_are_taken_back_must_be_free, |cluster| {
    cluster.partner(1001, &["agency.example"]).await; // 1
    let request = access::UpdatePartnerRequest {
        partner: Some(access::Partner { name: "partners/1001".to_owned(), ..Default::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["email_domains".to_owned()] }),
        ..Default::default()
    };
    cluster.access().update_partner(request).await.expect("withdrawn"); // 2
    let now = access::CreatePartnerRequest {
        hub_id: 1002,
        partner: Some(access::Partner {
            display_name: "Other".to_owned(),
            country_code: "IT".to_owned(),
            email_domains: vec!["agency.example".to_owned()],
            ..Default::default()
        }),
        ..Default::default()
    };
    cluster.access().create_partner(now).await.expect("the domain is free"); // 3
    assert_eq!(word(&retract(&cluster, "platform", 2).await), "NOT_RETRACTABLE");
    retract(&cluster, "platform", 3).await.expect("taken back");
    retract(&cluster, "platform", 2).await.expect("now it can be");
});

on_both_databases!(a_user_who_never_was_owns_nothing, |cluster| {
    cluster.client(2002, "US").await; // 1
    let user = cluster.user(2002, ANNA).await; // 2
    let asset = access::Asset {
        name: "clients/2002/assets/a".to_owned(),
        kind: "form".to_owned(),
        display_name: "Form".to_owned(),
        owner: user,
    };
    let request = access::BatchUpdateAssetsRequest {
        parent: "clients/2002".to_owned(),
        assets: vec![asset],
        ..Default::default()
    };
    cluster.access().batch_update_assets(request).await.expect("kept");
    retract(&cluster, "platform", 2).await.expect("taken back");
    let request = access::ListAssetsRequest { parent: "clients/2002".to_owned(), ..Default::default() };
    let assets = cluster.access().list_assets(request).await.expect("assets").into_inner().assets;
    assert_eq!(assets[0].owner, "");
});

on_both_databases!(r128_an_erased_person_is_nowhere_and_figures_stay, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.client(2002, "US").await;
    cluster.subscription(2002, "main", "1000.00 USD", "2025-01-01").await.expect("a subscription");
    let sara = cluster.employee_with(1001, SARA, AccessRole::SuperAdmin).await;
    let anna = cluster.employee(1001, ANNA).await;
    cluster.user(2002, ANNA).await;
    cluster.user_with(2002, SARA, "STANDARD").await;
    cluster.work(2002, "a", ANNA, "2025-12-20T00:00:00Z", "blog/publish").await;
    // Sara acts, and somebody acts for her.
    let colleague = access::Employee {
        email_address: CAM.to_owned(),
        display_name: "Cam".to_owned(),
        access_role: AccessRole::ClientAccessManager.into(),
        ..Default::default()
    };
    let request = access::CreateEmployeeRequest {
        parent: "partners/1001".to_owned(),
        employee: Some(colleague),
        request_id: "0190a0b0-0000-7000-8000-0000000000aa".to_owned(),
        ..Default::default()
    };
    cluster.access().create_employee(by(SARA, request.clone())).await.expect("a colleague");
    let link = access::CreateAccessLinkRequest { parent: anna.clone(), ..Default::default() };
    cluster.access().create_access_link(by(SARA, link)).await.expect("a link");
    let unlink =
        access::UnlinkClientRequest { employee: sara.clone(), client: "clients/2002".to_owned(), ..Default::default() };
    let mut unlink = by("platform", unlink);
    unlink.metadata_mut().insert("x-on-behalf-of", SARA.parse().expect("ASCII"));
    cluster.access().unlink_client(unlink).await.expect("unlinked");
    let before = changes(&cluster, "platform", ListAccessChangesRequest::default()).await;
    let credit_before = cluster.managed_credit(1001, 2002, "2026-01-01").await.expect("a row");

    let stranger = erase(&cluster, STRANGER, "").await;
    assert_eq!(word(&stranger), "UNKNOWN_ADDRESS");
    let refused = cluster.access().erase_address(by(SARA, access::EraseAddressRequest::default())).await;
    assert_eq!(fields(&refused.expect_err("no address")), ["email_address"]);
    let request_id = "0190a0b0-0000-7000-8000-0000000000bb";
    let of_sara = erase(&cluster, SARA, request_id).await.expect("erased");
    // It is gone: asked again, nobody has it; only a repeat of the very request is answered as the first time.
    assert_eq!(word(&erase(&cluster, SARA, "").await), "UNKNOWN_ADDRESS");
    assert_eq!(erase(&cluster, SARA, request_id).await.expect("the first answer"), of_sara);
    let of_anna = erase(&cluster, ANNA, "").await.expect("erased");
    assert!(of_sara.pseudonym.ends_with("@agency.example") && of_sara.pseudonym != SARA);

    let after = changes(&cluster, "platform", ListAccessChangesRequest::default()).await;
    assert_eq!(after.len(), before.len() + 2);
    for change in &after {
        let text = format!("{change:?}");
        assert!(!text.contains(SARA) && !text.contains(ANNA) && !text.contains("\"anna\""), "{text}");
    }
    let positions_of = |changes: &[AccessChange], name: &str| -> Vec<u64> {
        changes.iter().filter(|change| format!("{change:?}").contains(name)).map(|change| change.position).collect()
    };
    let of_pseudonym = positions_of(&after, &of_sara.pseudonym);
    assert_eq!(of_pseudonym[1..], positions_of(&before, SARA), "the same changes, and the erasure itself");
    let links = access::ListAccessLinksRequest { parent: anna.clone(), ..Default::default() };
    let links = cluster.access().list_access_links(links).await.expect("links").into_inner().access_links;
    assert_eq!(links[0].creator, of_sara.pseudonym);
    let employee = access::GetEmployeeRequest { name: anna };
    let employee = cluster.access().get_employee(employee).await.expect("still an employee").into_inner();
    assert_eq!(employee.employee.expect("an employee").email_address, of_anna.pseudonym);

    // Figures stay.
    let credit = cluster.managed_credit(1001, 2002, "2026-01-01").await.expect("a row");
    assert_eq!((credit.points.as_deref(), &credit.credit), (Some("10.00"), &credit_before.credit));

    // What was answered to her before is forgotten: it named her.
    let repeat = cluster.access().create_employee(by(SARA, request)).await;
    assert_eq!(word(&repeat), "UNKNOWN_PARTNER", "she is nobody here");
});
