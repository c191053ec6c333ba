//! What a clinic gets beside single entries, and in which form its EHR takes that.

use super::{NOBODY, Outcome, Step};
use crate::delivery::ehr::{Capabilities, Dialect, EhrClient, REPORT_TYPE, RESPONSE_TYPE};
use crate::delivery::smart_auth::scopes;
use crate::domain::booking::Way;
use crate::domain::delivery::Rung;
use crate::domain::page::{Corrections, PageRules, PageWhen};
use crate::domain::questionnaire::Instrument;
use crate::domain::visit_type::VisitType;

/// What a clinic asked for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Which questionnaires its patients are asked to fill in.
    pub questionnaires: Vec<Instrument>,
    /// Whether it gets pages, and how.
    pub pages: Option<PageRules>,
    /// What kinds of visits it offers.
    pub visits: &'a [VisitType],
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
        |rules| pages(rules, page, keeps(REPORT_TYPE), capabilities.has_update("DocumentReference")),
    );
    let mut steps =
        vec![Step { name: "questionnaires", outcome: questionnaires }, Step { name: "pages", outcome: pages }];
    steps.push(Step { name: "visits", outcome: visits(wanted.visits, &capabilities) });
    steps
}

/// In which ways visits can be booked there, and whether those that are offered can.
fn visits(offered: &[VisitType], capabilities: &Capabilities) -> Outcome {
    let operations = match capabilities.scheduling() {
        Some(Dialect::Ihe) => Some("$find, $hold and $book (IHE ITI Scheduling)"),
        Some(Dialect::Argonaut) => Some("$find, $hold and $book (Argonaut Scheduling)"),
        None => None,
    };
    let slots = (capabilities.has_search("Slot") && capabilities.has_update("Slot")).then_some("free Slots");
    let request = capabilities.has_create("Appointment").then_some("requests");
    let without = |way: Way, has: bool| offered.iter().find(|visit| visit.way == Some(way) && !has);
    let wrong = without(Way::Operations, operations.is_some() || capabilities.is_unknown())
        .or_else(|| without(Way::Slots, slots.is_some() && request.is_some()))
        .or_else(|| without(Way::Request, request.is_some()));
    if let Some(visit) = wrong {
        return Outcome::Wrong(format!(
            "the EHR does not say that it has what the way of {} takes: ask the clinic, or take `way` away from it",
            visit.id
        ));
    }
    let ways: Vec<&str> = [operations, slots, request].into_iter().flatten().collect();
    match (ways.is_empty(), offered.is_empty()) {
        (true, true) => Outcome::Skipped("not taken, and none offered"),
        (true, false) => Outcome::Wrong("the EHR says that it takes no Appointments: ask the clinic".to_owned()),
        (false, true) => Outcome::Good(format!("none offered; the EHR has {}", ways.join(", "))),
        (false, false) => Outcome::Good(format!("{} offered; the EHR has {}", offered.len(), ways.join(", "))),
    }
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

fn pages(rules: PageRules, rung: Rung, takes_reports: bool, takes_updates: bool) -> Outcome {
    if rung == Rung::None {
        return Outcome::Wrong(
            "the EHR says that it takes no new DocumentReferences, and pages will be held: ask the clinic, or take \
             [clinics.….summary] away"
                .to_owned(),
        );
    }
    if !takes_updates && rules.corrections == Corrections::Update {
        return Outcome::Wrong(
            "the EHR says that it takes no changes of DocumentReferences, and what puts a page right will be held: set \
             corrections = \"replace\" in [clinics.….summary]"
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
