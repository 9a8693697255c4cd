//! Which RPCs a caller may call: names of the contracts, as a list says them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use contracts::FILE_DESCRIPTOR_SET;
use prost::Message as _;
use prost_types::FileDescriptorSet;

/// Every RPC of the contracts: `package.Service/Method`.
static ALL: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).map(|set| set.file).unwrap_or_default();
    let mut names = BTreeSet::new();
    for file in &files {
        for service in &file.service {
            for method in &service.method {
                names.insert(format!("{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    names
});

/// Whether the contracts have an RPC of this name.
pub(crate) fn is_rpc(name: &str) -> bool {
    ALL.contains(name)
}

/// A set of RPCs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Methods(BTreeSet<String>);

impl Methods {
    /// The RPCs of a list: `package.Service/Method`, `package.Service/*` or `*`.
    ///
    /// # Errors
    /// The names that the contracts do not have, each with its place in the list.
    pub fn parse<S: AsRef<str>>(list: &[S]) -> Result<Self, Vec<String>> {
        let (mut methods, mut problems) = (Self::default(), Vec::new());
        for (index, name) in list.iter().map(AsRef::as_ref).enumerate() {
            let known: Vec<&String> = match name.strip_suffix('*') {
                Some(prefix) if prefix.is_empty() || prefix.ends_with('/') => {
                    ALL.iter().filter(|known| known.starts_with(prefix)).collect()
                }
                _ => ALL.get(name).into_iter().collect(),
            };
            if known.is_empty() {
                problems.push(format!(
                    "methods[{index}]: no RPC is called {name:?}; expected is `package.Service/Method`, `package.Service/*` or `*`"
                ));
            }
            methods.0.extend(known.into_iter().cloned());
        }
        if problems.is_empty() { Ok(methods) } else { Err(problems) }
    }

    /// Whether a call of this path, `/package.Service/Method`, is one of them.
    pub fn contain(&self, path: &str) -> bool {
        path.strip_prefix('/').is_some_and(|name| self.0.contains(name))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_rpcs_services_or_everything() {
        let methods = Methods::parse(&["managedcredit.access.v1.AccessFeedService/*"]).expect("methods");
        assert!(methods.contain("/managedcredit.access.v1.AccessFeedService/WatchAccess"));
        assert!(!methods.contain("/managedcredit.access.v1.AccessManagementService/CreatePartner"));
        assert!(!methods.contain("managedcredit.access.v1.AccessFeedService/WatchAccess"), "no path");
        assert_eq!(methods.len(), 2);
        assert!(Methods::parse(&["*"]).expect("methods").len() > 70);
    }

    #[test]
    fn a_name_that_is_no_rpc_is_named_with_its_place() {
        let list =
            ["*", "managedcredit.access.v1.AccessFeedService/Watch", "managedcredit.access.v1.AccessFeed*", "", "x/*"];
        let problems = Methods::parse(&list).expect_err("unknown names");
        let places: Vec<&str> = problems.iter().filter_map(|problem| problem.split(':').next()).collect();
        assert_eq!(places, ["methods[1]", "methods[2]", "methods[3]", "methods[4]"]);
    }
}
