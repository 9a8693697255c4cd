//! Users of client accounts.

use system_tests::{metadata, on_both_databases, reason};
use tonic::Code;

on_both_databases!(r39_a_removed_user_cannot_be_removed_again, |cluster| {
    cluster.client(2002, "US").await;
    let name = cluster.user(2002, "anna@agency.example").await;
    cluster.remove(&name, "2025-01-01").await.expect("a removal");
    let again = cluster.remove(&name, "2025-01-02").await.expect_err("removed already");
    assert_eq!((again.code(), reason(&again).as_str()), (Code::FailedPrecondition, "ILLEGAL_TRANSITION"));
    assert_eq!(metadata(&again, "state"), "removed");
    let nobody = "clients/2002/users/0190a0b0-0000-7000-8000-000000000001";
    let unknown = cluster.remove(nobody, "2025-01-02").await.expect_err("nobody");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_CLIENT_USER"));
    // Added again is another user.
    let again = cluster.user_since(2002, "anna@agency.example", "2025-02-01").await.expect("a new user");
    assert_ne!(again, name);
});
