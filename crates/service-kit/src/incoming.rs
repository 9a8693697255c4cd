//! Connections as they come in: plain, encrypted, or of a service of the same process; each with what it proves.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::{Connected, TcpIncoming};

use crate::security::{Protocols, Security, names_of};
use crate::server::ServeError;

/// How long a handshake may take, and how many may be under way: others wait to be accepted.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
const MAXIMUM_HANDSHAKES: usize = 4_096;

/// How long to wait after a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How many bytes are under way between two services of one process, in each direction.
const IN_PROCESS_BYTES: usize = 256 * 1_024;

/// How many connections of services of this process wait to be accepted.
const IN_PROCESS_CONNECTIONS: usize = 8;

/// Who is at the other end of a connection, as far as the connection proves it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peer {
    /// The names of its certificate, which an authority of callers has signed.
    pub certificate_names: Arc<[String]>,
    /// The service of this process that it is.
    pub service: Option<&'static str>,
}

/// An address that is listened on, and a way in for services of the same process.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    in_process: (mpsc::Sender<InProcess>, mpsc::Receiver<InProcess>),
}

/// The server's end of a connection within the process, and which service has the other.
type InProcess = (DuplexStream, &'static str);

impl Listener {
    /// Listens; port 0 takes any that is free. Other machines may call only where callers are proven and encrypted.
    ///
    /// # Errors
    /// An address that others could call without that, or that cannot be listened on.
    pub async fn bind(address: SocketAddr, security: &Security) -> Result<Self, ServeError> {
        security.require_suitable(address)?;
        let tcp = TcpListener::bind(address).await.map_err(|source| ServeError::Bind { address, source })?;
        Ok(Self { tcp, in_process: mpsc::channel(IN_PROCESS_CONNECTIONS) })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The machine does not say.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// The way in for a service of this process.
    #[must_use]
    pub fn door_for(&self, service: &'static str) -> Door {
        Door { service, server: self.in_process.0.clone() }
    }

    /// Its connections, each when it is ready for calls.
    pub(crate) fn connections(
        self,
        security: &Security,
        protocols: Protocols,
    ) -> impl Stream<Item = io::Result<Connection>> + use<> {
        let mut tcp = TcpIncoming::from(self.tcp).with_nodelay(Some(true));
        let (_open, mut in_process) = self.in_process;
        let security = security.clone();
        let mut handshakes = JoinSet::new();
        async_stream::stream! {
            // Kept, so that it is never closed.
            let _open = _open;
            loop {
                tokio::select! {
                    accepted = tcp.next(), if handshakes.len() < MAXIMUM_HANDSHAKES => {
                        let stream = match accepted {
                            None => break,
                            Some(Ok(stream)) => stream,
                            Some(Err(error)) => {
                                // For example too many open files: it does not help to ask again at once.
                                tracing::warn!(%error, "a connection could not be accepted");
                                tokio::time::sleep(ACCEPT_PAUSE).await;
                                continue;
                            }
                        };
                        match security.tls_acceptor(protocols) {
                            None => yield Ok(Connection::plain(stream)),
                            Some(acceptor) => {
                                handshakes.spawn(Connection::encrypted(stream, acceptor));
                            }
                        }
                    }
                    Some(ended) = handshakes.join_next() => match ended {
                        Ok(Ok(connection)) => yield Ok(connection),
                        Ok(Err(error)) => tracing::info!(%error, "a handshake failed"),
                        Err(error) => tracing::error!(%error, "a handshake ended badly"),
                    },
                    Some((stream, service)) = in_process.recv() => yield Ok(Connection::in_process(stream, service)),
                }
            }
        }
    }
}

/// The way into a service for another of the same process.
#[derive(Debug, Clone)]
pub struct Door {
    service: &'static str,
    server: mpsc::Sender<InProcess>,
}

impl Door {
    /// A connection, whose server knows who calls.
    pub(crate) async fn connect(&self) -> io::Result<DuplexStream> {
        let (ours, theirs) = tokio::io::duplex(IN_PROCESS_BYTES);
        let closed = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
        self.server.send((theirs, self.service)).await.map_err(closed)?;
        Ok(ours)
    }
}

/// What bytes come and go through.
pub(crate) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// A connection that is ready for calls.
pub(crate) struct Connection {
    bytes: Box<dyn Bytes>,
    peer: Peer,
}

impl Connection {
    fn plain(stream: TcpStream) -> Self {
        Self { bytes: Box::new(stream), peer: Peer::default() }
    }

    fn in_process(stream: DuplexStream, service: &'static str) -> Self {
        Self { bytes: Box::new(stream), peer: Peer { service: Some(service), ..Peer::default() } }
    }

    async fn encrypted(stream: TcpStream, acceptor: TlsAcceptor) -> io::Result<Self> {
        let stream = tokio::time::timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await??;
        let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let certificate_names = certificate.map(names_of).unwrap_or_default().into();
        Ok(Self { bytes: Box::new(stream), peer: Peer { certificate_names, service: None } })
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.bytes).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.bytes).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.bytes.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_shutdown(context)
    }
}
