//! Partners.

use contracts::wire::access::{self, AccessRole, Partner, PartnerState};
use contracts::wire::credit::NoCreditReason;
use prost_types::FieldMask;
use system_tests::{Cluster, at, by, fields, metadata, on_both_databases, reason, stamp};
use tonic::{Code, Request, Status};

use super::feed::feed;

const SARA: &str = "sara@agency.example";
const CAM: &str = "cam@agency.example";
const PAUL: &str = "paul@agency.example";
const STRANGER: &str = "stranger@elsewhere.example";

/// Partner 1001 with its super admin, somebody with CAM access, and a plain employee.
async fn agency(cluster: &Cluster) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee_with(1001, SARA, AccessRole::SuperAdmin).await;
    cluster.employee_with(1001, CAM, AccessRole::ClientAccessManager).await;
    cluster.employee_with(1001, PAUL, AccessRole::None).await;
}

fn get(hub_id: i64) -> access::GetPartnerRequest {
    access::GetPartnerRequest { name: format!("partners/{hub_id}") }
}

async fn partner(cluster: &Cluster, hub_id: i64) -> Partner {
    let answer = cluster.access().get_partner(get(hub_id)).await.expect("a partner").into_inner();
    answer.partner.expect("a partner")
}

/// A change of partner 1001 by these fields, or by those that are set where there are none.
fn update(changed: Partner, paths: &[&str]) -> access::UpdatePartnerRequest {
    let paths = paths.iter().map(ToString::to_string).collect();
    access::UpdatePartnerRequest {
        partner: Some(Partner { name: "partners/1001".to_owned(), ..changed }),
        update_mask: Some(FieldMask { paths }),
        ..Default::default()
    }
}

fn domains(domains: &[&str]) -> Partner {
    Partner { email_domains: domains.iter().map(ToString::to_string).collect(), ..Partner::default() }
}

fn named(display_name: &str) -> Partner {
    Partner { display_name: display_name.to_owned(), ..Partner::default() }
}

fn in_state(state: PartnerState) -> Partner {
    Partner { state: state.into(), ..Partner::default() }
}

fn refusal(status: &Status) -> (Code, String) {
    (status.code(), reason(status))
}

on_both_databases!(r37_a_domain_belongs_to_one_partner_and_to_no_shared_provider, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    let taken = cluster.partner_since(1002, &["Agency.Example"], "2024-01-01").await.expect_err("taken");
    assert_eq!(refusal(&taken), (Code::FailedPrecondition, "EMAIL_DOMAIN_TAKEN".to_owned()));
    assert!(!taken.message().contains("1001"), "who holds a domain is nobody else's business: {}", taken.message());
    let shared = cluster.partner_since(1002, &["gmail.com"], "2024-01-01").await.expect_err("shared");
    assert_eq!(reason(&shared), "SHARED_MAIL_PROVIDER");
    cluster.partner(1002, &[]).await;
    let foreign = cluster.employee_since(1002, "anna@agency.example", "2024-01-01").await.expect_err("foreign");
    assert_eq!(reason(&foreign), "ADDRESS_IN_FOREIGN_DOMAIN");
});

on_both_databases!(r127_a_partner_exists_for_its_own_people_and_the_platform_only, |cluster| {
    agency(&cluster).await;
    for person in [SARA, CAM, PAUL] {
        let answer = cluster.access().get_partner(by(person, get(1001))).await.expect("a partner").into_inner();
        let partner = answer.partner.expect("a partner");
        assert_eq!((partner.name.as_str(), partner.state()), ("partners/1001", PartnerState::InProgramme), "{person}");
    }
    let refused = cluster.access().get_partner(by(STRANGER, get(1001))).await.expect_err("a stranger");
    let unknown = cluster.access().get_partner(get(1009)).await.expect_err("nobody");
    assert_eq!(refusal(&refused), (Code::NotFound, "UNKNOWN_PARTNER".to_owned()));
    assert_eq!(refused.message(), unknown.message().replace("1009", "1001"), "both read alike");
});

on_both_databases!(the_platform_lists_partners_by_hub_id_page_by_page, |cluster| {
    for hub_id in [1010, 1002, 1001] {
        cluster.partner(hub_id, &[]).await;
    }
    let renamed = Partner { name: "partners/1002".to_owned(), ..named("Caffè & Co.") };
    let request = access::UpdatePartnerRequest { partner: Some(renamed), ..Default::default() };
    cluster.access().update_partner(request).await.expect("another name");

    let first = access::ListPartnersRequest { page_size: 2, ..Default::default() };
    let page = cluster.access().list_partners(first.clone()).await.expect("a page").into_inner();
    let names = |page: &access::ListPartnersResponse| -> Vec<String> {
        page.partners.iter().map(|partner| partner.name.clone()).collect()
    };
    assert_eq!((names(&page), page.total_size), (vec!["partners/1001".into(), "partners/1002".into()], 3));
    let second = access::ListPartnersRequest { page_token: page.next_page_token, ..first.clone() };
    let page = cluster.access().list_partners(second.clone()).await.expect("a page").into_inner();
    assert_eq!((names(&page), page.next_page_token.as_str()), (vec!["partners/1010".to_owned()], ""));
    for (search, found) in [("caffe", "partners/1002"), ("1010", "partners/1010"), ("partner 1001", "partners/1001")] {
        let request = access::ListPartnersRequest { search: search.to_owned(), ..Default::default() };
        let page = cluster.access().list_partners(request).await.expect("a page").into_inner();
        assert_eq!(names(&page), [found], "{search}");
    }

    let wrong = access::ListPartnersRequest { search: "x".repeat(201), page_size: 1_001, ..second };
    let refused = cluster.access().list_partners(wrong).await.expect_err("all of it is wrong");
    assert_eq!(fields(&refused), ["search", "page_size", "page_token"]);
    let refused = cluster.access().list_partners(by(SARA, first)).await.expect_err("a person");
    assert_eq!(refusal(&refused), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED".to_owned()));
});

on_both_databases!(an_update_changes_what_it_names_and_one_that_says_nothing_new_records_nothing, |cluster| {
    agency(&cluster).await;
    let before = partner(&cluster, 1001).await;
    let change = Partner { country_code: "FR".to_owned(), ..named("Agency") };
    let updated = cluster.access().update_partner(update(change.clone(), &["display_name"])).await.expect("an update");
    let updated = updated.into_inner();
    let after = updated.partner.expect("a partner");
    assert_eq!((after.display_name.as_str(), after.country_code.as_str()), ("Agency", "IT"), "only what is named");
    assert_eq!(after.email_domains, before.email_domains);
    assert_ne!(after.etag, before.etag);

    let again = cluster.access().update_partner(update(named("Agency"), &[])).await.expect("a repeat").into_inner();
    assert_eq!((again.partner, again.revision), (Some(after.clone()), updated.revision), "nothing was recorded");

    let stale = Partner { etag: before.etag, ..change };
    let refused = cluster.access().update_partner(update(stale.clone(), &["*"])).await.expect_err("stale");
    assert_eq!(refusal(&refused), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    let fresh = Partner { etag: metadata(&refused, "etag"), ..stale };
    let everything = cluster.access().update_partner(update(fresh, &["*"])).await.expect("an update").into_inner();
    let everything = everything.partner.expect("a partner");
    assert_eq!((everything.country_code.as_str(), everything.email_domains.len()), ("FR", 0), "* is all of it");
    assert_eq!(everything.state(), PartnerState::InProgramme, "an unspecified state is as it is");

    let wrong = Partner { country_code: "XX".to_owned(), state: 9, ..named(" ") };
    let mut wrong = update(wrong, &["display_name", "country_code", "state", "join_time"]);
    wrong.partner.as_mut().expect("a partner").name = "partners/x".to_owned();
    let refused = cluster.access().update_partner(wrong).await.expect_err("all of it is wrong");
    assert_eq!(
        fields(&refused),
        ["update_mask.paths[3]", "partner.name", "partner.display_name", "partner.country_code", "partner.state"]
    );
});

on_both_databases!(r37_only_a_super_admin_of_the_partner_sets_its_domains_and_only_the_platform_the_rest, |cluster| {
    agency(&cluster).await;
    cluster.partner(1002, &["other.example"]).await;
    let set = update(domains(&["agency.example", "agency.test"]), &[]);
    let answer = cluster.access().update_partner(by(SARA, set.clone())).await.expect("her right").into_inner();
    assert_eq!(answer.partner.expect("a partner").email_domains, ["agency.example", "agency.test"]);

    let taken = update(domains(&["other.example"]), &[]);
    let refused = cluster.access().update_partner(by(SARA, taken)).await.expect_err("taken");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "EMAIL_DOMAIN_TAKEN".to_owned()));
    for person in [CAM, PAUL] {
        let refused = cluster.access().update_partner(by(person, set.clone())).await.expect_err("no super admin");
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "PERMISSION_MISSING".to_owned()), "{person}");
        assert_eq!(metadata(&refused, "permission"), "MANAGE_PARTNER");
    }
    let refused = cluster.access().update_partner(by(STRANGER, set)).await.expect_err("a stranger");
    assert_eq!(refusal(&refused), (Code::NotFound, "UNKNOWN_PARTNER".to_owned()));
    let country = Partner { country_code: "FR".to_owned(), ..Partner::default() };
    for rest in [named("Agency"), country, in_state(PartnerState::Left)] {
        let refused = cluster.access().update_partner(by(SARA, update(rest, &[]))).await.expect_err("the platform's");
        assert_eq!(refusal(&refused), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED".to_owned()));
    }
    let dated = access::UpdatePartnerRequest {
        effective_time: Some(stamp("2025-06-01")),
        ..update(domains(&["agency.example"]), &[])
    };
    let refused = cluster.access().update_partner(by(SARA, dated)).await.expect_err("people change the present");
    assert_eq!(fields(&refused), ["effective_time"]);
});

on_both_databases!(several_changes_in_one_update_are_made_all_or_none, |cluster| {
    agency(&cluster).await;
    cluster.partner(1002, &["other.example"]).await;
    let before = partner(&cluster, 1001).await;
    let change = Partner { display_name: "Agency".to_owned(), ..domains(&["other.example"]) };
    cluster.access().update_partner(update(change, &[])).await.expect_err("the domain is taken");
    assert_eq!(partner(&cluster, 1001).await, before);

    let change = Partner { display_name: "Agency".to_owned(), ..domains(&["agency.test"]) };
    let change = Partner { state: PartnerState::Left.into(), ..change };
    let known = feed(&cluster, 0, Vec::new()).await.len();
    cluster.access().update_partner(update(change, &[])).await.expect("all of it");
    assert_eq!(feed(&cluster, 0, Vec::new()).await.len(), known + 3);
    let after = partner(&cluster, 1001).await;
    assert_eq!((after.display_name.as_str(), after.state()), ("Agency", PartnerState::Left));
});

on_both_databases!(r76_a_partner_that_leaves_loses_its_relationships_and_does_not_come_back, |cluster| {
    agency(&cluster).await;
    cluster.client(2002, "US").await;
    cluster.user(2002, PAUL).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    cluster.clock.set(at("2026-01-10"));
    cluster.work(2002, "a1", PAUL, "2026-01-05", "blog/publish").await;
    let row = cluster.managed_credit(1001, 2002, "2026-01-10").await.expect("a row");
    assert_eq!(row.points.as_deref(), Some("10.00"));

    let leave = update(in_state(PartnerState::Left), &[]);
    let answer = cluster.access().update_partner(leave.clone()).await.expect("it leaves").into_inner();
    cluster.note(&answer.revision);
    let left = answer.partner.expect("a partner");
    assert_eq!((left.state(), left.leave_time), (PartnerState::Left, Some(stamp("2026-01-10"))));
    assert_eq!(left.email_domains, Vec::<String>::new(), "its domains are free");
    let row = cluster.managed_credit(1001, 2002, "2026-01-10").await.expect("a row");
    assert_eq!(row.no_credit_reason(), NoCreditReason::PartnerLeft);
    let changes = feed(&cluster, 0, Vec::new()).await;
    assert_eq!(changes.last().expect("a change").ended_relationships, ["partners/1001"]);

    let again = cluster.access().update_partner(leave).await.expect("it has left").into_inner();
    assert_eq!(again.revision, answer.revision);
    let back = update(in_state(PartnerState::InProgramme), &[]);
    let refused = cluster.access().update_partner(back).await.expect_err("for good");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "ILLEGAL_TRANSITION".to_owned()));
    assert_eq!(metadata(&refused, "state"), "left");
    let refused = cluster.access().update_partner(update(named("Agency"), &[])).await.expect_err("it is gone");
    assert_eq!(reason(&refused), "UNKNOWN_PARTNER");
    let refused = cluster.access().get_partner(by(SARA, get(1001))).await.expect_err("her rights went with it");
    assert_eq!(reason(&refused), "UNKNOWN_PARTNER");
});

on_both_databases!(r22_a_partner_does_not_leave_before_what_its_people_did, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    let carla = cluster.employee(1001, "carla@freelance.example").await;
    cluster.client(2002, "US").await;
    cluster.link(&carla, 2002, "2025-06-01").await;
    let leave = |when: &str| access::UpdatePartnerRequest {
        effective_time: Some(stamp(when)),
        ..update(in_state(PartnerState::Left), &[])
    };
    let refused = cluster.access().update_partner(leave("2025-03-01")).await.expect_err("linked later");
    assert_eq!(refusal(&refused), (Code::FailedPrecondition, "ILLEGAL_SEQUENCE".to_owned()));
    let refused = cluster.access().update_partner(leave("2023-01-01")).await.expect_err("not there yet");
    assert_eq!(refusal(&refused), (Code::NotFound, "UNKNOWN_PARTNER".to_owned()));
    assert!(refused.message().contains("2024-01-01"), "it says from when on: {}", refused.message());
    cluster.access().update_partner(leave("2025-07-01")).await.expect("after all that");
});

on_both_databases!(a_request_id_makes_an_update_safe_to_repeat, |cluster| {
    agency(&cluster).await;
    let request = access::UpdatePartnerRequest {
        request_id: "0190a0b0-0000-7000-8000-000000000001".to_owned(),
        reason: "they asked for it".to_owned(),
        ..update(named("Agency"), &[])
    };
    let first = cluster.access().update_partner(request.clone()).await.expect("an update").into_inner();
    cluster.access().update_partner(update(named("Other"), &[])).await.expect("another update");
    let repeat = cluster.access().update_partner(request.clone()).await.expect("the first answer").into_inner();
    assert_eq!(repeat, first);
    let other = access::UpdatePartnerRequest { reason: String::new(), ..request.clone() };
    for reused in [Request::new(other), by(SARA, request)] {
        let refused = cluster.access().update_partner(reused).await.expect_err("another request");
        assert_eq!(refusal(&refused), (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned()));
    }
    let changes = feed(&cluster, 0, Vec::new()).await;
    let recorded = &changes[changes.len() - 2];
    assert_eq!(recorded.reason, "they asked for it");
    assert_eq!(recorded.old_state, "IN_PROGRAMME IT Partner 1001");
    assert_eq!(recorded.new_state, "IN_PROGRAMME IT Agency");
});
