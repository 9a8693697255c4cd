//! Partners.

use system_tests::{on_both_databases, reason};
use tonic::Code;

on_both_databases!(r37_a_domain_belongs_to_one_partner_and_to_no_shared_provider, |cluster| {
    cluster.partner(1001, &["agency.example"]).await;
    let taken = cluster.partner_since(1002, &["Agency.Example"], "2024-01-01").await.expect_err("taken");
    assert_eq!((taken.code(), reason(&taken).as_str()), (Code::FailedPrecondition, "EMAIL_DOMAIN_TAKEN"));
    assert!(!taken.message().contains("1001"), "who holds a domain is nobody else's business: {}", taken.message());
    let shared = cluster.partner_since(1002, &["gmail.com"], "2024-01-01").await.expect_err("shared");
    assert_eq!(reason(&shared), "SHARED_MAIL_PROVIDER");
    cluster.partner(1002, &[]).await;
    let foreign = cluster.employee_since(1002, "anna@agency.example", "2024-01-01").await.expect_err("foreign");
    assert_eq!(reason(&foreign), "ADDRESS_IN_FOREIGN_DOMAIN");
});
