//! `Appointment`: that there is one, when, and what became of it (R4, appointment.html).

use serde_json::Value;

use super::field::{concept, items, name, reference, text_at, when};
use super::{Common, NoAdvice, text};
use crate::domain::advice::{Advice, Standing};
use crate::domain::recommendation::{AppointmentNews, RecommendationKind};

/// Reads an appointment of a patient.
pub fn read(common: &Common<'_>) -> Result<Advice, NoAdvice> {
    let appointment = common.resource;
    let participants = items(appointment, "/participant");
    let mut patients = participants
        .iter()
        .filter_map(|participant| reference(participant, "/actor/reference", common.ear.base))
        .filter_map(|(kind, id)| (kind == "Patient").then_some(id));
    let patient = patients.next().ok_or(NoAdvice::NoPatient)?;
    // One of several patients is a group's, and nobody's own.
    if patients.any(|other| other != patient) {
        return Err(NoAdvice::NotForThem);
    }
    let mut says = common.says();
    let (standing, news) = standing(appointment);
    says.appointment = news;
    says.by = participants.iter().find_map(|participant| {
        let (kind, _) = reference(participant, "/actor/reference", common.ear.base)?;
        matches!(kind, "Practitioner" | "PractitionerRole").then(|| name(participant, "/actor"))?
    });
    says.text = text::paragraphs([
        text_at(appointment, "/description").map(text::tidy),
        items(appointment, "/serviceType").first().and_then(|service| concept(service, "")),
        text_at(appointment, "/patientInstruction").map(text::tidy),
        concept(appointment, "/cancelationReason").filter(|_| news == Some(AppointmentNews::Cancelled)),
    ]);
    says.authored = when(appointment, "/created");
    (says.from, says.until) = (when(appointment, "/start"), when(appointment, "/end"));
    Ok(common.advice(RecommendationKind::Appointment, standing, patient, says))
}

/// How it stands (R4, appointmentstatus). That it was cancelled is news, and stays.
fn standing(appointment: &Value) -> (Option<Standing>, Option<AppointmentNews>) {
    match text_at(appointment, "/status") {
        Some("pending") => (Some(Standing::Open), Some(AppointmentNews::Pending)),
        Some("booked") => (Some(Standing::Open), Some(AppointmentNews::Booked)),
        Some("cancelled") => (Some(Standing::Open), Some(AppointmentNews::Cancelled)),
        Some("arrived" | "checked-in" | "fulfilled" | "noshow") => {
            (Some(Standing::Done), Some(AppointmentNews::Booked))
        }
        Some("proposed" | "waitlist" | "entered-in-error") => (Some(Standing::Withdrawn), None),
        _ => (None, None),
    }
}
