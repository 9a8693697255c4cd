//! Resource names: `collection/id` pairs, the only way in which requests refer to things.

use std::fmt;
use std::str::FromStr;

use domain::access::{AccessLinkId, AssetId, ClientUserId, EmployeeId, HubId};
use domain::activity::ActivityId;
use domain::credit::{SoldCreditId, SubscriptionId};
use domain::statement::Month;
use uuid::Uuid;

/// A text that is not the name of such a resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name of the form {form}")]
pub struct ResourceNameError {
    /// What would be right.
    form: &'static str,
}

/// `partners/{hub id}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartnerName(pub HubId);

/// `partners/{hub id}/employees/{uuid}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmployeeName {
    /// The partner account.
    pub partner: HubId,
    /// The employee.
    pub employee: EmployeeId,
}

/// `clients/{hub id}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientName(pub HubId);

/// `clients/{hub id}/users/{uuid}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientUserName {
    /// The client account.
    pub client: HubId,
    /// The user.
    pub user: ClientUserId,
}

/// `partners/{hub id}/employees/{uuid}/accessLinks/{uuid}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessLinkName {
    /// The employee whose link it is.
    pub employee: EmployeeName,
    /// The link.
    pub link: AccessLinkId,
}

/// `clients/{hub id}/assets/{vendor's id}`
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetName {
    /// The client account.
    pub client: HubId,
    /// The vendor's id, unique per client.
    pub asset: AssetId,
}

/// `clients/{hub id}/activities/{caller's id}`
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActivityName {
    /// The client account.
    pub client: HubId,
    /// The caller's id, unique per client.
    pub activity: ActivityId,
}

/// `clients/{hub id}/subscriptions/{caller's id}`
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionName {
    /// The client account.
    pub client: HubId,
    /// The caller's id, unique per client.
    pub subscription: SubscriptionId,
}

/// `partners/{hub id}/soldCredits/{caller's id}`
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SoldCreditName {
    /// The partner account.
    pub partner: HubId,
    /// The caller's id, unique per partner.
    pub sold_credit: SoldCreditId,
}

/// `partners/{hub id}/statements/{month}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementName {
    /// The partner account.
    pub partner: HubId,
    /// The month.
    pub month: Month,
}

/// The ids of a name with these collections, in order; nothing where the text has another form.
fn ids<'name, const COUNT: usize>(text: &'name str, collections: [&str; COUNT]) -> Option<[&'name str; COUNT]> {
    let mut segments = text.split('/');
    let mut found = [""; COUNT];
    for (id, collection) in found.iter_mut().zip(collections) {
        if segments.next()? != collection {
            return None;
        }
        *id = segments.next()?;
    }
    segments.next().is_none().then_some(found)
}

/// One spelling per id: lower-case with hyphens.
fn parse_uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|uuid| uuid.hyphenated().to_string() == text)
}

macro_rules! resource_name {
    ($name:ty, $form:literal, $text:ident => $parse:expr, $value:ident => $($print:tt)+) => {
        impl FromStr for $name {
            type Err = ResourceNameError;

            fn from_str($text: &str) -> Result<Self, ResourceNameError> {
                let parse = || -> Option<Self> { $parse };
                parse().ok_or(ResourceNameError { form: $form })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $value = self;
                write!(formatter, $($print)+)
            }
        }
    };
}

resource_name!(PartnerName, "partners/{hub id}, for example partners/1001",
    text => {
        let [partner] = ids(text, ["partners"])?;
        Some(Self(partner.parse().ok()?))
    },
    name => "partners/{}", name.0);

resource_name!(EmployeeName, "partners/{hub id}/employees/{uuid}",
    text => {
        let [partner, employee] = ids(text, ["partners", "employees"])?;
        Some(Self { partner: partner.parse().ok()?, employee: EmployeeId(parse_uuid(employee)?) })
    },
    name => "partners/{}/employees/{}", name.partner, name.employee);

resource_name!(ClientName, "clients/{hub id}, for example clients/2002",
    text => {
        let [client] = ids(text, ["clients"])?;
        Some(Self(client.parse().ok()?))
    },
    name => "clients/{}", name.0);

resource_name!(ClientUserName, "clients/{hub id}/users/{uuid}",
    text => {
        let [client, user] = ids(text, ["clients", "users"])?;
        Some(Self { client: client.parse().ok()?, user: ClientUserId(parse_uuid(user)?) })
    },
    name => "clients/{}/users/{}", name.client, name.user);

resource_name!(ActivityName, "clients/{hub id}/activities/{id of 1 to 128 printable ASCII characters without spaces and slashes}",
    text => {
        let [client, activity] = ids(text, ["clients", "activities"])?;
        Some(Self { client: client.parse().ok()?, activity: activity.parse().ok()? })
    },
    name => "clients/{}/activities/{}", name.client, name.activity);

resource_name!(SubscriptionName, "clients/{hub id}/subscriptions/{id of 1 to 64 letters, digits and -._~}",
    text => {
        let [client, subscription] = ids(text, ["clients", "subscriptions"])?;
        Some(Self { client: client.parse().ok()?, subscription: subscription.parse().ok()? })
    },
    name => "clients/{}/subscriptions/{}", name.client, name.subscription);

resource_name!(SoldCreditName, "partners/{hub id}/soldCredits/{id of 1 to 64 letters, digits and -._~}",
    text => {
        let [partner, sold_credit] = ids(text, ["partners", "soldCredits"])?;
        Some(Self { partner: partner.parse().ok()?, sold_credit: sold_credit.parse().ok()? })
    },
    name => "partners/{}/soldCredits/{}", name.partner, name.sold_credit);

resource_name!(StatementName, "partners/{hub id}/statements/{month, for example 2026-10}",
    text => {
        let [partner, month] = ids(text, ["partners", "statements"])?;
        Some(Self { partner: partner.parse().ok()?, month: month.parse().ok()? })
    },
    name => "partners/{}/statements/{}", name.partner, name.month);

resource_name!(AccessLinkName, "partners/{hub id}/employees/{uuid}/accessLinks/{uuid}",
    text => {
        let [partner, employee, link] = ids(text, ["partners", "employees", "accessLinks"])?;
        let employee = EmployeeName { partner: partner.parse().ok()?, employee: EmployeeId(parse_uuid(employee)?) };
        Some(Self { employee, link: AccessLinkId(parse_uuid(link)?) })
    },
    name => "{}/accessLinks/{}", name.employee, name.link);

resource_name!(AssetName, "clients/{hub id}/assets/{id of 1 to 128 printable ASCII characters without spaces and slashes}",
    text => {
        let [client, asset] = ids(text, ["clients", "assets"])?;
        Some(Self { client: client.parse().ok()?, asset: asset.parse().ok()? })
    },
    name => "clients/{}/assets/{}", name.client, name.asset);

#[cfg(test)]
mod tests {
    use super::*;

    fn survives<T: FromStr + fmt::Display>(text: &str) -> bool {
        text.parse::<T>().is_ok_and(|name| name.to_string() == text)
    }

    #[test]
    fn a_name_is_read_back_as_it_is_printed() {
        let uuid = "0190a0b0-0000-7000-8000-000000000001";
        assert!(survives::<PartnerName>("partners/1001"));
        assert!(survives::<EmployeeName>(&format!("partners/1001/employees/{uuid}")));
        assert!(survives::<ClientName>("clients/2002"));
        assert!(survives::<ClientUserName>(&format!("clients/2002/users/{uuid}")));
        assert!(survives::<AccessLinkName>(&format!("partners/1001/employees/{uuid}/accessLinks/{uuid}")));
        assert!(survives::<AssetName>("clients/2002/assets/wf-7"));
        assert!(survives::<ActivityName>("clients/2002/activities/evt:1"));
        assert!(survives::<SubscriptionName>("clients/2002/subscriptions/main"));
        assert!(survives::<StatementName>("partners/1001/statements/2026-10"));
        assert!(survives::<SoldCreditName>("partners/1001/soldCredits/deal-7"));
    }

    #[test]
    fn a_name_of_another_form_is_refused() {
        for wrong in [
            "",
            "partners",
            "partners/",
            "partners/0",
            "partners/x",
            "clients/1",
            "partners/1/",
            "partners/1/employees/2",
            "/partners/1",
        ] {
            assert!(wrong.parse::<PartnerName>().is_err(), "{wrong}");
        }
        for wrong in
            ["partners/1/employees/1", "partners/1/employees/0190A0B0-0000-7000-8000-000000000001", "partners/1"]
        {
            assert!(wrong.parse::<EmployeeName>().is_err(), "{wrong}");
        }
    }
}
