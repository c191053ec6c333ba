//! `deliveries.csv`: what was on its way to a clinic, or has arrived there.

use super::{Archive, Exported, PAGE, Writing, csv_head, csv_lines};
use crate::store::{DeliveryRow, PlaceOnLane};

const HEAD: [&str; 16] = [
    "clinic",
    "delivery",
    "operation",
    "category",
    "measured_at",
    "grant",
    "state",
    "reason",
    "attempts",
    "created_at",
    "updated_at",
    "identifier",
    "resource_type",
    "ehr_id",
    "ehr_version",
    "confirmed_at",
];

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        archive.file("deliveries/deliveries.csv").await?;
        archive.write(&csv_head(HEAD)?).await?;
        let mut after = PlaceOnLane::default();
        loop {
            let page = of.bridge.store.read().await?.deliveries_of(of.member, &after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.place.clone();
            archive.write(&csv_lines(page.iter().map(line))?).await?;
        }
    })
}

fn line(row: &DeliveryRow) -> [String; 16] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        row.place.clinic.clone(),
        row.id.to_string(),
        row.operation.clone(),
        row.category.clone(),
        row.measured_at.to_string(),
        row.grant.to_string(),
        row.state.clone(),
        text(&row.reason),
        row.attempts.to_string(),
        row.created_at.to_string(),
        row.updated_at.to_string(),
        row.identifier.clone(),
        row.resource_type.clone(),
        text(&row.ehr_id),
        text(&row.ehr_version),
        row.confirmed_at.map(|at| at.to_string()).unwrap_or_default(),
    ]
}
