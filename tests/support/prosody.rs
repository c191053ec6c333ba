//! An XMPP server that nobody here wrote: Prosody, one for each test, which knows one component, and people with their programs.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mostik::connectors::xmpp::frames::{Frame, Frames};
use quick_xml::escape::{escape, unescape};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::bridge::{TestBridge, config_text, forum};
use super::database::Database;
use super::door::Door;
use super::parts::part;
use super::portal::PORTAL;
use super::server::moment;
use super::synapse::free_port;

/// The component's address.
pub const HELPER: &str = "helper@mostik.test";

const SECRET: &str = "secret-of-the-tests";
const PASSWORD: &str = "a long password";

/// How often something is looked for before it is believed never to come, and how long it is waited for.
const PATIENCE: usize = 3000;
const SOON: std::time::Duration = std::time::Duration::from_secs(30);

/// A server, running or not.
pub struct Prosody {
    program: String,
    folder: TempDir,
    people: u16,
    components: u16,
    child: Option<Child>,
    /// The way of the component to it.
    way: Way,
}

/// A way that can be cut where something is said.
struct Way {
    door: Door,
    cut: Arc<Mutex<Option<Cut>>>,
}

/// Where a way is cut, once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The server never gets what is said.
    Before,
    /// The server has it, and the component does not hear of that.
    After,
    /// It is not cut at all: what goes to this account comes back, because there is no room for it now.
    Full(&'static str),
}

/// Somebody who is signed in there with a program of theirs.
pub struct Program {
    pub jid: String,
    stream: TcpStream,
    frames: Frames,
    /// What came and was not looked at.
    came: Vec<String>,
    said: usize,
}

impl Prosody {
    /// One on which these people have accounts.
    pub async fn start(people: &[&str]) -> Option<Self> {
        let program = part("MOSTIK_TEST_PROSODY", "Prosody, an XMPP server")?;
        let folder = tempfile::tempdir().unwrap();
        let components = free_port();
        let mut prosody =
            Self { program, folder, people: free_port(), components, child: None, way: Way::to(components) };
        let accounts = prosody.folder.path().join("data/chat%2etest/accounts");
        fs::create_dir_all(&accounts).unwrap();
        for name in people {
            fs::write(accounts.join(format!("{name}.dat")), format!("return {{ password = {PASSWORD:?} }};")).unwrap();
        }
        prosody.configure();
        prosody.run().await;
        Some(prosody)
    }

    fn configure(&self) {
        let folder = self.folder.path().display();
        let config = format!(
            "run_as_root = true\npidfile = \"{folder}/pid\"\ndata_path = \"{folder}/data\"\ninterfaces = {{ \"127.0.0.1\" }}\n\
             component_interfaces = {{ \"127.0.0.1\" }}\nc2s_ports = {{ {} }}\ncomponent_ports = {{ {} }}\n\
             modules_enabled = {{ \"saslauth\", \"disco\", \"roster\", \"ping\", \"offline\", \"blocklist\" }}\n\
             modules_disabled = {{ \"s2s\" }}\nc2s_require_encryption = false\nallow_unencrypted_plain_auth = true\n\
             authentication = \"internal_plain\"\nlog = {{ {{ levels = {{ min = \"info\" }}, to = \"file\", filename = \"{folder}/log\" }} }}\n\
             VirtualHost \"chat.test\"\nComponent \"rooms.test\" \"muc\"\nComponent \"mostik.test\"\n component_secret = {SECRET:?}\n",
            self.people, self.components
        );
        fs::write(self.folder.path().join("prosody.cfg.lua"), config).unwrap();
    }

    /// Starts it, with what it knew before.
    pub async fn run(&mut self) {
        let said = fs::File::create(self.folder.path().join("out")).unwrap();
        // It dies with the test.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", &self.program, "-F", "--config", "prosody.cfg.lua"])
            .current_dir(self.folder.path())
            .stdout(said.try_clone().unwrap())
            .stderr(said)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        for port in [self.people, self.components] {
            let mut tries = 0;
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tries += 1;
                assert!(tries < PATIENCE, "it does not start: {}", self.last_words());
                moment().await;
            }
        }
    }

    /// Ends it.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What it said last.
    fn last_words(&self) -> String {
        let said = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        format!("{}{}", said("out"), said("log"))
    }

    /// The configuration of a bridge whose forum is on this server, with these more settings of the connector.
    pub fn settings(&self, database: &Database, ehr: &str, more: &str) -> String {
        let secret = database.secret_file("xmpp.secret", SECRET);
        let text = config_text(database, ehr, "127.0.0.1:0");
        let text = text.replace("[server]\n", &format!("[server]\npublic_url = {PORTAL:?}\n"));
        // The server may be slower than the EHRs of the tests.
        let text = text.replace("timeout_seconds = 1\nlease_seconds = 3", "timeout_seconds = 5\nlease_seconds = 15");
        format!(
            "{text}[communities.forum.messages]\nmethod = \"connector\"\n[communities.forum.connector]\nplatform = \"xmpp\"\n\
             address = {HELPER:?}\nserver = \"127.0.0.1\"\nport = {}\nsecret_file = {secret:?}\n{more}\n",
            self.way.door.address.port()
        )
    }

    /// The component's way is cut at the next thing that it says.
    pub fn cuts(&self, cut: Cut) {
        *self.way.cut.lock().unwrap() = Some(cut);
    }

    /// Somebody signs in.
    pub async fn program(&self, name: &str) -> Program {
        let stream = TcpStream::connect(("127.0.0.1", self.people)).await.unwrap();
        let jid = format!("{name}@chat.test");
        let mut program = Program { jid, stream, frames: Frames::default(), came: Vec::new(), said: 0 };
        program.open().await;
        let plain = STANDARD.encode(format!("\0{name}\0{PASSWORD}"));
        program
            .write(&format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"))
            .await;
        program.comes(|it| it.starts_with("<success")).await;
        program.frames = Frames::default();
        program.open().await;
        program.write("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>").await;
        program.comes(|it| it.contains("<bind")).await;
        program.write("<presence/>").await;
        program.comes(|it| it.starts_with("<presence")).await;
        program
    }
}

impl Way {
    fn to(port: u16) -> Self {
        let cut: Arc<Mutex<Option<Cut>>> = Arc::default();
        let of_the_door = Arc::clone(&cut);
        let door = Door::new(move |component| {
            let cut = Arc::clone(&of_the_door);
            async move {
                let _ended = pass(component, port, &cut).await;
            }
        });
        Self { door, cut }
    }
}

/// `None` when the connection ended, by itself or because it was cut.
async fn pass(mut component: TcpStream, port: u16, cut: &Mutex<Option<Cut>>) -> Option<()> {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let (mut written, mut said) = (vec![0; 65536], vec![0; 65536]);
    loop {
        tokio::select! {
            read = component.read(&mut written) => {
                let written = &written[..read.ok().filter(|count| *count > 0)?];
                let text = String::from_utf8_lossy(written).into_owned();
                let goes = |cut: &mut Cut| match cut {
                    Cut::Full(whom) => text.contains(&format!(" to='{whom}@")),
                    _ => true,
                };
                let is_said = text.contains("<body>");
                let cut = if is_said { cut.lock().unwrap().take_if(goes) } else { None };
                if let Some(Cut::Full(_)) = cut {
                    let (message, behind) = text.split_once("</message>").unwrap();
                    let (_, id) = message.rsplit_once(" id='").unwrap();
                    let id = id.split_once('\'').unwrap().0;
                    let back = format!(
                        "<message type='error' to='{HELPER}' from='somebody@chat.test' id='{id}'><error type='wait'>\
                         <resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
                    );
                    component.write_all(back.as_bytes()).await.ok()?;
                    server.write_all(behind.as_bytes()).await.ok()?;
                    continue;
                }
                if cut != Some(Cut::Before) {
                    server.write_all(written).await.ok()?;
                }
                if cut == Some(Cut::After) {
                    let _echo = server.read(&mut said).await.ok()?;
                }
                if cut.is_some() {
                    return None;
                }
            }
            read = server.read(&mut said) => {
                let said = &said[..read.ok().filter(|count| *count > 0)?];
                component.write_all(said).await.ok()?;
            }
        }
    }
}

/// Listens to the forum's platform from now on, as a bridge does that runs.
pub fn listens(bridge: &TestBridge) {
    let ears = bridge.ears.clone();
    tokio::spawn(async move {
        loop {
            if !matches!(ears.turn(&forum()).await, Ok(true)) {
                moment().await;
            }
        }
    });
}

impl Drop for Prosody {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Program {
    async fn open(&mut self) {
        self.write(
            "<?xml version='1.0'?><stream:stream to='chat.test' version='1.0' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams'>",
        )
        .await;
        self.comes(|it| it.starts_with("<stream:features")).await;
    }

    /// Waits until the component is there.
    pub async fn meets(&mut self) {
        for _ in 0..PATIENCE {
            if self.asks("<ping xmlns='urn:xmpp:ping'/>").await.contains("type='result'") {
                return;
            }
            moment().await;
        }
        panic!("the component is never there");
    }

    /// Asks the component something; returns its answer.
    pub async fn asks(&mut self, what: &str) -> String {
        self.said += 1;
        let id = format!("asked-{}", self.said);
        self.write(&format!("<iq type='get' to='{HELPER}' id='{id}'>{what}</iq>")).await;
        self.comes(|it| it.starts_with("<iq") && it.contains(&format!("id='{id}'"))).await
    }

    /// Writes a stanza as it is.
    pub async fn write(&mut self, stanza: &str) {
        self.stream.write_all(stanza.as_bytes()).await.unwrap();
    }

    /// The next stanza of a kind; what comes before it is kept.
    pub async fn comes(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        if let Some(place) = self.came.iter().position(|it| is_it(it)) {
            return self.came.remove(place);
        }
        loop {
            let byte = timeout(SOON, self.stream.read_u8()).await;
            let Ok(Ok(byte)) = byte else { panic!("{byte:?}: it never comes to {}; {:?} did", self.jid, self.came) };
            let Some(Frame::Stanza(bytes)) = self.frames.read(byte).unwrap() else { continue };
            let stanza = String::from_utf8(bytes).unwrap();
            if is_it(&stanza) {
                return stanza;
            }
            self.came.push(stanza);
        }
    }

    /// Says something to the component; returns its id.
    pub async fn says(&mut self, text: &str) -> String {
        self.says_with(text, "").await
    }

    /// The same, with more in the message than words.
    pub async fn says_with(&mut self, text: &str, more: &str) -> String {
        self.said += 1;
        let id = format!("said-{}", self.said);
        let text = escape(text);
        self.write(&format!("<message type='chat' to='{HELPER}' id='{id}'><body>{text}</body>{more}</message>")).await;
        id
    }

    /// Says something, and reads what the component says to it.
    pub async fn talks(&mut self, text: &str) -> String {
        self.says(text).await;
        self.hears().await
    }

    /// What the component says next.
    pub async fn hears(&mut self) -> String {
        let stanza =
            self.comes(|it| it.starts_with("<message") && it.contains("<body>") && !it.contains("type='error'")).await;
        assert!(stanza.contains(&format!("from='{HELPER}'")), "{stanza}");
        let (_, rest) = stanza.split_once("<body>").unwrap();
        unescape(rest.split_once("</body>").unwrap().0).unwrap().into_owned()
    }

    /// What came until now and was not looked at: everything that was sent before it is there.
    pub async fn everything(&mut self) -> Vec<String> {
        self.said += 1;
        let id = format!("all-{}", self.said);
        self.write(&format!("<iq type='get' to='chat.test' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>")).await;
        self.comes(|it| it.starts_with("<iq") && it.contains(&id)).await;
        std::mem::take(&mut self.came)
    }
}
