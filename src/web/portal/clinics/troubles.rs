//! What members are told when they could not be connected.

use crate::enrolment::trouble::Trouble;

/// The text for it: what happened, and what they can do.
pub const fn text(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::NotOffered => "trouble-not-offered",
        Trouble::BeginAgain => "trouble-begin-again",
        Trouble::TooLate => "trouble-too-late",
        Trouble::Declined => "trouble-declined",
        Trouble::NotSetUp => "trouble-not-set-up",
        Trouble::NoPatient => "trouble-no-patient",
        Trouble::NotThePatient => "trouble-not-the-patient",
        Trouble::NotTrusted => "trouble-not-trusted",
        Trouble::ClinicTrouble => "trouble-clinic",
        Trouble::OurTrouble => "trouble-ours",
        Trouble::LinkedToAnother => "trouble-linked-to-another",
        Trouble::PatientTaken => "trouble-patient-taken",
        Trouble::CodeMalformed => "trouble-code-malformed",
        Trouble::CodeUnknown => "trouble-code-unknown",
        Trouble::CodeTooMany => "trouble-code-too-many",
    }
}
