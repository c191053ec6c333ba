//! One-time codes of a clinic.

use jiff::SignedDuration;
use mostik::domain::ids::ClinicId;
use mostik::enrolment::code::{CodeError, Issued, Order, issue};
use mostik::enrolment::link::{LinkError, Linked, Proof};
use mostik::enrolment::trouble::Trouble;
use mostik::pipeline::consent::redeem;
use secrecy::ExposeSecret;

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, riverside};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::linking::{patient, proof, unlink_from};

async fn house(database: Database) -> (TestBridge, Person, Ehr) {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(database, &ehr.base).await;
    let member = bridge.unlinked_person("sparrow").await;
    (bridge, member, ehr)
}

async fn issued(bridge: &TestBridge, patient: &str, replaces: bool) -> Issued {
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    let order = Order { clinic: &riverside(), patient, validity: SignedDuration::from_hours(24 * 14), replaces };
    let issued = issue(&mut tx, &bridge.bridge.keyring, order, bridge.now()).await.unwrap();
    tx.commit().await.unwrap();
    issued
}

async fn code(bridge: &TestBridge, patient: &str) -> String {
    issued(bridge, patient, false).await.code.expose_secret().to_owned()
}

async fn tell(bridge: &TestBridge, member: &Person, code: &str) -> Result<Linked, CodeError> {
    tell_at(bridge, member, &riverside(), code).await
}

async fn tell_at(bridge: &TestBridge, member: &Person, clinic: &ClinicId, code: &str) -> Result<Linked, CodeError> {
    redeem(&bridge.bridge, member.id, clinic, code, bridge.now()).await
}

/// A code that nobody issued.
const WRONG: &str = "0000-0000-0000-0000";

on_both_databases! {
    async fn whoever_tells_the_code_is_linked_once(database) {
        let (bridge, member, ehr) = house(database).await;
        let code = code(&bridge, &ehr.patient).await;
        let typed = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(tell(&bridge, &member, &typed).await.unwrap(), Linked::Anew);
        assert_eq!(patient(&bridge, &member).await, Some(ehr.patient.clone()));
        let proof = proof(&bridge, &member).await.unwrap();
        assert_eq!(proof, Proof::ClinicCode { issued_at: bridge.now(), replaces: false });
        unlink_from(&bridge, &member).await.unwrap();
        let again = tell(&bridge, &member, &code).await;
        assert!(matches!(again, Err(CodeError::Unknown)), "{again:?}");
    }
}

on_both_databases! {
    async fn a_code_ends_and_a_newer_one_takes_its_place(database) {
        let (bridge, member, ehr) = house(database).await;
        let first = code(&bridge, &ehr.patient).await;
        let second = code(&bridge, &ehr.patient).await;
        assert!(matches!(tell(&bridge, &member, &first).await, Err(CodeError::Unknown)));
        bridge.clock.advance(SignedDuration::from_hours(24 * 14));
        assert!(matches!(tell(&bridge, &member, &second).await, Err(CodeError::Unknown)), "its time is over");
        let third = code(&bridge, &ehr.patient).await;
        bridge.clock.advance(SignedDuration::from_hours(24 * 14) - SignedDuration::from_secs(1));
        assert_eq!(tell(&bridge, &member, &third).await.unwrap(), Linked::Anew);
    }
}

on_both_databases! {
    async fn a_code_is_good_at_its_own_clinic_only(database) {
        let (bridge, member, ehr) = house(database).await;
        let code = code(&bridge, &ehr.patient).await;
        let elsewhere = tell_at(&bridge, &member, &"hillside".parse().unwrap(), &code).await;
        assert!(matches!(elsewhere, Err(CodeError::Unknown)), "{elsewhere:?}");
        assert_eq!(tell(&bridge, &member, &code).await.unwrap(), Linked::Anew);
    }
}

on_both_databases! {
    async fn whoever_guesses_is_stopped_on_every_replica_and_the_others_are_not(database) {
        let (bridge, member, ehr) = house(database).await;
        let beside = bridge.beside(SignedDuration::ZERO).await;
        let code = code(&bridge, &ehr.patient).await;
        for attempt in 0..10 {
            let replica = if attempt % 2 == 0 { &bridge } else { &beside };
            assert!(matches!(tell(replica, &member, WRONG).await, Err(CodeError::Unknown)));
        }
        for replica in [&bridge, &beside] {
            let stopped = tell(replica, &member, &code).await;
            assert!(matches!(stopped, Err(CodeError::TooMany { until }) if until > bridge.now()), "{stopped:?}");
        }
        let malformed = tell(&bridge, &member, "0000").await;
        assert!(matches!(malformed, Err(CodeError::Malformed)), "no code at all: {malformed:?}");
        let wren = bridge.unlinked_person("wren").await;
        assert!(matches!(tell(&bridge, &wren, WRONG).await, Err(CodeError::Unknown)), "another member goes on");
        bridge.clock.advance(SignedDuration::from_hours(1));
        assert_eq!(tell(&bridge, &member, &code).await.unwrap(), Linked::Anew);
    }
}

on_both_databases! {
    async fn what_is_no_code_costs_no_attempt(database) {
        let (bridge, member, ehr) = house(database).await;
        let code = code(&bridge, &ehr.patient).await;
        for _ in 0..20 {
            assert!(matches!(tell(&bridge, &member, "abc").await, Err(CodeError::Malformed)));
        }
        assert_eq!(tell(&bridge, &member, &code).await.unwrap(), Linked::Anew);
    }
}

on_both_databases! {
    async fn many_who_guess_at_one_clinic_are_stopped_together(database) {
        let (bridge, member, ehr) = house(database).await;
        let code = code(&bridge, &ehr.patient).await;
        let hour = bridge.now().as_second().div_euclid(3600);
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        for _ in 0..300 {
            tx.count_attempt_at(&riverside(), hour).await.unwrap();
        }
        tx.commit().await.unwrap();
        assert!(matches!(tell(&bridge, &member, &code).await, Err(CodeError::TooMany { .. })));
        let elsewhere = tell_at(&bridge, &member, &"hillside".parse().unwrap(), WRONG).await;
        assert!(matches!(elsewhere, Err(CodeError::Unknown)), "another clinic goes on: {elsewhere:?}");
        bridge.clock.advance(SignedDuration::from_hours(1));
        assert_eq!(tell(&bridge, &member, &code).await.unwrap(), Linked::Anew);
    }
}

on_both_databases! {
    async fn one_code_links_one_of_many_who_tell_it_at_once(database) {
        let (bridge, _, ehr) = house(database).await;
        let code = issued(&bridge, &ehr.patient, true).await.code.expose_secret().to_owned();
        let mut people = Vec::new();
        for number in 0..6 {
            people.push(bridge.unlinked_person(&format!("member-{number}")).await);
        }
        let all = futures_util::future::join_all(people.iter().map(|person| tell(&bridge, person, &code))).await;
        assert_eq!(all.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{all:?}");
        let mut linked = 0;
        for person in &people {
            linked += usize::from(patient(&bridge, person).await.is_some());
        }
        assert_eq!(linked, 1);
    }
}

on_both_databases! {
    async fn a_patient_who_is_linked_takes_a_code_that_says_so(database) {
        let (bridge, member, ehr) = house(database).await;
        let first = code(&bridge, &ehr.patient).await;
        tell(&bridge, &member, &first).await.unwrap();
        let plain = issued(&bridge, &ehr.patient, false).await;
        assert!(plain.is_linked, "whoever issues it is told");
        let wren = bridge.unlinked_person("wren").await;
        let taken = tell(&bridge, &wren, plain.code.expose_secret()).await.unwrap_err();
        assert!(matches!(taken, CodeError::Link(LinkError::PatientTaken { .. })), "{taken}");
        assert_eq!(taken.trouble(), Trouble::PatientTaken);
        unlink_from(&bridge, &member).await.unwrap();
        assert_eq!(tell(&bridge, &wren, plain.code.expose_secret()).await.unwrap(), Linked::Anew, "it was not used up");
        let says_so = issued(&bridge, &ehr.patient, true).await;
        let linked = tell(&bridge, &member, says_so.code.expose_secret()).await.unwrap();
        assert_eq!(linked, Linked::InPlaceOf(wren.id));
        assert!(proof(&bridge, &member).await.unwrap().replaces());
    }
}

on_both_databases! {
    async fn what_has_ended_is_forgotten(database) {
        let (bridge, member, ehr) = house(database).await;
        code(&bridge, &ehr.patient).await;
        assert!(tell(&bridge, &member, WRONG).await.is_err());
        assert_eq!(rows(&bridge).await, (1, 2));
        bridge.chores().await;
        assert_eq!(rows(&bridge).await, (1, 2), "not before its time");
        bridge.clock.advance(SignedDuration::from_hours(24 * 14));
        bridge.chores().await;
        assert_eq!(rows(&bridge).await, (0, 0));
    }
}

async fn rows(bridge: &TestBridge) -> (i64, i64) {
    let count = async |table: &str| bridge.database.count(table).await;
    (count("link_codes").await, count("link_attempts").await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_shows_neither_code_nor_patient() {
    let (bridge, _, _) = house(Database::sqlite()).await;
    let code = code(&bridge, "canary-4711").await;
    let plain = code.replace('-', "");
    let mut searched = 0;
    for file in std::fs::read_dir(bridge.database.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        searched += bytes.len();
        for secret in [code.as_bytes(), plain.as_bytes(), b"canary-4711"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }
    assert!(searched > 50_000, "the database was looked at");
}
