//! Nobody sees or changes what is not theirs: every RPC, asked by everybody, about what is another's.
//!
//! The table says what each is to be answered. Beside it, for every call: for whom something does not exist, the answer
//! is to the letter the one about what never was (R127); no answer to an outsider holds a name, an address, an id or an
//! amount of theirs, also of a client that both service; and nothing has changed when all is over.

mod caller;
mod identity;
mod names;
mod table;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use contracts::wire::access::{self, ListAssetsRequest};
use contracts::wire::activity;
use hostile::say;
use managed_credit::running::Part;
use prost::Message as _;
use prost_reflect::text_format::FormatOptions;
use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use service_kit::Channel;
use system_tests::{Cluster, DatabaseKind, metadata, reason};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::hostile::call::{Call, answer};
use crate::hostile::{path_of, rpcs};
use caller::Caller;
use identity::{Identity, bearer};
use names::Names;
use table::{Aim, Expected, TABLE};
use world::World;

/// How many answers that are not as they should be are shown.
const SHOWN: usize = 20;

/// An answer as text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Answer(String),
    Refusal { code: Code, reason: String, permission: String, text: String },
}

impl Told {
    fn of(method: &MethodDescriptor, answer: Result<Vec<Vec<u8>>, Status>) -> Self {
        match answer {
            Ok(messages) => {
                let text = |message: &Vec<u8>| {
                    let message = DynamicMessage::decode(method.output(), message.as_slice()).expect("a message");
                    message.to_text_format_with_options(&FormatOptions::new().pretty(true))
                };
                Self::Answer(messages.iter().map(text).collect::<Vec<_>>().join("\n"))
            }
            Err(status) => {
                let details = tonic_types::pb::Status::decode(status.details()).expect("details").details;
                let details: Vec<_> = details.iter().map(|detail| String::from_utf8_lossy(&detail.value)).collect();
                Self::Refusal {
                    code: status.code(),
                    reason: reason(&status),
                    permission: metadata(&status, "permission"),
                    text: format!("{}\n{}", status.message(), details.join("\n")),
                }
            }
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Answer(text) | Self::Refusal { text, .. } => text,
        }
    }

    /// With the words of the request in place of what they stood for.
    fn forgetting(self, names: &Names, request: &str) -> Self {
        match self {
            Self::Answer(text) => Self::Answer(names.forget(request, &text)),
            Self::Refusal { code, reason, permission, text } => {
                Self::Refusal { code, reason, permission, text: names.forget(request, &text) }
            }
        }
    }

    fn is_as(&self, expected: Expected, to_platform: &Self) -> bool {
        match (expected, self) {
            (Expected::Answered, Self::Answer(_)) => true,
            (Expected::Holding(part), Self::Answer(text)) => text.contains(part),
            (Expected::Same, Self::Answer(_)) => self == to_platform,
            (Expected::NotAllowed, Self::Refusal { code, reason, .. }) => {
                *code == Code::PermissionDenied && reason == "ACTOR_NOT_ALLOWED"
            }
            (
                Expected::Missing(missing) | Expected::MissingThere(missing),
                Self::Refusal { code, reason, permission, .. },
            ) => *code == Code::PermissionDenied && reason == "PERMISSION_MISSING" && permission == missing,
            (Expected::Refused(refused), Self::Refusal { reason, .. }) => reason == refused,
            _ => false,
        }
    }
}

/// A walk under way.
struct Walk {
    channels: [Channel; 3],
    /// What proves each identity, in their order, and the platform.
    proofs: Vec<MetadataMap>,
    platform: MetadataMap,
    revisions: Vec<Value>,
    calls: usize,
    problems: Vec<String>,
}

impl Walk {
    fn begin(cluster: &Cluster) -> Self {
        let proofs = cluster.proofs();
        let now = cluster.now();
        let key = std::fs::read_to_string(proofs.path("platform.key")).expect("a key");
        Self {
            channels: Part::ALL.map(|part| cluster.channel_of(part, &proofs.anonymous())),
            proofs: Identity::ALL.iter().map(|identity| identity.metadata(proofs, now)).collect(),
            platform: bearer(&key),
            revisions: cluster.known_revisions().into_iter().map(Value::String).collect(),
            calls: 0,
            problems: Vec::new(),
        }
    }

    async fn ask(&mut self, rpc: &Rpc, metadata: MetadataMap, names: &Names, request: &str) -> Told {
        let channel = self.channels[rpc.part as usize].clone();
        self.ask_through(channel, rpc, metadata, names, request).await
    }

    async fn ask_through(
        &mut self,
        channel: Channel,
        rpc: &Rpc,
        metadata: MetadataMap,
        names: &Names,
        request: &str,
    ) -> Told {
        self.calls += 1;
        let filled = names.fill(request);
        let message = DynamicMessage::parse_text_format(rpc.method.input(), &filled);
        let mut message = message.unwrap_or_else(|error| panic!("{}: {filled}: {error}", rpc.method.full_name()));
        if let Some(field) = rpc.method.input().get_field_by_name("at_least_revisions") {
            message.set_field(&field, Value::List(self.revisions.clone()));
        }
        let is_watch = rpc.method.name().starts_with("Watch");
        let call = Call { path: path_of(&rpc.method), is_watch, metadata, message: message.encode_to_vec() };
        let answer = answer(channel, call).await;
        Told::of(&rpc.method, answer).forgetting(names, request)
    }

    /// Asks as somebody, and notes what is wrong with the answer.
    async fn try_as(&mut self, identity: Identity, rpc: &Rpc, aim: &Aim, world: &World, to_platform: &Told) {
        let expected = aim.expected(identity);
        let proof = self.proofs[identity as usize].clone();
        let told = self.ask(rpc, proof.clone(), &world.theirs, aim.request).await;
        let mut problems = Vec::new();
        if !told.is_as(expected, to_platform) {
            problems.push(format!("{expected:?} was expected"));
        }
        let exists = !identity.is_outsider() && matches!(expected, Expected::Holding(_) | Expected::MissingThere(_));
        for (names, is_alike) in [(&world.nobodys, identity.is_outsider()), (&world.nothing, !exists)] {
            if is_alike && names.fill(aim.request) != world.theirs.fill(aim.request) {
                let absent = self.ask(rpc, proof.clone(), names, aim.request).await;
                if absent != told {
                    problems.push(format!("of what never was is told {absent:?}"));
                }
            }
        }
        if identity.is_outsider() {
            let leaked = world.telling.iter().filter(|telling| told.text().contains(telling.as_str()));
            problems.extend(leaked.map(|telling| format!("{telling} is told")));
        }
        if !problems.is_empty() {
            self.note(rpc, aim, &format!("{identity:?}: {problems:#?}"), &told);
        }
    }

    /// Asks as a caller who may not call at all, or not this.
    async fn try_through(&mut self, caller: &Caller, rpc: &Rpc, aim: &Aim, world: &World) {
        let channel = caller.channels[rpc.part as usize].clone();
        let told = self.ask_through(channel, rpc, caller.metadata.clone(), &world.theirs, aim.request).await;
        let refusal = match &told {
            Told::Refusal { reason, .. } if reason.starts_with("CALLER_") => Some(reason.as_str()),
            _ => None,
        };
        let expected = caller.refusal(path_of(&rpc.method).trim_start_matches('/'));
        if refusal != expected {
            self.note(rpc, aim, &format!("{}: {expected:?} was expected", caller.name), &told);
        }
    }

    /// Asks as the platform, for whom everything is there: else a refusal to others would say nothing.
    async fn try_as_platform(&mut self, rpc: &Rpc, aim: &Aim, world: &World) {
        let told = self.ask(rpc, self.platform.clone(), &world.theirs, aim.request).await;
        if let Told::Refusal { reason, .. } = &told
            && (reason.starts_with("UNKNOWN_") || matches!(reason.as_str(), "INVALID_FIELDS" | "ACTOR_NOT_ALLOWED"))
        {
            self.note(rpc, aim, "the platform, which may", &told);
        }
    }

    fn note(&mut self, rpc: &Rpc, aim: &Aim, problem: &str, told: &Told) {
        let (part, name, request) = (rpc.part, rpc.method.full_name(), aim.request);
        self.problems.push(format!("{part} {name} {{ {request} }} by {problem}\nwas answered {told:?}"));
    }

    fn require_no_problems(&self) {
        let shown = self.problems.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n\n");
        assert!(self.problems.is_empty(), "{} answers are not as they should be:\n{shown}", self.problems.len());
    }
}

/// An RPC, where it is served.
struct Rpc {
    part: Part,
    method: MethodDescriptor,
    aims: &'static [Aim],
}

/// Every RPC with its entry of the table: neither is without the other.
fn rpcs_with_aims() -> Vec<Rpc> {
    let rows = TABLE
        .iter()
        .flat_map(|(service, rows)| rows.iter().map(move |(method, aims)| (format!("{service}.{method}"), *aims)));
    let mut table: BTreeMap<String, &'static [Aim]> = BTreeMap::new();
    for (name, aims) in rows {
        assert!(!aims.is_empty(), "{name} is asked nothing");
        assert!(table.insert(name.clone(), aims).is_none(), "{name} has two entries");
    }
    let rpcs = rpcs();
    let served: BTreeSet<&str> = rpcs.iter().map(|(_, method)| method.full_name()).collect();
    let listed: BTreeSet<&str> = table.keys().map(String::as_str).collect();
    assert_eq!(served, listed, "RPCs that are served, and entries of the table");
    let with_aims = |(part, method): (Part, MethodDescriptor)| {
        let aims = table[method.full_name()];
        Rpc { part, method, aims }
    };
    rpcs.into_iter().map(with_aims).collect()
}

/// Everything that a write would have changed.
async fn state(cluster: &Cluster) -> Vec<String> {
    let access = cluster.access_feed().get_head_revision(access::GetHeadRevisionRequest {}).await.expect("a head");
    let servicing = cluster.servicing_feed().get_head_revision(activity::GetHeadRevisionRequest {}).await;
    let mut state = vec![access.into_inner().revision, servicing.expect("a head").into_inner().revision];
    for part in Part::ALL {
        state.push(format!("{:?}", cluster.status(part).await.revision));
    }
    for client in [2001, 2002] {
        let request = ListAssetsRequest { parent: format!("clients/{client}"), ..Default::default() };
        state.push(format!("{:?}", cluster.access().list_assets(request).await.expect("assets").into_inner()));
    }
    state
}

async fn r127_nobody_sees_or_changes_through_any_rpc_what_is_another_partners(kind: DatabaseKind) {
    let cluster = Cluster::start_secured(kind).await;
    let world = World::make(&cluster).await;
    // Reads that state no revisions know what the services have heard of by now.
    cluster.managed_credit(1001, 2002, "2026-01-01").await.expect("a row");
    cluster.servicing(1001, 2002, "2026-01-01").await.expect("an answer");
    let mut walk = Walk::begin(&cluster);
    let proofs = cluster.proofs();
    let callers = Caller::all(&cluster, proofs, cluster.now());
    let rpcs = rpcs_with_aims();
    let mut aims: Vec<_> = rpcs.iter().flat_map(|rpc| rpc.aims.iter().map(move |aim| (rpc, aim))).collect();

    let before = state(&cluster).await;
    for (rpc, aim) in &aims {
        let mut to_platform = Told::Answer(String::new());
        if Identity::ALL.iter().any(|identity| aim.expected(*identity) == Expected::Same) {
            to_platform = walk.ask(rpc, walk.platform.clone(), &world.theirs, aim.request).await;
        }
        for identity in Identity::ALL {
            walk.try_as(identity, rpc, aim, &world, &to_platform).await;
        }
    }
    for rpc in &rpcs {
        for caller in &callers {
            walk.try_through(caller, rpc, &rpc.aims[0], &world).await;
        }
    }
    walk.require_no_problems();
    assert_eq!(state(&cluster).await, before, "something was changed");
    let identities = Identity::ALL.len() + callers.len();
    say(&format!("{} RPCs x {identities} identities: {} calls", rpcs.len(), walk.calls));

    // Little can be changed of who is deleted, and nothing in a client account that is closed.
    aims.sort_by_key(|(rpc, _)| matches!(rpc.method.name(), "DeleteEmployee" | "CloseClient"));
    for (rpc, aim) in aims.iter().filter(|(_, aim)| aim.is_possible) {
        walk.try_as_platform(rpc, aim, &world).await;
    }
    walk.require_no_problems();
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r127_nobody_sees_or_changes_through_any_rpc_what_is_another_partners_on_sqlite() {
    r127_nobody_sees_or_changes_through_any_rpc_what_is_another_partners(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r127_nobody_sees_or_changes_through_any_rpc_what_is_another_partners_on_postgresql() {
    r127_nobody_sees_or_changes_through_any_rpc_what_is_another_partners(DatabaseKind::Postgresql).await;
}
