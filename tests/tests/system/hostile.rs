//! Hostile messages to every RPC: whatever is sent is answered, properly and in time, and harms nothing.

pub mod call;
mod message;

use std::collections::BTreeMap;
use std::sync::Arc;

use contracts::FILE_DESCRIPTOR_SET;
use contracts::wire::access;
use futures_util::StreamExt as _;
use futures_util::stream;
use hostile::{executions, runner, say, seed, to_repeat};
use managed_credit::running::Part;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use service_kit::{Channel, Identity};
use system_tests::{Cluster, on_both_databases, reason};
use tonic::Code;
use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue};
use tonic::metadata::MetadataMap;

use crate::maintenance::verify::verify;
use call::{Call, make};
use message::{Known, encoded, usual};

/// How many messages a usual run sends to each RPC, on each database.
const MESSAGES: u32 = 25;

/// How many calls are under way at once.
const AT_ONCE: usize = 16;

/// How many answers that are not as they should be are shown.
const SHOWN: usize = 10;

/// More than the 4 MiB that a message may have.
const TOO_LARGE: usize = 4 * 1_024 * 1_024 + 1;

/// Three of them are less than the 16 KiB that a call's headers may have.
const MAXIMUM_HEADER_BYTES: usize = 5_000;

const ANNA: &str = "anna@agency.example";
const BOSS: &str = "boss@client.example";

/// Every RPC of every service, where it is served.
pub fn rpcs() -> Vec<(Part, MethodDescriptor)> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the contracts");
    let mut rpcs = Vec::new();
    for service in pool.services() {
        let parts: &[Part] = match service.full_name().split('.').nth(1) {
            Some("access") => &[Part::Access],
            Some("activity") => &[Part::Activity],
            Some("credit") => &[Part::Credit],
            Some("maintenance") => &Part::ALL,
            _ => panic!("who serves {}?", service.full_name()),
        };
        for part in parts {
            rpcs.extend(service.methods().map(|method| (*part, method)));
        }
    }
    assert!(rpcs.len() > 70, "only {} RPCs were found", rpcs.len());
    rpcs
}

/// As it is called.
pub fn path_of(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// How each service is called.
pub fn channels(cluster: &Cluster) -> [Channel; 3] {
    Part::ALL.map(|part| cluster.channel_of(part, &Identity::default()))
}

/// A partner, its clients, and one of everything that has a name.
async fn world(cluster: &Cluster) -> Known {
    let mut known = Known::default();
    usual(&mut known);
    cluster.partner(1001, &["agency.example"]).await;
    known.add("partner", "partners/1001");
    let anna = cluster.employee_with(1001, ANNA, access::AccessRole::SuperAdmin).await;
    let carla = cluster.employee(1001, "carla@agency.example").await;
    for client in [2002, 2003] {
        cluster.client(client, "US").await;
        known.add("client", format!("clients/{client}"));
        known.add("client_user", cluster.user_with(client, ANNA, "PARTNER_ADMIN").await);
        known.add("client_user", cluster.user_with(client, BOSS, "SUPER_ADMIN").await);
        cluster.work(client, "one", ANNA, "2025-12-20", "blog/publish").await;
        known.add("activity", format!("clients/{client}/activities/one"));
        cluster.subscription(client, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
        known.add("subscription", format!("clients/{client}/subscriptions/main"));
        known.add("asset", format!("clients/{client}/assets/form-1"));
    }
    let request = access::CreateAccessLinkRequest {
        parent: carla.clone(),
        access_link: Some(access::AccessLink::default()),
        ..Default::default()
    };
    let link = cluster.access().create_access_link(request).await.expect("a link").into_inner();
    known.add("access_link", link.access_link.expect("the link").name);
    known.add("token", link.token);
    known.add("employee", anna);
    known.add("employee", carla);
    known.add("statement", "partners/1001/statements/2025-11");
    known.add("sold_credit", "partners/1001/soldCredits/one");
    for revision in cluster.known_revisions() {
        known.add("revision", revision);
    }
    known
}

/// Who calls, for whom, and until when, as nobody should say it; mostly as the platform.
fn metadata() -> impl Strategy<Value = MetadataMap> {
    let actor = prop_oneof![
        7 => Just(None),
        2 => select(&[ANNA, BOSS][..]).prop_map(|actor| Some(actor.as_bytes().to_vec())),
        2 => header().prop_map(Some),
    ];
    let on_behalf_of = prop::option::weighted(0.1, header());
    let timeout =
        select(&["", "S", "1", "-1S", "99999999H", "100000000S", "1 S", "١S", "NaNS", "18446744073709551616n"][..]);
    let timeout = prop::option::weighted(0.1, timeout.prop_map(|text| text.as_bytes().to_vec()));
    let request_id = prop::option::weighted(0.05, header());
    (actor, on_behalf_of, timeout, request_id).prop_map(|(actor, on_behalf_of, timeout, request_id)| {
        let mut headers = HeaderMap::new();
        let stated = [
            ("x-actor", actor),
            ("x-on-behalf-of", on_behalf_of),
            ("grpc-timeout", timeout),
            ("x-request-id", request_id),
        ];
        for (name, value) in stated {
            // What no header can hold is not sent.
            if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(&value).ok()) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        MetadataMap::from_headers(headers)
    })
}

/// A value of at most so many bytes that HTTP still takes it: a longer one reaches nobody.
fn header() -> impl Strategy<Value = Vec<u8>> {
    let valid = [ANNA, BOSS, "platform"].map(|text| text.as_bytes().to_vec());
    let header = prop_oneof![
        4 => hostile::tampered(valid.to_vec()),
        2 => hostile::text(&[ANNA, "platform"]).prop_map(String::into_bytes),
        1 => (1..6_000_usize).prop_map(|length| [vec![b'a'; length], b"@agency.example".to_vec()].concat()),
    ];
    header.prop_map(|mut value| {
        value.truncate(MAXIMUM_HEADER_BYTES);
        value
    })
}

/// The calls of a storm, in the order in which they are begun.
fn calls(known: &Arc<Known>, seed: u64) -> Vec<(Part, Call)> {
    let mut runner = runner(seed, 1);
    let mut calls = Vec::new();
    for (part, method) in rpcs() {
        let call = (encoded(&method.input(), known), metadata()).prop_map(move |(message, metadata)| {
            let is_watch = method.name().starts_with("Watch");
            Call { path: path_of(&method), is_watch, metadata, message }
        });
        for _ in 0..executions(MESSAGES) {
            calls.push((part, call.new_tree(&mut runner).expect("a call").current()));
        }
    }
    Just(calls).prop_shuffle().new_tree(&mut runner).expect("an order").current()
}

/// Everything works as if nothing had been.
async fn require_unharmed(cluster: &Cluster) {
    cluster.partner(7001, &["calm.example"]).await;
    cluster.employee(7001, "kim@calm.example").await;
    cluster.client(7002, "US").await;
    cluster.user(7002, "kim@calm.example").await;
    cluster.work(7002, "one", "kim@calm.example", "2025-12-20", "blog/publish").await;
    cluster.subscription(7002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    let credit = loop {
        match cluster.managed_credit(7001, 7002, "2026-01-01").await {
            Err(status) if reason(&status) == "FACTS_BEHIND" => {}
            answer => break answer.expect("a row"),
        }
    };
    assert_eq!(credit.points.as_deref(), Some("10.00"));
    for part in Part::ALL {
        let told = verify(cluster, part).await;
        assert_eq!(told.total, 0, "{part}: {:?}", told.differences);
    }
}

on_both_databases!(whatever_any_rpc_is_sent_it_answers_properly_and_nothing_is_harmed, |cluster| {
    let seed = seed();
    let known = Arc::new(world(&cluster).await);
    let channels = channels(&cluster);
    let calls = calls(&known, seed);
    let count = calls.len();
    let storm = stream::iter(calls).map(|(part, call)| {
        let channel = channels[part as usize].clone();
        async move { tokio::spawn(make(channel, call)).await.expect("no panic") }
    });
    let answers: Vec<_> = storm.buffer_unordered(AT_ONCE).collect().await;
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    let mut improper = Vec::new();
    for answer in answers {
        match answer {
            Ok(code) => *codes.entry(format!("{code:?}")).or_default() += 1,
            Err(problem) => improper.push(problem),
        }
    }
    let shown = improper.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n\n");
    assert!(improper.is_empty(), "{} improper answers:\n{shown}\n{}", improper.len(), to_repeat(seed));
    say(&format!("{count} hostile messages: {codes:?}"));
    assert!(
        codes[&format!("{:?}", Code::Ok)] > count / 10,
        "most came to nothing, so that little was tried: {codes:?}"
    );
    require_unharmed(&cluster).await;
});

on_both_databases!(a_message_that_is_too_large_is_refused_by_every_rpc, |cluster| {
    let channels = channels(&cluster);
    for (part, method) in rpcs() {
        let call =
            Call { path: path_of(&method), is_watch: false, metadata: MetadataMap::new(), message: vec![0; TOO_LARGE] };
        let answer = make(channels[part as usize].clone(), call).await;
        assert_eq!(answer, Ok(Code::ResourceExhausted), "{}", method.full_name());
    }
});
