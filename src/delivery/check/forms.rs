//! What a clinic gets beside single entries, and in which form its EHR takes that.

use super::{NOBODY, Outcome, Step};
use crate::delivery::ehr::{EhrClient, REPORT_TYPE, RESPONSE_TYPE};
use crate::delivery::smart_auth::scopes;
use crate::domain::delivery::Rung;
use crate::domain::page::{PageRules, PageWhen};
use crate::domain::questionnaire::Instrument;

/// What a clinic asked for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Which questionnaires its patients are asked to fill in.
    pub questionnaires: Vec<Instrument>,
    /// Whether it gets pages, and how.
    pub pages: Option<PageRules>,
    /// What members are asked to lend, where they lend something.
    pub lent: Option<&'a str>,
}

/// Says what the clinic gets, and in which form. Nothing where its EHR gives no statement: [`super::check`] says why.
pub async fn check_forms(ehr: &EhrClient, wanted: &Wanted<'_>) -> Vec<Step> {
    let answer = ehr.capability_statement(NOBODY).await.ok().filter(|answer| answer.status == 200);
    let Some(capabilities) = answer.and_then(|answer| ehr.capabilities(&answer.body)) else { return Vec::new() };
    let ticket = ehr.prepare(NOBODY).await.ok();
    let keeps = |resource_type: &str| match (wanted.lent, &ticket) {
        (Some(asked), _) => {
            capabilities.keeps(resource_type)
                && scopes::missing(&format!("patient/{resource_type}.crus"), asked).is_empty()
        }
        (None, Some(ticket)) => ticket.takes(resource_type),
        (None, None) => false,
    };
    let questionnaires = questionnaires(wanted, capabilities.rung("Observation"), keeps(RESPONSE_TYPE));
    let page = capabilities.rung("DocumentReference");
    let pages = wanted.pages.map_or(
        Outcome::Skipped("none wanted: [clinics.….summary] has one page about the last weeks sent"),
        |rules| pages(rules, page, keeps(REPORT_TYPE)),
    );
    vec![Step { name: "questionnaires", outcome: questionnaires }, Step { name: "pages", outcome: pages }]
}

fn questionnaires(wanted: &Wanted<'_>, rung: Rung, takes_forms: bool) -> Outcome {
    let asked: Vec<&str> = wanted.questionnaires.iter().map(|instrument| instrument.title()).collect();
    let asked = if asked.is_empty() { "none asked for".to_owned() } else { format!("asked for: {}", asked.join(", ")) };
    let form = match rung {
        Rung::None => return Outcome::Skipped("not taken: they will be held"),
        Rung::Document => "as a note with each answer",
        Rung::Discrete if takes_forms => "as each answer and the total, and the form (QuestionnaireResponse)",
        Rung::Discrete => "as each answer and the total, without the form: the EHR, or its scopes, do not take it",
    };
    Outcome::Good(format!("{asked}; what is filled in goes {form}"))
}

fn pages(rules: PageRules, rung: Rung, takes_reports: bool) -> Outcome {
    if rung == Rung::None {
        return Outcome::Wrong(
            "the EHR says that it takes no new DocumentReferences, and pages will be held: ask the clinic, or take \
             [clinics.….summary] away"
                .to_owned(),
        );
    }
    let when = match rules.page {
        PageWhen::Weekly => "each week",
        PageWhen::OnRequest => "when somebody asks",
    };
    let pdf = if rules.pdf { "text and PDF" } else { "text" };
    let report = match (rules.report, takes_reports) {
        (false, _) => "",
        (true, true) => ", and as a DiagnosticReport",
        (true, false) => "; not as a DiagnosticReport, which the EHR, or its scopes, do not take",
    };
    let language = rules.language.as_str();
    Outcome::Good(format!("{when}, in {language}, as {pdf} (DocumentReference){report}"))
}
