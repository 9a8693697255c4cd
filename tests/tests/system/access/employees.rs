//! The Employees tab: users of partner accounts.

use contracts::wire::access;
use system_tests::on_both_databases;

on_both_databases!(r21_an_address_in_the_domain_is_verified, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    for (address, is_verified) in [("anna@agency.example", true), ("carla@mail.agency.example", false)] {
        let employee = access::Employee {
            email_address: address.to_owned(),
            display_name: "Anna".to_owned(),
            ..access::Employee::default()
        };
        let request = access::CreateEmployeeRequest {
            parent: "partners/1001".to_owned(),
            employee: Some(employee),
            ..Default::default()
        };
        let created = cluster.access().create_employee(request).await.expect("an employee").into_inner();
        let employee = created.employee.expect("an employee");
        assert_eq!((employee.domain_verified, employee.partner_employee), (is_verified, Some(true)), "{address}");
    }
});
