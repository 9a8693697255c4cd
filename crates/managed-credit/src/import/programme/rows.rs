//! The rows of the six files, checked by the domain's own grammar.

use domain::access::{AccessRole, CountryCode, EmailAddress, EmailDomain, HubId, PermissionSet, PermissionSetError};
use domain::credit::SubscriptionId;
use domain::money::{Currency, Money};
use domain::time::Instant;

use crate::import::csv_file::{Cells, CsvRow, OtherColumns};

/// The rows of one of the six files.
pub(super) trait ProgrammeRow: CsvRow {
    /// The name of the file.
    const FILE: &'static str;
    /// The column that says since when a row is true.
    const TIME_COLUMN: &'static str;
}

#[derive(Debug)]
pub(crate) struct PartnerRow {
    pub line: u64,
    pub hub_id: HubId,
    pub display_name: String,
    pub country: CountryCode,
    pub email_domains: Vec<EmailDomain>,
    pub join_time: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct EmployeeRow {
    pub line: u64,
    pub partner: HubId,
    pub email: EmailAddress,
    pub display_name: String,
    pub partner_employee: bool,
    pub access_role: AccessRole,
    pub start_time: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct ClientRow {
    pub line: u64,
    pub hub_id: HubId,
    pub display_name: String,
    pub country: CountryCode,
    pub start_time: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct ClientUserRow {
    pub line: u64,
    pub client: HubId,
    pub email: EmailAddress,
    pub display_name: String,
    pub permission_set: PermissionSet,
    pub start_time: Option<Instant>,
    pub removed_time: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct LinkRow {
    pub line: u64,
    pub partner: HubId,
    pub email: EmailAddress,
    pub client: HubId,
    pub link_time: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct SubscriptionRow {
    pub line: u64,
    pub client: HubId,
    pub subscription: SubscriptionId,
    pub mrr: Money,
    pub effective_time: Option<Instant>,
}

impl ProgrammeRow for PartnerRow {
    const FILE: &'static str = "partners.csv";
    const TIME_COLUMN: &'static str = "join_time";
}

impl ProgrammeRow for EmployeeRow {
    const FILE: &'static str = "employees.csv";
    const TIME_COLUMN: &'static str = "start_time";
}

impl ProgrammeRow for ClientRow {
    const FILE: &'static str = "clients.csv";
    const TIME_COLUMN: &'static str = "start_time";
}

impl ProgrammeRow for ClientUserRow {
    const FILE: &'static str = "client_users.csv";
    const TIME_COLUMN: &'static str = "start_time";
}

impl ProgrammeRow for LinkRow {
    const FILE: &'static str = "links.csv";
    const TIME_COLUMN: &'static str = "link_time";
}

impl ProgrammeRow for SubscriptionRow {
    const FILE: &'static str = "subscriptions.csv";
    const TIME_COLUMN: &'static str = "effective_time";
}

impl CsvRow for PartnerRow {
    const REQUIRED: &'static [&'static str] = &["hub_id", "display_name", "country", "email_domains"];
    const OPTIONAL: &'static [&'static str] = &["join_time"];
    const OTHER_COLUMNS: OtherColumns = OtherColumns::Refused;

    fn parse(cells: &mut Cells<'_>) -> Option<Self> {
        let hub_id = cells.required("hub_id", str::parse);
        let display_name = cells.required_name("display_name");
        let country = cells.required("country", str::parse);
        let domains = |text: &str| text.split_whitespace().map(str::parse).collect::<Result<Vec<EmailDomain>, _>>();
        let email_domains = cells.required("email_domains", domains);
        let join_time = cells.optional_instant("join_time");
        Some(Self {
            line: cells.line,
            hub_id: hub_id?,
            display_name: display_name?,
            country: country?,
            email_domains: email_domains?,
            join_time: join_time?,
        })
    }
}

impl CsvRow for EmployeeRow {
    const REQUIRED: &'static [&'static str] = &["partner", "email", "display_name"];
    const OPTIONAL: &'static [&'static str] = &["partner_employee", "access_role", "start_time"];
    const OTHER_COLUMNS: OtherColumns = OtherColumns::Refused;

    fn parse(cells: &mut Cells<'_>) -> Option<Self> {
        let partner = cells.required("partner", str::parse);
        let email = cells.required("email", str::parse);
        let display_name = cells.required_name("display_name");
        let partner_employee = cells.is_yes("partner_employee");
        let access_role = cells.optional("access_role", access_role);
        let start_time = cells.optional_instant("start_time");
        Some(Self {
            line: cells.line,
            partner: partner?,
            email: email?,
            display_name: display_name?,
            partner_employee: partner_employee?,
            access_role: access_role?.unwrap_or_default(),
            start_time: start_time?,
        })
    }
}

impl CsvRow for ClientRow {
    const REQUIRED: &'static [&'static str] = &["hub_id", "display_name", "country"];
    const OPTIONAL: &'static [&'static str] = &["start_time"];
    const OTHER_COLUMNS: OtherColumns = OtherColumns::Refused;

    fn parse(cells: &mut Cells<'_>) -> Option<Self> {
        let hub_id = cells.required("hub_id", str::parse);
        let display_name = cells.required_name("display_name");
        let country = cells.required("country", str::parse);
        let start_time = cells.optional_instant("start_time");
        Some(Self {
            line: cells.line,
            hub_id: hub_id?,
            display_name: display_name?,
            country: country?,
            start_time: start_time?,
        })
    }
}

impl CsvRow for ClientUserRow {
    const REQUIRED: &'static [&'static str] = &["client", "email", "display_name", "permission_set"];
    const OPTIONAL: &'static [&'static str] = &["start_time", "removed_time"];
    const OTHER_COLUMNS: OtherColumns = OtherColumns::Refused;

    fn parse(cells: &mut Cells<'_>) -> Option<Self> {
        let client = cells.required("client", str::parse);
        let email = cells.required("email", str::parse);
        let display_name = cells.required_name("display_name");
        let permission_set = cells.required("permission_set", permission_set);
        let start_time = cells.optional_instant("start_time");
        let removed_time = cells.optional_instant("removed_time");
        if let (Some(start_time), Some(Some(removed_time))) = (start_time, removed_time)
            && start_time.is_none_or(|start_time| removed_time <= start_time)
        {
            cells.refuse("removed_time", "needs a start_time before it");
        }
        Some(Self {
            line: cells.line,
            client: client?,
            email: email?,
            display_name: display_name?,
            permission_set: permission_set?,
            start_time: start_time?,
            removed_time: removed_time?,
        })
    }
}

impl CsvRow for LinkRow {
    const REQUIRED: &'static [&'static str] = &["partner", "email", "client"];
    const OPTIONAL: &'static [&'static str] = &["link_time"];
    const OTHER_COLUMNS: OtherColumns = OtherColumns::Refused;

    fn parse(cells: &mut Cells<'_>) -> Option<Self> {
        let partner = cells.required("partner", str::parse);
        let email = cells.required("email", str::parse);
        let client = cells.required("client", str::parse);
        let link_time = cells.optional_instant("link_time");
        Some(Self { line: cells.line, partner: partner?, email: email?, client: client?, link_time: link_time? })
    }
}

impl CsvRow for SubscriptionRow {
    const REQUIRED: &'static [&'static str] = &["client", "subscription", "currency", "mrr"];
    const OPTIONAL: &'static [&'static str] = &["effective_time"];
    const OTHER_COLUMNS: OtherColumns = OtherColumns::Refused;

    fn parse(cells: &mut Cells<'_>) -> Option<Self> {
        let client = cells.required("client", str::parse);
        let subscription = cells.required("subscription", str::parse);
        let currency: Option<Currency> = cells.required("currency", str::parse);
        let mrr = currency.and_then(|currency| cells.required("mrr", |amount| Money::parse(currency, amount)));
        let effective_time = cells.optional_instant("effective_time");
        Some(Self {
            line: cells.line,
            client: client?,
            subscription: subscription?,
            mrr: mrr?,
            effective_time: effective_time?,
        })
    }
}

/// A set by its name, in whatever case: which sets there are is the policy's, and the service's to say.
fn permission_set(text: &str) -> Result<PermissionSet, PermissionSetError> {
    text.to_uppercase().parse()
}

fn access_role(text: &str) -> Result<AccessRole, &'static str> {
    match text.to_lowercase().as_str() {
        "none" => Ok(AccessRole::None),
        "client_access_manager" => Ok(AccessRole::ClientAccessManager),
        "super_admin" => Ok(AccessRole::SuperAdmin),
        _ => Err("is none, client_access_manager or super_admin"),
    }
}
