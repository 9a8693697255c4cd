//! A whole programme from CSV files: read and checked as a whole, then sent in the order in which facts need each other.

mod report;
mod rows;
mod sending;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use anyhow::{Context as _, bail};
use domain::access::{EmailAddress, HubId};

use super::csv_file::{self, Problem, listed};
use rows::{ClientRow, ClientUserRow, EmployeeRow, LinkRow, PartnerRow, ProgrammeRow, SubscriptionRow};
pub(crate) use sending::send;

/// What the files say.
#[derive(Debug, Default)]
pub(crate) struct Programme {
    pub partners: Vec<PartnerRow>,
    pub employees: Vec<EmployeeRow>,
    pub clients: Vec<ClientRow>,
    pub client_users: Vec<ClientUserRow>,
    pub links: Vec<LinkRow>,
    pub subscriptions: Vec<SubscriptionRow>,
}

/// Reads the files of a folder.
pub(crate) fn read(dir: &Path) -> anyhow::Result<Programme> {
    if !dir.is_dir() {
        bail!("{} is not a folder", dir.display());
    }
    let mut problems = Vec::new();
    let programme = Programme {
        partners: rows_of(dir, &mut problems)?,
        employees: rows_of(dir, &mut problems)?,
        clients: rows_of(dir, &mut problems)?,
        client_users: rows_of(dir, &mut problems)?,
        links: rows_of(dir, &mut problems)?,
        subscriptions: rows_of(dir, &mut problems)?,
    };
    if problems.is_empty() {
        problems.extend(links_without_employee(&programme));
        problems.extend(links_twice(&programme));
        problems.extend(subscriptions_out_of_order(&programme));
    }
    if !problems.is_empty() {
        bail!("nothing was sent, because of these lines:\n{}", listed(&problems));
    }
    if programme.is_empty() {
        bail!("{} has no row in any file of a programme; `import programme --help` names them", dir.display());
    }
    Ok(programme)
}

impl Programme {
    fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    fn rows(&self) -> usize {
        self.partners.len()
            + self.employees.len()
            + self.clients.len()
            + self.client_users.len()
            + self.links.len()
            + self.subscriptions.len()
    }
}

/// The rows of a file of the folder; none where there is no such file. What is wrong is added to `problems`.
fn rows_of<T: ProgrammeRow>(dir: &Path, problems: &mut Vec<Problem>) -> anyhow::Result<Vec<T>> {
    let path = dir.join(T::FILE);
    match csv_file::content(&path) {
        Ok(content) => csv_file::rows(T::FILE, content, problems),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Links name an employee by address; only employees.csv says which employee that is.
fn links_without_employee(programme: &Programme) -> Vec<Problem> {
    let known: BTreeSet<(HubId, &EmailAddress)> =
        programme.employees.iter().map(|employee| (employee.partner, &employee.email)).collect();
    let unknown = programme.links.iter().filter(|link| !known.contains(&(link.partner, &link.email)));
    let problem = |link: &LinkRow| Problem {
        file: "links.csv".to_owned(),
        line: link.line,
        text: format!("email: partner {} has no {} in employees.csv", link.partner, link.email),
    };
    unknown.map(problem).collect()
}

fn links_twice(programme: &Programme) -> Vec<Problem> {
    let mut first_lines = BTreeMap::new();
    let mut problems = Vec::new();
    for link in &programme.links {
        let first = *first_lines.entry((link.partner, &link.email, link.client)).or_insert(link.line);
        if first != link.line {
            let text = format!("client: is linked to {} by line {first} already", link.email);
            problems.push(Problem { file: "links.csv".to_owned(), line: link.line, text });
        }
    }
    problems
}

fn subscriptions_out_of_order(programme: &Programme) -> Vec<Problem> {
    let mut last: BTreeMap<_, &SubscriptionRow> = BTreeMap::new();
    let mut problems = Vec::new();
    for row in &programme.subscriptions {
        let Some(before) = last.insert((row.client, &row.subscription), row) else { continue };
        // A time that is left out is now: nothing can follow it.
        let follows = match (before.effective_time, row.effective_time) {
            (Some(before), Some(time)) => before < time,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !follows {
            let text = format!("effective_time: is not after that of line {}, of the same subscription", before.line);
            problems.push(Problem { file: "subscriptions.csv".to_owned(), line: row.line, text });
        }
    }
    problems
}

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests {
    use std::fs;

    use domain::access::AccessRole;

    use super::*;

    fn read_files(files: &[(&str, &str)]) -> Result<Programme, String> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in files {
            fs::write(folder.path().join(name), content).expect("a file");
        }
        read(folder.path()).map_err(|error| error.to_string())
    }

    const PARTNERS: (&str, &str) =
        ("partners.csv", "hub_id,display_name,country,email_domains\n1001,Agency,IT,agency.example other.example\n");

    #[test]
    fn a_programme_may_be_of_some_files_only() {
        let programme = read_files(&[PARTNERS]).expect("right");
        assert_eq!(programme.partners[0].email_domains.len(), 2);
        assert!(programme.links.is_empty());
        assert!(read_files(&[]).expect_err("nothing to import").contains("no row in any file"));
    }

    #[test]
    fn every_bad_line_of_every_file_is_named_at_once() {
        let clients = "hub_id,display_name,country,start_time\n\
                       x,One,IT,\n\
                       2002,Two,XX,yesterday\n\
                       2003,Three,IT,2025-01-01\n\
                       2004,Four\n";
        let users = "client,email,display_name,permission_set\n2003,nobody,N,the boss\n";
        let error = read_files(&[("clients.csv", clients), ("client_users.csv", users)]).expect_err("wrong");
        for expected in [
            "clients.csv:2: hub_id:",
            "clients.csv:3: country:",
            "clients.csv:3: start_time:",
            "clients.csv:5: has 2 cells",
            "client_users.csv:2: email:",
            "client_users.csv:2: permission_set:",
        ] {
            assert!(error.contains(expected), "{expected} in {error}");
        }
        assert!(!error.contains("clients.csv:4"), "{error}");
    }

    #[test]
    fn twenty_bad_lines_of_a_file_are_listed_and_the_others_counted() {
        let rows: String = (0..25).map(|row| format!("0,Client {row},IT\n")).collect();
        let error = read_files(&[("clients.csv", &format!("hub_id,display_name,country\n{rows}"))]).expect_err("wrong");
        assert_eq!(error.matches("hub_id:").count(), 20);
        assert!(error.contains("clients.csv: and 5 more"), "{error}");
    }

    #[test]
    fn unknown_missing_and_repeated_columns_are_refused() {
        let error = |header: &str| read_files(&[("clients.csv", header)]).expect_err("wrong");
        assert!(error("hub_id,display_name,country,colour\n").contains("clients.csv:1: unknown column \"colour\""));
        assert!(error("hub_id,display_name\n").contains("clients.csv:1: column country is missing"));
        assert!(error("hub_id,display_name,country,country\n").contains("clients.csv:1: column country comes twice"));
    }

    #[test]
    fn lines_are_counted_through_comments_and_quoted_line_breaks() {
        let clients =
            "hub_id,display_name,country\n# a comment\n2001,\"Two\nlines\",IT\n0,Bad,IT\n\n# another\n-1,Bad,IT\n";
        let error = read_files(&[("clients.csv", clients)]).expect_err("wrong");
        assert!(error.contains("clients.csv:5: hub_id:"), "{error}");
        assert!(error.contains("clients.csv:8: hub_id:"), "{error}");
    }

    #[test]
    fn semicolons_and_a_byte_order_mark_are_understood() {
        let clients = "\u{feff}hub_id;display_name;country\n2001;Caffè, Borgo;IT\n";
        let programme = read_files(&[("clients.csv", clients)]).expect("right");
        assert_eq!(programme.clients[0].display_name, "Caffè, Borgo");
    }

    #[test]
    fn a_file_in_another_encoding_is_refused_at_its_first_such_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let latin_1 = b"hub_id,display_name,country\n2001,Bar,IT\n2002,Caff\xe8,IT\n";
        fs::write(folder.path().join("clients.csv"), latin_1).expect("a file");
        let error = read(folder.path()).expect_err("not text").to_string();
        assert!(error.contains("clients.csv:3: is not UTF-8"), "{error}");
    }

    #[test]
    fn a_link_needs_its_employee_and_comes_once() {
        let employees = "partner,email,display_name\n1001,Anna@Agency.example,Anna\n";
        let links = "partner,email,client\n\
                     1001,anna@agency.example,2001\n\
                     1002,anna@agency.example,2001\n\
                     1001,anna@agency.example,2001\n";
        let error = read_files(&[("employees.csv", employees), ("links.csv", links)]).expect_err("wrong");
        assert!(error.contains("links.csv:3: email: partner 1002 has no anna@agency.example"), "{error}");
        assert!(error.contains("links.csv:4: client: is linked to anna@agency.example by line 2"), "{error}");
        assert!(!error.contains("links.csv:2:"), "{error}");
    }

    #[test]
    fn the_rows_of_a_subscription_are_in_the_order_of_time() {
        let subscriptions = "client,subscription,currency,mrr,effective_time\n\
                             2001,main,EUR,100,2025-02-01\n\
                             2001,other,EUR,100,2025-01-01\n\
                             2001,main,EUR,120,2025-01-01\n";
        let error = read_files(&[("subscriptions.csv", subscriptions)]).expect_err("wrong");
        assert!(error.contains("subscriptions.csv:4: effective_time: is not after that of line 2"), "{error}");
    }

    #[test]
    fn a_removal_needs_the_time_of_the_addition() {
        let users = "client,email,display_name,permission_set,start_time,removed_time\n\
                     2001,a@b.example,A,standard,,2025-01-01\n\
                     2001,a@b.example,A,standard,2025-02-01,2025-01-01\n";
        let error = read_files(&[("client_users.csv", users)]).expect_err("wrong");
        assert!(error.contains("client_users.csv:2: removed_time:"), "{error}");
        assert!(error.contains("client_users.csv:3: removed_time:"), "{error}");
    }

    #[test]
    fn what_an_employee_may_do_is_one_of_three_words_and_nothing_where_it_is_left_out() {
        let employees = "partner,email,display_name,access_role\n\
                         1001,a@b.example,A,\n\
                         1001,c@b.example,C,Super_Admin\n";
        let programme = read_files(&[("employees.csv", employees)]).expect("right");
        let roles: Vec<AccessRole> = programme.employees.iter().map(|employee| employee.access_role).collect();
        assert_eq!(roles, [AccessRole::None, AccessRole::SuperAdmin]);
        let error = read_files(&[("employees.csv", &employees.replace("Super_Admin", "chief"))]).expect_err("wrong");
        assert!(error.contains("employees.csv:3: access_role: is none, client_access_manager or"), "{error}");
    }

    #[test]
    fn a_permission_set_is_named_in_whatever_case() {
        let users =
            "client,email,display_name,permission_set\n2001,a@b.example,A,view_only\n2001,c@b.example,C,SALES\n";
        let programme = read_files(&[("client_users.csv", users)]).expect("right");
        let sets: Vec<&str> = programme.client_users.iter().map(|user| user.permission_set.as_str()).collect();
        assert_eq!(sets, ["VIEW_ONLY", "SALES"]);
    }

    #[test]
    fn an_amount_is_of_its_currency() {
        let subscriptions = "client,subscription,currency,mrr\n2001,main,JPY,0.5\n2001,main,EUR,-1\n2001,main,eur,1\n";
        let error = read_files(&[("subscriptions.csv", subscriptions)]).expect_err("wrong");
        for expected in [":2: mrr:", ":3: mrr:", ":4: currency:"] {
            assert!(error.contains(expected), "{expected} in {error}");
        }
    }
}
