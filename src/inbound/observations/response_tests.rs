//! Questionnaires as bridges, EHRs and US Core's own example give them.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::*;
use crate::domain::day::Days;
use crate::domain::ids::MemberId;
use crate::inbound::event::{Entry, Says};

const FREQUENCY: [&str; 4] = ["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"];

fn whose() -> Whose {
    let days = Days::new(std::iter::empty(), TimeZone::get("Europe/Berlin").unwrap());
    Whose { member: MemberId(uuid::Uuid::nil()), days, now: "2026-11-20T12:00:00Z".parse().unwrap() }
}

/// What a resource says, in short: `phq-9 110000001.=3`, `nothing`, or what is wrong with it.
fn said(resource: &Value) -> String {
    let response: Response = serde_json::from_value(resource.clone()).unwrap();
    let item = match response.item(1, None, &whose()) {
        Ok(Some(item)) => item,
        Ok(None) => return "nothing".to_owned(),
        Err(bad) => return bad.expected.to_owned(),
    };
    let Says::Reading(Entry { measure: Measure::Questionnaire(answers), .. }, _) = &item.event.says else {
        return format!("{:?}", item.event.says);
    };
    let letter = |(_, answer): (_, Answer)| match answer {
        Answer::Given(choice) => choice.to_string(),
        Answer::Declined => "-".to_owned(),
        Answer::NotAsked => ".".to_owned(),
    };
    let total = answers.total().map_or("none".to_owned(), |total| total.to_string());
    format!("{} {}={total}", answers.instrument().as_str(), answers.each().map(letter).collect::<String>())
}

fn answered(link_id: &str, answer: &Value) -> Value {
    json!({"linkId": link_id, "answer": [answer]})
}

fn choice(number: usize) -> Value {
    json!({"valueCoding": {"system": LOINC, "code": FREQUENCY[number]}})
}

/// A form whose questions are answered one after the other.
fn form(instrument: Instrument, choices: &[usize]) -> Value {
    let items = instrument.questions().iter().zip(choices);
    let items: Vec<Value> =
        items.map(|(question, number)| answered(&format!("/{}", question.code), &choice(*number))).collect();
    json!({
        "resourceType": "QuestionnaireResponse", "id": "17", "status": "completed",
        "authored": "2026-11-15T08:00:00+01:00", "item": items,
    })
}

fn with(mut resource: Value, field: &str, value: Value) -> Value {
    resource[field] = value;
    resource
}

fn adding(mut resource: Value, item: Value) -> Value {
    resource["item"].as_array_mut().unwrap().push(item);
    resource
}

#[test]
fn each_form_is_known_by_the_codes_of_its_questions_or_by_its_address() {
    assert_eq!(said(&form(Instrument::Gad7, &[3, 2, 1, 0, 3, 2, 1])), "gad-7 3210321=12");
    assert_eq!(said(&form(Instrument::Phq2, &[1, 2])), "phq-2 12=3");
    assert_eq!(said(&form(Instrument::Phq9, &[1, 1, 0, 0, 0, 0, 0, 0, 1])), "phq-9 110000001.=3");
    let cut_short = form(Instrument::Phq9, &[1, 2]);
    for address in ["https://w3id.org/mostik/fhir/Questionnaire/phq-9|1.0.0", "http://loinc.org/q/44249-1"] {
        let cut_short = with(cut_short.clone(), "questionnaire", json!(address));
        assert_eq!(said(&cut_short), "phq-9 12........=none", "{address}: no total where answers are missing");
    }
    assert_eq!(said(&with(cut_short, "status", json!("stopped"))), "nothing", "two answers of which form?");
    let example = include_str!("../../../schemas/fhir/us-core/QuestionnaireResponse-phq-9-example.json");
    assert_eq!(said(&serde_json::from_str(example).unwrap()), "phq-9 2222112001=12");
}

#[test]
fn a_choice_is_known_by_its_code_its_ordinal_or_a_number() {
    let ordinal = json!({"url": ORDINAL_VALUE, "valueDecimal": 2.0});
    let own = json!({"valueCoding": {"code": "often", "extension": [ordinal]}});
    for (answer, expected) in [
        (own, "phq-2 12=3"),
        (json!({"valueInteger": 3}), "phq-2 13=4"),
        (json!({"valueDecimal": 1.0}), "phq-2 11=2"),
        (json!({"valueString": "0"}), "phq-2 10=1"),
        (json!({"valueInteger": 4}), "one of the form's own answers to each question"),
        (json!({"valueDecimal": 0.5}), "one of the form's own answers to each question"),
        (json!({"valueString": "often"}), "one of the form's own answers to each question"),
        (
            json!({"valueCoding": {"system": LOINC, "code": "LA6572-7"}}),
            "one of the form's own answers to each question",
        ),
        (json!({"valueCoding": {"code": "LA6569-3"}}), "one of the form's own answers to each question"),
    ] {
        let form = adding(form(Instrument::Phq2, &[1]), answered("/44255-8", &answer));
        assert_eq!(said(&form), expected, "{answer}");
    }
    let declined = json!({"url": DATA_ABSENT_REASON, "valueCode": "asked-declined"});
    let declined = json!({"linkId": "/44255-8", "extension": [declined]});
    assert_eq!(said(&adding(form(Instrument::Phq2, &[1]), declined)), "phq-2 1-=none");
    assert_eq!(said(&adding(form(Instrument::Phq2, &[1]), json!({"linkId": "/44255-8"}))), "phq-2 1.=none");
}

#[test]
fn a_total_is_worked_out_anew_and_one_that_is_another_is_a_mistake() {
    let told =
        |answer: Value| said(&adding(form(Instrument::Gad7, &[1, 1, 1, 1, 1, 1, 1]), answered("/70274-6", &answer)));
    assert_eq!(told(json!({"valueDecimal": 7})), "gad-7 1111111=7");
    assert_eq!(told(json!({"valueString": "7"})), "gad-7 1111111=7");
    assert_eq!(told(json!({"valueQuantity": {"value": 7}})), "gad-7 1111111=7");
    for wrong in [json!({"valueInteger": 8}), json!({"valueInteger": 0})] {
        assert_eq!(told(wrong), "the sum of the answers as its total, and none where one is missing");
    }
    let missing = adding(form(Instrument::Gad7, &[1, 1]), answered("/70274-6", &json!({"valueInteger": 2})));
    assert_eq!(said(&missing), "the sum of the answers as its total, and none where one is missing");
}

#[test]
fn what_is_another_form_is_passed_over_and_what_is_wrong_is_named() {
    let whole = form(Instrument::Phq2, &[1, 2]);
    let group = json!([{"linkId": "/55757-9", "item": whole["item"].clone()}]);
    let path = json!([answered("/55757-9/44250-9", &choice(0)), answered("/55757-9/44255-8", &choice(3))]);
    let mut deep = whole["item"].clone();
    for depth in 0..DEEPEST {
        deep = json!([{"linkId": format!("group-{depth}"), "item": deep}]);
    }
    let too_deep = json!([{"linkId": "outermost", "item": deep.clone()}]);
    let twice = adding(whole.clone(), answered("/44250-9", &choice(1)));
    let other = adding(whole.clone(), answered("/x", &json!({"valueString": "of their own"})));
    let two = json!({"linkId": "/44259-0", "answer": [choice(1), choice(2)]});
    for (resource, expected) in [
        (with(whole.clone(), "item", group), "phq-2 12=3"),
        (with(whole.clone(), "item", path), "phq-2 03=3"),
        (with(whole.clone(), "item", deep), "phq-2 12=3"),
        (with(whole.clone(), "item", too_deep), "each question once"),
        (with(whole.clone(), "item", json!([answered("1", &choice(1))])), "nothing"),
        (with(whole.clone(), "status", json!("in-progress")), "nothing"),
        (with(whole.clone(), "status", json!("entered-in-error")), "Retraction(..)"),
        (with(whole.clone(), "authored", json!("2026-11")), "the time when it was filled in, as authored"),
        (with(whole.clone(), "authored", json!("2036-11-15")), "a time that is not in the future"),
        (with(whole.clone(), "id", json!(null)), "an identifier, an id or a fullUrl"),
        (twice, "each question once"),
        (other, "answers to the form's own questions, and no others"),
        (adding(whole.clone(), two), "one of the form's own answers to each question"),
        (adding(whole, json!({"linkId": "thanks", "text": "Thank you"})), "phq-2 12=3"),
    ] {
        assert_eq!(said(&resource), expected, "{resource:#}");
    }
}
