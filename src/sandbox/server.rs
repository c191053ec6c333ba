//! The HTTP server on a thread of its own, so that it runs under any runtime of its owner, and ends with its owner even
//! if that runtime is gone by then.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::rt::System;
use actix_web::{App, HttpServer, web};
use tokio::sync::oneshot;

use super::outcome::Refusal;
use super::{House, http, page, switchboard};

/// A running HTTP server. Dropping it tells it to end, without waiting.
pub struct Server {
    handle: ServerHandle,
    ended: Option<oneshot::Receiver<()>>,
}

impl Server {
    /// Serves `house` on a listener.
    ///
    /// # Errors
    /// What the operating system has against one more thread.
    pub async fn start(listener: TcpListener, house: Arc<House>) -> io::Result<Self> {
        let (started, starting) = oneshot::channel();
        let (ending, ended) = oneshot::channel();
        thread::Builder::new().name("sandbox-ehr".to_owned()).spawn(move || {
            System::new().block_on(serve(listener, house, started));
            let _owner_gone = ending.send(());
        })?;
        let handle = starting.await.map_err(|_| io::Error::other("the thread of the server ended"))??;
        Ok(Self { handle, ended: Some(ended) })
    }

    /// Tells the server to end, whatever it is at.
    pub fn end(&self) {
        // The command is sent by the call; what it returns only waits.
        drop(self.handle.stop(false));
    }

    /// Ends the server without waiting for the requests it is at, and waits until it has ended.
    pub async fn stop(mut self) {
        let ended = self.ended.take();
        drop(self);
        if let Some(ended) = ended {
            let _thread_gone = ended.await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A listener, and the address under which it can be reached from this machine.
pub fn bind(listen: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(listen)?;
    let mut address = listener.local_addr()?;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    Ok((listener, address))
}

async fn serve(listener: TcpListener, house: Arc<House>, started: oneshot::Sender<io::Result<ServerHandle>>) {
    let house = web::Data::from(house);
    let app = move || {
        App::new()
            .app_data(house.clone())
            .wrap(from_fn(http::dress))
            .service(web::resource("/").get(page::show))
            .service(
                web::resource("/faults").get(switchboard::list).put(switchboard::replace).delete(switchboard::clear),
            )
            .service(web::resource(["/fhir", "/fhir/{below:.*}"]).to(http::fhir))
            .default_service(web::to(nothing_here))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        // A client that has given up is gone: the handler of its stalled request ends too.
        .h1_allow_half_closed(false)
        .listen(listener);
    match server.map(HttpServer::run) {
        Ok(server) => {
            if started.send(Ok(server.handle())).is_ok() {
                let _ended = server.await;
            }
        }
        Err(error) => {
            let _owner_gone = started.send(Err(error));
        }
    }
}

async fn nothing_here() -> actix_web::HttpResponse {
    http::respond(Err(Refusal::not_found("there is nothing at this address; FHIR is below /fhir")))
}
