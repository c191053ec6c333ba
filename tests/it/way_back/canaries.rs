//! Words put through every field of the way back, from the EHR to the member and back again, and looked for where nobody may ever
//! find them: in the database and its dump, in all that is logged, in what operators see, and in every byte that left for the
//! member at the lowest grade.

use std::collections::BTreeMap;
use std::process::Command;

use jiff::SignedDuration;
use mostik::domain::recommendation::Answer;
use mostik::domain::telling::Wishes;
use mostik::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text};
use crate::support::cells::Column;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http;
use crate::support::log::Log;
use crate::support::notices::subscriptions;
use crate::support::receiver::{PUSH, Receiver, Telling, any_time};
use crate::support::recommendations::{all, answer, free_address, look, open_person, write};
use crate::support::search::{in_database, times};
use crate::vault::canaries::{CANARY, CONTROL, canary, dump};
use crate::vault::columns::{Holds, known};

const PEOPLE: usize = 4;

/// A bridge that is notified, and that tells its members.
async fn open(database: Database, ehr: &Ehr, receiver: &Receiver) -> Telling {
    let listen = free_address();
    let text = config_text(&database, &ehr.base, &listen);
    let text = text.replacen("[server]\n", &format!("[server]\npublic_url = \"http://{listen}/\"\n"), 1);
    let text = format!(
        "{text}[clinics.riverside.way_back]\nsubscribe = \"criteria\"\nkinds = [\"task\", \"communication\"]\n"
    );
    let text = text + &receiver.by_hook(&database, "full") + PUSH;
    Telling::before(TestBridge::start_with(database, &text).await)
}

/// A Task whose every field that anybody wrote is a word.
async fn task(ehr: &Ehr, patient: &str, of: usize) -> Value {
    let name = json!([{"given": [canary("given", of)], "family": canary("family", of)}]);
    let doctor = write(&ehr.base, json!({"resourceType": "Practitioner", "name": name})).await;
    let subject = json!({"reference": format!("Patient/{patient}")});
    let order = write(
        &ehr.base,
        json!({"resourceType": "ServiceRequest", "status": "active", "intent": "order",
        "subject": subject, "code": {"text": canary("order", of)}, "patientInstruction": canary("instruction", of)}),
    )
    .await;
    write(&ehr.base, json!({"resourceType": "Task", "status": "requested", "intent": "order", "for": subject, "owner": subject,
        "description": canary("task", of), "focus": {"reference": format!("ServiceRequest/{}", order["id"].as_str().unwrap())},
        "requester": {"reference": format!("Practitioner/{}", doctor["id"].as_str().unwrap())},
        "note": [{"text": canary("note", of)}], "text": {"status": "additional", "div": canary("div", of)}})).await
}

/// What an operator sees of it.
async fn queue(bridge: &TestBridge) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mostik"));
    command.arg("--config").arg(bridge.database.folder.path().join("mostik.toml")).arg("queue");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Whoever knows the secrets of a patient's Subscriptions, and whoever does not, send what nobody asked for. The secrets.
async fn notices(ehr: &Ehr, patient: &str, of: usize) -> Vec<String> {
    let of_patient = Ehr { base: ehr.base.clone(), patient: patient.to_owned(), sandbox: None };
    let mut secrets = Vec::new();
    for made in subscriptions(&of_patient).await {
        let endpoint = made["channel"]["endpoint"].as_str().unwrap().to_owned();
        let header = made["channel"]["header"][0].as_str().unwrap().replace("Authorization: Bearer ", "");
        let unasked = json!({"resourceType": "Task", "description": canary("unasked", of)});
        let bundle = json!({"resourceType": "Bundle", "entry": [{"resource": unasked}]});
        for body in [canary("body", of), bundle.to_string()] {
            let send = |secret: String| http::client().post(&endpoint).bearer_auth(secret).body(body.clone()).send();
            assert!(send(header.clone()).await.unwrap().status().is_success());
            assert_eq!(send(canary("forged", of)).await.unwrap().status(), 401);
        }
        secrets.extend([endpoint.rsplit('/').next().unwrap().to_owned(), header]);
    }
    secrets
}

/// Neither in its files nor in its dump; and every sealed column of the way back holds something.
async fn nowhere_in_the_database(bridge: &TestBridge, dump: &[u8]) {
    assert_eq!(times(CANARY, dump), 0);
    let [found, _] = in_database(&bridge.database, [CANARY, CONTROL]).await;
    assert_eq!(found, 0, "in the files of the database");
    let mut filled: BTreeMap<String, usize> = BTreeMap::new();
    for cell in bridge.database.cells().await.into_iter().filter(|cell| !cell.value.is_empty()) {
        let column = Column { table: cell.table.clone(), name: cell.column.clone(), is_bytes: true, is_text: false };
        let Some(holds) = known(&column) else { continue };
        assert!(holds.allows(&cell.value), "{}.{} holds no {holds:?}", cell.table, cell.column);
        *filled.entry(format!("{}.{}", cell.table, cell.column)).or_default() += usize::from(holds == Holds::Sealed);
    }
    for name in [
        "recommendations.sealed_recommendation",
        "recommendation_answers.sealed_answer",
        "subscriptions.sealed_secret",
        "push_subscriptions.sealed_subscription",
        "outbox.sealed_answer",
    ] {
        assert!(filled.get(name).is_some_and(|count| *count > 0), "{name} is empty");
    }
}

on_both_databases! {
    async fn words_of_the_way_back_are_nowhere_to_be_found(database) {
        let Some(receiver) = Receiver::open().await else { return };
        let log = Log::listen();
        tracing::info!(CONTROL);
        let ehr = Ehr::sandbox().await;
        let telling = open(database, &ehr, &receiver).await;
        let bridge = &telling.bridge;
        let faults = ehr.sandbox.as_ref().unwrap().faults();
        let mut secrets: Vec<String> = Vec::new();
        for of in 0..PEOPLE {
            // What a Patient is called by the EHR is a word of its own making.
            let patient = crate::support::ehr::create_patient(&ehr.base).await;
            let (person, _) = open_person(bridge, &canary("handle", of), &patient).await;
            // A push says nothing, whatever is wished; a message of the community's, no more than is wished.
            let by_hook = Wishes { order: vec!["community:forum".parse().unwrap()], ..any_time() };
            let wishes = if of % 2 == 0 { any_time() } else { by_hook };
            telling.wish(&person, wishes).await;
            telling.subscribes(&person, &receiver).await;
            look(bridge).await;
            secrets.extend(notices(&ehr, &patient, of).await);
            let written = task(&ehr, &patient, of).await;
            bridge.clock.advance(SignedDuration::from_mins(20));
            look(bridge).await;
            telling.tell().await;
            let found = all(bridge, &person).await;
            let says = found[0].says.as_ref().unwrap();
            assert!(says.text.contains(&canary("task", of)) && says.text.contains(&canary("order", of)), "it is for them");
            assert!(says.by.as_ref().unwrap().contains(&canary("family", of)));
            // What the EHR says when it refuses something may quote it.
            if of == 1 {
                faults.switch_on(Fault::always(FaultKind::Status { code: 422, retry_after: None }).on("PUT", "Task"));
            }
            answer(bridge, &person, found[0].id, Answer::Question { text: canary("question", of) }).await.unwrap();
            answer(bridge, &person, found[0].id, Answer::Decline { reason: Some(canary("reason", of)) }).await.unwrap();
            bridge.deliver_in_time().await;
            faults.clear();
            if of == 2 {
                let url = format!("{}/Task/{}", ehr.base, written["id"].as_str().unwrap());
                let mut taken_back = http::call(reqwest::Method::GET, &url, None, None).await.json;
                taken_back["status"] = json!("entered-in-error");
                taken_back["description"] = json!(canary("taken-back", of));
                write(&ehr.base, taken_back).await;
                bridge.clock.advance(SignedDuration::from_mins(20));
                look(bridge).await;
                telling.tell().await;
            }
        }
        assert!(!secrets.is_empty());
        let seen = receiver.seen().await;
        for way in ["push", "hook"] {
            assert!(seen.iter().filter(|letter| letter["by"] == way).count() >= PEOPLE / 2, "{way}: {seen:?}");
        }
        let left: String = seen.iter().map(Value::to_string).collect();
        for of in 0..PEOPLE {
            for field in ["task", "order", "instruction", "given", "family", "question", "reason", "note", "div", "taken-back"] {
                assert_eq!(times(&canary(field, of), left.as_bytes()), 0, "{field} in what left for the member");
            }
        }
        let operators = queue(bridge).await;
        let logged = log.bytes();
        assert_eq!((times(CANARY, operators.as_bytes()), times(CANARY, &logged)), (0, 0), "{operators}");
        assert!(times(CONTROL, &logged) > 0);
        let dump = dump(&bridge.database);
        for secret in &secrets {
            assert_eq!(times(secret, &logged) + times(secret, &dump), 0, "an address or a secret of a Subscription");
        }
        nowhere_in_the_database(bridge, &dump).await;
    }
}
