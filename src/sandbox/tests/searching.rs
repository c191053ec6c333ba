//! Searches and their pages.

use jiff::SignedDuration;

use super::*;

/// The identifiers of the hits, in their order.
fn values(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().into_iter().flatten();
    entries.map(|entry| entry["resource"]["identifier"][0]["value"].as_str().unwrap().to_owned()).collect()
}

fn link<'a>(bundle: &'a Value, relation: &str) -> Option<&'a str> {
    bundle["link"].as_array().unwrap().iter().find(|link| link["relation"] == relation)?["url"].as_str()
}

async fn follow(bench: &Bench, url: &str) -> Value {
    bench.client.get(url).send().await.unwrap().json().await.unwrap()
}

/// Three observations an hour apart, of one patient.
async fn three_moods(bench: &Bench) -> String {
    let patient = bench.patient().await;
    for number in 1..=3 {
        bench.clock.advance(SignedDuration::from_hours(1));
        bench.stored(&mood(&patient, &format!("r-{number}"))).await;
    }
    patient
}

#[tokio::test]
async fn a_searchset_has_a_total_links_and_full_urls() {
    let bench = bench().await;
    let patient = bench.patient().await;
    let stored = bench.stored(&mood(&patient, "r-1")).await;
    let bundle = bench.found("/Observation?identifier=urn:mostik:reading|r-1").await;
    assert_eq!((&bundle["type"], &bundle["total"]), (&json!("searchset"), &json!(1)));
    let full_url = format!("{}/Observation/{}", bench.sandbox.fhir_base(), id(&stored));
    let entry = json!({ "fullUrl": full_url, "resource": stored, "search": { "mode": "match" } });
    assert_eq!(bundle["entry"], json!([entry]));
    assert_eq!(link(&bundle, "next"), None);
    let empty = bench.found("/Observation?identifier=r-9").await;
    assert_eq!((&empty["total"], empty.get("entry")), (&json!(0), None));
}

#[tokio::test]
async fn an_identifier_matches_with_its_system_without_any_and_by_value_alone() {
    let bench = bench().await;
    let patient = bench.patient().await;
    bench.stored(&mood(&patient, "r-1")).await;
    let mut bare = mood(&patient, "r-1");
    bare["identifier"][0].as_object_mut().unwrap().remove("system");
    bench.stored(&bare).await;
    let total = async |value: &str| bench.found(&format!("/Observation?identifier={value}")).await["total"].clone();
    assert_eq!(total("r-1").await, 2);
    assert_eq!(total("urn:mostik:reading|r-1").await, 1);
    assert_eq!(total("|r-1").await, 1);
    assert_eq!(total("urn:other|r-1").await, 0);
    assert_eq!(total("urn:mostik:reading|").await, 1);
    assert_eq!(total("r-0,r-1").await, 2);
}

#[tokio::test]
async fn a_single_identifier_of_a_questionnaire_response_is_found_like_any_other() {
    let bench = bench().await;
    let patient = bench.patient().await;
    let answers = json!({ "resourceType": "QuestionnaireResponse", "identifier": { "system": "s", "value": "q-1" },
        "status": "completed", "subject": { "reference": format!("Patient/{patient}") } });
    bench.stored(&answers).await;
    assert_eq!(bench.found("/QuestionnaireResponse?identifier=s|q-1").await["total"], 1);
}

#[tokio::test]
async fn a_patient_is_named_with_or_without_the_type() {
    let bench = bench().await;
    let patient = three_moods(&bench).await;
    let other = bench.patient().await;
    bench.stored(&mood(&other, "r-9")).await;
    let base = bench.sandbox.fhir_base();
    for query in [
        format!("patient={patient}"),
        format!("patient=Patient/{patient}"),
        format!("patient={base}/Patient/{patient}"),
        format!("subject={patient}"),
        format!("subject=Patient/{patient}"),
    ] {
        assert_eq!(values(&bench.found(&format!("/Observation?{query}")).await), ["r-1", "r-2", "r-3"], "{query}");
    }
}

#[tokio::test]
async fn status_category_and_code_narrow_together() {
    let bench = bench().await;
    let patient = three_moods(&bench).await;
    let mut odd = mood(&patient, "r-4");
    odd["status"] = json!("preliminary");
    bench.stored(&odd).await;
    let found = async |query: &str| values(&bench.found(&format!("/Observation?{query}")).await).len();
    assert_eq!(found("status=preliminary").await, 1);
    assert_eq!(found("status=final,preliminary").await, 4);
    assert_eq!(found("category=survey&code=http://loinc.org|44261-6&status=final").await, 3);
    assert_eq!(found("category=urn:other|survey").await, 0);
    assert_eq!(found("code=vital-signs").await, 0);
}

#[tokio::test]
async fn the_last_update_is_compared_by_its_prefix() {
    let bench = bench().await;
    three_moods(&bench).await;
    let found = async |query: &str| values(&bench.found(&format!("/Observation?{query}")).await);
    assert_eq!(found("_lastUpdated=ge2026-03-01T10:00:00.000Z").await, ["r-2", "r-3"]);
    assert_eq!(found("_lastUpdated=gt2026-03-01T10:00:00.000Z").await, ["r-3"]);
    assert_eq!(found("_lastUpdated=le2026-03-01T10:00:00.000Z").await, ["r-1", "r-2"]);
    assert_eq!(found("_lastUpdated=lt2026-03-01T10:00:00.000Z").await, ["r-1"]);
    assert_eq!(found("_lastUpdated=gt2026-03-01T09:00:00Z&_lastUpdated=lt2026-03-01T12:00:00%2B01:00").await, ["r-2"]);
    assert_eq!(found("_lastUpdated=2026-03").await.len(), 3);
    assert_eq!(found("_lastUpdated=gt2026").await.len(), 0);
}

#[tokio::test]
async fn a_searched_time_lasts_as_long_as_it_is_exact() {
    let bench = bench().await;
    bench.clock.advance(SignedDuration::from_millis(30_500));
    bench.patient().await;
    for (time, total) in
        [("00", 1), ("00:30", 1), ("00:30.500", 1), ("01", 0), ("00:00", 0), ("00:29", 0), ("00:30.000", 0)]
    {
        let bundle = bench.found(&format!("/Patient?_lastUpdated=2026-03-01T08:{time}Z")).await;
        assert_eq!(bundle["total"], total, "{time}");
    }
}

#[tokio::test]
async fn the_date_of_an_observation_is_a_span_in_its_own_zone() {
    let bench = bench().await;
    let patient = bench.patient().await;
    for (name, date) in [("day", "2026-02-28"), ("instant", "2026-03-01T00:30:00+01:00"), ("later", "2026-03-02")] {
        let mut resource = mood(&patient, name);
        resource["effectiveDateTime"] = json!(date);
        bench.stored(&resource).await;
    }
    let found = async |query: &str| values(&bench.found(&format!("/Observation?{query}")).await);
    assert_eq!(found("date=2026-02-28").await, ["day", "instant"]);
    assert_eq!(found("date=ge2026-03-01").await, ["later"]);
    assert_eq!(found("date=lt2026-03-01").await, ["day", "instant"]);
    assert_eq!(found("date=gt2026-02-28&date=le2026-03-02").await, ["later"]);
    assert_eq!(found("date=2026-02-28T12:00:00Z").await, Vec::<String>::new(), "a day is not within a second of it");
}

#[tokio::test]
async fn a_date_that_is_none_is_refused() {
    let bench = bench().await;
    for value in ["yesterday", "sa2026-01-01", "2026-13", "2026-02-30", "2026-01-01T10:00:00 02:00"] {
        refused(bench.get(&format!("/Observation?date={value}")).await, 400, "value").await;
    }
    refused(bench.get("/Observation?_count=many").await, 400, "value").await;
    refused(bench.get("/Observation?_cursor=here").await, 400, "value").await;
}

#[tokio::test]
async fn pages_hold_every_hit_once_even_if_some_come_and_go_in_between() {
    let bench = bench().await;
    let patient = three_moods(&bench).await;
    let first = bench.found(&format!("/Observation?patient={patient}&_count=2")).await;
    assert_eq!((values(&first), &first["total"]), (vec!["r-1".to_owned(), "r-2".to_owned()], &json!(3)));
    bench.delete(&first["entry"][0]["resource"]).await;
    bench.stored(&mood(&patient, "r-4")).await;
    let second = follow(&bench, link(&first, "next").unwrap()).await;
    assert_eq!(values(&second), ["r-3", "r-4"]);
    assert_eq!(link(&second, "next"), None);
}

#[tokio::test]
async fn hits_are_sorted_by_their_last_update_in_both_directions() {
    let bench = bench().await;
    let patient = three_moods(&bench).await;
    let first = bench.found("/Observation?identifier=r-1").await["entry"][0]["resource"].clone();
    bench.clock.advance(SignedDuration::from_hours(1));
    bench.put(&first, "W/\"1\"").send().await.unwrap();
    for (sort, order) in [("_lastUpdated", ["r-2", "r-3", "r-1"]), ("-_lastUpdated", ["r-1", "r-3", "r-2"])] {
        let first = bench.found(&format!("/Observation?patient={patient}&_sort={sort}&_count=2")).await;
        let second = follow(&bench, link(&first, "next").unwrap()).await;
        assert_eq!([values(&first), values(&second)].concat(), order);
    }
}

#[tokio::test]
async fn following_the_next_links_comes_to_an_end() {
    let bench = bench().await;
    three_moods(&bench).await;
    let mut seen = Vec::new();
    let mut page = bench.found("/Observation?_count=1").await;
    seen.extend(values(&page));
    while let Some(next) = link(&page, "next") {
        assert_eq!(next.matches("_cursor").count(), 1, "links do not grow");
        page = follow(&bench, next).await;
        seen.extend(values(&page));
        assert!(seen.len() <= 3, "{seen:?}");
    }
    assert_eq!(seen, ["r-1", "r-2", "r-3"]);
}

#[tokio::test]
async fn a_page_is_never_larger_than_the_server_likes() {
    let bench = bench().await;
    let entry = json!({ "resource": { "resourceType": "Patient" }, "request": { "method": "POST", "url": "Patient" } });
    let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": vec![entry; 501] });
    bench.call(Method::POST, "").json(&batch).send().await.unwrap();
    for (path, size) in [("/Patient?_count=100000", 500), ("/Patient", 50)] {
        let bundle = bench.found(path).await;
        assert_eq!((bundle["entry"].as_array().unwrap().len(), &bundle["total"]), (size, &json!(501)));
        assert!(link(&bundle, "next").is_some());
    }
}

#[tokio::test]
async fn a_deleted_resource_is_not_found() {
    let bench = bench().await;
    let patient = bench.stored(&json!({ "resourceType": "Patient" })).await;
    bench.delete(&patient).await;
    assert_eq!(bench.found("/Patient").await["total"], 0);
    assert_eq!(bench.found(&format!("/Patient?_id={}", id(&patient))).await["total"], 0);
}

#[tokio::test]
async fn a_count_of_zero_only_counts() {
    let bench = bench().await;
    three_moods(&bench).await;
    let bundle = bench.found("/Observation?_count=0").await;
    assert_eq!((&bundle["total"], bundle.get("entry"), link(&bundle, "next")), (&json!(3), None, None));
}

#[tokio::test]
async fn an_unknown_parameter_is_ignored_or_refused_as_the_client_prefers() {
    let bench = bench().await;
    three_moods(&bench).await;
    let path = "/Observation?shoe-size=44&status=final";
    let lenient = bench.found(path).await;
    assert_eq!(lenient["total"], 3);
    let base = bench.sandbox.fhir_base();
    assert_eq!(link(&lenient, "self").unwrap(), format!("{base}/Observation?status=final"));
    let strict = bench.call(Method::GET, path).header("Prefer", "handling=strict").send().await.unwrap();
    refused(strict, 400, "not-supported").await;
    for modified in ["status:not=final", "_id:not=1"] {
        refused(bench.get(&format!("/Observation?{modified}")).await, 400, "not-supported").await;
    }
}

#[tokio::test]
async fn a_search_can_be_posted_as_a_form() {
    let bench = bench().await;
    three_moods(&bench).await;
    let form = bench.call(Method::POST, "/Observation/_search?status=final");
    let form = form.header("Content-Type", "application/x-www-form-urlencoded");
    let response = form.body("identifier=urn%3Amostik%3Areading%7Cr-2").send().await.unwrap();
    assert_eq!(values(&response.json().await.unwrap()), ["r-2"]);
}

#[tokio::test]
async fn several_ids_are_found_together() {
    let bench = bench().await;
    let (first, second) = (bench.patient().await, bench.patient().await);
    bench.patient().await;
    assert_eq!(bench.found(&format!("/Patient?_id={first},{second},nobody")).await["total"], 2);
}

#[tokio::test]
async fn free_slots_of_a_schedule_are_found() {
    let bench = bench().await;
    let slot = json!({ "resourceType": "Slot", "schedule": { "reference": "Schedule/1" }, "status": "free",
        "start": "2026-03-05T09:00:00Z", "end": "2026-03-05T09:30:00Z" });
    bench.stored(&slot).await;
    assert_eq!(bench.found("/Slot?schedule=Schedule/1&status=free&start=ge2026-03-05").await["total"], 1);
    assert_eq!(bench.found("/Slot?schedule=Schedule/2").await["total"], 0);
}
