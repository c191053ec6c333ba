//! What leaves, as FHIR.

mod any;
mod everything;
mod measurements;
mod moods;
mod package;
mod page_screened;
mod page_words;
mod profiles;
mod questionnaire_forms;
mod questionnaires;
pub(crate) mod subscriptions;
mod summaries;
mod visits;
pub(crate) mod warnings;
