//! `profile.json`: who the member is to this bridge.

use serde_json::json;

use super::{Archive, Exported, Writing, opened};
use crate::enrolment::join::{HANDLE_COLUMN, PATIENT_COLUMN};

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let mut tx = of.bridge.store.read().await?;
        let profile = tx.profile(of.member).await?;
        drop(tx);
        let handle = |(community, sealed): &(String, Vec<u8>)| json!({"community": community, "handle": opened(of, HANDLE_COLUMN, community.as_bytes(), sealed)});
        let link = |link: &crate::store::LinkRow| {
            json!({
                "clinic": link.clinic,
                "patient": opened(of, PATIENT_COLUMN, link.clinic.as_bytes(), &link.sealed_patient),
                "proof": link.proof,
                "linked_at": link.linked_at,
            })
        };
        let token = |(created_at, expires_at): &(_, _)| json!({"created_at": created_at, "expires_at": expires_at});
        let access = |access: &crate::store::LentRow| json!({"clinic": access.clinic, "state": access.state, "connected_at": access.connected_at});
        let profile = json!({
            "member": of.member,
            "since": profile.since,
            "communities": profile.handles.iter().map(handle).collect::<Vec<_>>(),
            "clinics": profile.links.iter().map(link).collect::<Vec<_>>(),
            "access_lent_to_the_bridge": profile.lent.iter().map(access).collect::<Vec<_>>(),
            "sign_ins": profile.tokens.iter().map(token).collect::<Vec<_>>(),
        });
        archive.write(format!("{profile:#}\n").as_bytes()).await
    })
}
