//! Random histories of access and work, arriving in whatever order: what is stored is what the domain says of all at once.

use std::collections::{BTreeMap, BTreeSet};

use contracts::wire::access::link_client_result;
use contracts::wire::activity::Activity;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use system_tests::{Cluster, ClusterOptions, DatabaseKind, at};

use super::{assert_as_the_domain_says, other_policy, servicing};

/// A fact about a small world: two partners, two clients, three people.
#[derive(Debug, Clone)]
enum Step {
    Client { client: i64, day: i64 },
    Employee { partner: i64, person: usize, day: i64 },
    User { client: i64, person: usize, day: i64 },
    Remove { client: i64, person: usize, day: i64 },
    Link { partner: i64, person: usize, client: i64, day: i64 },
    Unlink { partner: i64, person: usize, client: i64, day: i64 },
    Deactivate { client: i64, person: usize, day: i64 },
    Reactivate { client: i64, person: usize, day: i64 },
    Flag { partner: i64, person: usize, is_employee: bool, day: i64 },
    Delete { partner: i64, person: usize, day: i64 },
    Domains { partner: i64, is_kept: bool, day: i64 },
    EndServices { partner: i64, client: i64, day: i64 },
    Leave { partner: i64, day: i64 },
    Close { client: i64, day: i64 },
    Retract { change: usize },
    Work { client: i64, person: usize, day: i64, action: &'static str },
    Repeat { activity: usize },
    Void { activity: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let actions = vec!["blog/publish", "form/edit", "list/create", "note/log", "blog/view", "nonsense/do"];
    let actions = proptest::sample::select(actions);
    // What was true comes late as often as not, and much of it on the same days; clients, people and users are mostly of
    // the first weeks, so that much counts. Nearly everything ends late where it ends for good.
    let raw = (0..38_u32, 0..2_i64, 0..2_i64, 0..3_usize, 0..20_i64, 0..1_000_usize, actions);
    raw.prop_map(|(kind, partner, client, person, tenth, number, action)| {
        let (day, flip) = (tenth * 10, number % 2 == 0);
        match kind {
            0 => Step::Client { client, day: day % 30 },
            1 | 2 => Step::Employee { partner, person, day: day % 40 },
            3 | 4 => Step::User { client, person, day: if tenth < 15 { day % 50 } else { day } },
            5 | 6 => Step::Remove { client, person, day },
            7 | 8 => Step::Link { partner, person, client, day: day % 70 },
            9 => Step::Unlink { partner, person, client, day },
            10 | 11 => Step::Deactivate { client, person, day },
            12 => Step::Reactivate { client, person, day },
            13 => Step::Flag { partner, person, is_employee: flip, day },
            14 => Step::Delete { partner, person, day },
            15 => Step::Domains { partner, is_kept: flip, day },
            16 => Step::EndServices { partner, client, day },
            17 if tenth == 19 => Step::Leave { partner, day },
            17 if tenth == 18 => Step::Close { client, day },
            18 | 19 => Step::Retract { change: number },
            20 | 21 => Step::Repeat { activity: number },
            22 | 23 => Step::Void { activity: number },
            _ => Step::Work { client, person, day, action },
        }
    })
}

/// One random history: its own partners, clients and people in a cluster that others use too.
struct World<'cluster> {
    cluster: &'cluster Cluster,
    base: i64,
    employees: BTreeMap<(i64, usize), String>,
    users: BTreeMap<(i64, usize), String>,
    activities: Vec<Activity>,
    /// The names of those that were taken back.
    voided: BTreeSet<String>,
    /// What has become true: the kind of each step, and the position of its change.
    changes: Vec<(&'static str, u64)>,
}

impl World<'_> {
    fn address(&self, person: usize) -> String {
        // The third is of nobody's domain, and may be both partners' employee.
        let domain = if person < 2 { "agency" } else { "freemail" };
        format!("e{person}@{domain}{}.example", self.base)
    }

    /// Takes one step; what access-management refuses as illegal did not happen.
    async fn take(&mut self, step: &Step) {
        if let Some(kind) = self.change(step).await {
            self.changes.push((kind, self.cluster.access_position()));
        }
    }

    /// Takes one step, and says which kind of change it was, if it was one.
    async fn change(&mut self, step: &Step) -> Option<&'static str> {
        let (cluster, base) = (self.cluster, self.base);
        let date = |day: &i64| (at("2025-01-01") + chrono::TimeDelta::days(*day)).to_rfc3339();
        match step {
            Step::Client { client, day } => {
                cluster.client_since(base + 5 + client, "US", &date(day)).await.ok()?;
                Some("client")
            }
            Step::Employee { partner, person, day } => {
                let name = cluster.employee_since(base + partner, &self.address(*person), &date(day)).await.ok()?;
                self.employees.insert((*partner, *person), name);
                Some("employee")
            }
            Step::User { client, person, day } => {
                let name = cluster.user_since(base + 5 + client, &self.address(*person), &date(day)).await.ok()?;
                self.users.insert((*client, *person), name);
                Some("user")
            }
            Step::Remove { client, person, day } => {
                cluster.remove(self.users.get(&(*client, *person))?, &date(day)).await.ok()?;
                Some("removal")
            }
            Step::Deactivate { client, person, day } => {
                cluster.deactivate(self.users.get(&(*client, *person))?, &date(day)).await.ok()?;
                Some("deactivation")
            }
            Step::Reactivate { client, person, day } => {
                cluster.reactivate(self.users.get(&(*client, *person))?, &date(day)).await.ok()?;
                Some("reactivation")
            }
            Step::Link { partner, person, client, day } => {
                let name = self.employees.get(&(*partner, *person))?;
                let linked = cluster.link(name, base + 5 + client, &date(day)).await;
                matches!(linked, link_client_result::Outcome::Assignment(_)).then_some("link")
            }
            Step::Unlink { partner, person, client, day } => {
                let name = self.employees.get(&(*partner, *person))?;
                cluster.unlink(name, base + 5 + client, &date(day)).await.ok()?;
                Some("unlink")
            }
            Step::Flag { partner, person, is_employee, day } => {
                cluster.flag(self.employees.get(&(*partner, *person))?, *is_employee, &date(day)).await.ok()?;
                Some("flag")
            }
            Step::Delete { partner, person, day } => {
                cluster.delete_employee(self.employees.get(&(*partner, *person))?, &date(day)).await.ok()?;
                Some("deletion")
            }
            Step::Domains { partner, is_kept, day } => {
                let domain = format!("agency{base}.example");
                let domains: &[&str] = if *is_kept { &[&domain] } else { &[] };
                cluster.set_domains(base + partner, domains, &date(day)).await.ok()?;
                Some("domains")
            }
            Step::EndServices { partner, client, day } => {
                cluster.end_services(base + partner, base + 5 + client, &date(day)).await.ok()?;
                Some("ended services")
            }
            Step::Leave { partner, day } => {
                cluster.leave(base + partner, &date(day)).await.ok()?;
                Some("leaving")
            }
            Step::Close { client, day } => {
                cluster.close(base + 5 + client, &date(day)).await.ok()?;
                Some("closing")
            }
            Step::Retract { change } => {
                let (_, position) = self.changes.get(*change % self.changes.len().max(1))?;
                cluster.retract(*position).await.ok()?;
                Some("retraction")
            }
            Step::Work { client, person, day, action } => {
                let id = format!("evt-{}", self.activities.len());
                let address = self.address(*person);
                let activity = Cluster::activity_of(base + 5 + client, &id, &address, &date(day), action);
                cluster.record(vec![activity.clone()]).await.expect("a result");
                self.activities.push(activity);
                None
            }
            Step::Repeat { activity } => {
                let activity = self.activities.get(*activity % self.activities.len().max(1))?;
                let repeated = cluster.record(vec![activity.clone()]).await.expect("a result");
                assert!(repeated.results[0].duplicate, "{}", activity.name);
                None
            }
            Step::Void { activity } => {
                let Activity { name, .. } = self.activities.get(*activity % self.activities.len().max(1))?;
                let (_, id) = name.rsplit_once('/').expect("a name");
                let client = name.split('/').nth(1).and_then(|client| client.parse().ok()).expect("a client");
                let voided = cluster.void(client, id, "recorded by mistake").await.expect("a result");
                assert_eq!(voided.already_voided, !self.voided.insert(name.clone()));
                None
            }
        }
    }
}

/// In whatever order facts and activities arrive, what is stored is what the domain says of all of them at once.
async fn the_order_of_arrival_never_matters(kind: DatabaseKind) {
    let options = ClusterOptions { policy: other_policy(45), ..ClusterOptions::default() };
    let cluster = Cluster::start_with(kind, options).await;
    // The same histories in every run.
    let mut runner = TestRunner::deterministic();
    let histories = proptest::collection::vec(step(), 40..110);
    let (mut counted, mut voided, mut kinds) = (0, 0, BTreeMap::<&str, usize>::new());
    for case in 0..16 {
        let steps = histories.new_tree(&mut runner).expect("a history").current();
        let base = 100_000 + case * 10;
        let (employees, users) = (BTreeMap::new(), BTreeMap::new());
        let (activities, changes) = (Vec::new(), Vec::new());
        let mut world =
            World { cluster: &cluster, base, employees, users, activities, voided: BTreeSet::new(), changes };
        cluster.partner(base, &[&format!("agency{base}.example")]).await;
        cluster.partner(base + 1, &[]).await;
        // In the first client everybody is there from the start, so that much can happen to them; elsewhere they come late.
        world.take(&Step::Client { client: 0, day: 0 }).await;
        for person in 0..3 {
            world.take(&Step::Employee { partner: 0, person, day: 0 }).await;
            world.take(&Step::User { client: 0, person, day: 5 }).await;
        }
        for step in &steps {
            world.take(step).await;
        }
        // Those that are still missing come last, so that most histories end with something that counts.
        for client in 0..2 {
            world.take(&Step::Client { client, day: 0 }).await;
            for person in 0..3 {
                world.take(&Step::Employee { partner: 0, person, day: 0 }).await;
                world.take(&Step::User { client, person, day: 40 }).await;
            }
        }
        let (partners, clients) = ([base, base + 1], [base + 5, base + 6]);
        counted += assert_as_the_domain_says(&cluster, &world.activities, &world.voided, &partners, &clients).await;
        let seed = usize::try_from(case).expect("small");
        let World { activities, voided: taken_back, .. } = &world;
        servicing::assert_read_as_the_domain_says(&cluster, activities, taken_back, &partners, &clients, seed).await;
        voided += world.voided.len();
        for (kind, _) in world.changes {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    assert_eq!(kinds.len(), 15, "every kind of change was made: {kinds:?}");
    assert!(voided > 20, "only {voided} activities were voided in all histories together");
    assert!(counted > 50, "only {counted} activities counted in all histories together");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_arrival_never_matters_on_sqlite() {
    the_order_of_arrival_never_matters(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_arrival_never_matters_on_postgresql() {
    the_order_of_arrival_never_matters(DatabaseKind::Postgresql).await;
}
