//! Where the services keep their facts, as the command line says it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::running::Part;

/// The database flags of `serve` and `migrate`.
#[derive(Debug, Args)]
pub(crate) struct Databases {
    /// A folder for embedded SQLite databases, one file per service; created and migrated by itself
    #[arg(
        long,
        env = "MANAGED_CREDIT_DATA_DIR",
        value_name = "DIR",
        conflicts_with_all = ["access_database_url", "activity_database_url", "credit_database_url"]
    )]
    pub data_dir: Option<PathBuf>,
    /// The database of access-management: postgres://user@host/name or sqlite:///path/to/file.sqlite3
    #[arg(long, env = "MANAGED_CREDIT_ACCESS_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub access_database_url: Option<String>,
    /// The database of activity-tracking; never the same as another service's
    #[arg(long, env = "MANAGED_CREDIT_ACTIVITY_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub activity_database_url: Option<String>,
    /// The database of credit-calculation; never the same as another service's
    #[arg(long, env = "MANAGED_CREDIT_CREDIT_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub credit_database_url: Option<String>,
}

impl Databases {
    /// The URL of a service's database; an embedded one's folder is created.
    pub fn url(&self, part: Part) -> anyhow::Result<String> {
        if let Some(data_dir) = &self.data_dir {
            return embedded_url(data_dir, part).with_context(|| format!("--data-dir {}", data_dir.display()));
        }
        for given in Part::ALL {
            refuse_visible_password(url_setting(given), self.given_url(given))?;
        }
        let (url, setting) = (self.given_url(part), url_setting(part));
        url.map(str::to_owned).with_context(|| {
            format!("{part} has no database: give --data-dir DIR for an embedded one, or {setting} postgres://user@host/name")
        })
    }

    /// The flag that says where a service's database is.
    pub fn setting(&self, part: Part) -> &'static str {
        if self.data_dir.is_some() { "--data-dir" } else { url_setting(part) }
    }

    /// Refuses two services on one database: each owns its own tables, some of the same name.
    pub fn refuse_shared(&self, parts: &[Part]) -> anyhow::Result<()> {
        for (index, part) in parts.iter().enumerate() {
            let shared = parts[..index]
                .iter()
                .find(|other| self.given_url(*part).is_some() && self.given_url(**other) == self.given_url(*part));
            if let Some(other) = shared {
                bail!("{}: is the database of {other} too; each service has its own", url_setting(*part));
            }
        }
        Ok(())
    }

    /// The services whose database is given.
    pub fn given_parts(&self) -> anyhow::Result<Vec<Part>> {
        let is_given = |part: &Part| self.data_dir.is_some() || self.given_url(*part).is_some();
        let given: Vec<Part> = Part::ALL.into_iter().filter(is_given).collect();
        if given.is_empty() {
            bail!("no database is given: give --data-dir DIR, or {} and the like", url_setting(Part::Access));
        }
        Ok(given)
    }

    fn given_url(&self, part: Part) -> Option<&str> {
        match part {
            Part::Access => self.access_database_url.as_deref(),
            Part::Activity => self.activity_database_url.as_deref(),
            Part::Credit => self.credit_database_url.as_deref(),
        }
    }
}

/// Refuses a password where everybody on the machine can read it.
fn refuse_visible_password(setting: &str, url: Option<&str>) -> anyhow::Result<()> {
    let Some(url) = url.filter(|url| without_password(url) != *url) else { return Ok(()) };
    if std::env::args_os().any(|argument| argument.to_string_lossy().contains(url)) {
        let variable = format!("MANAGED_CREDIT_{}", setting.trim_start_matches("--").replace('-', "_").to_uppercase());
        bail!("{setting}: everybody on this machine can read a password in a command line; give the URL in {variable}");
    }
    Ok(())
}

/// The URL as it may be shown.
pub(crate) fn without_password(url: &str) -> String {
    const HIDDEN: &str = "***";
    let Ok(mut parsed) = url::Url::parse(url) else { return HIDDEN.to_owned() };
    let is_secret = |(key, _): &(std::borrow::Cow<'_, str>, _)| key == "password";
    if parsed.password().is_none() && !parsed.query_pairs().any(|pair| is_secret(&pair)) {
        return url.to_owned();
    }
    // A URL that has a password can be given another.
    if parsed.password().is_some() && parsed.set_password(Some(HIDDEN)).is_err() {
        return HIDDEN.to_owned();
    }
    let query: Vec<(String, String)> = parsed.query_pairs().into_owned().collect();
    if !query.is_empty() {
        let shown = query.iter().map(|(key, value)| (key, if key == "password" { HIDDEN } else { value }));
        parsed.query_pairs_mut().clear().extend_pairs(shown);
    }
    parsed.into()
}

const fn url_setting(part: Part) -> &'static str {
    match part {
        Part::Access => "--access-database-url",
        Part::Activity => "--activity-database-url",
        Part::Credit => "--credit-database-url",
    }
}

/// The URL of the embedded database of a service in a folder, which is created.
pub(crate) fn embedded_url(data_dir: &Path, part: Part) -> anyhow::Result<String> {
    std::fs::create_dir_all(data_dir).context("cannot be created")?;
    let folder = data_dir.canonicalize().context("cannot be opened")?;
    let folder = folder.to_str().filter(|path| !path.contains(['?', '#', '%']));
    let folder = folder.context("a path of a database may not contain ?, # and %")?;
    Ok(format!("sqlite://{folder}/{part}.sqlite3"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn databases(access: Option<&str>, activity: Option<&str>) -> Databases {
        Databases {
            data_dir: None,
            access_database_url: access.map(str::to_owned),
            activity_database_url: activity.map(str::to_owned),
            credit_database_url: None,
        }
    }

    #[test]
    fn a_missing_database_names_the_settings_that_would_give_one() {
        let error = databases(None, None).url(Part::Credit).expect_err("no database").to_string();
        assert!(error.contains("--data-dir") && error.contains("--credit-database-url"), "{error}");
    }

    #[test]
    fn the_given_databases_are_those_with_a_setting() {
        assert_eq!(databases(None, Some("postgres://h/b")).given_parts().ok(), Some(vec![Part::Activity]));
        assert!(databases(None, None).given_parts().is_err());
    }

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://me@h/a", "postgres://me@h/a"),
            ("postgres://me:s3cret@h/a?sslmode=require", "postgres://me:***@h/a?sslmode=require"),
            ("postgres://me@h/a?password=s3cret&host=x", "postgres://me@h/a?password=***&host=x"),
            ("s3cret", "***"),
            ("sqlite:///data/a.sqlite3", "sqlite:///data/a.sqlite3"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn two_services_never_share_a_database() {
        let shared = databases(Some("postgres://h/a"), Some("postgres://h/a"));
        let error = shared.refuse_shared(&Part::ALL).expect_err("shared").to_string();
        assert!(error.contains("--activity-database-url") && error.contains("access-management"), "{error}");
        assert!(databases(Some("postgres://h/a"), Some("postgres://h/b")).refuse_shared(&Part::ALL).is_ok());
    }
}
