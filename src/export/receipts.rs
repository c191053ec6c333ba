//! The signed receipts, and the keys with which anyone can check them.

use serde_json::to_string_pretty;

use super::{Archive, Exported, Writing, opened};
use crate::pipeline::consent::RECEIPT_COLUMN;
use crate::store::ConsentRecord;

pub(super) fn write_keys<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let keys = to_string_pretty(&of.bridge.signing.published(of.now)).unwrap_or_default();
        archive.file("receipts/keys.jwks.json").await?;
        archive.write(keys.as_bytes()).await
    })
}

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let records = of.bridge.store.read().await?.consent_records(of.member).await?;
        for record in &records {
            let row = record.receipt.0.as_bytes();
            let Some(signed) = opened(of, RECEIPT_COLUMN, row, &record.sealed_receipt) else { continue };
            archive.file(&format!("receipts/{}", name(record))).await?;
            archive.write(signed.as_bytes()).await?;
        }
        Ok(())
    })
}

/// In the order in which they were issued, where a folder is sorted by name.
fn name(record: &ConsentRecord) -> String {
    format!("{}-{}-{}.jws", record.at.strftime("%Y-%m-%d"), record.change.as_str(), record.receipt)
}
