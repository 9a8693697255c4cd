//! The matrix of permissions, cell by cell, and where people stand.

use super::*;
use crate::access::AccessFact;
use crate::access::testing::*;

const NOW: &str = "2025-06-01T00:00:00Z";

/// Where somebody of a column of the matrix stands.
const fn standing(partner_role: Option<AccessRole>, client: Option<ClientStanding>) -> Standing {
    Standing { partner_role, client }
}

/// One word per cell: `yes`; `no`, where the person is told what is missing; `hidden`, where it does not exist for
/// them.
fn cell(permission: Permission, standing: Standing) -> &'static str {
    match judge(permission, &standing) {
        Ok(()) => "yes",
        Err(Denial::Missing { permission: missing }) => {
            assert_eq!(missing, permission);
            "no"
        }
        Err(Denial::Invisible) => "hidden",
    }
}

#[rustfmt::skip]
#[test]
fn r27_to_r31_the_matrix_of_who_may_do_what() {
    let columns = [
        /* P super admin   */ standing(Some(AccessRole::SuperAdmin), None),
        /* P with CAM      */ standing(Some(AccessRole::ClientAccessManager), None),
        /* plain employee  */ standing(Some(AccessRole::None), None),
        /* C Partner admin */ standing(Some(AccessRole::None), Some(ClientStanding::PartnerAdmin)),
        /* C super admin   */ standing(None, Some(ClientStanding::SuperAdmin)),
    ];
    let rows = [
        //                                     P super  P CAM  plain  C Partner admin  C super admin
        (Permission::ManagePartner,           ["yes",  "no",  "no",  "no",            "hidden"]),
        (Permission::ViewClientAccess,        ["yes",  "yes", "no",  "no",            "hidden"]),
        (Permission::LinkClients,             ["yes",  "yes", "no",  "no",            "hidden"]),
        (Permission::ShareAccessLinks,        ["yes",  "yes", "no",  "no",            "hidden"]),
        (Permission::ApproveAccessLinks,      ["no",   "no",  "no",  "no",            "yes"]),
        (Permission::ManageEmployeesInClient, ["no",   "no",  "no",  "yes",           "yes"]),
        (Permission::EndServices,             ["yes",  "no",  "no",  "no",            "hidden"]),
        (Permission::ViewCredit,              ["yes",  "yes", "no",  "no",            "hidden"]),
        (Permission::ManageClientUsers,       ["no",   "no",  "no",  "no",            "yes"]),
    ];
    assert_eq!(rows.map(|(permission, _)| permission), Permission::ALL);
    for (permission, expected) in rows {
        assert_eq!(columns.map(|standing| cell(permission, standing)), expected, "{permission}");
    }
}

#[rustfmt::skip]
#[test]
fn r28_r29_the_cells_that_depend_on_both_accounts() {
    let in_both = |partner_role, client| standing(Some(partner_role), Some(client));
    let columns = [
        /* P with CAM, C Partner admin    */ in_both(AccessRole::ClientAccessManager, ClientStanding::PartnerAdmin),
        /* P super admin, C Partner admin */ in_both(AccessRole::SuperAdmin, ClientStanding::PartnerAdmin),
        /* P super admin, works in C      */ in_both(AccessRole::SuperAdmin, ClientStanding::Other),
        /* plain employee, C super admin  */ in_both(AccessRole::None, ClientStanding::SuperAdmin),
        /* P super admin, C super admin   */ in_both(AccessRole::SuperAdmin, ClientStanding::SuperAdmin),
    ];
    let rows = [
        //                                     CAM+PA  super+PA  super+user  plain+super  super+super
        (Permission::ManagePartner,           ["no",   "yes",    "yes",      "no",        "yes"]),
        (Permission::ViewClientAccess,        ["yes",  "yes",    "yes",      "no",        "yes"]),
        (Permission::LinkClients,             ["yes",  "yes",    "yes",      "no",        "yes"]),
        (Permission::ShareAccessLinks,        ["yes",  "yes",    "yes",      "no",        "yes"]),
        (Permission::ApproveAccessLinks,      ["no",   "no",     "no",       "yes",       "yes"]),
        (Permission::ManageEmployeesInClient, ["yes",  "yes",    "no",       "yes",       "yes"]),
        (Permission::EndServices,             ["no",   "yes",    "yes",      "no",        "yes"]),
        (Permission::ViewCredit,              ["yes",  "yes",    "yes",      "no",        "yes"]),
        (Permission::ManageClientUsers,       ["no",   "no",     "no",       "yes",       "yes"]),
    ];
    assert_eq!(rows.map(|(permission, _)| permission), Permission::ALL);
    for (permission, expected) in rows {
        assert_eq!(columns.map(|standing| cell(permission, standing)), expected, "{permission}");
    }
}

#[rustfmt::skip]
#[test]
fn r31_r127_people_of_the_client_account_see_what_is_of_it_only_and_strangers_nothing() {
    let columns = [
        /* C user admin */ standing(None, Some(ClientStanding::UserAdmin)),
        /* C user       */ standing(None, Some(ClientStanding::Other)),
        /* a stranger   */ standing(None, None),
    ];
    let rows = [
        (Permission::ManagePartner,           ["hidden", "hidden", "hidden"]),
        (Permission::ViewClientAccess,        ["hidden", "hidden", "hidden"]),
        (Permission::LinkClients,             ["hidden", "hidden", "hidden"]),
        (Permission::ShareAccessLinks,        ["hidden", "hidden", "hidden"]),
        (Permission::ApproveAccessLinks,      ["yes",    "no",     "hidden"]),
        (Permission::ManageEmployeesInClient, ["no",     "no",     "hidden"]),
        (Permission::EndServices,             ["hidden", "hidden", "hidden"]),
        (Permission::ViewCredit,              ["hidden", "hidden", "hidden"]),
        (Permission::ManageClientUsers,       ["no",     "no",     "hidden"]),
    ];
    assert_eq!(rows.map(|(permission, _)| permission), Permission::ALL);
    for (permission, expected) in rows {
        assert_eq!(columns.map(|standing| cell(permission, standing)), expected, "{permission}");
    }
}

#[test]
fn a_refusal_says_what_was_missing_and_who_can_do_or_give_it() {
    let refused = |permission| {
        let plain = standing(Some(AccessRole::None), Some(ClientStanding::Other));
        judge(permission, &plain).expect_err("a plain employee may do nothing").to_string()
    };
    assert_eq!(
        refused(Permission::ManageEmployeesInClient),
        "adding, deactivating, reactivating or removing employees in a client account needs the Partner admin \
         permission set in that client account, for the own partner's employees only, or a super admin of that client \
         account, who can give the set or approve an access link"
    );
    let sentences = Permission::ALL.map(refused);
    for (permission, sentence) in Permission::ALL.into_iter().zip(&sentences) {
        assert!(sentence.contains("needs") && sentence.contains("super admin"), "{permission}: {sentence}");
    }
    assert_eq!(BTreeSet::from(sentences).len(), Permission::ALL.len(), "each has a sentence of its own");
}

/// Where Anna stands towards the partner and the client.
fn anna<const N: usize>(facts: [(&str, AccessFact); N]) -> Standing {
    history_with(facts).standing(&address(ANNA), Some(hub(PARTNER)), Some(hub(CLIENT)), at(NOW), &POLICY)
}

fn employee(access_role: AccessRole) -> (&'static str, AccessFact) {
    ("2025-01-02T00:00:00Z", employee_with_role(PARTNER, 1, ANNA, access_role))
}

fn user(set: &str) -> (&'static str, AccessFact) {
    ("2025-02-01T00:00:00Z", user_with_set(CLIENT, 1, ANNA, set))
}

#[test]
fn r29_the_role_is_that_in_the_partner_account_while_it_is_in_the_programme() {
    for role in [AccessRole::None, AccessRole::ClientAccessManager, AccessRole::SuperAdmin] {
        assert_eq!(anna([employee(role)]), standing(Some(role), None));
        let deleted = ("2025-03-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA));
        assert_eq!(anna([employee(role), deleted]), standing(None, None));
        assert_eq!(anna([employee(role), (NOW, partner_left(PARTNER))]), standing(None, None));
    }
    assert_eq!(anna([]), standing(None, None));
    let not_yet = ("2025-06-01T00:00:00.000001Z", employee_added(PARTNER, 1, ANNA));
    assert_eq!(anna([not_yet]), standing(None, None));
}

#[test]
fn r28_the_client_standing_is_what_the_permission_set_allows_in_that_client_account() {
    let plain = Some(AccessRole::None);
    let expected = [
        ("SUPER_ADMIN", ClientStanding::SuperAdmin),
        ("PARTNER_ADMIN", ClientStanding::PartnerAdmin),
        ("USER_ADMIN", ClientStanding::UserAdmin),
        ("STANDARD", ClientStanding::Other),
        ("NEVER_HEARD_OF", ClientStanding::Other),
    ];
    for (set, client) in expected {
        assert_eq!(anna([employee(AccessRole::None), user(set)]), standing(plain, Some(client)), "{set}");
    }
    let elsewhere = ("2025-02-01T00:00:00Z", user_with_set(OTHER_CLIENT, 1, ANNA, "SUPER_ADMIN"));
    assert_eq!(anna([employee(AccessRole::SuperAdmin), elsewhere]), standing(Some(AccessRole::SuperAdmin), None));
}

#[test]
fn a_user_who_is_deactivated_or_removed_stands_nowhere_in_the_client() {
    let deactivated = || ("2025-03-01T00:00:00Z", user_deactivated(CLIENT, 1, ANNA));
    let none = standing(Some(AccessRole::None), None);
    assert_eq!(anna([employee(AccessRole::None), user("SUPER_ADMIN"), deactivated()]), none);
    let removed = ("2025-03-01T00:00:00Z", user_removed(CLIENT, 1, ANNA));
    assert_eq!(anna([employee(AccessRole::None), user("SUPER_ADMIN"), removed]), none);
    let reactivated = (NOW, user_reactivated(CLIENT, 1, ANNA));
    let back = anna([employee(AccessRole::None), user("SUPER_ADMIN"), deactivated(), reactivated]);
    assert_eq!(back.client, Some(ClientStanding::SuperAdmin));
}

#[test]
fn r33_only_a_flagged_employee_of_a_partner_in_the_programme_is_partner_admin() {
    let other = Some(ClientStanding::Other);
    let unflagged = ("2025-01-02T00:00:00Z", unflagged_added(PARTNER, 1, ANNA));
    assert_eq!(anna([unflagged, user("PARTNER_ADMIN")]), standing(Some(AccessRole::None), other));
    assert_eq!(anna([user("PARTNER_ADMIN")]), standing(None, other));
    let left = (NOW, partner_left(PARTNER));
    assert_eq!(anna([employee(AccessRole::None), user("PARTNER_ADMIN"), left]), standing(None, other));
    let super_admin = anna([("2025-01-02T00:00:00Z", unflagged_added(PARTNER, 1, ANNA)), user("SUPER_ADMIN")]);
    assert_eq!(super_admin.client, Some(ClientStanding::SuperAdmin), "a super admin needs no partner");
}

#[test]
fn r33_partner_admin_is_judged_through_the_partner_in_question() {
    let history = history_with([
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        ("2025-01-02T00:00:00Z", employee_with_role(OTHER_PARTNER, 2, ANNA, AccessRole::SuperAdmin)),
        ("2025-01-02T00:00:00Z", unflagged_added(PARTNER, 1, ANNA)),
        user("PARTNER_ADMIN"),
    ]);
    let towards =
        |partner: Option<i64>| history.standing(&address(ANNA), partner.map(hub), Some(hub(CLIENT)), at(NOW), &POLICY);
    assert_eq!(towards(Some(PARTNER)), standing(Some(AccessRole::None), Some(ClientStanding::Other)));
    let super_admin = Some(AccessRole::SuperAdmin);
    assert_eq!(towards(Some(OTHER_PARTNER)), standing(super_admin, Some(ClientStanding::PartnerAdmin)));
    assert_eq!(towards(None), standing(None, Some(ClientStanding::PartnerAdmin)));
    assert_eq!(history.standing(&address(ANNA), None, None, at(NOW), &POLICY), Standing::default());
}

const INVISIBLE: Result<(), Denial> = Err(Denial::Invisible);
const MISSING: Result<(), Denial> = Err(Denial::Missing { permission: Permission::ManageEmployeesInClient });
const DORA: &str = "dora@client.example";
const EMIL: &str = "emil@client.example";

/// Anna and Bruno are employees of the partner, Carla of another one; Anna is Partner admin in the client, where Bruno
/// and Carla work, Dora is super admin, and Emil works for the client.
fn team() -> [(&'static str, AccessFact); 9] {
    [
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        employee(AccessRole::None),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 2, BRUNO)),
        ("2025-01-02T00:00:00Z", employee_added(OTHER_PARTNER, 3, CARLA)),
        user("PARTNER_ADMIN"),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 2, BRUNO)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 3, CARLA)),
        ("2025-02-01T00:00:00Z", user_with_set(CLIENT, 4, DORA, "SUPER_ADMIN")),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 5, EMIL)),
    ]
}

fn team_with<const N: usize>(more: [(&'static str, AccessFact); N]) -> AccessHistory {
    let facts = base().into_iter().chain(team()).chain(more).zip(1..);
    AccessHistory::from_changes(facts.map(|((time, fact), position)| change(position, at(time), fact)))
}

fn may(history: &AccessHistory, person: &str, target: &str) -> Result<(), Denial> {
    history.may_manage_user(&address(person), hub(CLIENT), &address(target), at(NOW), &POLICY)
}

#[test]
fn r27_a_partner_admin_manages_the_own_partners_people_and_a_super_admin_everybody() {
    let history = team_with([]);
    for (target, of_anna) in [(ANNA, Ok(())), (BRUNO, Ok(())), (CARLA, MISSING), (DORA, MISSING), (EMIL, MISSING)] {
        assert_eq!(may(&history, ANNA, target), of_anna, "{target}");
        assert_eq!(may(&history, DORA, target), Ok(()), "{target}");
        assert_eq!(may(&history, EMIL, target), MISSING, "{target}");
        assert_eq!(may(&history, "stranger@example.com", target), INVISIBLE, "{target}");
    }
}

#[test]
fn r71_a_colleague_who_was_deleted_in_the_partner_account_is_still_one_to_remove() {
    let deleted = team_with([("2025-03-01T00:00:00Z", employee_deleted(PARTNER, 2, BRUNO))]);
    assert_eq!(may(&deleted, ANNA, BRUNO), Ok(()));
    let actor_deleted = team_with([("2025-03-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA))]);
    assert_eq!(may(&actor_deleted, ANNA, BRUNO), MISSING);
    let flagged_later = team_with([("2025-06-01T00:00:00.000001Z", employee_added(PARTNER, 5, EMIL))]);
    assert_eq!(may(&flagged_later, ANNA, EMIL), MISSING);
    let flagged_now = team_with([(NOW, employee_added(PARTNER, 5, EMIL))]);
    assert_eq!(may(&flagged_now, ANNA, EMIL), Ok(()));
}

#[test]
fn registering_somebody_gives_no_power_over_them() {
    // Carla is the other partner's contractor, and Dora the client's super admin.
    let registered = team_with([
        ("2025-03-01T00:00:00Z", employee_added(PARTNER, 6, CARLA)),
        ("2025-03-01T00:00:00Z", employee_added(PARTNER, 7, DORA)),
    ]);
    assert_eq!((may(&registered, ANNA, CARLA), may(&registered, ANNA, DORA)), (MISSING, MISSING));
    // Once the other partner has let Carla go, she is the own partner's.
    let let_go = team_with([
        ("2025-03-01T00:00:00Z", employee_added(PARTNER, 6, CARLA)),
        ("2025-04-01T00:00:00Z", employee_deleted(OTHER_PARTNER, 3, CARLA)),
    ]);
    assert_eq!(may(&let_go, ANNA, CARLA), Ok(()));
    // One in the own domain is the own partner's, whoever employed them first.
    let own_domain = team_with([
        ("2024-12-01T00:00:00Z", partner_added(1003, &[])),
        ("2024-12-01T00:00:00Z", employee_added(1003, 8, BRUNO)),
    ]);
    assert_eq!(may(&own_domain, ANNA, BRUNO), Ok(()));
}

#[test]
fn r28_a_super_admin_of_the_partner_account_is_told_what_is_missing_for_the_own_people_and_sees_no_others() {
    let boss = "boss@agency.example";
    let history = team_with([("2025-03-01T00:00:00Z", employee_with_role(PARTNER, 9, boss, AccessRole::SuperAdmin))]);
    assert_eq!(may(&history, boss, BRUNO), MISSING);
    assert_eq!(may(&history, boss, CARLA), INVISIBLE);
    assert_eq!(may(&history, boss, EMIL), INVISIBLE);
}

#[test]
fn the_permissions_have_names_of_their_own() {
    let names: BTreeSet<String> = Permission::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), Permission::ALL.len());
    assert!(names.contains("MANAGE_EMPLOYEES_IN_CLIENT"));
}
