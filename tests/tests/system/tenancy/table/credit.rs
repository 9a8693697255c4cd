//! credit-calculation.

use super::Expected::{Answered, Holding, Missing, Refused};
use super::{Rows, everybody, own, platform, theirs};

/// What reading credit needs.
const NEEDED: &str = "VIEW_CREDIT";

pub const CALCULATION: Rows = (
    "managedcredit.credit.v1.CreditCalculationService",
    &[
        (
            "CreateSubscription",
            &[platform(
                r#"parent: "clients/$client" subscription_id: "mine" subscription { mrr { currency_code: "EUR" amount: "1.00" } }"#,
            )],
        ),
        (
            "UpdateSubscription",
            &[platform(
                r#"subscription { name: "clients/$client/subscriptions/$subscription" mrr { currency_code: "EUR" amount: "1.00" } }"#,
            )],
        ),
        ("ListSubscriptions", &[platform(r#"parent: "clients/$client""#), platform(r#"parent: "clients/$shared""#)]),
        (
            "GetManagedCredit",
            &[
                theirs(r#"partner: "partners/$partner" client: "clients/$client""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                theirs(r#"partner: "partners/$partner" client: "clients/$shared""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"partner: "partners/$other" client: "clients/$client""#, Refused("UNKNOWN_CLIENT"), NEEDED),
                own(
                    r#"partner: "partners/$other" client: "clients/$shared""#,
                    Holding("servicing_partners: 2"),
                    NEEDED,
                ),
            ],
        ),
        (
            "ListManagedCredits",
            &[
                theirs(r#"parent: "partners/$partner""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"parent: "partners/$other""#, Holding("servicing_partners: 2"), NEEDED),
                own(r#"parent: "partners/$other" client_search: "$client""#, Answered, NEEDED),
            ],
        ),
        (
            "ExplainCredit",
            &[
                theirs(r#"partner: "partners/$partner" client: "clients/$client""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                theirs(r#"partner: "partners/$partner" client: "clients/$shared""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"partner: "partners/$other" client: "clients/$client""#, Refused("UNKNOWN_CLIENT"), NEEDED),
                own(
                    r#"partner: "partners/$other" client: "clients/$shared""#,
                    Holding("an equal share among 2 partners"),
                    NEEDED,
                ),
            ],
        ),
        (
            "GetPointsTimeline",
            &[
                theirs(r#"partner: "partners/$partner""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"partner: "partners/$other""#, Answered, NEEDED),
            ],
        ),
        (
            "ListPointChanges",
            &[
                theirs(
                    r#"parent: "partners/$partner" start_time { seconds: 1760000000 }"#,
                    "UNKNOWN_PARTNER",
                    Missing(NEEDED),
                ),
                own(r#"parent: "partners/$other" start_time { seconds: 1760000000 }"#, Answered, NEEDED),
                own(
                    r#"parent: "partners/$other" start_time { seconds: 1760000000 } client: "clients/$client""#,
                    Refused("UNKNOWN_CLIENT"),
                    NEEDED,
                ),
                own(
                    r#"parent: "partners/$other" start_time { seconds: 1760000000 } client: "clients/$shared""#,
                    Answered,
                    NEEDED,
                ),
            ],
        ),
        (
            "CreateSoldCredit",
            &[platform(
                r#"parent: "partners/$partner" sold_credit_id: "mine" sold_credit { client: "clients/$client" kind: SALE_KIND_SOURCED amount { currency_code: "EUR" amount: "1.00" } close_time { seconds: 1760000000 } }"#,
            )],
        ),
        ("VoidSoldCredit", &[platform(r#"name: "partners/$partner/soldCredits/$sold" reason: "mine""#)]),
        (
            "ListSoldCredits",
            &[
                theirs(r#"parent: "partners/$partner""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"parent: "partners/$other""#, Answered, NEEDED),
            ],
        ),
        (
            "UpdateCertification",
            &[platform(r#"certification { partner: "partners/$partner" expire_time { seconds: 1760000000 } }"#)],
        ),
        (
            "GetTierStanding",
            &[
                theirs(r#"partner: "partners/$partner""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"partner: "partners/$other""#, Answered, NEEDED),
            ],
        ),
        ("EvaluateTiers", &[platform(r#"evaluation_date: "2025-12-15""#)]),
        (
            "GrantTier",
            &[platform(r#"partner: "partners/$partner" tier: TIER_GOLD override_criteria: true reason: "mine""#)],
        ),
        ("IssueStatement", &[platform(r#"parent: "partners/$partner" month: "2025-12""#)]),
        (
            "GetStatement",
            &[
                theirs(r#"name: "partners/$partner/statements/$month""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"name: "partners/$other/statements/$month""#, Refused("UNKNOWN_STATEMENT"), NEEDED),
            ],
        ),
        (
            "ListStatements",
            &[
                theirs(r#"parent: "partners/$partner""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"parent: "partners/$other""#, Answered, NEEDED),
            ],
        ),
        (
            "ExportStatement",
            &[
                theirs(r#"name: "partners/$partner/statements/$month""#, "UNKNOWN_PARTNER", Missing(NEEDED)),
                own(r#"name: "partners/$other/statements/$month""#, Refused("UNKNOWN_STATEMENT"), NEEDED),
                own(r#"name: "partners/$other/statements/$own_month""#, Holding("servicing_partners"), NEEDED),
            ],
        ),
        ("GetPolicy", &[everybody("")]),
        (
            "SimulatePolicy",
            &[
                platform(r#"policy_document: "$policy""#),
                platform(r#"policy_document: "$policy" partner: "partners/$partner""#),
            ],
        ),
    ],
);
