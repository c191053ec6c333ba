//! What clinics have for members, put into the store as if it had come from an EHR.

use mostik::domain::ids::RecommendationId;
use mostik::domain::recommendation::{Recommendation, RecommendationKind, RecommendationState, Said, Source};
use mostik::pipeline::Bridge;
use mostik::recommendations;
use mostik::store::{EhrVersion, ResourceIndexes, SealedRecommendation};
use mostik::vault::MemberKey;

use super::bridge::{Person, TestBridge, riverside};

/// Something to do, in these words.
pub fn said(text: &str) -> Said {
    Said {
        text: text.to_owned(),
        by: Some("Dr. Ada Example".to_owned()),
        authored: None,
        from: None,
        until: None,
        is_urgent: false,
        is_not_to_be_done: false,
        is_unclear: false,
        is_actionable: true,
        is_answerable: true,
        questionnaire: None,
        source: Source { resource_type: "Task".to_owned(), id: format!("task-{}", text.len()), part: None },
    }
}

/// The member's own key.
pub async fn key(bridge: &Bridge, person: &Person) -> MemberKey {
    let wrapped = bridge.store.read().await.unwrap().member_key(person.id).await.unwrap().unwrap();
    bridge.keyring.unwrap_member_key(person.id, &wrapped).unwrap()
}

/// Puts something there for a member, as received now; returns its id.
pub async fn put(bridge: &TestBridge, person: &Person, says: &Said) -> RecommendationId {
    put_with_focus(bridge, person, says, None).await
}

/// The same, about another resource.
pub async fn put_with_focus(
    bridge: &TestBridge,
    person: &Person,
    says: &Said,
    focus: Option<&Source>,
) -> RecommendationId {
    let keys = bridge.bridge.keyring.index();
    let index = |source: &Source| keys.index("test", &[source.resource_type.as_bytes(), source.id.as_bytes()]);
    let indexes = ResourceIndexes { own: index(&says.source), focus: focus.map(index) };
    let id = RecommendationId(keys.uuid("test", &[person.id.0.as_bytes(), &indexes.own]));
    let row = SealedRecommendation {
        member: person.id,
        id,
        clinic: riverside(),
        kind: RecommendationKind::Task,
        state: RecommendationState::Received,
        sealed: Some(recommendations::seal(&key(&bridge.bridge, person).await, id, says).unwrap()),
        version: EhrVersion { id: Some("1".to_owned()), updated_at: Some(bridge.now()) },
        received_at: bridge.now(),
        updated_at: bridge.now(),
    };
    let mut tx = bridge.bridge.store.begin().await.unwrap();
    tx.put_recommendation(&row, indexes).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Everything that clinics have for a member, the newest first.
pub async fn all(bridge: &TestBridge, person: &Person) -> Vec<Recommendation> {
    let key = key(&bridge.bridge, person).await;
    let mut tx = bridge.bridge.store.read().await.unwrap();
    recommendations::page(&mut tx, &key, None, 100).await.unwrap().recommendations
}
