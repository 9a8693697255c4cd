//! Who takes which step where, in the words that every answer uses.

use crate::policy::Policy;
use crate::time::Instant;
use crate::wording::{date_and_time, list, plural};

/// How many actions of a tool a sentence names.
const NAMED_ACTIONS: usize = 8;

/// How many tools a sentence gives as examples.
const NAMED_TOOLS: usize = 3;

/// How joining the programme begins.
pub(crate) const JOIN_PROGRAMME: &str = "Ask the programme to take your company in";

/// Why nothing needs to be done about one's own account (R12).
pub(crate) const NO_CREDIT_IN_OWN_ACCOUNT: &str =
    "Nothing needs to be done: credit comes from the accounts of your clients.";

/// Work that counts where everything else is there.
pub(crate) const ANY_QUALIFYING_ACTIVITY: &str =
    "any qualifying activity, for example publishing a blog post or editing a form,";

/// `landing page create`: the words of a tool and an action without their underscores.
pub(crate) fn action_in_words(tool: &str, action: &str) -> String {
    format!("{tool} {action}").replace('_', " ").to_lowercase()
}

/// For a client whose account is closed.
pub(crate) fn closed_account(client: &str) -> String {
    format!("Nothing can be done for this client: the account of {client} is closed.")
}

/// For a person who is not in the partner account.
pub(crate) fn create_employee(name: &str) -> String {
    format!("A super admin of your account creates a user for {name} and flags it as partner employee.")
}

/// For a user of the partner account (R20).
pub(crate) fn flag_employee(name: &str) -> String {
    format!("A super admin of your account flags {name} as partner employee.")
}

/// For an employee who is not in the client account.
pub(crate) fn add_client_user(client: &str, name: &str) -> String {
    format!("A Partner admin or a super admin of {client} adds {name} as a user there.")
}

/// For an employee who is deactivated in the client account (R38).
pub(crate) fn reactivate_client_user(client: &str, name: &str) -> String {
    format!(
        "A Partner admin or a super admin of {client} reactivates {name}: Clients tab, {client}, {name}, Reactivate user \
         on client."
    )
}

/// For an employee to whom the client is not assigned (R24).
pub(crate) fn link_client(client: &str, name: &str) -> String {
    link("Somebody", client, name)
}

/// For an employee to whom the domain may assign the client by itself once something else is there (R23).
pub(crate) fn link_client_unless_automatic(client: &str, name: &str) -> String {
    link("Where the employee e-mail domain does not assign it, somebody", client, name)
}

fn link(somebody: &str, client: &str, name: &str) -> String {
    format!(
        "{somebody} with access to the Client Access Manager links {client} to {name}: Employees tab, {name}, Link \
         clients."
    )
}

/// For an employee of several partners whose work counts for another one of them.
pub(crate) fn counts_for_another_company(name: &str) -> String {
    format!("Work of {name} there counts for one company only, and another one comes first.")
}

/// What could be done with a tool, or with others where it has nothing that qualifies, at a time at which something does
/// (R50).
pub(super) fn qualifying_work(tool: &str, policy: &Policy, at: Instant) -> String {
    let qualifying: Vec<String> =
        policy.qualifying_actions(tool, at).map(|action| action.action().to_owned()).collect();
    let named = &qualifying[..qualifying.len().min(NAMED_ACTIONS)];
    let verb = if qualifying.len() == 1 { "qualifies" } else { "qualify" };
    match qualifying.len() - named.len() {
        0 if named.is_empty() => other_tools(tool, policy, at),
        0 => format!("With {tool}, {} {verb}.", list(named)),
        more => {
            let more = plural(i64::try_from(more).unwrap_or(i64::MAX), "other action", "other actions");
            format!("With {tool}, {} {verb}.", list(&[named.join(", "), more]))
        }
    }
}

fn other_tools(tool: &str, policy: &Policy, at: Instant) -> String {
    let examples: Vec<_> =
        policy.qualifying_example_of_each_tool(at).take(NAMED_TOOLS).map(|action| action.to_string()).collect();
    format!(
        "Nothing that is done with {tool} qualifies. Other tools have what qualifies, for example {}.",
        list(&examples)
    )
}

/// Why no work helps, where nothing qualifies.
pub(super) fn nothing_qualifies(policy: &Policy, at: Instant) -> Option<String> {
    let is_empty = policy.qualifying_example_of_each_tool(at).next().is_none();
    is_empty.then(|| nothing_qualifies_at(at))
}

/// The same, where it is known that nothing does.
pub(crate) fn nothing_qualifies_at(at: Instant) -> String {
    format!("As of {}, nothing qualifies by the programme's catalogue.", date_and_time(at))
}
