//! Who the users of an account are: the CMS audit log names them by number only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use domain::access::EmailAddress;

use crate::import::csv_file::{self, Cells, CsvRow, OtherColumns, Problem, listed};

/// How much of an id is shown that nobody knows.
const MAXIMUM_SHOWN_CHARACTERS: usize = 64;

/// The addresses of the users of one account, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Users {
    /// The file that they are from.
    path: PathBuf,
    addresses: BTreeMap<String, EmailAddress>,
}

impl Users {
    /// Reads the file.
    ///
    /// # Errors
    /// A file that cannot be read, or lines of it that are wrong, all of them by their numbers.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let content = csv_file::content(path).with_context(|| path.display().to_string())?;
        Self::parse(path, content)
    }

    /// The file that they are from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn parse(path: &Path, content: Vec<u8>) -> anyhow::Result<Self> {
        let file = path.display().to_string();
        let mut problems = Vec::new();
        let rows: Vec<UserRow> = csv_file::rows(&file, content, &mut problems)?;
        problems.extend(of_two_addresses(&file, &rows));
        if !problems.is_empty() {
            problems.sort_by_key(|problem| problem.line);
            bail!("nothing was sent, because of these lines:\n{}", listed(&problems));
        }
        let addresses = rows.into_iter().map(|row| (row.user_id, row.email)).collect();
        Ok(Self { path: path.to_owned(), addresses })
    }

    /// A user's address; or that there is none.
    pub(super) fn address_of(&self, user: &str) -> Result<&EmailAddress, String> {
        self.addresses.get(user).ok_or_else(|| {
            let shown: String = user.chars().take(MAXIMUM_SHOWN_CHARACTERS).collect();
            format!("userId: {} is not in {}", shown.escape_debug(), self.path.display())
        })
    }
}

/// A user.
struct UserRow {
    line: u64,
    user_id: String,
    email: EmailAddress,
}

impl CsvRow for UserRow {
    const REQUIRED: &'static [&'static str] = &["user_id", "email"];
    const OPTIONAL: &'static [&'static str] = &[];
    const OTHER_COLUMNS: OtherColumns = OtherColumns::Ignored;

    fn parse(cells: &mut Cells<'_>) -> Option<Self> {
        let user_id = cells.required_text("user_id");
        let email = cells.required("email", str::parse);
        Some(Self { line: cells.line, user_id: user_id?, email: email? })
    }
}

/// Rows that give a user another address than a row before them; the same again is harmless.
fn of_two_addresses(file: &str, rows: &[UserRow]) -> Vec<Problem> {
    let mut first_rows: BTreeMap<&str, &UserRow> = BTreeMap::new();
    let mut problems = Vec::new();
    for row in rows {
        let first = *first_rows.entry(&row.user_id).or_insert(row);
        if first.email != row.email {
            let text = format!("email: user {} is {} by line {}", row.user_id, first.email, first.line);
            problems.push(Problem { file: file.to_owned(), line: row.line, text });
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content: &str) -> Result<Users, String> {
        Users::parse(Path::new("users.csv"), content.into()).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_beyond_the_two_are_ignored_and_semicolons_understood() {
        let users = parse("\u{feff}name;email;user_id;name\nAnna;Anna@Agency.example;7;x\n").expect("right");
        assert_eq!(users.address_of("7").map(ToString::to_string), Ok("anna@agency.example".to_owned()));
        assert_eq!(users.address_of("8"), Err("userId: 8 is not in users.csv".to_owned()));
        let odd = format!("\n{}", "8".repeat(1_000));
        let expected = format!("userId: \\n{} is not in users.csv", "8".repeat(63));
        assert_eq!(users.address_of(&odd), Err(expected));
    }

    #[test]
    fn every_wrong_line_is_named_with_its_number() {
        let problem = parse("user_id,email\n7,anna\n,bea@agency.example\n9,c@agency.example\n10\n").expect_err("wrong");
        for expected in ["users.csv:2: email: ", "users.csv:3: user_id: is empty", "users.csv:5: has 1 cells"] {
            assert!(problem.contains(expected), "{expected} in {problem}");
        }
        assert!(!problem.contains("users.csv:4") && problem.starts_with("nothing was sent"), "{problem}");
        assert!(parse("user_id,mail\n").expect_err("wrong").contains("users.csv:1: column email is missing"));
        assert!(parse("").expect_err("wrong").contains("users.csv:1: column user_id is missing"));
    }

    #[test]
    fn a_user_has_one_address_however_often_it_is_said() {
        assert!(parse("user_id,email\n7,anna@agency.example\n7,ANNA@agency.example\n").is_ok());
        let problem = parse("user_id,email\n7,a@b.example\n7,c@b.example\n8,bad\n").expect_err("wrong");
        let expected = "users.csv:3: email: user 7 is a@b.example by line 2\n  users.csv:4: email: ";
        assert!(problem.contains(expected), "{problem}");
    }
}
