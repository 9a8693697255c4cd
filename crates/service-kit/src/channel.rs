//! Channels to services: encrypted or not, to another process or within this one, each with its client's identity.

use std::io;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tonic::codegen::http::Uri;
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;
use tonic::{Request, Status};
use tower::service_fn;

use crate::incoming::{Bytes, Door};
use crate::security::{Identity, Origin};
use crate::telemetry::add_trace_headers;

/// A channel whose calls carry the identity of the client, and of the call that they are made for.
pub type Channel = InterceptedService<tonic::transport::Channel, Envelope>;

/// Why there can be no channel.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// It is no URL of a service.
    #[error("is not the URL of a service, for example http://127.0.0.1:50051")]
    Url,
    /// Nobody is said to be believed.
    #[error("https needs authorities: who signs the certificates of services")]
    NoAuthorities,
    /// Whoever is on the way could read and change everything.
    #[error("https is expected: whoever is on the way to another machine could read and change what is said")]
    Plaintext,
}

/// A channel to a service; it connects when it is first used, and again whenever it must.
///
/// # Errors
/// A URL that is none, or that does not fit the identity.
pub fn connect(url: &str, identity: &Identity) -> Result<Channel, ChannelError> {
    let uri: Uri = url.parse().map_err(|_| ChannelError::Url)?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(ChannelError::Url) };
    let (host, is_encrypted) = match scheme {
        "http" => (authority.host().to_owned(), false),
        "https" => (authority.host().to_owned(), true),
        _ => return Err(ChannelError::Url),
    };
    let port = authority.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
    if !is_encrypted && identity.needs_encryption() && !is_this_machine(&host) {
        return Err(ChannelError::Plaintext);
    }
    if is_encrypted && identity.tls_connector().is_none() {
        return Err(ChannelError::NoAuthorities);
    }
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let server_name = ServerName::try_from(host.clone()).map_err(|_| ChannelError::Url)?;
    let of_connector = identity.clone();
    let connector = service_fn(move |_: Uri| {
        let (host, server_name) = (host.clone(), server_name.clone());
        let tls = of_connector.tls_connector().filter(|_| is_encrypted);
        async move {
            let stream = TcpStream::connect((host.as_str(), port)).await?;
            stream.set_nodelay(true)?;
            let bytes: Box<dyn Bytes> = match tls {
                None => Box::new(stream),
                Some(tls) => Box::new(tls.connect(server_name, stream).await?),
            };
            Ok::<_, io::Error>(TokioIo::new(bytes))
        }
    });
    // Our connector encrypts; with an https URL tonic would encrypt once more, or refuse. Requests say what was asked for.
    let endpoint = Endpoint::from_shared(format!("http://{authority}")).map_err(|_| ChannelError::Url)?;
    let endpoint = endpoint.origin(uri).connect_timeout(Duration::from_secs(2));
    Ok(envelope(keeping_alive(endpoint).connect_with_connector_lazy(connector), identity.clone()))
}

/// A channel to a service of this process.
#[must_use]
pub fn connect_within(door: Door) -> Channel {
    let connector = service_fn(move |_: Uri| {
        let door = door.clone();
        async move { Ok::<_, io::Error>(TokioIo::new(door.connect().await?)) }
    });
    let endpoint = Endpoint::from_static("http://in.process");
    envelope(endpoint.connect_with_connector_lazy(connector), Identity::default())
}

fn keeping_alive(endpoint: Endpoint) -> Endpoint {
    endpoint.http2_keep_alive_interval(Duration::from_secs(10)).keep_alive_timeout(Duration::from_secs(5))
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn envelope(channel: tonic::transport::Channel, identity: Identity) -> Channel {
    InterceptedService::new(channel, Envelope { identity })
}

/// Writes on every call who makes it, and for the sake of which call.
#[derive(Debug, Clone)]
pub struct Envelope {
    identity: Identity,
}

impl Interceptor for Envelope {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let mut headers = std::mem::take(request.metadata_mut()).into_headers();
        headers.extend(Origin::current());
        add_trace_headers(&mut headers);
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        if let Some(authorization) = self.identity.authorization() {
            request.metadata_mut().insert("authorization", authorization);
        }
        Ok(request)
    }
}
