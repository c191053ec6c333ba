#![no_main]
//! What an EHR has for a patient: resources as FHIR JSON, with what they ask to do.

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::inbound::advice::{Bundle, Ear, read};

const EAR: Ear<'static> =
    Ear { base: "https://ehr.example/fhir/", identifier_system: "urn:own", owner: Some("Device/mostik") };

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = Bundle::read(bytes) {
        bundle.resources.iter().for_each(|resource| look(resource, None));
    }
    let Ok(resource) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    look(&resource, None);
    look(&resource, Some(&resource));
});

/// Whatever an EHR says: a text is bounded and can be shown, and what is unclear says nothing.
fn look(resource: &serde_json::Value, focus: Option<&serde_json::Value>) {
    for advice in read(resource, focus, EAR).unwrap_or_default() {
        let says = &advice.says;
        assert!(says.text.chars().count() <= 20_001 && says.text.chars().all(|c| c == '\n' || !c.is_control()));
        assert!(!says.is_unclear || (says.text.is_empty() && !says.is_actionable && !says.is_answerable));
        assert!(!says.is_not_to_be_done || !says.is_actionable);
    }
}
