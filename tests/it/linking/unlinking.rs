//! A link ends, and a member is linked anew, perhaps to somebody else: nothing written about one Patient is ever changed
//! for another.

use jiff::SignedDuration;
use mostik::enrolment::link::{LinkError, Linked};
use mostik::enrolment::trouble::Trouble;
use mostik::enrolment::unlink::UnlinkError as NotUnlinked;
use mostik::pipeline::consent::UnlinkError;
use mostik::store::EndedBy;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::bridge::{Person, TestBridge, correcting, lane, mood, retraction, riverside};
use crate::support::database::Database;
use crate::support::ehr::{Ehr, create_patient, identifier, observations};
use crate::support::linking::{link_in_place, link_to, patient, unlink_from};
use crate::support::outbox::summary;

/// A bridge with a member who is linked to the EHR's first Patient and shares their mood, and a second Patient.
struct Two {
    bridge: TestBridge,
    member: Person,
    ehr: Ehr,
    second: String,
}

impl Two {
    async fn with(database: Database) -> Self {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let member = bridge.person("sparrow", &ehr.patient).await;
        bridge.grant(&member, &["mood"]).await;
        let second = create_patient(&ehr.base).await;
        Self { bridge, member, ehr, second }
    }

    async fn unlink(&self) {
        unlink_from(&self.bridge, &self.member).await.unwrap();
        self.bridge.clock.advance(SignedDuration::from_secs(60));
    }

    async fn link_and_share(&self, patient: &str) {
        assert_eq!(link_to(&self.bridge, &self.member, patient).await.unwrap(), Linked::Anew);
        self.bridge.grant(&self.member, &["mood"]).await;
    }

    async fn send(&self, event: &Value) -> String {
        let got = self.bridge.send(event).await;
        got.json["results"][0]["status"].as_str().unwrap_or("refused").to_owned()
    }

    /// What stands in the chart of a Patient: value and identifier of each Observation.
    async fn chart(&self, patient: &str) -> Vec<(i64, String)> {
        let found = observations(&self.ehr.base, patient).await;
        assert!(found.iter().all(|found| found["subject"]["reference"] == format!("Patient/{patient}")));
        found.iter().map(|found| (found["valueQuantity"]["value"].as_i64().unwrap_or(-1), identifier(found))).collect()
    }

    async fn values(&self, patient: &str) -> Vec<i64> {
        self.chart(patient).await.into_iter().map(|(value, _)| value).collect()
    }
}

on_both_databases! {
    async fn a_link_that_ends_takes_consent_and_what_waits_with_it_and_leaves_what_was_shared(database) {
        let two = Two::with(database).await;
        two.send(&mood("1", "sparrow", 4)).await;
        two.bridge.deliver().await;
        two.send(&mood("2", "sparrow", 3)).await;
        let ended = unlink_from(&two.bridge, &two.member).await.unwrap();
        assert_eq!(ended.withdrawn, 1);
        assert!(ended.lent.is_none());
        assert_eq!(summary(&two.bridge, &two.member).await, ["create - confirmed", "create - withdrawn"]);
        let grants = two.bridge.as_member(&two.member, reqwest::Method::GET, "/v1/grants", None).await.json;
        assert_eq!(grants["grants"][0]["state"], "revoked");
        assert_eq!(two.send(&mood("3", "sparrow", 2)).await, "refused");
        two.bridge.deliver().await;
        assert_eq!(two.values(&two.ehr.patient).await, [4], "what was shared stays where it is");
        let mut tx = two.bridge.bridge.store.read().await.unwrap();
        assert_eq!(tx.ledger(&lane(&two.member)).await.unwrap().len(), 1, "and is seen");
        let former = tx.former_links(two.member.id).await.unwrap();
        assert_eq!((former.len(), former[0].ended_by, &former[0].clinic), (1, EndedBy::Member, &riverside()));
        drop(tx);
        assert!(matches!(unlink_from(&two.bridge, &two.member).await, Err(UnlinkError::Link(NotUnlinked::NotLinked))));
        let grant = json!({"clinic": "riverside", "terms": {"categories": {"mood": "every-entry"}}});
        let got = two.bridge.as_member(&two.member, reqwest::Method::POST, "/v1/grants", Some(&grant)).await;
        assert_eq!(got.status, 409, "without a link there is nobody to consent to: {:?}", got.json);
    }
}

on_both_databases! {
    async fn a_correction_after_relinking_never_changes_the_other_patients_chart(database) {
        let two = Two::with(database).await;
        two.send(&mood("1", "sparrow", 4)).await;
        two.bridge.deliver().await;
        let before = observations(&two.ehr.base, &two.ehr.patient).await;
        two.unlink().await;
        two.link_and_share(&two.second).await;
        assert_eq!(two.send(&correcting(mood("2", "sparrow", 1), "1")).await, "corrected");
        two.bridge.deliver_in_time().await;
        assert_eq!(observations(&two.ehr.base, &two.ehr.patient).await, before, "not a letter of it has changed");
        assert_eq!(two.values(&two.second).await, [1], "the second one has it as it is now");
        let [first, second] = [two.chart(&two.ehr.patient).await, two.chart(&two.second).await];
        assert_ne!(first[0].1, second[0].1, "as a resource of its own");
        assert_eq!(two.send(&correcting(mood("3", "sparrow", 5), "1")).await, "corrected");
        two.bridge.deliver_in_time().await;
        assert_eq!(two.values(&two.second).await, [5]);
        assert_eq!(two.send(&retraction("4", "sparrow", "1")).await, "retracted");
        two.bridge.deliver_in_time().await;
        assert_eq!(observations(&two.ehr.base, &two.ehr.patient).await, before);
        assert_eq!(observations(&two.ehr.base, &two.second).await[0]["status"], "entered-in-error");
    }
}

on_both_databases! {
    async fn an_entry_that_the_first_patient_has_is_new_to_the_second(database) {
        let two = Two::with(database).await;
        two.send(&mood("1", "sparrow", 4)).await;
        two.bridge.deliver().await;
        two.unlink().await;
        two.link_and_share(&two.second).await;
        assert_eq!(two.send(&mood("1", "sparrow", 4)).await, "accepted", "sent again, as an import does");
        assert_eq!(two.send(&mood("1", "sparrow", 4)).await, "duplicate");
        two.bridge.deliver_in_time().await;
        assert_eq!((two.values(&two.ehr.patient).await, two.values(&two.second).await), (vec![4], vec![4]));
    }
}

on_both_databases! {
    async fn a_retraction_after_relinking_does_not_reach_the_first_patient(database) {
        let two = Two::with(database).await;
        two.send(&mood("1", "sparrow", 4)).await;
        two.bridge.deliver().await;
        two.unlink().await;
        two.link_and_share(&two.second).await;
        assert_eq!(two.send(&retraction("2", "sparrow", "1")).await, "retracted");
        two.bridge.deliver_in_time().await;
        assert_eq!(observations(&two.ehr.base, &two.ehr.patient).await[0]["status"], "final");
        assert!(two.values(&two.second).await.is_empty());
    }
}

on_both_databases! {
    async fn whoever_comes_back_to_the_first_patient_finds_everything_as_it_was(database) {
        let two = Two::with(database).await;
        two.send(&mood("1", "sparrow", 4)).await;
        two.bridge.deliver().await;
        for patient in [&two.second, &two.ehr.patient, &two.second, &two.ehr.patient] {
            two.unlink().await;
            two.link_and_share(patient).await;
        }
        assert_eq!(two.send(&mood("1", "sparrow", 4)).await, "duplicate", "it stands there");
        assert_eq!(two.send(&correcting(mood("2", "sparrow", 2), "1")).await, "corrected");
        two.bridge.deliver_in_time().await;
        assert_eq!(two.values(&two.ehr.patient).await, [2], "one resource, and no second one beside it");
        assert!(two.values(&two.second).await.is_empty());
    }
}

on_both_databases! {
    async fn what_waits_under_a_consent_that_is_over_never_goes_under_the_next_ones(database) {
        let two = Two::with(database).await;
        two.send(&mood("1", "sparrow", 4)).await;
        // However it ended: nothing but the link is left to take what waits with it.
        two.bridge.database.run("UPDATE grants SET state = 'superseded'").await;
        two.unlink().await;
        two.link_and_share(&two.second).await;
        two.bridge.deliver_in_time().await;
        assert!(two.values(&two.ehr.patient).await.is_empty(), "the consent was over before it went");
        assert!(two.values(&two.second).await.is_empty());
    }
}

on_both_databases! {
    async fn what_was_under_way_when_the_link_ended_is_found_out_and_nothing_more(database) {
        use mostik::sandbox::{Fault, FaultKind};
        let two = Two::with(database).await;
        let faults = two.ehr.sandbox.as_ref().unwrap().faults();
        faults.switch_on(Fault::once(FaultKind::LostReply).on("POST", "Observation"));
        two.send(&mood("1", "sparrow", 4)).await;
        two.bridge.deliver().await;
        let written = two.values(&two.ehr.patient).await;
        two.unlink().await;
        two.link_and_share(&two.second).await;
        two.send(&mood("2", "sparrow", 3)).await;
        two.bridge.deliver_in_time().await;
        assert_eq!(two.values(&two.ehr.patient).await, written, "nothing more came to the first");
        assert_eq!(two.values(&two.second).await, [3]);
    }
}

on_both_databases! {
    async fn a_member_has_one_patient_at_a_clinic_and_a_patient_one_member(database) {
        let two = Two::with(database).await;
        let (bridge, first) = (&two.bridge, &two.ehr.patient);
        assert_eq!(link_to(bridge, &two.member, first).await.unwrap(), Linked::Already);
        let another = link_to(bridge, &two.member, &two.second).await.unwrap_err();
        assert!(matches!(another, LinkError::LinkedToAnother { .. }), "{another}");
        assert!(another.to_string().contains("mostik member unlink --member"), "{another}");
        let wren = bridge.unlinked_person("wren").await;
        let taken = link_to(bridge, &wren, first).await.unwrap_err();
        assert!(matches!(taken, LinkError::PatientTaken { .. }), "{taken}");
        let says = taken.to_string();
        assert!(says.contains(&format!("mostik member link --member {}", wren.id)) && says.contains("--replace"), "{says}");
        assert!(!says.contains(first.as_str()) && !says.contains(&two.member.id.to_string()), "{says}");
        assert_eq!((taken.trouble(), another.trouble()), (Trouble::PatientTaken, Trouble::LinkedToAnother));
        two.unlink().await;
        assert_eq!(link_to(bridge, &wren, first).await.unwrap(), Linked::Anew, "once it is free");
    }
}

on_both_databases! {
    async fn on_the_clinics_word_one_member_takes_the_place_of_another(database) {
        let two = Two::with(database).await;
        let (bridge, first) = (&two.bridge, &two.ehr.patient);
        two.send(&mood("1", "sparrow", 4)).await;
        let wren = bridge.unlinked_person("wren").await;
        assert_eq!(link_in_place(bridge, &wren, first).await.unwrap(), Linked::InPlaceOf(two.member.id));
        assert_eq!(patient(bridge, &two.member).await, None);
        assert_eq!(patient(bridge, &wren).await.as_ref(), Some(first));
        bridge.deliver().await;
        assert!(two.values(first).await.is_empty(), "what waited for the first member does not go");
        assert_eq!(two.send(&mood("2", "sparrow", 3)).await, "refused");
        let mut tx = bridge.bridge.store.read().await.unwrap();
        assert_eq!(tx.former_links(two.member.id).await.unwrap()[0].ended_by, EndedBy::Clinic);
        drop(tx);
        let proof = crate::support::linking::proof(bridge, &wren).await.unwrap();
        assert!(proof.replaces(), "the clinic's say is part of the proof");
        let linked = link_in_place(bridge, &wren, &two.second).await.unwrap_err();
        assert!(matches!(linked, LinkError::LinkedToAnother { .. }), "a word about one Patient moves nobody from another");
    }
}

on_both_databases! {
    async fn two_members_who_come_for_one_patient_at_once_do_not_both_get_them(database) {
        let ehr = Ehr::sandbox().await;
        let bridge = TestBridge::start(database, &ehr.base).await;
        let mut people = Vec::new();
        for number in 0..6 {
            people.push(bridge.unlinked_person(&format!("member-{number}")).await);
        }
        let all = people.iter().map(|person| link_in_place(&bridge, person, &ehr.patient));
        let outcomes = futures_util::future::join_all(all).await;
        for outcome in &outcomes {
            let good = matches!(outcome, Ok(_) | Err(LinkError::PatientTaken { .. }));
            assert!(good, "each has the place, had it, or is refused: {outcome:?}");
        }
        let mut linked = 0;
        for person in &people {
            linked += usize::from(patient(&bridge, person).await.is_some());
        }
        assert_eq!(linked, 1);
    }
}
