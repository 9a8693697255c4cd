//! Employees are added to a client account: BatchAddEmployees.

use contracts::wire::access::add_employee_result::Outcome;
use contracts::wire::access::{self, AccessRole, ClientUserState};
use system_tests::{Cluster, by, fields, on_both_databases, reason, stamp};
use tonic::{Code, Response, Status};
use tonic_types::RpcStatusExt as _;

const BOSS: &str = "boss@client.example";
const ADMIN: &str = "admin@agency.example";
const SARA: &str = "sara@agency.example";
const DARIO: &str = "dario@other.example";

/// An agency whose Admin is Partner admin in the client account, and another whose Dario is Partner admin there.
async fn found(cluster: &Cluster) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.partner(1002, &["other.example"]).await;
    cluster.client(2002, "US").await;
    cluster.employee(1001, ADMIN).await;
    cluster.employee(1002, DARIO).await;
    cluster.employee_with(1001, SARA, AccessRole::SuperAdmin).await;
    cluster.user_with(2002, BOSS, "SUPER_ADMIN").await;
    cluster.user_with(2002, ADMIN, "PARTNER_ADMIN").await;
    cluster.user_with(2002, DARIO, "PARTNER_ADMIN").await;
}

async fn add(
    cluster: &Cluster,
    actor: &str,
    employees: &[&str],
    permission_set: &str,
) -> Result<access::BatchAddEmployeesResponse, Status> {
    let request = access::BatchAddEmployeesRequest {
        client: "clients/2002".to_owned(),
        employees: employees.iter().map(ToString::to_string).collect(),
        permission_set: permission_set.to_owned(),
        ..Default::default()
    };
    cluster.access().batch_add_employees(by(actor, request)).await.map(Response::into_inner)
}

on_both_databases!(r36_each_employee_of_a_batch_has_a_result_of_its_own, |cluster| {
    found(&cluster).await;
    let names = ["new", "member", "deactivated", "removed", "deleted"].map(|name| format!("{name}@agency.example"));
    let mut employees = Vec::new();
    for address in &names {
        employees.push(cluster.employee(1001, address).await);
    }
    cluster.user_with(2002, &names[1], "SALES").await;
    let deactivated = cluster.user_with(2002, &names[2], "STANDARD").await;
    let deactivation = access::DeactivateClientUserRequest { name: deactivated.clone(), ..Default::default() };
    cluster.access().deactivate_client_user(deactivation).await.expect("a deactivation");
    let removed = cluster.user_with(2002, &names[3], "STANDARD").await;
    let removal = access::RemoveClientUserRequest { name: removed.clone(), ..Default::default() };
    cluster.access().remove_client_user(removal).await.expect("a removal");
    let deletion = access::DeleteEmployeeRequest { name: employees[4].clone(), ..Default::default() };
    cluster.access().delete_employee(deletion).await.expect("a deletion");

    let employees: Vec<&str> = employees.iter().map(String::as_str).collect();
    let added = add(&cluster, ADMIN, &employees, "MARKETING").await.expect("results");
    let outcomes: Vec<_> = added.results.into_iter().map(|result| (result.employee, result.outcome)).collect();
    assert!(
        outcomes.iter().map(|(name, _)| name.as_str()).eq(employees.iter().copied()),
        "in the order of the request"
    );
    let [new, member, deactivated_outcome, added_again, deleted]: [_; 5] = outcomes
        .into_iter()
        .map(|(_, outcome)| outcome.expect("an outcome"))
        .collect::<Vec<_>>()
        .try_into()
        .expect("5");

    let Outcome::ClientUser(new) = new else { panic!("{new:?}") };
    assert_eq!((new.permission_set.as_str(), new.state()), ("MARKETING", ClientUserState::Active));
    assert_eq!((new.display_name.as_str(), new.start_time), ("new", Some(stamp("2026-01-01"))));
    let Outcome::AlreadyMember(member) = member else { panic!("{member:?}") };
    assert_eq!(member.permission_set, "SALES", "nothing was changed");
    let Outcome::Error(error) = deactivated_outcome else { panic!("{deactivated_outcome:?}") };
    let why = error.get_details_error_info().expect("a reason");
    assert_eq!((why.reason.as_str(), why.metadata["state"].as_str()), ("ILLEGAL_TRANSITION", "deactivated"));
    assert_eq!(why.metadata["name"], deactivated);
    assert!(error.message.contains("reactivate"), "{}", error.message);
    let Outcome::ClientUser(again) = added_again else { panic!("{added_again:?}") };
    assert_ne!(again.name, removed, "added again is another user");
    let Outcome::Error(error) = deleted else { panic!("{deleted:?}") };
    assert_eq!(error.get_details_error_info().expect("a reason").reason, "UNKNOWN_EMPLOYEE");
});

on_both_databases!(r27_r28_only_a_partner_admin_there_adds_employees, |cluster| {
    found(&cluster).await;
    let new = cluster.employee(1001, "new@agency.example").await;
    cluster.user_with(2002, "plain@client.example", "STANDARD").await;
    for (actor, refused) in [
        // Super admin of the partner account, and nobody in the client account.
        (SARA, "PERMISSION_MISSING"),
        // Partner admin there, of another partner.
        (DARIO, "PERMISSION_MISSING"),
        ("plain@client.example", "PERMISSION_MISSING"),
        ("stranger@nowhere.example", "UNKNOWN_CLIENT"),
    ] {
        let outcome = add(&cluster, actor, &[&new], "STANDARD").await.expect_err("refused");
        assert_eq!(reason(&outcome), refused, "{actor}");
    }
    for actor in [ADMIN, BOSS, "platform"] {
        let added = add(&cluster, actor, &[&new], "STANDARD").await.expect("results");
        assert_eq!(added.results.len(), 1, "{actor}");
    }
});

on_both_databases!(r33_r36_nobody_gives_more_than_is_a_partner_admins_to_give, |cluster| {
    found(&cluster).await;
    let new = cluster.employee(1001, "new@agency.example").await;
    for (actor, set) in [(ADMIN, "SUPER_ADMIN"), (BOSS, "USER_ADMIN"), ("platform", "NO_SUCH_SET")] {
        let refused = add(&cluster, actor, &[&new], set).await.expect_err("not assignable");
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::FailedPrecondition, "PERMISSION_SET_NOT_ASSIGNABLE"),
            "{set}"
        );
        assert!(refused.message().contains("PARTNER_ADMIN"), "says which are: {}", refused.message());
    }
    let accountant = access::Employee {
        email_address: "accountant@agency.example".to_owned(),
        display_name: "Accountant".to_owned(),
        partner_employee: Some(false),
        ..Default::default()
    };
    let request = access::CreateEmployeeRequest {
        parent: "partners/1001".to_owned(),
        employee: Some(accountant),
        ..Default::default()
    };
    let accountant = cluster.access().create_employee(request).await.expect("a user of the partner account");
    let accountant = accountant.into_inner().employee.expect("a user").name;
    let mut results = add(&cluster, ADMIN, &[&accountant, &new], "STANDARD").await.expect("results").results;
    let (second, first) = (results.pop().expect("a result"), results.pop().expect("a result"));
    let Some(Outcome::Error(error)) = first.outcome else { panic!("{first:?}") };
    assert_eq!(error.get_details_error_info().expect("a reason").reason, "PERMISSION_SET_NOT_ASSIGNABLE");
    assert!(matches!(second.outcome, Some(Outcome::ClientUser(_))), "the others are added");
});

on_both_databases!(r127_who_only_manages_the_client_is_not_told_who_is_a_partner, |cluster| {
    found(&cluster).await;
    cluster.partner(1003, &[]).await;
    let worked_for_1003 = cluster.employee(1003, "gone@freelance.example").await;
    cluster.leave(1003, "2026-01-01").await.expect("left");
    let nobody = |partner: i64| format!("partners/{partner}/employees/0190a0b0-0000-7000-8000-000000000001");
    for employee in [nobody(1001), nobody(9), nobody(1003), worked_for_1003] {
        let answer = add(&cluster, BOSS, &[&employee], "STANDARD").await.expect("results");
        let Some(Outcome::Error(error)) = &answer.results[0].outcome else { panic!("{employee}: {answer:?}") };
        let reason = error.get_details_error_info().expect("a reason").reason;
        let told = (reason.as_str(), error.message.replace(&employee, "somebody"));
        assert_eq!(told, ("UNKNOWN_EMPLOYEE", "somebody is not known, or was deleted".to_owned()), "{employee}");
    }
    let refused = add(&cluster, "platform", &[&nobody(9)], "STANDARD").await.expect_err("no partner");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "UNKNOWN_PARTNER"));
});

on_both_databases!(a_batch_of_employees_over_its_limits_is_refused_whole, |cluster| {
    let name = |partner: i64, number: u32| format!("partners/{partner}/employees/0190a0b0-0000-7000-8000-{number:012}");
    let one = name(1001, 1);
    let of_another = name(1002, 1);
    let too_many: Vec<String> = (0..201).map(|number| name(1001, number)).collect();
    let too_many: Vec<&str> = too_many.iter().map(String::as_str).collect();
    for (employees, field) in [
        (&[][..], "employees"),
        (&too_many, "employees"),
        (&[one.as_str(), &one], "employees[1]"),
        (&[one.as_str(), &of_another], "employees[1]"),
        (&["partners/1"], "employees[0]"),
    ] {
        let refused = add(&cluster, "platform", employees, "STANDARD").await.expect_err("over its limits");
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec![field.to_owned()]));
    }
    let refused = add(&cluster, "platform", &[&one], "STANDARD").await.expect_err("no partner");
    assert_eq!(reason(&refused), "UNKNOWN_PARTNER");
    cluster.partner(1001, &[]).await;
    let refused = add(&cluster, "platform", &[&one], "STANDARD").await.expect_err("no client");
    assert_eq!(reason(&refused), "UNKNOWN_CLIENT");
});
