//! What leaves, as FHIR.

mod measurements;
mod moods;
mod page_words;
mod questionnaire_forms;
mod questionnaires;
pub(crate) mod subscriptions;
mod summaries;
