//! `disclosures.csv`: what clinics received. `log.csv`: the audit log about the member.

use jiff::Timestamp;

use super::{Archive, Exported, PAGE, Writing, csv_head, csv_lines};
use crate::audit::shared::{Shared, shared};
use crate::domain::audit::About;
use crate::store::{AuditRow, AuditScope};

const HEAD: [&str; 10] = [
    "clinic",
    "arrived_at",
    "measured_at",
    "matter",
    "category",
    "operation",
    "grant",
    "version",
    "identifier",
    "stands_there",
];

const LOG_HEAD: [&str; 5] = ["at", "clinic", "number", "what", "details"];

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        archive.file("disclosures/disclosures.csv").await?;
        archive.write(&csv_head(HEAD)?).await?;
        let mut before = None;
        loop {
            let mut tx = of.bridge.store.read().await?;
            let page = shared(&mut tx, &of.key, before.as_ref(), PAGE).await?;
            drop(tx);
            archive.write(&csv_lines(page.items.iter().map(line))?).await?;
            if page.next.is_none() {
                return Ok(());
            }
            before = page.next;
        }
    })
}

fn line(item: &Shared) -> [String; 10] {
    let told = &item.disclosure;
    [
        item.clinic.to_string(),
        item.at.to_string(),
        item.measured_at.map(|at| at.to_string()).unwrap_or_default(),
        told.about.matter.clone(),
        categories(&told.about),
        told.operation.as_str().to_owned(),
        told.grant.map(|grant| grant.to_string()).unwrap_or_default(),
        told.version.map(|version| version.to_string()).unwrap_or_default(),
        told.identifier.clone(),
        item.standing.as_str().to_owned(),
    ]
}

/// What it told of; a page, of several at once.
fn categories(about: &About) -> String {
    let parts = about.parts.keys().map(|category| category.as_str());
    about.category.map_or_else(|| parts.collect::<Vec<_>>().join("; "), |category| category.as_str().to_owned())
}

pub(super) fn write_log<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        archive.file("disclosures/log.csv").await?;
        archive.write(&csv_head(LOG_HEAD)?).await?;
        let scope = AuditScope { member: Some(of.member), ..AuditScope::default() };
        let mut after = None;
        loop {
            let page = of.bridge.store.read().await?.audit_entries(&scope, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.place());
            archive.write(&csv_lines(page.iter().map(entry))?).await?;
        }
    })
}

fn entry(row: &AuditRow) -> [String; 5] {
    let at = Timestamp::from_microsecond(row.at).map(|at| at.to_string()).unwrap_or_default();
    [at, row.clinic_id.clone(), row.seq.to_string(), row.kind.clone(), row.body.clone()]
}
