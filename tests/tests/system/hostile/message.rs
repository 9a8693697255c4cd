//! Messages made from their descriptors: nearly right ones, so that they come far, with hostile values in some fields.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::policy::Policy;
use hostile::{TEXTS, tampered, text};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use sha2::{Digest as _, Sha256};

/// Seconds of the first and last instants that are kept, and of one in the middle.
const SECONDS: [i64; 9] = [
    i64::MIN,
    -62_135_596_801,
    -62_135_596_800,
    0,
    1_767_225_599,
    1_767_225_600,
    253_402_300_799,
    253_402_300_800,
    i64::MAX,
];
const NANOS: [i32; 6] = [i32::MIN, -1, 0, 999_999_999, 1_000_000_000, i32::MAX];
const INTEGERS: [i64; 14] =
    [0, 1, 2, 3, -1, 50, 1_000, 1_001, 2002, i32::MAX as i64, i32::MIN as i64, 1 << 32, i64::MAX, i64::MIN];

/// One more than the most that any list of a request may have.
const TOO_MANY: usize = 10_001;

/// What exists, by the kind of thing: names, and other texts that are right somewhere.
#[derive(Debug, Default)]
pub struct Known(Vec<(&'static str, Vec<String>)>);

impl Known {
    /// Remembers the name of a thing.
    pub fn add(&mut self, kind: &'static str, name: impl Into<String>) {
        match self.0.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, names)) => names.push(name.into()),
            None => self.0.push((kind, vec![name.into()])),
        }
    }

    fn of(&self, kind: &str) -> Vec<String> {
        self.0.iter().find(|(other, _)| *other == kind).map(|(_, names)| names.clone()).unwrap_or_default()
    }

    /// What may be right for a field of text.
    fn right_for(&self, field: &FieldDescriptor) -> Vec<String> {
        let message = field.parent_message().name().to_owned();
        let kind = match field.name() {
            "name" => return self.named_like(&message),
            "parent" => return ["partner", "client", "employee"].iter().flat_map(|kind| self.of(kind)).collect(),
            "partner" | "employee" | "client" | "client_user" | "asset" | "access_link" | "activity" => field.name(),
            "employees" | "clients" | "assets" => field.name().trim_end_matches('s'),
            "deleted_assets" => "asset",
            "owner" | "new_owner" | "colleague" => "client_user",
            "at_least_revisions" => "revision",
            name => name,
        };
        let right = self.of(kind);
        if right.is_empty() { texts(&["one", "Name"]) } else { right }
    }

    /// The names of what a message is about: of a `GetClientUserRequest` those of client users.
    fn named_like(&self, message: &str) -> Vec<String> {
        let kinds = [
            ("ClientUser", "client_user"),
            ("AccessLink", "access_link"),
            ("SoldCredit", "sold_credit"),
            ("Subscription", "subscription"),
            ("Statement", "statement"),
            ("Activity", "activity"),
            ("Asset", "asset"),
            ("Employee", "employee"),
            ("Partner", "partner"),
            ("Client", "client"),
        ];
        let found = kinds.iter().find(|(part, _)| message.contains(part));
        self.of(found.map_or("partner", |(_, kind)| *kind))
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

/// What is right for fields that do not name anything.
pub fn usual(known: &mut Known) {
    let usual: [(&'static str, &[&str]); 17] = [
        ("email_address", &["anna@agency.example", "boss@client.example", "new@agency.example", "x@gmail.com"]),
        ("email_domains", &["agency.example", "other.example", "gmail.com"]),
        ("country_code", &["IT", "US", "IN"]),
        ("currency_code", &["USD", "EUR", "JPY", "KWD"]),
        ("amount", &["1000.00", "0", "12.5", "10000000000000"]),
        ("permission_set", &["STANDARD", "PARTNER_ADMIN", "SUPER_ADMIN"]),
        ("tool", &["blog", "form"]),
        ("action", &["publish", "edit"]),
        ("month", &["2025-10", "2025-11", "2025-12", "2026-01"]),
        ("evaluation_date", &["2025-12-15", "2026-01-15"]),
        ("feed", &["", "access", "servicing"]),
        ("request_id", &["", "0190a0b0-0000-7000-8000-000000000001"]),
        ("etag", &[""]),
        ("search", &["", "a"]),
        ("client_search", &["", "a"]),
        ("page_token", &[""]),
        ("paths", &["display_name", "country_code", "email_domains", "mrr", "permission_set", "*"]),
    ];
    for (kind, right) in usual {
        for text in right {
            known.add(kind, *text);
        }
    }
    known.add("policy_document", "");
    known.add("policy_document", Policy::embedded().document());
}

/// Encoded messages of every kind of hostility.
pub fn encoded(descriptor: &MessageDescriptor, known: &Arc<Known>) -> BoxedStrategy<Vec<u8>> {
    let hostile = message(descriptor, known, 0.3).prop_map(|message| message.encode_to_vec());
    let nearly_right = message(descriptor, known, 0.05).prop_map(|message| message.encode_to_vec());
    let tampered = message(descriptor, known, 0.0).prop_flat_map(|message| tampered(vec![message.encode_to_vec()]));
    let random = vec(any::<u8>(), 0..200);
    let mut kinds = vec![(4, hostile.boxed()), (4, nearly_right.boxed()), (3, tampered.boxed()), (1, random.boxed())];
    if descriptor.get_field_by_name("page_token").is_some() {
        kinds.push((3, with_forged_token(descriptor, known)));
    }
    proptest::strategy::Union::new_weighted(kinds).boxed()
}

/// A list with a page token that says it is of this very query, but begins at no row of it: only this service could tell.
fn with_forged_token(descriptor: &MessageDescriptor, known: &Arc<Known>) -> BoxedStrategy<Vec<u8>> {
    /// As the services have it.
    #[derive(Clone, PartialEq, Message)]
    struct Token {
        #[prost(bytes = "vec", tag = "1")]
        query_hash: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        after: Vec<u8>,
    }
    // Services make places of numbers of eight bytes, behind which there may be a text.
    let number = prop_oneof![select(&INTEGERS[..]), 1_735_689_600_000_000..1_767_225_600_000_000_i64];
    let numbers = vec(number.prop_map(i64::to_be_bytes), 0..4);
    let text = prop::option::of(select(&TEXTS[..]).prop_map(|text| text.as_bytes().to_vec()));
    let place = (numbers, text).prop_map(|(numbers, text)| [numbers.concat(), text.unwrap_or_default()].concat());
    let place = prop_oneof![3 => place, 1 => vec(any::<u8>(), 0..80)];
    let forged = (message(descriptor, known, 0.0), place).prop_map(|(mut message, after)| {
        let revisions = message.get_field_by_name("at_least_revisions").is_some();
        for field in ["page_size", "page_token"].into_iter().chain(revisions.then_some("at_least_revisions")) {
            message.clear_field_by_name(field);
        }
        let query_hash = Sha256::digest(message.encode_to_vec()).to_vec();
        let token = URL_SAFE_NO_PAD.encode(Token { query_hash, after }.encode_to_vec());
        message.set_field_by_name("page_token", Value::String(token));
        message.encode_to_vec()
    });
    forged.boxed()
}

/// Messages whose every value is hostile with this probability, and absent now and then.
fn message(descriptor: &MessageDescriptor, known: &Arc<Known>, hostility: f64) -> BoxedStrategy<DynamicMessage> {
    if descriptor.full_name() == "google.protobuf.Timestamp" {
        return timestamp(descriptor.clone(), hostility);
    }
    let fields: Vec<_> = descriptor.fields().map(|field| field_value(&field, known, hostility)).collect();
    let descriptor = descriptor.clone();
    let message = fields.prop_map(move |values| {
        let mut message = DynamicMessage::new(descriptor.clone());
        for (field, value) in values.into_iter().flatten() {
            message.set_field(&field, value);
        }
        message
    });
    message.boxed()
}

fn field_value(
    field: &FieldDescriptor,
    known: &Arc<Known>,
    hostility: f64,
) -> BoxedStrategy<Option<(FieldDescriptor, Value)>> {
    let single = value(field, known, hostility);
    let value = if field.is_list() {
        let too_many = single.clone().prop_map(|value| Value::List(vec![value; TOO_MANY]));
        let few = vec(single, 0..4).prop_map(Value::List);
        one_of(few.boxed(), too_many.boxed(), hostility / 5.0)
    } else {
        single
    };
    let field = field.clone();
    prop::option::weighted(0.85, value.prop_map(move |value| (field.clone(), value))).boxed()
}

fn value(field: &FieldDescriptor, known: &Arc<Known>, hostility: f64) -> BoxedStrategy<Value> {
    match field.kind() {
        Kind::String => {
            let right = known.right_for(field);
            let valid: Vec<&str> = right.iter().map(String::as_str).collect();
            let hostile = text(&valid);
            one_of(select(right).boxed(), hostile.boxed(), hostility).prop_map(Value::String).boxed()
        }
        Kind::Bytes => vec(any::<u8>(), 0..40).prop_map(|bytes| Value::Bytes(bytes.into())).boxed(),
        Kind::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::Int32 => integer(hostility).prop_map(|number| Value::I32(number as i32)).boxed(),
        Kind::Int64 => integer(hostility).prop_map(Value::I64).boxed(),
        Kind::Uint64 => integer(hostility).prop_map(|number| Value::U64(number as u64)).boxed(),
        Kind::Enum(descriptor) => {
            let right: Vec<i32> = descriptor.values().map(|value| value.number()).collect();
            let hostile = select(&[-1, 99, i32::MIN, i32::MAX][..]);
            one_of(select(right).boxed(), hostile.boxed(), hostility).prop_map(Value::EnumNumber).boxed()
        }
        Kind::Message(descriptor) => message(&descriptor, known, hostility).prop_map(Value::Message).boxed(),
        other => panic!("{}: no value of {other:?} is made here yet", field.full_name()),
    }
}

fn integer(hostility: f64) -> BoxedStrategy<i64> {
    one_of(select(&INTEGERS[..6]).boxed(), select(&INTEGERS[..]).boxed(), hostility)
}

/// Instants of the months before the clock's, or seconds and nanoseconds at and beyond their bounds.
fn timestamp(descriptor: MessageDescriptor, hostility: f64) -> BoxedStrategy<DynamicMessage> {
    let right = (1_735_689_600..1_767_225_600_i64, Just(0)).boxed();
    let hostile = (select(&SECONDS[..]), select(&NANOS[..])).boxed();
    let stamp = one_of(right, hostile, hostility).prop_map(move |(seconds, nanos)| {
        let mut stamp = DynamicMessage::new(descriptor.clone());
        stamp.set_field_by_name("seconds", Value::I64(seconds));
        stamp.set_field_by_name("nanos", Value::I32(nanos));
        stamp
    });
    stamp.boxed()
}

fn one_of<T: std::fmt::Debug + Clone + 'static>(
    right: BoxedStrategy<T>,
    hostile: BoxedStrategy<T>,
    hostility: f64,
) -> BoxedStrategy<T> {
    (prop::bool::weighted(hostility), right, hostile)
        .prop_map(|(is_hostile, right, hostile)| if is_hostile { hostile } else { right })
        .boxed()
}
