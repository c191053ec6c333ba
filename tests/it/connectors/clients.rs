//! The example clients of `schemas/clients`, as whoever copies them has them: generated, compiled and run against a bridge.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mostik::enrolment::credentials::{TALKS_WRITE, create_api_key};

use crate::support::bridge::{TestBridge, forum};
use crate::support::database::Database;
use crate::support::parts::part;

/// What somebody types who joins, and what they hear.
const TYPED: &str = "hello\nyes\nmood\n4\n";
const HEARD: [&str; 4] =
    ["no therapist", "Welcome.", "[1] [2] [3] [4] [5] [Later] [Menu]", "Shall I keep what you note"];

/// Where the clients are, and what they are compiled with.
struct Tools {
    clients: PathBuf,
    modules: PathBuf,
    generator: String,
}

impl Tools {
    fn find() -> Option<Self> {
        let told = part("MOSTIK_TEST_CLIENTS", "what compiles the example clients")?;
        let (modules, generator) = told.split_once(' ').unwrap();
        let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/clients");
        Some(Self { clients, modules: modules.into(), generator: generator.to_owned() })
    }
}

/// Runs a program to its end; what it is given is typed, and what it says returned.
fn run(folder: &Path, program: impl AsRef<OsStr>, arguments: &[&str], with: &[(&str, &str)], typed: &str) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).envs(with.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&done.stderr));
    said
}

/// What a client hears that talks with a new bridge.
async fn hears(folder: &Path, program: &'static str, arguments: Vec<String>) -> String {
    let bridge = TestBridge::start(Database::sqlite(), "http://127.0.0.1:9/fhir").await;
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let key = create_api_key(&mut tx, &bridge.bridge.keyring, &forum(), TALKS_WRITE, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
    let (folder, api) = (folder.to_owned(), bridge.api.clone());
    let talks = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&folder, program, &arguments, &[("MOSTIK_URL", &api), ("MOSTIK_KEY", &key.secret)], TYPED)
    };
    let heard = tokio::task::spawn_blocking(talks).await.unwrap();
    assert_eq!(bridge.database.count("members").await, 1);
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_in_typescript_talks_with_the_companion() {
    let Some(tools) = Tools::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    for file in ["package.json", "tsconfig.json", "client.ts", "example.ts"] {
        std::fs::copy(tools.clients.join("typescript").join(file), folder.path().join(file)).unwrap();
    }
    std::os::unix::fs::symlink(&tools.modules, folder.path().join("node_modules")).unwrap();
    let api = tools.clients.join("../openapi.json");
    let generated = [api.to_str().unwrap(), "--output", "openapi.d.ts"];
    run(folder.path(), tools.modules.join(".bin/openapi-typescript"), &generated, &[], "");
    run(folder.path(), tools.modules.join(".bin/tsc"), &["--project", "."], &[], "");
    let heard = hears(folder.path(), "node", vec!["built/example.js".to_owned()]).await;
    assert!(HEARD.iter().all(|part| heard.contains(part)), "{heard}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_in_kotlin_talks_with_the_companion() {
    let Some(tools) = Tools::find() else { return };
    let (folder, gson) = (tempfile::tempdir().unwrap(), "/usr/share/java/gson.jar");
    let api = tools.clients.join("../openapi.json");
    let form = "serializationLibrary=gson,packageName=mostik,dateLibrary=string";
    let generated = [
        "generate",
        "-g",
        "kotlin",
        "-i",
        api.to_str().unwrap(),
        "-o",
        "generated",
        "--global-property",
        "models",
        "--additional-properties",
        form,
    ];
    run(folder.path(), &tools.generator, &generated, &[], "");
    let (models, talk) = ("generated/src/main/kotlin/mostik/models", tools.clients.join("kotlin/Talk.kt"));
    let compiled = ["-no-reflect", "-cp", gson, "-include-runtime", "-d", "talk.jar", models, talk.to_str().unwrap()];
    run(folder.path(), tools.modules.join("kotlin-compiler/bin/kotlinc"), &compiled, &[], "");
    let path = format!("talk.jar:{gson}");
    let heard = hears(folder.path(), "java", vec!["-cp".to_owned(), path, "TalkKt".to_owned()]).await;
    assert!(HEARD.iter().all(|part| heard.contains(part)), "{heard}");
}
