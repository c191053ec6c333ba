//! The forms that are published: made of the same words and codes that members are asked with, and served to everybody.

use std::fs;
use std::path::Path;

use mostik::domain::language::Language::Ru;
use mostik::domain::questionnaire::{COPYRIGHT, Instrument, Kind, PUBLISHED_ON, Question, VERSION};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bridge::TestBridge;
use crate::support::database::Database;
use crate::support::ehr::Ehr;
use crate::support::http;
use crate::support::validate::assert_valid;

const LOINC: &str = "http://loinc.org";

/// The translation of a text, as an extension of it (R4, extension-translation).
fn in_russian(text: &str) -> Value {
    json!({"extension": [{
        "url": "http://hl7.org/fhir/StructureDefinition/translation",
        "extension": [{"url": "lang", "valueCode": "ru"}, {"url": "content", "valueString": text}],
    }]})
}

fn coded(code: &str, display: Option<&str>) -> Value {
    let mut coding = json!({"system": LOINC, "code": code});
    if let Some(display) = display {
        coding["display"] = json!(display);
    }
    coding
}

fn options(question: &Question) -> Vec<Value> {
    let option = |(number, choice): (usize, &mostik::domain::questionnaire::Choice)| {
        let mut coding = coded(choice.code, Some(choice.en));
        coding["_display"] = in_russian(choice.words(Ru));
        let mut option = json!({"valueCoding": coding});
        if question.kind == Kind::Frequency {
            let url = "http://hl7.org/fhir/StructureDefinition/ordinalValue";
            option["extension"] = json!([{"url": url, "valueDecimal": number}]);
        }
        option
    };
    question.kind.choices().iter().enumerate().map(option).collect()
}

fn item(question: &Question) -> Value {
    json!({
        "linkId": format!("/{}", question.code),
        "code": [coded(question.code, question.display)],
        "text": question.en,
        "_text": in_russian(question.ru),
        "type": "choice",
        // Whoever would rather not say may leave it out.
        "required": false,
        "answerOption": options(question),
    })
}

fn form(instrument: Instrument) -> Value {
    let (panel, display) = instrument.panel();
    let stem = instrument.stem(mostik::domain::language::Language::En);
    let mut items = vec![json!({
        "linkId": "stem", "text": stem, "_text": in_russian(instrument.stem(Ru)), "type": "display",
    })];
    items.extend(instrument.questions().iter().map(item));
    json!({
        "resourceType": "Questionnaire",
        "id": instrument.as_str(),
        "language": "en",
        "url": instrument.url(),
        "version": VERSION,
        "name": instrument.title().replace('-', ""),
        "title": instrument.title(),
        "status": "active",
        "experimental": false,
        "subjectType": ["Patient"],
        "date": PUBLISHED_ON,
        "publisher": "mostik",
        "copyright": COPYRIGHT,
        "code": [coded(panel, display)],
        "item": items,
    })
}

#[tokio::test]
async fn the_forms_in_the_repository_are_what_members_are_asked() {
    for instrument in Instrument::ALL {
        let name = format!("schemas/fhir/Questionnaire-{}.json", instrument.as_str());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
        let made = serde_json::to_string_pretty(&form(instrument)).unwrap() + "\n";
        if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
            fs::write(&path, &made).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == made, "{name} is old: UPDATE_DOCUMENTS=1 cargo test --test it questionnaire_forms");
        assert_valid(&form(instrument)).await;
    }
}

#[tokio::test]
async fn everybody_can_read_them_and_find_them_by_their_address() {
    let ehr = Ehr::sandbox().await;
    let bridge = TestBridge::start(Database::sqlite(), &ehr.base).await;
    let get = async |path: &str| http::call(Method::GET, &format!("{}/fhir/{path}", bridge.api), None, None).await;
    for instrument in Instrument::ALL {
        let got = get(&format!("Questionnaire/{}", instrument.as_str())).await;
        assert_eq!((got.status, got.json), (200, form(instrument)));
    }
    assert_eq!(get("Questionnaire/phq-8").await.status, 404);
    let found = async |query: &str| {
        let got = get(&format!("Questionnaire{query}")).await;
        assert_eq!(got.status, 200, "{:?}", got.json);
        let entries = got.json["entry"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("").await.len(), 3);
    let url = "https%3A%2F%2Fw3id.org%2Fmostik%2Ffhir%2FQuestionnaire%2Fgad-7";
    assert_eq!(found(&format!("?url={url}")).await, ["gad-7"]);
    assert_eq!(found(&format!("?url={url}%7C{VERSION}")).await, ["gad-7"]);
    assert_eq!(found(&format!("?url={url}%7C0.1.0")).await.len(), 0);
    assert_valid(&get("Questionnaire").await.json).await;
}
