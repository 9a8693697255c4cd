//! access-management.

use super::Expected::{Answered, Holding, Missing, Refused};
use super::{Rows, everybody, in_sight, nobody, own, platform, shared, shared_colleague, theirs};

pub const MANAGEMENT: Rows = (
    "managedcredit.access.v1.AccessManagementService",
    &[
        (
            "CreatePartner",
            &[platform(
                r#"hub_id: $partner partner { display_name: "Terza" country_code: "IT" email_domains: "terza.example" }"#,
            )],
        ),
        ("GetPartner", &[theirs(r#"name: "partners/$partner""#, "UNKNOWN_PARTNER", Holding("Agenzia Aurora"))]),
        (
            "UpdatePartner",
            &[
                theirs(
                    r#"partner { name: "partners/$partner" email_domains: "mine.example" } update_mask { paths: "email_domains" }"#,
                    "UNKNOWN_PARTNER",
                    Missing("MANAGE_PARTNER"),
                ),
                theirs(
                    r#"partner { name: "partners/$partner" display_name: "Mine" } update_mask { paths: "display_name" }"#,
                    "UNKNOWN_PARTNER",
                    Missing("MANAGE_PARTNER"),
                ),
                own(
                    r#"partner { name: "partners/$other" email_domains: "$domain" } update_mask { paths: "email_domains" }"#,
                    Refused("EMAIL_DOMAIN_TAKEN"),
                    "MANAGE_PARTNER",
                ),
            ],
        ),
        ("ListPartners", &[platform(r#"search: "$partner""#)]),
        (
            "CreateEmployee",
            &[
                theirs(
                    r#"parent: "partners/$partner" employee { email_address: "mole@other.example" display_name: "Mole" }"#,
                    "UNKNOWN_PARTNER",
                    Missing("MANAGE_PARTNER"),
                ),
                own(
                    r#"parent: "partners/$other" employee { email_address: "mole@$domain" display_name: "Mole" }"#,
                    Refused("ADDRESS_IN_FOREIGN_DOMAIN"),
                    "MANAGE_PARTNER",
                ),
            ],
        ),
        (
            "GetEmployee",
            &[
                theirs(
                    r#"name: "partners/$partner/employees/$employee""#,
                    "UNKNOWN_PARTNER",
                    Missing("VIEW_CLIENT_ACCESS"),
                ),
                own(
                    r#"name: "partners/$other/employees/$employee""#,
                    Refused("UNKNOWN_EMPLOYEE"),
                    "VIEW_CLIENT_ACCESS",
                ),
            ],
        ),
        (
            "UpdateEmployee",
            &[
                theirs(
                    r#"employee { name: "partners/$partner/employees/$employee" display_name: "Mole" }"#,
                    "UNKNOWN_PARTNER",
                    Missing("MANAGE_PARTNER"),
                ),
                own(
                    r#"employee { name: "partners/$other/employees/$employee" display_name: "Mole" }"#,
                    Refused("UNKNOWN_EMPLOYEE"),
                    "MANAGE_PARTNER",
                ),
            ],
        ),
        (
            "DeleteEmployee",
            &[
                theirs(
                    r#"name: "partners/$partner/employees/$employee""#,
                    "UNKNOWN_PARTNER",
                    Missing("MANAGE_PARTNER"),
                ),
                own(r#"name: "partners/$other/employees/$employee""#, Refused("UNKNOWN_EMPLOYEE"), "MANAGE_PARTNER"),
            ],
        ),
        (
            "ListEmployees",
            &[
                theirs(r#"parent: "partners/$partner""#, "UNKNOWN_PARTNER", Missing("VIEW_CLIENT_ACCESS")),
                own(r#"parent: "partners/$other" show_deleted: true"#, Holding("Eve Esposito"), "VIEW_CLIENT_ACCESS"),
            ],
        ),
        ("CreateClient", &[platform(r#"hub_id: $client client { display_name: "Terzo" country_code: "IT" }"#)]),
        (
            "GetClient",
            &[
                theirs(r#"name: "clients/$client""#, "UNKNOWN_CLIENT", Holding("Cantina Colombo")),
                // Eve may not see her partner's clients, and is no user there.
                shared(r#"name: "clients/$shared""#, Holding("Distilleria Dorata"), "UNKNOWN_CLIENT"),
            ],
        ),
        (
            "UpdateClient",
            &[platform(
                r#"client { name: "clients/$client" display_name: "Mine" } update_mask { paths: "display_name" }"#,
            )],
        ),
        ("CloseClient", &[platform(r#"name: "clients/$client""#)]),
        ("IntroduceClient", &[platform(r#"client: "clients/$client" partner: "partners/$partner""#)]),
        (
            "ListClients",
            &[
                theirs(r#"partner: "partners/$partner""#, "UNKNOWN_PARTNER", Missing("VIEW_CLIENT_ACCESS")),
                own(
                    r#"partner: "partners/$other" access_types: [ACCESS_TYPE_PARTNER_ADMIN, ACCESS_TYPE_SUPER_ADMIN, ACCESS_TYPE_STANDARD, ACCESS_TYPE_DEACTIVATED, ACCESS_TYPE_LINKED_ONLY]"#,
                    Holding("Distilleria Dorata"),
                    "VIEW_CLIENT_ACCESS",
                ),
                own(r#"partner: "partners/$other" search: "$client""#, Answered, "VIEW_CLIENT_ACCESS"),
            ],
        ),
        (
            "CreateClientUser",
            &[
                theirs(
                    r#"parent: "clients/$client" client_user { email_address: "mole@other.example" display_name: "Mole" permission_set: "STANDARD" }"#,
                    "UNKNOWN_CLIENT",
                    Missing("MANAGE_CLIENT_USERS"),
                ),
                shared(
                    r#"parent: "clients/$shared" client_user { email_address: "$address" display_name: "Mole" permission_set: "STANDARD" }"#,
                    Missing("MANAGE_CLIENT_USERS"),
                    "UNKNOWN_CLIENT",
                ),
            ],
        ),
        (
            "UpdateClientUser",
            &[
                theirs(
                    r#"client_user { name: "clients/$client/users/$user" display_name: "Mole" } update_mask { paths: "display_name" }"#,
                    "UNKNOWN_CLIENT",
                    Missing("MANAGE_CLIENT_USERS"),
                ),
                shared(
                    r#"client_user { name: "clients/$shared/users/$shared_user" display_name: "Mole" } update_mask { paths: "display_name" }"#,
                    Missing("MANAGE_CLIENT_USERS"),
                    "UNKNOWN_CLIENT",
                ),
            ],
        ),
        (
            "GetClientUser",
            &[
                theirs(r#"name: "clients/$client/users/$user""#, "UNKNOWN_CLIENT_USER", Missing("VIEW_CLIENT_ACCESS")),
                shared_colleague("VIEW_CLIENT_ACCESS"),
            ],
        ),
        (
            "ListClientUsers",
            &[
                theirs(r#"parent: "clients/$client""#, "UNKNOWN_CLIENT", Missing("MANAGE_EMPLOYEES_IN_CLIENT")),
                shared(
                    r#"parent: "clients/$shared" states: [CLIENT_USER_STATE_ACTIVE, CLIENT_USER_STATE_DEACTIVATED, CLIENT_USER_STATE_REMOVED]"#,
                    Holding("Dora Doria"),
                    "UNKNOWN_CLIENT",
                ),
                shared(r#"parent: "clients/$shared" search: "$address""#, Answered, "UNKNOWN_CLIENT"),
            ],
        ),
        (
            "DeactivateClientUser",
            &[
                theirs(
                    r#"name: "clients/$client/users/$user""#,
                    "UNKNOWN_CLIENT_USER",
                    Missing("MANAGE_EMPLOYEES_IN_CLIENT"),
                ),
                shared_colleague("MANAGE_EMPLOYEES_IN_CLIENT"),
            ],
        ),
        (
            "ReactivateClientUser",
            &[
                theirs(
                    r#"name: "clients/$client/users/$user""#,
                    "UNKNOWN_CLIENT_USER",
                    Missing("MANAGE_EMPLOYEES_IN_CLIENT"),
                ),
                shared_colleague("MANAGE_EMPLOYEES_IN_CLIENT"),
            ],
        ),
        (
            "RemoveClientUser",
            &[
                theirs(
                    r#"name: "clients/$client/users/$user""#,
                    "UNKNOWN_CLIENT_USER",
                    Missing("MANAGE_EMPLOYEES_IN_CLIENT"),
                ),
                shared_colleague("MANAGE_EMPLOYEES_IN_CLIENT"),
            ],
        ),
        (
            "BatchAddEmployees",
            &[
                theirs(
                    r#"client: "clients/$client" employees: "partners/$partner/employees/$employee" permission_set: "STANDARD""#,
                    "UNKNOWN_CLIENT",
                    Missing("MANAGE_EMPLOYEES_IN_CLIENT"),
                ),
                // Dora is Partner admin there, but not theirs (R27, R33).
                in_sight(
                    r#"client: "clients/$shared" employees: "partners/$partner/employees/$employee" permission_set: "STANDARD""#,
                    [true, false, true, false],
                    "MANAGE_EMPLOYEES_IN_CLIENT",
                    "UNKNOWN_CLIENT",
                ),
                // Whoever is of the partner, or a user of the client, may know what is needed.
                in_sight(
                    r#"client: "clients/$client" employees: "partners/$other/employees/$eve" permission_set: "STANDARD""#,
                    [true, true, true, false],
                    "MANAGE_EMPLOYEES_IN_CLIENT",
                    "UNKNOWN_CLIENT",
                ),
            ],
        ),
        ("ListPermissionSets", &[everybody("")]),
        (
            "BatchLinkClients",
            &[
                theirs(
                    r#"employee: "partners/$partner/employees/$employee" clients: "clients/$shared""#,
                    "UNKNOWN_PARTNER",
                    Missing("LINK_CLIENTS"),
                ),
                own(
                    r#"employee: "partners/$other/employees/$eve" clients: "clients/$client""#,
                    Answered,
                    "LINK_CLIENTS",
                ),
            ],
        ),
        (
            "UnlinkClient",
            &[
                theirs(
                    r#"employee: "partners/$partner/employees/$employee" client: "clients/$client""#,
                    "UNKNOWN_PARTNER",
                    Missing("LINK_CLIENTS"),
                ),
                own(
                    r#"employee: "partners/$other/employees/$eve" client: "clients/$client""#,
                    Refused("UNKNOWN_CLIENT"),
                    "LINK_CLIENTS",
                ),
            ],
        ),
        (
            "CreateAccessLink",
            &[
                theirs(
                    r#"parent: "partners/$partner/employees/$employee" access_link { client: "clients/$client" }"#,
                    "UNKNOWN_PARTNER",
                    Missing("SHARE_ACCESS_LINKS"),
                ),
                own(
                    r#"parent: "partners/$other/employees/$eve" access_link { client: "clients/$client" }"#,
                    Refused("UNKNOWN_CLIENT"),
                    "SHARE_ACCESS_LINKS",
                ),
            ],
        ),
        (
            "ListAccessLinks",
            &[theirs(
                r#"parent: "partners/$partner/employees/$employee""#,
                "UNKNOWN_PARTNER",
                Missing("SHARE_ACCESS_LINKS"),
            )],
        ),
        (
            "ApproveAccessLink",
            &[
                theirs(
                    r#"client: "clients/$client" token: "$token""#,
                    "UNKNOWN_CLIENT",
                    Missing("APPROVE_ACCESS_LINKS"),
                ),
                shared(
                    r#"client: "clients/$shared" token: "$token""#,
                    Missing("APPROVE_ACCESS_LINKS"),
                    "UNKNOWN_CLIENT",
                ),
            ],
        ),
        (
            "RevokeAccessLink",
            &[
                theirs(
                    r#"name: "partners/$partner/employees/$employee/accessLinks/$link""#,
                    "UNKNOWN_PARTNER",
                    Missing("SHARE_ACCESS_LINKS"),
                ),
                own(
                    r#"name: "partners/$other/employees/$eve/accessLinks/$link""#,
                    Refused("UNKNOWN_ACCESS_LINK"),
                    "SHARE_ACCESS_LINKS",
                ),
            ],
        ),
        (
            "BatchUpdateAssets",
            &[platform(
                r#"parent: "clients/$client" assets { name: "clients/$client/assets/$asset" kind: "form" display_name: "Mine" }"#,
            )],
        ),
        (
            "ListAssets",
            &[
                theirs(r#"parent: "clients/$client""#, "UNKNOWN_CLIENT", Missing("MANAGE_EMPLOYEES_IN_CLIENT")),
                shared(r#"parent: "clients/$shared""#, Holding("form-dora"), "UNKNOWN_CLIENT"),
                shared(
                    r#"parent: "clients/$shared" owner: "clients/$shared/users/$shared_user""#,
                    Answered,
                    "UNKNOWN_CLIENT",
                ),
            ],
        ),
        (
            "PreviewRemoval",
            &[
                theirs(
                    r#"client { client: "clients/$client" partner: "partners/$partner" }"#,
                    "UNKNOWN_CLIENT",
                    Missing("MANAGE_EMPLOYEES_IN_CLIENT"),
                ),
                theirs(
                    r#"employee: "partners/$partner/employees/$employee""#,
                    "UNKNOWN_EMPLOYEE",
                    Missing("MANAGE_EMPLOYEES_IN_CLIENT"),
                ),
                in_sight(
                    r#"client { client: "clients/$shared" partner: "partners/$partner" }"#,
                    [true, false, true, false],
                    "MANAGE_EMPLOYEES_IN_CLIENT",
                    "UNKNOWN_CLIENT",
                ),
            ],
        ),
        (
            "ConfirmRemoval",
            // Its partner and client are within the token.
            &[theirs(
                r#"token: "$removal" leave_without_owner: true # $partner $client"#,
                "UNKNOWN_CLIENT",
                Missing("MANAGE_EMPLOYEES_IN_CLIENT"),
            )],
        ),
        (
            "EndServices",
            &[
                theirs(
                    r#"partner: "partners/$partner" client: "clients/$client""#,
                    "UNKNOWN_PARTNER",
                    Missing("END_SERVICES"),
                ),
                theirs(
                    r#"partner: "partners/$partner" client: "clients/$shared""#,
                    "UNKNOWN_PARTNER",
                    Missing("END_SERVICES"),
                ),
                own(
                    r#"partner: "partners/$other" client: "clients/$client""#,
                    Refused("UNKNOWN_CLIENT"),
                    "END_SERVICES",
                ),
            ],
        ),
        ("RetractChange", &[platform("position: 1")]),
        ("EraseAddress", &[platform(r#"email_address: "$address""#)]),
        (
            "ListAccessChanges",
            &[
                nobody("", "INVALID_FIELDS"),
                nobody(r#"client: "clients/$shared""#, "INVALID_FIELDS"),
                theirs(r#"partner: "partners/$partner""#, "UNKNOWN_PARTNER", Missing("VIEW_CLIENT_ACCESS")),
                own(r#"partner: "partners/$other""#, Holding("someone at the client"), "VIEW_CLIENT_ACCESS"),
                own(r#"partner: "partners/$other" client: "clients/$client""#, Answered, "VIEW_CLIENT_ACCESS"),
                own(
                    r#"partner: "partners/$other" client: "clients/$shared""#,
                    Holding("someone at the client"),
                    "VIEW_CLIENT_ACCESS",
                ),
                own(
                    r#"partner: "partners/$other" employee: "partners/$other/employees/$employee""#,
                    Answered,
                    "VIEW_CLIENT_ACCESS",
                ),
            ],
        ),
    ],
);

pub const FEED: Rows = (
    "managedcredit.access.v1.AccessFeedService",
    &[("GetHeadRevision", &[platform("")]), ("WatchAccess", &[platform("")])],
);
