//! A clinic says that a Patient is another member: the first one's consent ends like any other, with all that follows.

use mostik::consent::receipt::verify;
use mostik::domain::consented::{Change, Method};
use mostik::enrolment::code::{Order, issue};
use mostik::enrolment::link::Linked;
use mostik::pipeline::consent::{self, redeem};
use secrecy::ExposeSecret;

use crate::on_both_databases;
use crate::support::audit::{between, kinds, wrong};
use crate::support::bridge::{Person, TestBridge, mood, riverside};
use crate::support::consents::{hears, is, standing};
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::linking::link_in_place;
use crate::support::outbox::summary;

/// A member who shares their mood, of whom the clinic has heard, and something that waits.
async fn sharing(database: Database) -> (TestBridge, Person, Ehr) {
    let ehr = Ehr::sandbox().await;
    let bridge = hears(database, &ehr).await;
    let member = bridge.person("sparrow", &ehr.patient).await;
    bridge.grant(&member, &["mood"]).await;
    bridge.deliver().await;
    bridge.send(&mood("1", "sparrow", 4)).await;
    (bridge, member, ehr)
}

/// What follows for the one who had to make room.
async fn has_ended(bridge: &TestBridge, member: &Person, ehr: &Ehr) {
    let mut tx = bridge.bridge.store.read().await.unwrap();
    let receipts = consent::receipts(&mut tx, member.id).await.unwrap();
    let changes: Vec<Change> = receipts.iter().map(|receipt| receipt.change).collect();
    assert_eq!(changes, [Change::Given, Change::Revoked]);
    let signed = consent::receipt(&bridge.bridge, &mut tx, member.id, receipts[1].id).await.unwrap().unwrap();
    drop(tx);
    let receipt = verify(&signed, &bridge.bridge.signing.published(bridge.now())).unwrap();
    let last = receipt.events.last().unwrap();
    assert_eq!((last.event_state.as_str(), last.collection_method.as_str()), ("revoked", Method::Clinic.as_str()));
    bridge.deliver().await;
    assert_eq!(standing(ehr).await, is("inactive", "revoked", "2"));
    assert_eq!(ehr.observations().await.len(), 0, "what waited does not go");
    assert_eq!(summary(bridge, member).await[1], "create - withdrawn");
    let told = kinds(bridge, &between(member)).await;
    assert!(told.contains(&"consent-revoked".to_owned()) && told.contains(&"unlinked".to_owned()), "{told:?}");
    assert_eq!(wrong(bridge).await, [""; 0]);
}

on_both_databases! {
    async fn on_an_operators_word_it_leaves_a_receipt_and_the_clinic_reads_that_it_is_over(database) {
        let (bridge, member, ehr) = sharing(database).await;
        let wren = bridge.unlinked_person("wren").await;
        assert_eq!(link_in_place(&bridge, &wren, &ehr.patient).await.unwrap(), Linked::InPlaceOf(member.id));
        has_ended(&bridge, &member, &ehr).await;
    }
}

on_both_databases! {
    async fn by_a_code_of_the_clinic_it_does_so_too(database) {
        let (bridge, member, ehr) = sharing(database).await;
        let wren = bridge.unlinked_person("wren").await;
        let mut tx = bridge.bridge.store.begin().await.unwrap();
        let validity = jiff::SignedDuration::from_hours(1);
        let order = Order { clinic: &riverside(), patient: &ehr.patient, validity, replaces: true };
        let code = issue(&mut tx, &bridge.bridge.keyring, order, bridge.now()).await.unwrap().code;
        tx.commit().await.unwrap();
        let linked = redeem(&bridge.bridge, wren.id, &riverside(), code.expose_secret(), bridge.now()).await;
        assert_eq!(linked.unwrap(), Linked::InPlaceOf(member.id));
        has_ended(&bridge, &member, &ehr).await;
    }
}
