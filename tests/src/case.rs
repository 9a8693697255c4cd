//! Cases as data: facts and what must follow from them. Each runs on the domain functions and on the running system.

use std::path::Path;

use domain::policy::Policy;
use serde::{Deserialize, Serialize};

/// One case: a file of `tests/cases`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A sentence: what it shows.
    pub title: String,
    /// The rules that it is about.
    pub rules: Vec<String>,
    /// What the policy says otherwise than the embedded document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<PolicyChange>,
    /// What happens, in the order in which it is recorded; effective times may be in any order.
    pub facts: Vec<Fact>,
    /// What must follow.
    pub expect: Vec<Expectation>,
}

/// A text of the embedded policy document, and what stands in its place.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyChange {
    /// The text.
    pub from: String,
    /// What stands in its place.
    pub to: String,
}

impl Case {
    /// The policy that the case is about.
    ///
    /// # Panics
    /// A text that the embedded document does not have, or that makes it wrong.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let mut document = include_str!("../../crates/domain/policy.toml").to_owned();
        for PolicyChange { from, to } in &self.policy {
            assert!(document.contains(from), "the embedded document has {from}");
            document = document.replace(from, to);
        }
        Policy::parse(&document).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Something that is recorded. Times are RFC 3339, or dates at 00:00Z.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fact {
    /// A partner joins.
    Partner {
        /// Its hub id.
        id: i64,
        /// Its employee email domains.
        #[serde(default)]
        domains: Vec<String>,
        /// Since when.
        since: String,
    },
    /// An employee is created in a partner account.
    Employee {
        /// The partner.
        of: i64,
        /// The address.
        email: String,
        /// Since when.
        since: String,
    },
    /// A client becomes known.
    Client {
        /// Its hub id.
        id: i64,
        /// Its country.
        country: String,
        /// Since when.
        since: String,
    },
    /// A user is added to a client account.
    User {
        /// The client.
        client: i64,
        /// The address.
        email: String,
        /// Since when.
        since: String,
    },
    /// A user is removed from a client account.
    Remove {
        /// The client.
        client: i64,
        /// The address.
        email: String,
        /// When.
        at: String,
    },
    /// A user of a client account is deactivated.
    Deactivate {
        /// The client.
        client: i64,
        /// The address.
        email: String,
        /// When.
        at: String,
    },
    /// A user of a client account is reactivated.
    Reactivate {
        /// The client.
        client: i64,
        /// The address.
        email: String,
        /// When.
        at: String,
    },
    /// A client is unlinked from an employee by hand.
    Unlink {
        /// The partner.
        of: i64,
        /// The employee's address.
        email: String,
        /// The client.
        client: i64,
        /// When.
        at: String,
    },
    /// A partner ends its services for a client.
    EndServices {
        /// The partner.
        of: i64,
        /// The client.
        client: i64,
        /// When.
        at: String,
    },
    /// A partner leaves the programme.
    Leave {
        /// Its hub id.
        id: i64,
        /// When.
        at: String,
    },
    /// A client account is closed.
    Close {
        /// Its hub id.
        id: i64,
        /// When.
        at: String,
    },
    /// Whether an employee is flagged as working for the partner.
    Flag {
        /// The partner.
        of: i64,
        /// The employee's address.
        email: String,
        /// Whether flagged.
        flagged: bool,
        /// Since when.
        at: String,
    },
    /// An employee is deleted in the partner account.
    Delete {
        /// The partner.
        of: i64,
        /// The employee's address.
        email: String,
        /// When.
        at: String,
    },
    /// The employee email domains of a partner.
    Domains {
        /// The partner.
        of: i64,
        /// All of them.
        domains: Vec<String>,
        /// Since when.
        at: String,
    },
    /// An activity is taken back at its source.
    Void {
        /// The client.
        client: i64,
        /// The activity's id.
        activity: String,
    },
    /// A client is linked to an employee by hand.
    Link {
        /// The partner.
        of: i64,
        /// The employee's address.
        email: String,
        /// The client.
        client: i64,
        /// Since when.
        since: String,
    },
    /// Somebody does something in a client account.
    Activity {
        /// Its id.
        id: String,
        /// The client.
        client: i64,
        /// Who.
        email: String,
        /// When.
        at: String,
        /// `tool/action` of the catalogue.
        action: String,
    },
    /// A partner is credited with a tier.
    Tier {
        /// The partner.
        of: i64,
        /// For example `ELITE`.
        tier: String,
        /// Since when.
        since: String,
    },
    /// What a client pays, from an instant on; the first of an id creates the subscription.
    Mrr {
        /// The client.
        client: i64,
        /// The subscription's id.
        subscription: String,
        /// For example `1000.00 USD`.
        amount: String,
        /// Since when.
        since: String,
    },
}

/// Something that must follow. Fields that are not given are not compared.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum Expectation {
    /// The verdict of an activity.
    Verdict {
        /// The activity's id.
        activity: String,
        /// `COUNTED`, or why not.
        is: String,
    },
    /// What a client brings a partner at an instant.
    Credit {
        /// The partner.
        partner: i64,
        /// The client.
        client: i64,
        /// The as-of instant.
        at: String,
        /// For example `500.00 USD`.
        #[serde(skip_serializing_if = "Option::is_none")]
        credit: Option<String>,
        /// For example `5.00`.
        #[serde(skip_serializing_if = "Option::is_none")]
        points: Option<String>,
        /// Why there is none; `-` where there is.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Since when it is serviced.
        #[serde(skip_serializing_if = "Option::is_none")]
        since: Option<String>,
        /// When that ends, or ended.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires: Option<String>,
        /// How many partners earn.
        #[serde(skip_serializing_if = "Option::is_none")]
        servicing_partners: Option<u32>,
    },
    /// When and why a credit was lost that there is no more; `-` where it was never there, or still is. The explanation of
    /// the running system says it.
    Loss {
        /// The partner.
        partner: i64,
        /// The client.
        client: i64,
        /// The as-of instant.
        at: String,
        /// The instant from which there was none.
        since: String,
        /// Why.
        cause: String,
    },
}

/// What follows, in the form in which it is compared: a line per expectation.
pub(crate) fn credit_line(
    expected: &Expectation,
    credit: Option<String>,
    points: Option<String>,
    reason: &str,
    since: Option<String>,
    expires: Option<String>,
    servicing_partners: u32,
) -> String {
    let Expectation::Credit {
        credit: asked_credit,
        points: asked_points,
        reason: asked_reason,
        since: asked_since,
        expires: asked_expires,
        servicing_partners: asked_partners,
        ..
    } = expected
    else {
        return String::new();
    };
    let dash = || "-".to_owned();
    let mut parts = Vec::new();
    let mut part = |asked: bool, name: &str, value: String| {
        if asked {
            parts.push(format!("{name}={value}"));
        }
    };
    part(asked_credit.is_some(), "credit", credit.unwrap_or_else(dash));
    part(asked_points.is_some(), "points", points.unwrap_or_else(dash));
    part(asked_reason.is_some(), "reason", reason.to_owned());
    part(asked_since.is_some(), "since", since.unwrap_or_else(dash));
    part(asked_expires.is_some(), "expires", expires.unwrap_or_else(dash));
    part(asked_partners.is_some(), "servicing_partners", servicing_partners.to_string());
    parts.join(" ")
}

impl Expectation {
    /// The line that must follow.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Verdict { is, .. } => is.clone(),
            Self::Loss { since, cause, .. } => format!("{cause} since {}", instant_text(since)),
            Self::Credit { credit, points, reason, since, expires, servicing_partners, .. } => credit_line(
                self,
                credit.clone(),
                points.clone(),
                reason.as_deref().unwrap_or_default(),
                since.as_deref().map(instant_text),
                expires.as_deref().map(instant_text),
                servicing_partners.unwrap_or_default(),
            ),
        }
    }

    /// What the expectation is about, for the message of a failure.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Verdict { activity, .. } => format!("the verdict of {activity}"),
            Self::Credit { partner, client, at, .. } => format!("client {client} for partner {partner} at {at}"),
            Self::Loss { partner, client, at, .. } => {
                format!("the loss of client {client} for partner {partner} at {at}")
            }
        }
    }
}

/// One spelling per instant; `-` stands for none.
fn instant_text(text: &str) -> String {
    if text == "-" { text.to_owned() } else { crate::at(text).to_rfc3339() }
}

/// All cases, by file name.
///
/// # Panics
/// A file that is no case.
#[must_use]
pub fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut cases: Vec<(String, Case)> = std::fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a readable case");
            (name.clone(), toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")))
        })
        .collect();
    cases.sort_by(|(one, _), (other, _)| one.cmp(other));
    cases
}
