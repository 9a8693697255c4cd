//! A way to a service, or to PostgreSQL, that can be cut: addresses stay while processes come and go.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;

/// Bytes of answers that pass where nothing is to be cut.
const UNLIMITED: usize = usize::MAX;

/// The ends of a way: whoever calls is led to one target after the other.
#[derive(Debug, Clone)]
pub struct Proxy {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    targets: Mutex<Vec<SocketAddr>>,
    next: AtomicUsize,
    /// How many more bytes of answers pass before every connection is cut.
    left: AtomicUsize,
    cuts: watch::Sender<u64>,
}

/// A stream of either kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

impl Proxy {
    fn new() -> Self {
        let (targets, next, left) = (Mutex::default(), AtomicUsize::new(0), AtomicUsize::new(UNLIMITED));
        Self { state: Arc::new(State { targets, next, left, cuts: watch::Sender::default() }) }
    }

    /// A way to services, and where it begins.
    pub async fn to_services() -> (Self, String) {
        let proxy = Self::new();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let accepting = proxy.clone();
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                caller.set_nodelay(true).expect("a socket");
                let proxy = accepting.clone();
                tokio::spawn(async move {
                    if let Some(target) = proxy.reach_a_service().await {
                        proxy.carry(caller, target).await;
                    }
                });
            }
        });
        (proxy, url)
    }

    /// A way to the PostgreSQL that listens in a folder, beginning in another one.
    pub fn to_postgres(target: &Path, folder: &Path) -> Self {
        let proxy = Self::new();
        let socket = |folder: &Path| -> PathBuf { folder.join(".s.PGSQL.5432") };
        let listener = UnixListener::bind(socket(folder)).expect("a socket");
        let (accepting, target) = (proxy.clone(), socket(target));
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let (proxy, target) = (accepting.clone(), target.clone());
                tokio::spawn(async move {
                    if let Ok(target) = UnixStream::connect(target).await {
                        proxy.carry(caller, target).await;
                    }
                });
            }
        });
        proxy
    }

    /// Where the way leads from now on.
    pub fn lead_to(&self, targets: Vec<SocketAddr>) {
        *self.state.targets.lock().expect("a list") = targets;
    }

    /// Cuts every connection once so many more bytes of answers have passed.
    pub fn cut_after(&self, bytes: usize) {
        self.state.left.store(bytes, Ordering::SeqCst);
    }

    /// Waits for a cut.
    pub async fn is_cut(&self) {
        let mut cuts = self.state.cuts.subscribe();
        while self.state.left.load(Ordering::SeqCst) > 0 && cuts.changed().await.is_ok() {}
    }

    /// Lets everything pass again.
    pub fn mend(&self) {
        self.state.left.store(UNLIMITED, Ordering::SeqCst);
    }

    async fn reach_a_service(&self) -> Option<TcpStream> {
        let targets = self.state.targets.lock().expect("a list").clone();
        let first = self.state.next.fetch_add(1, Ordering::Relaxed);
        for index in 0..targets.len() {
            if let Ok(target) = TcpStream::connect(targets[(first + index) % targets.len()]).await {
                target.set_nodelay(true).expect("a socket");
                return Some(target);
            }
        }
        None
    }

    async fn carry(&self, caller: impl Stream, target: impl Stream) {
        let ((mut asks, mut hears), (mut answers, mut is_asked)) = (split(caller), split(target));
        let mut cuts = self.state.cuts.subscribe();
        let asking = async {
            let _ = tokio::io::copy(&mut asks, &mut is_asked).await;
            let _ = is_asked.shutdown().await;
        };
        tokio::select! {
            _ = cuts.changed() => {}
            _ = self.answer(&mut answers, &mut hears) => {}
            () = async { asking.await; std::future::pending().await } => {}
        }
    }

    /// Passes answers on until there are no more, or the way is cut.
    async fn answer(
        &self,
        answers: &mut (impl AsyncRead + Unpin),
        hears: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        let mut buffer = vec![0; 16_384];
        loop {
            let read = answers.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            let passing = self.take(read);
            hears.write_all(&buffer[..passing]).await?;
            hears.flush().await?;
            if passing < read {
                self.state.cuts.send_modify(|cuts| *cuts += 1);
                return Ok(());
            }
        }
    }

    /// How many of so many bytes may pass.
    fn take(&self, bytes: usize) -> usize {
        let take = |left: usize| if left == UNLIMITED { None } else { Some(left.saturating_sub(bytes)) };
        match self.state.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
            Ok(left) => bytes.min(left),
            Err(_) => bytes,
        }
    }
}
