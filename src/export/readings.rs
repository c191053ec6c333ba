//! `readings.csv` and `fhir-bundle.json`: what the member noted down and what is kept of it, the newest first.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::{Archive, ExportError, Exported, PAGE, Writing, csv_head, csv_lines};
use crate::domain::measurement::Measurement;
use crate::domain::moment::Moment;
use crate::domain::questionnaire::{Answer, Answers};
use crate::domain::reading::{Measure, Mood, Reading};
use crate::mapping::to_fhir::{own_copies, own_reference};
use crate::readings::kept;
use crate::store::ReadingSearch;

const HEAD: [&str; 17] = [
    "reading",
    "when",
    "category",
    "measured",
    "from",
    "value",
    "unit",
    "worst",
    "best",
    "word",
    "valence",
    "valence_class",
    "valence_of",
    "text",
    "tags",
    "device",
    "labels",
];

pub(super) fn write_csv<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        archive.file("readings/readings.csv").await?;
        archive.write(&csv_head(HEAD)?).await?;
        each_page(of, archive, |readings| csv_lines(readings.iter().map(line))).await
    })
}

pub(super) fn write_fhir<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        archive.file("readings/fhir-bundle.json").await?;
        // Whom all of it is about: nobody is told here who they are at a clinic.
        let patient = json!({
            "fullUrl": own_reference(of.member),
            "resource": {"resourceType": "Patient", "id": of.member},
        });
        let head = r#"{"resourceType":"Bundle","type":"collection","entry":["#;
        archive.write(format!("{head}\n{patient}").as_bytes()).await?;
        each_page(of, archive, |readings| {
            let mut entries = Vec::new();
            for reading in readings {
                for (id, resource) in own_copies(reading, &of.bridge.source)? {
                    entries.extend(format!(",\n{{\"fullUrl\":\"urn:uuid:{id}\",\"resource\":").as_bytes());
                    entries.extend(resource);
                    entries.push(b'}');
                }
            }
            Ok(entries)
        })
        .await?;
        archive.write(b"\n]}\n").await
    })
}

/// Writes what is made of each page of readings.
async fn each_page(
    of: &Exported,
    archive: &mut Archive,
    make: impl Fn(&[Reading]) -> Result<Vec<u8>, ExportError> + Send,
) -> Result<(), ExportError> {
    let (from, until) = (Timestamp::MIN, Timestamp::MAX);
    let mut search = ReadingSearch { category: None, from, until, after: None, limit: PAGE };
    loop {
        let mut tx = of.bridge.store.read().await?;
        let page = kept::page(&mut tx, &of.key, &search).await?;
        drop(tx);
        archive.write(&make(&page.readings)?).await?;
        if page.next.is_none() {
            return Ok(());
        }
        search.after = page.next;
    }
}

/// What stands in the columns that differ from kind to kind.
#[derive(Default)]
struct Said {
    measured: String,
    from: String,
    value: String,
    unit: String,
    worst: String,
    best: String,
    word: String,
    valence: String,
    valence_class: String,
    valence_of: String,
    text: String,
    tags: String,
    device: String,
}

fn line(reading: &Reading) -> [String; 17] {
    let labels: Vec<&str> = reading.labels.iter().map(|label| label.as_str()).collect();
    let [id, when, category] =
        [reading.id.to_string(), reading.moment.to_rfc3339(), reading.measure.category().as_str().to_owned()];
    let said = match &reading.measure {
        Measure::Mood(mood) => rated(mood),
        Measure::Note(text) | Measure::Agenda(text) => Said { text: text.clone(), ..Said::default() },
        Measure::Tags(tags) => Said { tags: tags.join("; "), ..Said::default() },
        Measure::Measurement(measurement) => measured(measurement),
        Measure::Questionnaire(answers) => filled_in(answers),
        Measure::Deed(deed) => Said { measured: deed.as_str().to_owned(), ..Said::default() },
    };
    let Said { measured, from, value, unit, worst, best, word, valence, valence_class, valence_of, .. } = said;
    let Said { text, tags, device, .. } = said;
    [
        id,
        when,
        category,
        measured,
        from,
        value,
        unit,
        worst,
        best,
        word,
        valence,
        valence_class,
        valence_of,
        text,
        tags,
        device,
        labels.join(" "),
    ]
}

fn measured(measurement: &Measurement) -> Said {
    let Measurement { of, value, start, modality: _, device } = measurement;
    Said {
        measured: of.as_str().to_owned(),
        from: start.map(Moment::to_rfc3339).unwrap_or_default(),
        value: value.as_str().to_owned(),
        unit: of.unit().to_owned(),
        device: device.clone().unwrap_or_default(),
        ..Said::default()
    }
}

/// The total where there is one, and the answers by the code of their question; `-` for what was declined.
fn filled_in(answers: &Answers) -> Said {
    let number = |answer: Answer| answer.given().map_or_else(|| "-".to_owned(), |number| number.to_string());
    let said = answers.asked().map(|(question, answer)| format!("{}={}", question.code, number(answer)));
    let instrument = answers.instrument();
    Said {
        measured: instrument.as_str().to_owned(),
        value: answers.total().map(|total| total.to_string()).unwrap_or_default(),
        worst: instrument.most().to_string(),
        best: "0".to_owned(),
        text: said.collect::<Vec<_>>().join("; "),
        ..Said::default()
    }
}

fn rated(mood: &Mood) -> Said {
    let [value, worst, best] = mood.rating.as_ref().map_or_else(Default::default, |rating| {
        [&rating.value, &rating.worst, &rating.best].map(|number| number.as_str().to_owned())
    });
    let [valence, valence_class, valence_of] = mood.state_of_mind.as_ref().map_or_else(Default::default, |state| {
        let class = state.classification.map(code).unwrap_or_default();
        [state.valence.as_str().to_owned(), class, code(state.kind)]
    });
    let word = mood.label.clone().unwrap_or_default();
    Said { value, worst, best, word, valence, valence_class, valence_of, ..Said::default() }
}

/// The published code of something.
fn code(of: impl Serialize) -> String {
    serde_json::to_value(of).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
}
