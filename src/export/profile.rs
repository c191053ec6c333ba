//! `profile.json`: who the member is to this bridge. `settings.json`: what they set.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Archive, Exported, Writing, opened};
use crate::domain::ids::CommunityId;
use crate::enrolment::join::{HANDLE_COLUMN, PATIENT_COLUMN};
use crate::readings::settings::settings;
use crate::store::{Erasure, FormerLink, LentRow, LinkRow};

pub(super) fn write<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let mut tx = of.bridge.store.read().await?;
        let profile = tx.profile(of.member).await?;
        let former = tx.former_links(of.member).await?;
        let erasure = tx.living_erasure(of.member).await?;
        let agreed = tx.agreements_of(of.member).await?;
        drop(tx);
        let handle = |(community, sealed): &(String, Vec<u8>)| json!({"community": community, "handle": opened(of, HANDLE_COLUMN, community.as_bytes(), sealed)});
        let lent = |access: &LentRow| json!({"clinic": access.clinic, "state": access.state, "connected_at": access.connected_at});
        let rules = |(community, version, at): &(CommunityId, String, Timestamp)| json!({"community": community, "version": version, "agreed_at": at});
        let profile = json!({
            "member": of.member,
            "since": profile.since,
            "communities": profile.handles.iter().map(handle).collect::<Vec<_>>(),
            "rules_agreed": agreed.iter().map(rules).collect::<Vec<_>>(),
            "clinics": profile.links.iter().map(|link| linked(of, link)).collect::<Vec<_>>(),
            "former_clinics": former.iter().map(was_linked).collect::<Vec<_>>(),
            "access_lent_to_the_bridge": profile.lent.iter().map(lent).collect::<Vec<_>>(),
            "erasure": erasure.as_ref().map(asked_for),
        });
        archive.file("profile/profile.json").await?;
        archive.write(format!("{profile:#}\n").as_bytes()).await
    })
}

fn linked(of: &Exported, link: &LinkRow) -> Value {
    json!({
        "clinic": link.clinic,
        "patient": opened(of, PATIENT_COLUMN, link.clinic.as_bytes(), &link.sealed_patient),
        "proof": link.proof,
        "linked_at": link.linked_at,
    })
}

fn was_linked(link: &FormerLink) -> Value {
    json!({
        "clinic": link.clinic,
        "linked_at": link.linked_at,
        "unlinked_at": link.unlinked_at,
        "ended_by": link.ended_by.as_str(),
    })
}

fn asked_for(erasure: &Erasure) -> Value {
    json!({
        "erasure": erasure.id,
        "state": erasure.state.as_str(),
        "requested_at": erasure.requested_at,
        "requested_by": erasure.method.map(crate::domain::consented::Method::as_str),
        "due_at": erasure.due_at,
        "clinics_are_asked": erasure.ask_clinics,
    })
}

pub(super) fn write_settings<'a>(of: &'a Exported, archive: &'a mut Archive) -> Writing<'a> {
    Box::pin(async move {
        let settings = settings(&mut of.bridge.store.read().await?, &of.key).await?;
        let said = serde_json::to_value(&settings).unwrap_or_default();
        archive.file("profile/settings.json").await?;
        archive.write(format!("{said:#}\n").as_bytes()).await
    })
}
