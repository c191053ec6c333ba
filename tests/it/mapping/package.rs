//! `schemas/fhir` as a FHIR package (packages.html of FHIR): everything in it is valid, named as it is listed, and says
//! exactly what leaves the bridge.

use std::collections::BTreeSet;

use mostik::domain::measurement::Measured;
use mostik::domain::questionnaire::Instrument;
use serde_json::{Value, json};

use crate::support::profiles::{codes, package};
use crate::support::validate::assert_valid;

const CANONICAL: &str = "https://w3id.org/mostik/fhir";

fn resource(kind: &str) -> &'static Value {
    package().map(|(_, it)| it).find(|it| it["resourceType"] == kind).unwrap()
}

#[tokio::test]
async fn each_file_is_valid_and_named_by_what_it_is() {
    assert!(package().count() > 30);
    for (path, it) in package() {
        let text = |field: &str| it[field].as_str().unwrap_or_else(|| panic!("{}: no {field}", path.display()));
        let (kind, id) = (text("resourceType"), text("id"));
        assert_eq!(path.file_name().unwrap().to_str().unwrap(), format!("{kind}-{id}.json"));
        assert_eq!(text("url"), format!("{CANONICAL}/{kind}/{id}"));
        for field in ["version", "name", "title", "status"] {
            text(field);
        }
        assert_valid(it).await;
    }
}

#[test]
fn the_package_lists_everything_in_it_once_under_its_own_version() {
    let manifest: Value = serde_json::from_str(include_str!("../../../schemas/fhir/package.json")).unwrap();
    let guide = resource("ImplementationGuide");
    assert_eq!((&manifest["name"], &manifest["version"]), (&guide["packageId"], &guide["version"]));
    assert_eq!((&manifest["canonical"], &manifest["fhirVersions"]), (&json!(CANONICAL), &guide["fhirVersion"]));
    for depends in guide["dependsOn"].as_array().unwrap() {
        assert_eq!(manifest["dependencies"][depends["packageId"].as_str().unwrap()], depends["version"]);
    }
    let listed = guide["definition"]["resource"].as_array().unwrap().iter();
    let listed: Vec<&str> = listed.map(|it| it["reference"]["reference"].as_str().unwrap()).collect();
    let there = package().map(|(_, it)| it).filter(|it| it["resourceType"] != "ImplementationGuide");
    let there: BTreeSet<String> =
        there.map(|it| format!("{}/{}", it["resourceType"].as_str().unwrap(), it["id"].as_str().unwrap())).collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), there.iter().map(String::as_str).collect());
    assert_eq!(listed.len(), there.len(), "none twice");
}

#[test]
fn the_sets_of_codes_are_those_of_the_code() {
    let set = |name: &str| {
        let codes = codes(&json!(format!("{CANONICAL}/ValueSet/mostik-{name}"))).into_iter();
        codes.map(|(_, code)| code.trim_matches('"').to_owned()).collect::<BTreeSet<String>>()
    };
    let of = |code: fn(Instrument) -> &'static str| {
        Instrument::ALL.into_iter().map(|it| code(it).to_owned()).collect::<BTreeSet<String>>()
    };
    assert_eq!(set("screening-totals"), of(|it| it.total().0));
    assert_eq!(set("screening-panels"), of(|it| it.panel().0));
    let questions = Instrument::ALL.into_iter().flat_map(Instrument::questions);
    assert_eq!(set("screening-questions"), questions.map(|it| it.code.to_owned()).collect());
    let measured = Measured::ALL.into_iter().map(|it| format!("{}-summary", it.as_str()));
    let totals = Instrument::ALL.into_iter().map(|it| format!("{}-total-summary", it.as_str()));
    let moods = ["mood-rating-summary", "state-of-mind-summary", "diary-tags-summary"].map(str::to_owned);
    assert_eq!(set("summaries"), measured.chain(totals).chain(moods).collect());
    assert_eq!(set("measured").len(), Measured::ALL.len(), "each is one of them: see `everything`");
    let own: BTreeSet<&str> = {
        let system = package().map(|(_, it)| it).find(|it| it["id"] == "mostik-observation").unwrap();
        system["concept"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect()
    };
    let sets = package().map(|(_, it)| it).filter(|it| it["resourceType"] == "ValueSet");
    let of_sets = sets.flat_map(|it| codes(&it["url"])).filter(|(system, _)| system.contains("mostik-observation"));
    for (_, code) in of_sets {
        assert!(own.contains(code.trim_matches('"')), "{code} is in a set and in no system");
    }
}
