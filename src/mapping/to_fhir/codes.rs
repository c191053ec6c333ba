//! Code systems and codes that leave the bridge, each with its source.

/// LOINC, SNOMED and HL7 each own their codes; these are the bridge's (`schemas/fhir/CodeSystem-mostik-observation.json`).
pub const MOSTIK: &str = "https://w3id.org/mostik/fhir/CodeSystem/mostik-observation";

/// What somebody does in an online community, counted (`schemas/fhir/CodeSystem-mostik-activity.json`).
pub const MOSTIK_ACTIVITY: &str = "https://w3id.org/mostik/fhir/CodeSystem/mostik-activity";

/// Identifiers of resources that the bridge writes.
pub const IDENTIFIER: &str = "https://w3id.org/mostik/fhir/sid/reading";

/// FHIR R4 4.0.1, `CodeSystem` observation-category.
pub const OBSERVATION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// FHIR R4 4.0.1, `CodeSystem` observation-statistics.
pub const STATISTICS: &str = "http://terminology.hl7.org/CodeSystem/observation-statistics";

/// HL7 v3 Confidentiality.
pub const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// HL7 v3 `ActCode`: sensitivity labels.
pub const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// HL7 v3 `ObservationValue`: who vouches for a value.
pub const OBSERVATION_VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/// US Core 9.0.0, tags of data supplied by patients.
pub const US_CORE_TAGS: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-tags";

/// US Core 9.0.0, Observation Screening Assessment.
pub const SCREENING_ASSESSMENT: &str =
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-screening-assessment";

/// FHIR R4 4.0.1, heart rate.
pub const HEART_RATE: &str = "http://hl7.org/fhir/StructureDefinition/heartrate";

/// HL7 v3 `DataOperation`: what was done with a record.
pub const DATA_OPERATION: &str = "http://terminology.hl7.org/CodeSystem/v3-DataOperation";

/// HL7 v3 `ActReason`: what for.
pub const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// FHIR R4 4.0.1, who took part in making a resource, and how.
pub const PROVENANCE_PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";

/// FHIR R4 4.0.1, what a Communication is.
pub const COMMUNICATION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/communication-category";

/// Units of measure.
pub const UCUM: &str = "http://unitsofmeasure.org";

/// Personal Health Record Format IG 1.0.0-ballot2: codes of observations.
pub const PHR_OBSERVATION: &str = "http://hl7.org/fhir/uv/phr/CodeSystem/observation-pghd-codes";

/// Personal Health Record Format IG 1.0.0-ballot2: parts of a state of mind.
pub const PHR_STATE_OF_MIND: &str = "http://hl7.org/fhir/uv/phr/CodeSystem/state-of-mind-codes";

/// Personal Health Record Format IG 1.0.0-ballot2: over which time a state of mind speaks.
pub const PHR_STATE_OF_MIND_KIND: &str = "http://hl7.org/fhir/uv/phr/CodeSystem/state-of-mind-kind-codes";

/// Personal Health Record Format IG 1.0.0-ballot2: classes of valence.
pub const PHR_STATE_OF_MIND_VALENCE: &str = "http://hl7.org/fhir/uv/phr/CodeSystem/state-of-mind-valence-codes";

/// HL7 v3 `ParticipationType`: who has which part in something.
pub const PARTICIPATION_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";

/// What can be consented to, and where a consent stands (`schemas/fhir/CodeSystem-mostik-consent.json`).
pub const MOSTIK_CONSENT: &str = "https://w3id.org/mostik/fhir/CodeSystem/mostik-consent";

/// FHIR R4 4.0.1, what service a visit is.
pub const SERVICE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/service-type";

/// FHIR R4 4.0.1, of which kind a service is.
pub const SERVICE_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/service-category";

/// FHIR R4 4.0.1, why a visit is cancelled.
pub const CANCELLATION_REASON: &str = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason";

/// How many places a group session has (`schemas/fhir/StructureDefinition-mostik-capacity.json`).
pub const CAPACITY: &str = "https://w3id.org/mostik/fhir/StructureDefinition/mostik-capacity";

/// Clinics, as this bridge is configured to call them.
pub const CLINIC: &str = "https://w3id.org/mostik/fhir/sid/clinic";

/// FHIR R4 4.0.1, what a Consent is about.
pub const CONSENT_SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";

/// LOINC.
pub const LOINC: &str = "http://loinc.org";

/// FHIR R4 4.0.1, why a value is missing.
pub const DATA_ABSENT_REASON: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";

/// The same, as an extension of an element that has no other place for it.
pub const DATA_ABSENT_EXTENSION: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// FHIR R4 4.0.1, extension: the number that a choice counts.
pub const ORDINAL_VALUE: &str = "http://hl7.org/fhir/StructureDefinition/ordinalValue";

/// IHE Privacy Consent on FHIR 1.1: nothing is permitted but what a consent permits.
pub const POLICY_DENY: &str = "https://profiles.ihe.net/ITI/PCF/Policy-deny";
