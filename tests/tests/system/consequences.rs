//! What every change of access means for credit, end to end: before its instant and from it on.

mod erasure;

use contracts::wire::activity::{self, PeriodEndCause, Verdict, VerdictOutcome};
use contracts::wire::credit::{self, CreditState, NoCreditReason};
use managed_credit::running::Part;
use system_tests::{Cluster, on_both_databases, reason, stamp};

const ANNA: &str = "anna@agency.example";

/// When Anna worked, until when that counts, and when something happens in between.
const WORK: &str = "2025-11-20T09:00:00Z";
const EXPIRY: &str = "2026-01-19T09:00:00Z";
const JUST_BEFORE: &str = "2025-12-10T07:59:59.999999Z";
const THEN: &str = "2025-12-10T08:00:00Z";
const LATER: &str = "2025-12-20T09:00:00Z";
const NOW: &str = "2026-01-01";

/// The names that a change needs.
struct Agency {
    employee: String,
    user: String,
}

/// Partner 1001 earns 1,000 USD from client 2002 by what Anna of its domain did.
async fn agency(cluster: &Cluster) -> Agency {
    cluster.partner(1001, &["agency.example"]).await;
    let employee = cluster.employee(1001, ANNA).await;
    cluster.client(2002, "US").await;
    let user = cluster.user(2002, ANNA).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    assert_eq!(work(cluster, "first", ANNA, WORK).await, "COUNTED");
    assert_eq!(credit(cluster, 1001, NOW).await, "1000.00");
    Agency { employee, user }
}

/// Anna publishes a post: the verdict, in words.
async fn work(cluster: &Cluster, id: &str, address: &str, when: &str) -> String {
    verdict_words(&cluster.work(2002, id, address, when, "blog/publish").await)
}

fn verdict_words(verdict: &Verdict) -> String {
    match verdict.outcome() {
        VerdictOutcome::Counted => "COUNTED".to_owned(),
        _ => verdict.reason().as_str_name().trim_start_matches("NOT_COUNTED_REASON_").to_owned(),
    }
}

async fn row(cluster: &Cluster, partner: i64, as_of: &str) -> credit::ManagedCredit {
    cluster.managed_credit(partner, 2002, as_of).await.expect("a row")
}

/// The credit of client 2002 for a partner, or why there is none.
async fn credit(cluster: &Cluster, partner: i64, as_of: &str) -> String {
    let row = row(cluster, partner, as_of).await;
    match row.no_credit_reason() {
        NoCreditReason::Unspecified => row.credit.expect("credit").amount,
        reason => reason.as_str_name().trim_start_matches("NO_CREDIT_REASON_").to_owned(),
    }
}

/// The verdict of an activity that was recorded before, as it is now.
async fn present(cluster: &Cluster, id: &str, address: &str, when: &str) -> String {
    // Whatever was written has been followed before the verdict is looked at.
    cluster.servicing(1001, 2002, NOW).await.expect("a servicing");
    work(cluster, id, address, when).await
}

async fn servicing(cluster: &Cluster, partner: i64) -> activity::GetServicingResponse {
    cluster.servicing(partner, 2002, NOW).await.expect("a servicing")
}

on_both_databases!(r76_ended_services_end_the_credit_and_every_assignment_and_raise_the_others_share, |cluster| {
    let Agency { employee, .. } = agency(&cluster).await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee(1002, "bea@studio.example").await;
    cluster.user(2002, "bea@studio.example").await;
    assert_eq!(work(&cluster, "bea", "bea@studio.example", WORK).await, "COUNTED");
    assert_eq!(work(&cluster, "late", ANNA, LATER).await, "COUNTED");
    assert_eq!(work(&cluster, "just", ANNA, THEN).await, "COUNTED");

    let ended = cluster.end_services(1001, 2002, THEN).await.expect("services end");
    assert_eq!(
        (credit(&cluster, 1001, JUST_BEFORE).await, credit(&cluster, 1002, JUST_BEFORE).await),
        ("500.00".to_owned(), "500.00".to_owned())
    );
    for as_of in [THEN, NOW] {
        assert_eq!(credit(&cluster, 1001, as_of).await, "SERVICES_ENDED", "{as_of}");
        // R78: from the same instant.
        assert_eq!(credit(&cluster, 1002, as_of).await, "1000.00", "{as_of}");
    }
    let found = servicing(&cluster, 1001).await;
    assert_eq!((found.periods.len(), found.periods[0].end_time), (1, Some(stamp(THEN))));
    assert_eq!(found.periods[0].end_cause(), PeriodEndCause::ServicesEnded);
    assert_eq!(present(&cluster, "just", ANNA, THEN).await, "NOT_ASSIGNED");
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "NOT_ASSIGNED");
    let loss = cluster.explain(1001, 2002, NOW).await.expect("an explanation").loss.expect("a loss");
    assert_eq!((loss.cause(), loss.lose_time), (NoCreditReason::ServicesEnded, Some(stamp(THEN))));

    // Linked again, new work starts anew (R73); taken back, it never was (R22).
    cluster.link(&employee, 2002, "2025-12-15").await;
    let link = cluster.access_position();
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "COUNTED");
    assert_eq!(row(&cluster, 1001, NOW).await.serviced_since_time, Some(stamp(LATER)));
    for position in [link, ended] {
        cluster.retract(position).await.expect("a retraction");
    }
    assert_eq!(present(&cluster, "just", ANNA, THEN).await, "COUNTED");
    for as_of in [THEN, NOW] {
        assert_eq!(credit(&cluster, 1001, as_of).await, "500.00", "{as_of}");
    }
    assert_eq!(row(&cluster, 1001, NOW).await.serviced_since_time, Some(stamp(WORK)));

    // Also where nobody has done anything since, so that no verdict is another.
    cluster.end_services(1002, 2002, THEN).await.expect("services end");
    assert_eq!(credit(&cluster, 1002, JUST_BEFORE).await, "500.00");
    assert_eq!(credit(&cluster, 1002, THEN).await, "SERVICES_ENDED");
});

on_both_databases!(r76_a_partner_that_leaves_loses_every_credit_at_that_instant, |cluster| {
    agency(&cluster).await;
    assert_eq!(work(&cluster, "late", ANNA, LATER).await, "COUNTED");
    let left = cluster.leave(1001, THEN).await.expect("it leaves");
    assert_eq!(credit(&cluster, 1001, JUST_BEFORE).await, "1000.00");
    assert_eq!(credit(&cluster, 1001, THEN).await, "PARTNER_LEFT");
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "PARTNER_NOT_IN_PROGRAMME");
    assert_eq!(servicing(&cluster, 1001).await.periods[0].end_cause(), PeriodEndCause::PartnerLeft);
    cluster.retract(left).await.expect("a retraction");
    assert_eq!(credit(&cluster, 1001, THEN).await, "1000.00");
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "COUNTED");
});

on_both_databases!(r76_a_client_account_that_is_closed_brings_nothing_from_that_instant_on, |cluster| {
    agency(&cluster).await;
    assert_eq!(work(&cluster, "late", ANNA, LATER).await, "COUNTED");
    let closed = cluster.close(2002, THEN).await.expect("it is closed");
    assert_eq!(credit(&cluster, 1001, JUST_BEFORE).await, "1000.00");
    assert_eq!(credit(&cluster, 1001, THEN).await, "CLIENT_CLOSED");
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "CLIENT_CLOSED");
    cluster.retract(closed).await.expect("a retraction");
    assert_eq!(credit(&cluster, 1001, THEN).await, "1000.00");
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "COUNTED");
});

/// Nothing is over at the instant: the credit lapses by itself, when the last work before it has expired (R75).
async fn assert_lapses(cluster: &Cluster) {
    for as_of in [JUST_BEFORE, THEN, "2026-01-19T08:59:59.999999Z"] {
        assert_eq!(credit(cluster, 1001, as_of).await, "1000.00", "{as_of}");
    }
    assert_eq!(credit(cluster, 1001, EXPIRY).await, "LAPSED");
}

on_both_databases!(r75_a_deleted_employee_lets_the_credit_lapse_and_works_in_vain, |cluster| {
    let Agency { employee, .. } = agency(&cluster).await;
    assert_eq!(work(&cluster, "late", ANNA, LATER).await, "COUNTED");
    let deleted = cluster.delete_employee(&employee, THEN).await.expect("deleted");
    assert_lapses(&cluster).await;
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "UNKNOWN_EMPLOYEE");
    cluster.retract(deleted).await.expect("a retraction");
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "COUNTED");
    assert_eq!(credit(&cluster, 1001, EXPIRY).await, "1000.00");
});

on_both_databases!(r20_without_the_flag_an_employees_work_counts_no_more_and_with_it_again, |cluster| {
    let Agency { employee, .. } = agency(&cluster).await;
    assert_eq!(work(&cluster, "late", ANNA, LATER).await, "COUNTED");
    cluster.flag(&employee, false, THEN).await.expect("unflagged");
    assert_lapses(&cluster).await;
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "NOT_PARTNER_EMPLOYEE");
    cluster.flag(&employee, true, "2025-12-15").await.expect("flagged");
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "COUNTED");
    assert_eq!(credit(&cluster, 1001, EXPIRY).await, "1000.00");
});

on_both_databases!(r71_whoever_is_flagged_late_was_present_from_then_on, |cluster| {
    let Agency { user, .. } = agency(&cluster).await;
    let ben = cluster.employee(1001, "ben@agency.example").await;
    cluster.flag(&ben, false, "2024-01-01").await.expect("unflagged");
    cluster.user(2002, "ben@agency.example").await;
    cluster.remove(&user, THEN).await.expect("a removal");
    assert_eq!(credit(&cluster, 1001, THEN).await, "ALL_EMPLOYEES_REMOVED");
    // The flag was there before Anna went, and only its record is late: somebody was left.
    let flagged = cluster.flag(&ben, true, "2025-12-01").await.expect("flagged");
    assert_eq!(credit(&cluster, 1001, THEN).await, "1000.00");
    cluster.retract(flagged).await.expect("a retraction");
    assert_eq!(credit(&cluster, 1001, JUST_BEFORE).await, "1000.00");
    assert_eq!(credit(&cluster, 1001, THEN).await, "ALL_EMPLOYEES_REMOVED");
});

on_both_databases!(example_15_a_deactivated_user_works_in_vain_until_it_is_reactivated, |cluster| {
    let Agency { user, .. } = agency(&cluster).await;
    assert_eq!(work(&cluster, "at-once", ANNA, THEN).await, "COUNTED");
    assert_eq!(work(&cluster, "late", ANNA, LATER).await, "COUNTED");
    cluster.deactivate(&user, THEN).await.expect("deactivated");
    assert_lapses(&cluster).await;
    for (id, when) in [("at-once", THEN), ("late", LATER)] {
        assert_eq!(present(&cluster, id, ANNA, when).await, "USER_DEACTIVATED", "{id}");
    }
    cluster.reactivate(&user, "2025-12-15").await.expect("reactivated");
    assert_eq!(present(&cluster, "at-once", ANNA, THEN).await, "USER_DEACTIVATED");
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "COUNTED");
    assert_eq!(credit(&cluster, 1001, EXPIRY).await, "1000.00");
});

on_both_databases!(r75_an_unlinked_client_lapses, |cluster| {
    let Agency { employee, .. } = agency(&cluster).await;
    assert_eq!(work(&cluster, "late", ANNA, LATER).await, "COUNTED");
    let unlinked = cluster.unlink(&employee, 2002, THEN).await.expect("unlinked");
    assert_lapses(&cluster).await;
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "NOT_ASSIGNED");
    cluster.retract(unlinked).await.expect("a retraction");
    assert_eq!(present(&cluster, "late", ANNA, LATER).await, "COUNTED");
});

on_both_databases!(r22_a_removal_that_is_taken_back_never_ended_anything, |cluster| {
    let Agency { user, .. } = agency(&cluster).await;
    cluster.remove(&user, THEN).await.expect("a removal");
    let removal = cluster.access_position();
    assert_eq!(credit(&cluster, 1001, THEN).await, "ALL_EMPLOYEES_REMOVED");
    cluster.retract(removal).await.expect("a retraction");
    assert_lapses(&cluster).await;
    assert_eq!(servicing(&cluster, 1001).await.periods[0].end_cause(), PeriodEndCause::Lapsed);
});

on_both_databases!(r22_a_link_and_a_person_that_are_taken_back_never_were, |cluster| {
    agency(&cluster).await;
    let carla = cluster.employee_since(1001, "carla@freemail.example", "2025-12-01").await.expect("an employee");
    let employment = cluster.access_position();
    cluster.user_since(2002, "carla@freemail.example", "2025-12-01").await.expect("a user");
    cluster.link(&carla, 2002, "2025-12-01").await;
    let link = cluster.access_position();
    assert_eq!(work(&cluster, "carla", "carla@freemail.example", LATER).await, "COUNTED");
    assert_eq!(credit(&cluster, 1001, EXPIRY).await, "1000.00");
    cluster.retract(link).await.expect("a retraction");
    assert_eq!(present(&cluster, "carla", "carla@freemail.example", LATER).await, "NOT_ASSIGNED");
    assert_eq!(credit(&cluster, 1001, EXPIRY).await, "LAPSED");
    let seen = servicing(&cluster, 1001).await.not_counted_activities;
    assert_eq!(seen.len(), 1, "the partner's own person");
    cluster.retract(employment).await.expect("a retraction");
    assert_eq!(present(&cluster, "carla", "carla@freemail.example", LATER).await, "UNKNOWN_EMPLOYEE");
    // R127: she never was of the partner, so that it sees nothing of her work.
    assert_eq!(servicing(&cluster, 1001).await.not_counted_activities, []);
    let explained = format!("{:?}", cluster.explain(1001, 2002, NOW).await.expect("an explanation"));
    assert!(!explained.contains("carla"), "{explained}");
});

on_both_databases!(r22_what_is_taken_back_together_is_followed_together, |cluster| {
    let Agency { user, .. } = agency(&cluster).await;
    cluster.employee(1001, "ben@agency.example").await;
    let employment = cluster.access_position();
    cluster.user(2002, "ben@agency.example").await;
    let presence = cluster.access_position();
    cluster.remove(&user, THEN).await.expect("a removal");
    assert_eq!(credit(&cluster, 1001, THEN).await, "1000.00", "Ben is left");
    cluster.stop_part(Part::Activity).await;
    cluster.retract(presence).await.expect("a retraction");
    cluster.retract(employment).await.expect("a retraction");
    cluster.start_part(Part::Activity).await;
    assert_eq!(credit(&cluster, 1001, JUST_BEFORE).await, "1000.00");
    assert_eq!(credit(&cluster, 1001, THEN).await, "ALL_EMPLOYEES_REMOVED", "nobody but Anna ever was there");
});

on_both_databases!(r63_a_client_that_moves_is_a_growth_market_from_then_on, |cluster| {
    agency(&cluster).await;
    let moved = cluster.update_client(2002, "Été Foods", "IN", THEN).await.expect("it moves");
    let found = async |as_of: &str| {
        let row = row(&cluster, 1001, as_of).await;
        (row.country_code, row.points.expect("points"), row.client_display_name)
    };
    let expected = |country: &str, points: &str, name: &str| (country.to_owned(), points.to_owned(), name.to_owned());
    // The name is the latest, whatever the instant; the country is that of the instant.
    assert_eq!(found(JUST_BEFORE).await, expected("US", "10.00", "Été Foods"));
    assert_eq!(found(THEN).await, expected("IN", "20.00", "Été Foods"));
    let searched = async |text: &str| {
        let request = credit::ListManagedCreditsRequest { client_search: text.to_owned(), ..Default::default() };
        let page = cluster.breakdown(1001, NOW, request).await.expect("rows");
        (page.total_size, page.total_points)
    };
    assert_eq!(searched("ete f").await, (1, "20.00".to_owned()));
    assert_eq!(searched("Client 2002").await, (0, "0.00".to_owned()));
    cluster.retract(moved).await.expect("a retraction");
    assert_eq!(found(THEN).await, expected("US", "10.00", "Client 2002"));
    assert_eq!(searched("Client 2002").await, (1, "10.00".to_owned()));
});

on_both_databases!(what_decides_nothing_tells_nothing_to_who_follows_servicing, |cluster| {
    let Agency { employee, user } = agency(&cluster).await;
    let before = servicing(&cluster, 1001).await;
    let introduction = contracts::wire::access::IntroduceClientRequest {
        client: "clients/2002".to_owned(),
        partner: "partners/1001".to_owned(),
        ..Default::default()
    };
    let introduced = cluster.access().introduce_client(introduction).await.expect("an introduction");
    cluster.note(&introduced.get_ref().revision);
    let admin = contracts::wire::access::UpdateClientUserRequest {
        client_user: Some(contracts::wire::access::ClientUser {
            name: user.clone(),
            permission_set: "PARTNER_ADMIN".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let updated = cluster.access().update_client_user(admin).await.expect("an update");
    cluster.note(&updated.get_ref().revision);
    let link = contracts::wire::access::CreateAccessLinkRequest { parent: employee.clone(), ..Default::default() };
    let link = cluster.access().create_access_link(link).await.expect("a link").into_inner();
    cluster.note(&link.revision);
    let after = servicing(&cluster, 1001).await;
    assert_eq!(after.periods, before.periods);
    assert_eq!(after.revisions[1], before.revisions[1], "the servicing feed has nothing to tell");
    assert_ne!(after.revisions[0], before.revisions[0], "though all of it is known");
    assert_eq!(credit(&cluster, 1001, NOW).await, "1000.00");
    assert_eq!(row(&cluster, 1001, NOW).await.state(), CreditState::Expiring);

    let unknown = cluster.retract(1_000).await.expect_err("no such change");
    assert_eq!(reason(&unknown), "UNKNOWN_CHANGE");
});
