//! Files of a programme, for tests of whatever reads them.

use super::*;

/// One right file of each kind, with every column.
pub(in crate::import) const FILES: [(&str, &str); 6] = [
    (
        "partners.csv",
        "hub_id,display_name,country,email_domains,join_time\n1001,Agency,IT,agency.example b.example,2024-01-01\n",
    ),
    (
        "employees.csv",
        "partner,email,display_name,partner_employee,access_role,start_time\n\
         1001,anna@agency.example,\"Anna, B.\",yes,super_admin,2024-01-01T10:00:00Z\n",
    ),
    (
        "clients.csv",
        "# clients\nhub_id;display_name;country;start_time\n2001;Caffè, Borgo;IT;\n2002;Two;US;2024-01-01\n",
    ),
    (
        "client_users.csv",
        "client,email,display_name,permission_set,start_time,removed_time\n\
         2001,anna@agency.example,Anna,partner_admin,2024-01-01,2025-01-01\n",
    ),
    ("links.csv", "partner,email,client,link_time\n1001,anna@agency.example,2001,2024-01-01\n"),
    (
        "subscriptions.csv",
        "client,subscription,currency,mrr,effective_time\n2001,main,EUR,100.50,2024-01-01\n2001,main,EUR,0,\n",
    ),
];

/// What is wrong with the content of such a file.
pub(in crate::import) fn problems_of(file: &str, content: Vec<u8>) -> Vec<Problem> {
    fn of<T: ProgrammeRow>(content: Vec<u8>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let rows: Vec<T> = csv_file::rows(T::FILE, content, &mut problems).expect("bytes are always read");
        assert!(rows.len() <= 1_000, "no row comes from nowhere");
        problems
    }
    match file {
        "partners.csv" => of::<PartnerRow>(content),
        "employees.csv" => of::<EmployeeRow>(content),
        "clients.csv" => of::<ClientRow>(content),
        "client_users.csv" => of::<ClientUserRow>(content),
        "links.csv" => of::<LinkRow>(content),
        "subscriptions.csv" => of::<SubscriptionRow>(content),
        other => panic!("{other} is no file of a programme"),
    }
}
