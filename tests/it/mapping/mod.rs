//! What leaves, as FHIR.

mod measurements;
mod moods;
mod package;
mod page_words;
mod questionnaire_forms;
mod questionnaires;
mod summaries;
