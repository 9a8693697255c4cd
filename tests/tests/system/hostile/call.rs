//! A call of any RPC with any bytes, and what its answer may be.

use std::time::Duration;

use contracts::{ErrorReason, code_of};
use prost::Message as _;
use prost::bytes::{Buf as _, BufMut as _};
use service_kit::Channel;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataMap;
use tonic::{Code, Extensions, Request, Status};
use tonic_types::pb::ErrorInfo;

/// The longest that an answer may take, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(60);

/// What is read of a stream that ends by itself.
const MAXIMUM_MESSAGES: usize = 10_000;

/// How much of a call is shown that is not answered as it should be.
const SHOWN_BYTES: usize = 4_000;

/// One call: which RPC, with which bytes as its message.
#[derive(Debug, Clone)]
pub struct Call {
    /// `/package.Service/Method`
    pub path: String,
    /// Whether it goes on until the caller has enough.
    pub is_watch: bool,
    /// What it says beside its message.
    pub metadata: MetadataMap,
    /// Its message as it is sent.
    pub message: Vec<u8>,
}

/// Messages as the bytes that they are.
#[derive(Debug, Clone, Copy, Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length).to_vec()))
    }
}

/// Makes the call and reads its answer; every answer of one message is read as a stream of one.
///
/// # Errors
/// What is wrong with the answer: it takes too long, or is no proper refusal.
pub async fn make(channel: Channel, call: Call) -> Result<Code, String> {
    let mut shown = format!("{call:?}");
    let answer = tokio::time::timeout(LIMIT, answer(channel, call)).await;
    let problem = match answer {
        Ok(Ok(_)) => return Ok(Code::Ok),
        Ok(Err(status)) => match require_proper(&status) {
            Ok(()) => return Ok(status.code()),
            Err(problem) => format!("{problem}: {status:?}"),
        },
        Err(_) => format!("no answer within {LIMIT:?}"),
    };
    shown.truncate(shown.floor_char_boundary(SHOWN_BYTES));
    Err(format!("{problem}\nto {shown}"))
}

/// The messages of the answer, as they come.
///
/// # Errors
/// A refusal, also of what follows the first messages.
pub async fn answer(channel: Channel, call: Call) -> Result<Vec<Vec<u8>>, Status> {
    let mut client = Grpc::new(channel);
    client.ready().await.map_err(|error| Status::unknown(format!("not ready: {error}")))?;
    let path: PathAndQuery = call.path.parse().expect("a path");
    let request = Request::from_parts(call.metadata, Extensions::default(), call.message);
    let mut messages = client.server_streaming(request, path, Bytes).await?.into_inner();
    let most = if call.is_watch { 1 } else { MAXIMUM_MESSAGES };
    let mut answer = Vec::new();
    while answer.len() < most
        && let Some(message) = messages.message().await?
    {
        answer.push(message);
    }
    Ok(answer)
}

/// Exactly one reason of ours, with the code that belongs to it, and none that says that we failed.
fn require_proper(status: &Status) -> Result<(), String> {
    let details = tonic_types::pb::Status::decode(status.details()).map_err(|error| error.to_string())?.details;
    let infos = details.iter().filter(|detail| detail.type_url.ends_with("/google.rpc.ErrorInfo"));
    let infos: Vec<ErrorInfo> = infos.filter_map(|detail| ErrorInfo::decode(detail.value.as_slice()).ok()).collect();
    let [info] = infos.as_slice() else { return Err(format!("{} reasons", infos.len())) };
    let reason = ErrorReason::from_str_name(&format!("ERROR_REASON_{}", info.reason));
    let reason = reason.ok_or_else(|| format!("an unknown reason, {}", info.reason))?;
    if info.domain != "managed-credit" || code_of(reason) != status.code() {
        return Err(format!("the domain or code of another reason than {}", info.reason));
    }
    if status.code() == Code::Internal { Err("a fault of ours".to_owned()) } else { Ok(()) }
}
