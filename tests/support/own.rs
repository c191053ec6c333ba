//! What members have for themselves: their key, their settings, their readings.

use mostik::domain::settings::{Change, Settings};
use mostik::readings::settings::{change_settings, settings};
use mostik::vault::MemberKey;

use super::bridge::{Person, TestBridge};

impl TestBridge {
    /// A person's own key.
    pub async fn key(&self, person: &Person) -> MemberKey {
        let wrapped = self.bridge.store.read().await.unwrap().member_key(person.id).await.unwrap().unwrap();
        self.bridge.keyring.unwrap_member_key(person.id, &wrapped).unwrap()
    }

    /// What a person has set.
    pub async fn settings(&self, person: &Person) -> Settings {
        settings(&mut self.bridge.store.read().await.unwrap(), &self.key(person).await).await.unwrap()
    }

    /// Sets something for a person.
    pub async fn set(&self, person: &Person, change: Change) {
        let key = self.key(person).await;
        let mut tx = self.bridge.store.begin().await.unwrap();
        change_settings(&mut tx, &key, change, self.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
}
