//! Whom a removal takes, what it ends, when a preview is stale, and that every asset needs a decision.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::access::AccessFact;
use crate::access::testing::*;
use crate::testing::cases;

const NOW: &str = "2025-06-01T00:00:00Z";
const DORA: &str = "dora@client.example";

/// Anna and Bruno are employees of the partner, Carla of another one. All work in the client, Bruno deactivated; Anna
/// works in the other client too. Dora is of the client.
fn team() -> Vec<(&'static str, AccessFact)> {
    vec![
        ("2025-01-01T00:00:00Z", partner_added(PARTNER, &["agency.example"])),
        ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
        ("2025-01-01T00:00:00Z", client_added(CLIENT)),
        ("2025-01-01T00:00:00Z", client_added(OTHER_CLIENT)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 1, ANNA)),
        ("2025-01-02T00:00:00Z", employee_added(PARTNER, 2, BRUNO)),
        ("2025-01-02T00:00:00Z", employee_added(OTHER_PARTNER, 3, CARLA)),
        ("2025-02-01T00:00:00Z", user_with_set(CLIENT, 11, ANNA, "PARTNER_ADMIN")),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 12, BRUNO)),
        ("2025-02-01T00:00:00Z", user_added(CLIENT, 13, CARLA)),
        ("2025-02-01T00:00:00Z", user_with_set(CLIENT, 14, DORA, "SUPER_ADMIN")),
        ("2025-02-01T00:00:00Z", user_added(OTHER_CLIENT, 21, ANNA)),
        ("2025-03-01T00:00:00Z", user_deactivated(CLIENT, 12, BRUNO)),
    ]
}

fn team_with<const N: usize>(more: [(&'static str, AccessFact); N]) -> AccessHistory {
    let facts = team().into_iter().chain(more).zip(1..);
    AccessHistory::from_changes(facts.map(|((time, fact), position)| change(position, at(time), fact)))
}

fn all_of_client() -> RemovalSelection {
    RemovalSelection::OfClient { client: hub(CLIENT), partner: hub(PARTNER), employees: ChosenEmployees::All }
}

fn chosen<const N: usize>(employees: [u128; N]) -> RemovalSelection {
    let employees = ChosenEmployees::Only(employees.map(employee_id).into());
    RemovalSelection::OfClient { client: hub(CLIENT), partner: hub(PARTNER), employees }
}

fn off_boarding(employee: u128) -> RemovalSelection {
    RemovalSelection::OfEmployee { partner: hub(PARTNER), employee: employee_id(employee) }
}

fn plan(history: &AccessHistory, selection: &RemovalSelection) -> Result<RemovalPlan, RemovalRefusal> {
    history.plan_removal(selection, |_| true, at(NOW), &POLICY)
}

/// Pairs of a client with one of its users.
type Users = Vec<(i64, u128)>;

/// Pairs of a client and a partner.
type Pairs = Vec<(i64, i64)>;

/// The users of a plan, and the pairs that end by it.
fn planned_users(history: &AccessHistory, selection: &RemovalSelection) -> (Users, Pairs) {
    let plan = plan(history, selection).expect("somebody to remove");
    let users = plan.removals.iter().map(|removal| (removal.client.get(), removal.user.0.as_u128())).collect();
    (users, plan.deserted.iter().map(|(client, partner)| (client.get(), partner.get())).collect())
}

fn nobody<const N: usize>(absent: [u128; N]) -> Result<RemovalPlan, RemovalRefusal> {
    Err(RemovalRefusal::NobodyToRemove { absent: absent.map(employee_id).into() })
}

#[test]
fn r40_a_plan_names_every_user_by_client_and_address_as_it_is() {
    let plan = plan(&team_with([]), &all_of_client()).expect("somebody to remove");
    let removal = |user, text, employee, state, set| PlannedRemoval {
        client: hub(CLIENT),
        user: user_id(user),
        address: address(text),
        employee: employee_id(employee),
        state,
        permission_set: permission_set(set),
        assets: BTreeSet::new(),
    };
    let expected = [
        removal(11, ANNA, 1, ClientUserState::Active, "PARTNER_ADMIN"),
        removal(12, BRUNO, 2, ClientUserState::Deactivated, "STANDARD"),
    ];
    assert_eq!(plan.removals, expected);
    assert_eq!(plan.left_out, BTreeSet::new());
}

#[test]
fn r71_r74_removing_all_ends_the_relationship_and_removing_some_does_not() {
    let history = team_with([]);
    let ends = vec![(CLIENT, PARTNER)];
    assert_eq!(planned_users(&history, &all_of_client()), (vec![(CLIENT, 11), (CLIENT, 12)], ends.clone()));
    assert_eq!(planned_users(&history, &chosen([1, 2])), (vec![(CLIENT, 11), (CLIENT, 12)], ends.clone()));
    assert_eq!(planned_users(&history, &chosen([2])), (vec![(CLIENT, 12)], vec![]));
    let bruno_removed = team_with([("2025-04-01T00:00:00Z", user_removed(CLIENT, 12, BRUNO))]);
    assert_eq!(planned_users(&bruno_removed, &chosen([1])), (vec![(CLIENT, 11)], ends));
}

#[test]
fn r71_all_are_those_who_ever_were_employees_also_deleted_ones_by_their_latest_time() {
    let history = team_with([
        ("2025-03-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA)),
        ("2025-04-01T00:00:00Z", employee_deleted(PARTNER, 2, BRUNO)),
        ("2025-05-01T00:00:00Z", employee_added(PARTNER, 5, BRUNO)),
        ("2025-02-01T00:00:00Z", unflagged_added(PARTNER, 6, DORA)),
    ]);
    let plan = plan(&history, &all_of_client()).expect("somebody to remove");
    let employees: Vec<_> = plan.removals.iter().map(|removal| removal.employee).collect();
    assert_eq!(employees, [employee_id(1), employee_id(5)]);
    // One user, by whichever of its times it was chosen.
    assert_eq!(planned_users(&history, &chosen([2, 5])).0, [(CLIENT, 12)]);
}

#[test]
fn r40_off_boarding_takes_one_employee_out_of_every_open_client() {
    let both = team_with([]);
    let expected = (vec![(CLIENT, 11), (OTHER_CLIENT, 21)], vec![(OTHER_CLIENT, PARTNER)]);
    assert_eq!(planned_users(&both, &off_boarding(1)), expected);
    let deleted = team_with([("2025-03-01T00:00:00Z", employee_deleted(PARTNER, 1, ANNA))]);
    assert_eq!(planned_users(&deleted, &off_boarding(1)), expected);
    let closed = team_with([("2025-03-01T00:00:00Z", client_closed(OTHER_CLIENT))]);
    assert_eq!(planned_users(&closed, &off_boarding(1)), (vec![(CLIENT, 11)], vec![]));
}

#[test]
fn r28_clients_in_which_removing_is_not_allowed_are_named_and_left_out() {
    let history = team_with([]);
    let only_in = |allowed: &'static [i64]| {
        history.plan_removal(&off_boarding(1), |user| allowed.contains(&user.client.get()), at(NOW), &POLICY)
    };
    let plan = only_in(&[CLIENT]).expect("somebody to remove");
    assert_eq!(plan.removals.iter().map(|removal| removal.client).collect::<Vec<_>>(), [hub(CLIENT)]);
    assert_eq!(plan.left_out, BTreeSet::from([hub(OTHER_CLIENT)]));
    assert_eq!(plan.deserted, BTreeSet::new(), "nobody leaves the other client");
    let nowhere = RemovalRefusal::NotAllowed { clients: BTreeSet::from([hub(CLIENT), hub(OTHER_CLIENT)]) };
    assert_eq!(only_in(&[]), Err(nowhere));
}

#[test]
fn r71_other_partners_of_the_same_person_may_lose_their_relationship_too() {
    let history = team_with([("2025-02-01T00:00:00Z", employee_added(OTHER_PARTNER, 4, ANNA))]);
    assert_eq!(planned_users(&history, &off_boarding(1)).1, [(OTHER_CLIENT, PARTNER), (OTHER_CLIENT, OTHER_PARTNER)]);
}

#[test]
fn r76_a_relationship_that_ends_at_that_instant_anyway_does_not_end_by_the_removal() {
    let history = team_with([(NOW, partner_left(PARTNER))]);
    assert_eq!(planned_users(&history, &all_of_client()).1, []);
}

#[test]
fn r75_where_the_policy_lets_removals_lapse_nothing_ends() {
    let document = include_str!("../../../policy.toml");
    let lenient = document.replace("all_employees_removed = \"IMMEDIATE\"", "all_employees_removed = \"LAPSE\"");
    let policy = Policy::parse(&lenient).expect("a valid document");
    let plan = team_with([]).plan_removal(&all_of_client(), |_| true, at(NOW), &policy).expect("somebody to remove");
    assert_eq!(plan.deserted, BTreeSet::new());
}

#[test]
fn removing_nobody_is_refused() {
    let history = team_with([
        ("2025-03-01T00:00:00Z", user_removed(CLIENT, 11, ANNA)),
        ("2025-03-01T00:00:00.000001Z", user_removed(CLIENT, 12, BRUNO)),
        ("2025-03-01T00:00:00Z", client_closed(OTHER_CLIENT)),
        ("2025-02-01T00:00:00Z", unflagged_added(PARTNER, 6, DORA)),
    ]);
    for selection in [all_of_client(), off_boarding(1), off_boarding(6), chosen([])] {
        assert_eq!(plan(&history, &selection), nobody([]), "{selection:?}");
    }
    let not_yet = "2025-06-01T00:00:00.000001Z";
    let later = team_with([(not_yet, employee_added(PARTNER, 9, DORA))]);
    assert_eq!(plan(&later, &off_boarding(9)), nobody([]));
}

#[test]
fn nobody_is_removed_where_one_of_the_chosen_is_not_there() {
    let history = team_with([("2025-04-01T00:00:00Z", user_removed(CLIENT, 12, BRUNO))]);
    assert_eq!(plan(&history, &chosen([1, 2])), nobody([2]));
    let refusal = plan(&history, &chosen([2])).expect_err("Bruno is not there").to_string();
    assert_eq!(refusal, format!("there is nobody to remove: not there are {}", employee_id(2)));
    assert_eq!(nobody([]).expect_err("nobody").to_string(), "there is nobody to remove");
}

#[test]
fn r127_employees_of_other_partners_do_not_exist_for_a_removal() {
    let unknown = |employees: &[u128]| {
        let employees = employees.iter().copied().map(employee_id).collect();
        Err(RemovalRefusal::UnknownEmployees { partner: hub(PARTNER), employees })
    };
    assert_eq!(plan(&team_with([]), &chosen([1, 3, 99])), unknown(&[3, 99]));
    assert_eq!(plan(&team_with([]), &off_boarding(3)), unknown(&[3]));
}

fn asset(id: &str) -> AssetId {
    id.parse().expect("an asset id")
}

fn assets(ids: &[&str]) -> BTreeSet<AssetId> {
    ids.iter().map(|id| asset(id)).collect()
}

/// The plan of Anna's off-boarding: two assets in the client, one of the same id in the other.
fn plan_with_assets(history: &AccessHistory) -> RemovalPlan {
    let owned = [
        ((CLIENT, 11), assets(&["deal-1", "form-1"])),
        ((OTHER_CLIENT, 21), assets(&["deal-1"])),
        ((CLIENT, 14), assets(&["deal-9"])),
    ];
    let owned = owned.into_iter().map(|((client, user), assets)| ((hub(client), user_id(user)), assets)).collect();
    plan(history, &off_boarding(1)).expect("somebody to remove").with_assets(owned)
}

#[test]
fn r40_the_affected_assets_are_those_of_the_removed_users_only() {
    let plan = plan_with_assets(&team_with([]));
    let owned: Vec<_> = plan.removals.into_iter().map(|removal| removal.assets).collect();
    assert_eq!(owned, [assets(&["deal-1", "form-1"]), assets(&["deal-1"])]);
}

#[test]
fn r41_a_preview_is_stale_when_anything_that_it_says_changed() {
    let fresh = plan_with_assets(&team_with([]));
    assert_eq!(fresh.fingerprint(), plan_with_assets(&team_with([])).fingerprint());
    let meanwhile = [
        team_with([("2025-05-01T00:00:00Z", user_deactivated(CLIENT, 11, ANNA))]),
        team_with([("2025-05-01T00:00:00Z", user_updated(CLIENT, 11, ANNA, "STANDARD"))]),
        team_with([("2025-05-01T00:00:00Z", user_removed(OTHER_CLIENT, 21, ANNA))]),
        // The last one of the partner in the client.
        team_with([("2025-05-01T00:00:00Z", user_removed(CLIENT, 12, BRUNO))]),
        team_with([
            ("2025-05-01T00:00:00Z", user_removed(CLIENT, 11, ANNA)),
            ("2025-05-01T00:00:00.000001Z", user_with_set(CLIENT, 15, ANNA, "PARTNER_ADMIN")),
        ]),
    ];
    let mut fingerprints = BTreeSet::from([fresh.fingerprint()]);
    for (index, history) in meanwhile.iter().enumerate() {
        assert!(fingerprints.insert(plan_with_assets(history).fingerprint()), "{index}");
    }
    let changed: [fn(&mut RemovalPlan); 5] = [
        |plan| _ = plan.removals[0].assets.insert(asset("form-2")),
        |plan| _ = plan.removals[0].assets.remove(&asset("form-1")),
        |plan| {
            let given = plan.removals[0].assets.pop_first().expect("an asset");
            plan.removals[1].assets.insert(given);
            plan.removals[1].assets.insert(asset("form-1"));
            plan.removals[0].assets.clear();
        },
        |plan| _ = plan.left_out.insert(hub(7)),
        |plan| plan.removals[0].employee = employee_id(5),
    ];
    for (index, change) in changed.into_iter().enumerate() {
        let mut plan = fresh.clone();
        change(&mut plan);
        assert!(fingerprints.insert(plan.fingerprint()), "{index}");
    }
}

const LEAVE: Decision = Decision::LeaveWithoutOwner;

fn give(client: i64, user: u128) -> Decision {
    Decision::Reassign { client: hub(client), user: user_id(user) }
}

fn decisions<const N: usize>(of_assets: [(i64, &str, Decision); N], default: Option<Decision>) -> Decisions {
    let of_assets = of_assets.map(|(client, id, decision)| ((hub(client), asset(id)), decision));
    Decisions { of_assets: of_assets.into(), default }
}

/// A client, who gives, who gets, and what.
type Given = (i64, u128, Option<u128>, BTreeSet<AssetId>);

fn decide(decisions: &Decisions) -> Result<Vec<Given>, IncompleteDecisions> {
    let history = team_with([]);
    let given = plan_with_assets(&history).decide(decisions, &history, at(NOW))?;
    let in_short = |each: Reassignment| {
        assert_eq!(each.address, address(ANNA));
        let new_owner = each.new_owner.map(|user| user.0.as_u128());
        (each.client.get(), each.user.0.as_u128(), new_owner, each.assets)
    };
    Ok(given.into_iter().map(in_short).collect())
}

fn keys(of: &[(i64, &str)]) -> BTreeSet<(HubId, AssetId)> {
    of.iter().map(|(client, id)| (hub(*client), asset(id))).collect()
}

#[test]
fn r41_each_asset_goes_where_it_was_decided_and_the_others_where_the_default_says() {
    let each = [(CLIENT, "deal-1", give(CLIENT, 14)), (CLIENT, "form-1", LEAVE), (OTHER_CLIENT, "deal-1", LEAVE)];
    let expected = vec![
        (CLIENT, 11, None, assets(&["form-1"])),
        (CLIENT, 11, Some(14), assets(&["deal-1"])),
        (OTHER_CLIENT, 21, None, assets(&["deal-1"])),
    ];
    assert_eq!(decide(&decisions(each, None)), Ok(expected.clone()));
    assert_eq!(decide(&decisions([each[0]], Some(LEAVE))), Ok(expected));
    let all = vec![(CLIENT, 11, None, assets(&["deal-1", "form-1"])), (OTHER_CLIENT, 21, None, assets(&["deal-1"]))];
    assert_eq!(decide(&decisions([], Some(LEAVE))), Ok(all));
    let to_dora =
        vec![(CLIENT, 11, Some(14), assets(&["deal-1", "form-1"])), (OTHER_CLIENT, 21, None, assets(&["deal-1"]))];
    assert_eq!(decide(&decisions([each[2]], Some(give(CLIENT, 14)))), Ok(to_dora));
}

#[test]
fn r41_what_lacks_a_decision_is_named_and_so_is_what_is_not_affected() {
    let incomplete = IncompleteDecisions {
        missing: keys(&[(CLIENT, "form-1"), (OTHER_CLIENT, "deal-1")]),
        unknown: keys(&[(CLIENT, "deal-9"), (OTHER_CLIENT, "form-1")]),
        wrong_targets: BTreeSet::new(),
    };
    let some = [(CLIENT, "deal-1", LEAVE), (CLIENT, "deal-9", LEAVE), (OTHER_CLIENT, "form-1", LEAVE)];
    assert_eq!(decide(&decisions(some, None)), Err(incomplete));
    let only_unknown = IncompleteDecisions { unknown: keys(&[(CLIENT, "deal-9")]), ..Default::default() };
    assert_eq!(
        only_unknown.to_string(),
        "every affected asset needs a decision, and only those: 1 not affected",
        "what is not wrong is not counted"
    );
    assert_eq!(decide(&decisions([(CLIENT, "deal-9", LEAVE)], Some(LEAVE))), Err(only_unknown));
}

#[test]
fn r41_nothing_is_given_to_who_cannot_own_it() {
    let wrong = [
        ("somebody who is removed too", give(CLIENT, 11)),
        ("a deactivated user", give(CLIENT, 12)),
        ("a user of another client", give(OTHER_CLIENT, 14)),
        ("a user who is active in another client only", give(OTHER_CLIENT, 21)),
        ("nobody", give(CLIENT, 99)),
    ];
    for (who, target) in wrong {
        let of_asset = IncompleteDecisions { wrong_targets: keys(&[(CLIENT, "form-1")]), ..Default::default() };
        assert_eq!(decide(&decisions([(CLIENT, "form-1", target)], Some(LEAVE))), Err(of_asset), "{who}");
    }
    // A default that is a user of one client is none for the assets of another.
    let elsewhere = IncompleteDecisions { wrong_targets: keys(&[(OTHER_CLIENT, "deal-1")]), ..Default::default() };
    assert_eq!(decide(&decisions([], Some(give(CLIENT, 14)))), Err(elsewhere));
}

#[test]
fn r41_a_refusal_says_how_many_assets_are_wrong_in_which_way() {
    let wrong = decide(&decisions([(CLIENT, "deal-9", LEAVE), (CLIENT, "deal-1", give(CLIENT, 12))], None));
    assert_eq!(
        wrong.expect_err("all is wrong").to_string(),
        "every affected asset needs a decision, and only those: 2 without one, 1 not affected, 1 given to somebody who \
         is no active user of that client or is removed too"
    );
}

/// A selection in a random world; the indices choose among all employees that there ever were.
fn selection(
    history: &AccessHistory,
    (kind, client, partner): (u8, usize, usize),
    picked: &[Index],
) -> Option<RemovalSelection> {
    let (client, partner) = (hub(CLIENTS[client]), hub(PARTNERS[partner]));
    let all: Vec<_> = history.employees_of(partner).map(|spell| spell.employee).collect();
    if all.is_empty() {
        return None;
    }
    let employees: BTreeSet<_> = picked.iter().map(|index| *index.get(&all)).collect();
    Some(match kind {
        0 => RemovalSelection::OfClient { client, partner, employees: ChosenEmployees::All },
        1 => RemovalSelection::OfClient { client, partner, employees: ChosenEmployees::Only(employees) },
        _ => RemovalSelection::OfEmployee { partner, employee: *employees.first()? },
    })
}

/// The pairs with an ending at an instant.
fn ended_at(history: &AccessHistory, time: Instant) -> BTreeSet<(HubId, HubId)> {
    let pairs = CLIENTS.iter().flat_map(|client| PARTNERS.map(|partner| (hub(*client), hub(partner))));
    let ends = |&(client, partner): &(HubId, HubId)| {
        history.endings(client, partner, &POLICY).iter().any(|ending| ending.time == time)
    };
    pairs.filter(ends).collect()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn r71_what_a_plan_says_ends_is_what_ends_when_its_users_are_removed(
        steps in steps(),
        choice in (0..3_u8, 0..2_usize, 0..2_usize),
        picked in prop::collection::vec(any::<Index>(), 1..3),
        now in LAST_TICK..=LAST_TICK + 1,
    ) {
        let mut history = AccessHistory::from_changes(legal_log(&steps));
        let Some(selection) = selection(&history, choice, &picked) else { return Ok(()) };
        let Ok(plan) = history.plan_removal(&selection, |_| true, tick(now), &POLICY) else { return Ok(()) };
        let ended_before = ended_at(&history, tick(now));
        for (removal, position) in plan.removals.iter().zip(1_000..) {
            let PlannedRemoval { client, user, address, .. } = removal.clone();
            let fact = AccessFact::ClientUserRemoved { client, user, address };
            prop_assert_eq!(history.admit(&fact, tick(now), tick(now), &POLICY), Ok(()));
            history.record(change(position, tick(now), fact));
        }
        let ended: BTreeSet<_> = ended_at(&history, tick(now)).difference(&ended_before).copied().collect();
        prop_assert_eq!(plan.deserted, ended);
        // Nobody who was selected is left.
        let again = history.plan_removal(&selection, |_| true, tick(now), &POLICY);
        let is_nobody = matches!(again, Err(RemovalRefusal::NobodyToRemove { .. }));
        prop_assert!(is_nobody, "{:?}", again);
    }
}
