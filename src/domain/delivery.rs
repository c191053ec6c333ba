//! The life of an outbox item on its way to a clinic.

use serde::{Deserialize, Serialize};

use super::grant::Addressee;
use super::ids::{ClinicId, DeliveryId, GrantId, MemberId};
use super::matter::Matter;

/// Where an item stands: `ready → sending → confirmed`, with the detours an unreliable world needs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeliveryState {
    /// Waits for its turn on the lane.
    Ready,
    /// A request is, or was when the process died, under way.
    Sending,
    /// The last attempt certainly did not reach the EHR; another follows.
    Retry,
    /// The answer never came: search by identifier before anything is sent again.
    Unknown,
    /// The EHR has it, exactly once.
    Confirmed,
    /// The EHR refused it for good: a human looks at it.
    Rejected,
    /// All attempts are used up: a human looks at it.
    Dead,
    /// The EHR takes it in no form: it waits until the EHR does. It holds up nothing.
    Held,
    /// Consent ended before it was sent; its content is erased.
    Withdrawn,
}

impl DeliveryState {
    /// Every state, in the order of the way.
    pub const ALL: [Self; 9] = [
        Self::Ready,
        Self::Sending,
        Self::Retry,
        Self::Unknown,
        Self::Confirmed,
        Self::Rejected,
        Self::Dead,
        Self::Held,
        Self::Withdrawn,
    ];

    /// The word used in the API, the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Sending => "sending",
            Self::Retry => "retry",
            Self::Unknown => "unknown",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Dead => "dead",
            Self::Held => "held",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether it waits, and nothing of it is or may be under way: when its consent ends, it is withdrawn.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::Ready | Self::Retry | Self::Held)
    }

    /// Whether a desk still has something to do with the item. Such an item holds up those behind it on its lane.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Ready | Self::Sending | Self::Retry | Self::Unknown)
    }
}

/// In which form a clinic's EHR takes what is sent: the write ladder, from the top down.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Nothing can be written: it is held.
    None,
    /// A readable note, as a `DocumentReference`.
    Document,
    /// The resource itself, an `Observation`.
    Discrete,
}

impl Rung {
    /// The word used in the configuration, the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Document => "document",
            Self::Discrete => "discrete",
        }
    }

    /// The rung with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::None, Self::Document, Self::Discrete].into_iter().find(|rung| rung.as_str() == name)
    }
}

/// A resource as an EHR keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// FHIR resource type.
    pub resource_type: String,
    /// The id the EHR gave it.
    pub id: String,
    /// Its version, if the EHR said.
    pub version: Option<String>,
}

/// What an item does with the resource that has its identifier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// The EHR gets it for the first time.
    Create,
    /// The member changed their entry: what the EHR has is brought up to date, and marked as corrected.
    Correct,
    /// The member deleted their entry: what the EHR has is marked as entered in error.
    Retract,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 3] = [Self::Create, Self::Correct, Self::Retract];

    /// The word used in the database and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Correct => "correct",
            Self::Retract => "retract",
        }
    }

    /// The operation with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == name)
    }
}

/// An outbox item as a desk finds it at the head of a lane. Its content stays sealed until it is sent.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The item.
    pub id: DeliveryId,
    /// To whom.
    pub clinic: ClinicId,
    /// About whom.
    pub member: MemberId,
    /// Its place on the lane.
    pub seq: i64,
    /// Under which grant it was enqueued; `None`: under none, as a warning is.
    pub grant: Option<GrantId>,
    /// What it tells, and so which consent it takes.
    pub matter: Matter,
    /// To whom at the clinic it is addressed.
    pub addressee: Addressee,
    /// The grant that last let it go, and its version; `None` if none did yet, or it was not kept.
    pub cleared_under: Option<(GrantId, i32)>,
    /// What it does with the resource.
    pub operation: Operation,
    /// FHIR resource type: as it was mapped, or as it was last sent.
    pub resource_type: String,
    /// Whether it is a part of what another item tells as a whole: it goes only where each part has a form of its own.
    pub is_part: bool,
    /// Value of the resource's identifier, the same for every attempt.
    pub identifier: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// How many attempts, searches included, were made for it.
    pub attempts: i32,
    /// Why it stands there: a code.
    pub reason: Option<String>,
    /// The sealed FHIR JSON; absent once it was confirmed or withdrawn.
    pub sealed_payload: Option<Vec<u8>>,
    /// Where the resource with its identifier stands in the EHR, if it is known to stand there.
    pub stored: Option<Stored>,
}
