//! `sign-ins.json`: where the member is signed in. What lets somebody in is not kept, and so it is not here.

use serde_json::json;

use super::{Archive, Exported, Writing};
use crate::store::BrowserRow;

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let mut tx = of.bridge.store.read().await?;
        let (access, told) = (tx.accesses(of.member).await?, tx.subscriptions(of.member).await?);
        let calendar = tx.calendar_feed_since(of.member).await?;
        drop(tx);
        let token = |(created_at, expires_at): &(_, _)| json!({"created_at": created_at, "expires_at": expires_at});
        let session = |session: &crate::store::SessionRow| {
            json!({
                "community": session.community,
                "ends_when_idle_at": session.idle_until,
                "ends_at": session.ends_at,
            })
        };
        let launch = |(clinic, expires_at): &(_, _)| json!({"clinic": clinic, "ends_at": expires_at});
        let browser = |row: &BrowserRow| json!({"since": row.created_at});
        let said = json!({
            "browsers": access.sessions.iter().map(session).collect::<Vec<_>>(),
            "programs": access.tokens.iter().map(token).collect::<Vec<_>>(),
            "identity_providers_of": access.identities,
            "browsers_that_show_notes": told.iter().map(browser).collect::<Vec<_>>(),
            "calendar_program_since": calendar,
            "begun_at_clinics": access.launches.iter().map(launch).collect::<Vec<_>>(),
        });
        archive.file("profile/sign-ins.json").await?;
        archive.write(format!("{said:#}\n").as_bytes()).await
    })
}
