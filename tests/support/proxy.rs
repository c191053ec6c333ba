//! A small proxy in front of an EHR, for the faults that a real server does not have.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Passes requests on; loses as many answers to POST requests as it was told to, after the EHR has given them.
pub struct Proxy {
    pub base: String,
    wanted: Arc<AtomicU32>,
    lost: Arc<AtomicU32>,
}

impl Proxy {
    /// A proxy in front of the FHIR endpoint `upstream`.
    pub async fn before(upstream: &str) -> Self {
        let url = reqwest::Url::parse(upstream).unwrap();
        let target: SocketAddr = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap()).parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}{}", listener.local_addr().unwrap(), url.path().trim_end_matches('/'));
        let (wanted, lost) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        tokio::spawn({
            let (wanted, lost) = (wanted.clone(), lost.clone());
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let upstream = TcpStream::connect(target).await.unwrap();
                    tokio::spawn(pass(client, upstream, wanted.clone(), lost.clone()));
                }
            }
        });
        Self { base, wanted, lost }
    }

    /// Loses the answers to the next `count` POST requests.
    pub fn lose_answers(&self, count: u32) {
        self.wanted.store(count, Ordering::SeqCst);
    }

    /// How many answers were lost.
    pub fn lost(&self) -> u32 {
        self.lost.load(Ordering::SeqCst)
    }
}

async fn pass(mut client: TcpStream, mut upstream: TcpStream, wanted: Arc<AtomicU32>, lost: Arc<AtomicU32>) {
    let (mut request, mut answer) = (vec![0; 65536], vec![0; 65536]);
    let mut is_post = false;
    loop {
        tokio::select! {
            read = client.read(&mut request) => match read {
                Ok(count) if count > 0 => {
                    is_post |= request.starts_with(b"POST ");
                    if request.starts_with(b"GET ") {
                        is_post = false;
                    }
                    if upstream.write_all(&request[..count]).await.is_err() { return }
                }
                _ => return,
            },
            read = upstream.read(&mut answer) => match read {
                Ok(count) if count > 0 => {
                    let one_less = |left: u32| left.checked_sub(1);
                    if is_post && wanted.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
                        lost.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                    if client.write_all(&answer[..count]).await.is_err() { return }
                }
                _ => return,
            },
        }
    }
}
