//! A mail server, as far as it takes mail.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Takes every mail, or refuses every recipient.
#[derive(Clone)]
pub struct MailServer {
    pub port: u16,
    mails: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    pub async fn start(refuses: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&mails);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, Arc::clone(&kept), refuses));
            }
        });
        Self { port, mails }
    }

    /// What was taken: the envelope, and then the mail, with its soft line breaks undone.
    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }
}

/// A mail server to which the system lets people through, and which never says a word.
pub struct MuteServer {
    pub port: u16,
    listener: std::net::TcpListener,
}

impl MuteServer {
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { port: listener.local_addr().unwrap().port(), listener }
    }

    /// How many have come since this was asked last.
    pub fn came(&self) -> usize {
        std::iter::from_fn(|| self.listener.accept().ok()).count()
    }
}

/// What comes of something that must not wait for a server that says nothing.
pub async fn in_time<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_mins(1), what)
        .await
        .unwrap_or_else(|_| panic!("somebody waits for a server that says nothing"))
}

async fn talk(stream: TcpStream, mails: Arc<Mutex<Vec<String>>>, refuses: bool) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
    let mut mail = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.split(' ').next().unwrap().to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => "250 mail.example\r\n",
            "RCPT" if refuses => "550 5.1.1 nobody by the name of sparrow@forum.example\r\n",
            "MAIL" | "RCPT" => {
                mail.push_str(&line);
                mail.push('\n');
                "250 ok\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.unwrap();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    match line.strip_suffix('=') {
                        Some(broken) => mail.push_str(broken),
                        None => mail.push_str(&(line + "\n")),
                    }
                }
                mails.lock().unwrap().push(std::mem::take(&mut mail));
                "250 taken\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "502 not here\r\n",
        };
        if write.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
