//! What a member did in their community → counts, under codes of the bridge's own: no public code system was found that has
//! any (`schemas/fhir/CodeSystem-mostik-activity.json`).

use fhir_codec::resources::{ObservationComponent, ObservationComponentValue, ObservationValue};
use fhir_codec::{BuilderError, Decimals};

use super::codes::MOSTIK_ACTIVITY;
use super::element::{coding, component, concept, quantity};
use super::envelope::{Body, Filed};
use crate::domain::activity::{Activity, Deed};

/// How much is counted of what, in which unit (UCUM; in braces, an annotation that says what is counted).
fn counted(deed: Deed) -> (&'static str, &'static str, &'static str) {
    match deed {
        Deed::Posted => ("posts", "Posts", "{posts}"),
        Deed::Replied => ("replies-given", "Replies given", "{replies}"),
        Deed::GotReply => ("replies-received", "Replies received", "{replies}"),
        Deed::Reacted => ("reactions-given", "Reactions given", "{reactions}"),
        Deed::GotReaction => ("reactions-received", "Reactions received", "{reactions}"),
    }
}

/// The counts of a week.
pub fn components(activity: &Activity, decimals: &mut Decimals) -> Result<Vec<ObservationComponent>, BuilderError> {
    let counts = Deed::ALL.map(|deed| (counted(deed), activity.count(deed)));
    let days = [(("active-days", "Days with activity", "d"), activity.active_days)];
    let times = [
        (("night-hours", "Hours with activity between 00:00 and 05:00", "h"), activity.night_hours),
        (("longest-silence", "Longest time without activity", "h"), activity.longest_silence),
    ];
    let component = |((code, display, unit), number): ((&str, &str, &str), u32)| {
        let value = quantity(decimals.token(&number.to_string()), unit)?;
        component(coding(MOSTIK_ACTIVITY, code, Some(display))?, ObservationComponentValue::Quantity(value))
    };
    days.into_iter().chain(counts).chain(times).map(component).collect()
}

/// One thing that happened, for the member's own archive: a clinic gets the counts of a week and nothing finer.
pub fn entry(deed: Deed, decimals: &mut Decimals) -> Result<Body, BuilderError> {
    let (code, display, unit) = counted(deed);
    Ok(Body {
        code: concept(vec![coding(MOSTIK_ACTIVITY, code, Some(display))?], None)?,
        value: Some(ObservationValue::Quantity(quantity(decimals.token("1"), unit)?)),
        components: Vec::new(),
        filed: Filed::COUNTED,
        device: None,
    })
}
