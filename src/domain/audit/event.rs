//! What can happen, each with its word and its body. A word is for ever: entries are never rewritten.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Chain;
use super::concern::{ConcernAt, ConcernTold, WarningCleared, WarningDecided};
use super::house::{
    ApiKey, ChainBegun, ChainTampered, CheckpointWritten, KeyId, KeyRotation, OperatorAccess, SigningKeyFound,
};
use super::member::{
    ConsentState, Erasure, IdentityAt, Joined, LinkEnded, Linked, Notice, Receipt, RulesAt, SignIn, SignOut,
};
use super::staff::{ModeratorAt, ModeratorDone, StaffAt, StaffDone, StaffOffered, StaffPublished, StaffRetracted};
use super::way::{ClinicAccess, ClinicRefusal, Decision, Disclosure, Ended, ForMember, NotKept};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident $(($body:ty))? = $kind:literal,)*) => {
        /// What happened. Bodies grow by fields with a default only; a word that this version does not know still
        /// verifies.
        #[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum Event {
            $($(#[$doc])* #[serde(rename = $kind)] $name $(($body))?,)*
        }

        impl Event {
            /// Every word that there is.
            pub const KINDS: &'static [&'static str] = &[$($kind),*];

            /// Its word.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $kind,)*
                }
            }
        }
    };
}

events! {
    /// The log begins. The first entry of the house, and nowhere else.
    LogBegun = "log-begun",
    /// A chain begins. In the house's chain, together with the chain's first entry.
    ChainBegun(ChainBegun) = "chain-begun",
    /// Somebody changed how far a chain goes. Found when the next entry was written.
    ChainTampered(ChainTampered) = "chain-tampered",
    /// What stands on the chains was noted outside of the database.
    CheckpointWritten(CheckpointWritten) = "checkpoint-written",
    /// A process that serves has opened the master key.
    MasterKeyOpened(KeyId) = "master-key-opened",
    /// Keys are wrapped by another master key now.
    MasterKeyRotated(KeyRotation) = "master-key-rotated",
    /// A key to sign with was found in its folder for the first time.
    SigningKeyFound(SigningKeyFound) = "signing-key-found",
    /// A community has got an API key.
    ApiKeyCreated(ApiKey) = "api-key-created",
    /// An API key is good for nothing any more.
    ApiKeyRevoked(ApiKey) = "api-key-revoked",

    /// A member has joined, and has a key of their own.
    MemberJoined(Joined) = "member-joined",
    /// The member has agreed to the rules of a community.
    RulesAgreed(RulesAt) = "rules-agreed",
    /// The member has got access for themselves.
    SignedIn(SignIn) = "signed-in",
    /// Accesses of the member have ended.
    SignedOut(SignOut) = "signed-out",
    /// The member's account at their community's identity provider lets them in from now on.
    IdentityConnected(IdentityAt) = "identity-connected",
    /// It does no longer.
    IdentityDisconnected(IdentityAt) = "identity-disconnected",
    /// The member's data was handed to them.
    DataExported = "data-exported",
    /// The member wants to be erased.
    ErasureRequested(Erasure) = "erasure-requested",
    /// The member wants to stay.
    ErasureCancelled(Erasure) = "erasure-cancelled",
    /// The member's key was destroyed: nothing sealed with it opens any more, wherever it lies.
    MemberKeyDestroyed(Erasure) = "member-key-destroyed",
    /// What was left of the member is gone.
    Erased(Erasure) = "erased",

    /// The clinic knows which Patient the member is. Sealed: the Patient.
    Linked(Linked) = "linked",
    /// The clinic's Patient is no longer known to be the member.
    Unlinked(LinkEnded) = "unlinked",

    /// A first version of consent.
    ConsentGranted(ConsentState) = "consent-granted",
    /// Another version of consent.
    ConsentChanged(ConsentState) = "consent-changed",
    /// Consent is set aside.
    ConsentPaused(ConsentState) = "consent-paused",
    /// Consent is in force again.
    ConsentResumed(ConsentState) = "consent-resumed",
    /// Consent was taken back.
    ConsentRevoked(ConsentState) = "consent-revoked",
    /// The time of a consent was found to be over.
    ConsentExpired(ConsentState) = "consent-expired",
    /// The member was shown a text.
    NoticeShown(Notice) = "notice-shown",
    /// The member has a receipt.
    ReceiptIssued(Receipt) = "receipt-issued",

    /// It was decided what may go to the clinic.
    Decision(Decision) = "decision",
    /// The clinic's EHR has it. Sealed: where there, and when the fact was lived.
    Disclosed(Disclosure) = "disclosure",
    /// It will not be sent.
    Withdrawn(Ended) = "withdrawn",
    /// The EHR refused it, or it cannot go as it is: it waits for a human.
    SetAside(Ended) = "set-aside",
    /// All attempts are used up. Nobody knows whether the EHR has it.
    GivenUp(Ended) = "given-up",

    /// What the member said wants a human's eye. Sealed: by which rule.
    ConcernRaised(ConcernAt) = "concern-raised",
    /// People of the community were told of it.
    ConcernTold(ConcernTold) = "concern-told",
    /// Nobody acknowledged it in time.
    ConcernEscalated(ConcernAt) = "concern-escalated",
    /// Somebody looks after it. Sealed: the name that they gave.
    ConcernAcknowledged(ConcernAt) = "concern-acknowledged",
    /// They are done. Sealed: the name that they gave.
    ConcernClosed(ConcernAt) = "concern-closed",
    /// A person decided that the clinic is warned without consent. Sealed: the name that they gave, why, and the legal
    /// basis.
    WarningDecided(WarningDecided) = "warning-decided",
    /// The warning may go: it was decided again as it was sent.
    WarningCleared(WarningCleared) = "warning-cleared",

    /// Something that the clinic has for the member came in, or a new version of it.
    Received(ForMember) = "recommendation-received",
    /// The clinic took back what it had for the member.
    Retracted(ForMember) = "recommendation-retracted",
    /// The member answered what the clinic has for them.
    Answered(ForMember) = "recommendation-answered",
    /// What the EHR showed was not kept: it is not this member's.
    NotKept(NotKept) = "recommendation-not-kept",

    /// An operator saw or changed something of a member's, or of the house.
    OperatorAccess(OperatorAccess) = "operator-access",
    /// Somebody at the clinic read something.
    ClinicAccess(ClinicAccess) = "clinic-access",
    /// Somebody was sent away who wanted to read as the clinic.
    ClinicRefused(ClinicRefusal) = "clinic-refused",
    /// Somebody of the clinic's staff signed in to the staff view.
    StaffSignedIn(StaffAt) = "staff-signed-in",
    /// They signed out.
    StaffSignedOut(StaffAt) = "staff-signed-out",
    /// Somebody of the clinic's staff looked at a visit of the member, or entered it.
    StaffSaw(StaffDone) = "staff-saw",
    /// Somebody of the clinic's staff decided about a visit of the member.
    StaffDecided(StaffDone) = "staff-decided",
    /// Somebody of the clinic's staff changed on what terms it offers a kind of visit.
    StaffOffered(StaffOffered) = "staff-offered",
    /// Somebody of the clinic's staff published a text for everybody, or a new version of it.
    MaterialPublished(StaffPublished) = "material-published",
    /// Somebody of the clinic's staff took such a text back.
    MaterialRetracted(StaffRetracted) = "material-retracted",
    /// Somebody of a community's people signed in to its concerns.
    ModeratorSignedIn(ModeratorAt) = "moderator-signed-in",
    /// They signed out.
    ModeratorSignedOut(ModeratorAt) = "moderator-signed-out",
    /// Somebody of a community's people looked at a concern about the member, or changed how it stands.
    ModeratorDid(ModeratorDone) = "moderator-did",
}

impl Event {
    /// What the sealed part of an entry is sealed for, on its chain and at its time: it opens in no other entry. Two of
    /// one kind at the same microsecond between the same clinic and member are told apart by what they are about.
    #[must_use]
    pub fn sealed_row(&self, chain: &Chain, at: Timestamp) -> Vec<u8> {
        let id: &[u8] = match self {
            Self::Disclosed(disclosure) => disclosure.delivery.0.as_bytes(),
            Self::ConcernRaised(at) | Self::ConcernAcknowledged(at) | Self::ConcernClosed(at) => {
                at.concern.0.as_bytes()
            }
            Self::WarningDecided(decided) => decided.concern.0.as_bytes(),
            _ => b"",
        };
        let member = chain.member.map_or(Uuid::nil(), |member| member.0);
        let clinic = chain.clinic.as_ref().map_or("", |clinic| clinic.as_str());
        let at = at.as_microsecond().to_be_bytes();
        // Whatever has no length of its own comes first, up to a mark that it cannot hold, or last.
        [self.kind().as_bytes(), b"/", member.as_bytes(), &at, id, clinic.as_bytes()].concat()
    }

    /// What is written in the database: its body with its word in it.
    ///
    /// # Errors
    /// Never, for the bodies that there are.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// What was written, if this version knows it.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_with_its_word() {
        let signed_in = Event::SignedIn(SignIn { method: "token".to_owned() });
        for event in [Event::LogBegun, Event::DataExported, signed_in] {
            let text = event.to_json().unwrap();
            assert!(text.contains(&format!("\"kind\":\"{}\"", event.kind())), "{text}");
            assert_eq!(Event::from_json(&text), Some(event));
        }
    }

    #[test]
    fn a_word_of_a_later_version_is_none_that_is_known() {
        assert_eq!(Event::from_json("{\"kind\":\"flown-to-the-moon\"}"), None);
    }
}
