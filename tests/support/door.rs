//! A port that can be shut: then connections to it are refused, and nobody else gets it.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A listening port and the connections that came through it. Starts open.
pub struct Door {
    pub address: SocketAddr,
    /// Bound to the port and never listening, so that the kernel gives it to nobody while the door is shut.
    _reserved: TcpSocket,
    serve: Arc<dyn Fn(TcpStream) -> Serving + Send + Sync>,
    accepting: Mutex<Option<JoinHandle<()>>>,
    cut: watch::Sender<u64>,
}

impl Door {
    /// A door on a free port; each connection is given to `serve`.
    pub fn new<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let reserved = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let door = Self {
            address: reserved.local_addr().unwrap(),
            _reserved: reserved,
            serve: Arc::new(move |stream| Box::pin(serve(stream))),
            accepting: Mutex::default(),
            cut: watch::channel(0).0,
        };
        door.open();
        door
    }

    /// Lets connections in.
    pub fn open(&self) {
        let listener = bound(self.address).listen(1024).unwrap();
        let accepting = tokio::spawn(accept(listener, self.serve.clone(), self.cut.subscribe()));
        *self.accepting.lock().unwrap() = Some(accepting);
    }

    /// Refuses connections, and breaks off those that there are.
    pub async fn shut(&self) {
        let accepting = self.accepting.lock().unwrap().take();
        if let Some(accepting) = accepting {
            accepting.abort();
            // Only then is the listener gone.
            let _aborted = accepting.await;
        }
        self.break_off();
    }

    /// Breaks off every connection there is.
    pub fn break_off(&self) {
        self.cut.send_modify(|times| *times += 1);
    }
}

fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

async fn accept(
    listener: TcpListener,
    serve: Arc<dyn Fn(TcpStream) -> Serving + Send + Sync>,
    cut: watch::Receiver<u64>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (serving, mut cut) = (serve(stream), cut.clone());
        cut.mark_unchanged();
        tokio::spawn(async move {
            tokio::select! {
                _ = cut.changed() => {}
                () = serving => {}
            }
        });
    }
}
