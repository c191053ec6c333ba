//! `entries.csv`: when which entry came in. What it said is not kept.

use super::{Archive, Exported, PAGE, Writing, csv_head, csv_lines};
use crate::store::EntryRow;

const HEAD: [&str; 4] = ["community", "category", "received_at", "retracted_at"];

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        archive.file("deliveries/entries.csv").await?;
        archive.write(&csv_head(HEAD)?).await?;
        let mut after = None;
        loop {
            let page = of.bridge.store.read().await?.entries_of(of.member, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some((last.community.clone(), last.index.clone()));
            archive.write(&csv_lines(page.iter().map(line))?).await?;
        }
    })
}

fn line(row: &EntryRow) -> [String; 4] {
    [
        row.community.clone(),
        row.category.clone().unwrap_or_default(),
        row.received_at.to_string(),
        row.retracted_at.map(|at| at.to_string()).unwrap_or_default(),
    ]
}
