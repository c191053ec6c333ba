//! Names of things: opaque UUIDs for people and facts, readable slugs for what an operator configures.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id!(
    /// A person in one or more communities. Says nothing about who they are.
    MemberId
);
uuid_id!(
    /// A line of grants of one member towards one clinic; its versions share this id.
    GrantId
);
uuid_id!(
    /// One normalized fact. Derived from its source record, so the same record always gives the same id.
    ReadingId
);
uuid_id!(
    /// One item of the outbox.
    DeliveryId
);
uuid_id!(
    /// One erasure of a member.
    ErasureId
);

uuid_id!(
    /// A practitioner at a clinic. Derived from the clinic's name for them, and says nothing about who they are.
    PractitionerId
);

uuid_id!(
    /// One concern about a member.
    ConcernId
);

uuid_id!(
    /// The receipt of one change of a grant.
    ReceiptId
);
uuid_id!(
    /// Something that a clinic has for a member. Derived from where it stands in the EHR, so that it stays the same.
    RecommendationId
);

uuid_id!(
    /// A member's way to one visit at a clinic.
    BookingId
);

uuid_id!(
    /// A group session at a clinic.
    GroupSessionId
);

uuid_id!(
    /// A text that a clinic published; its versions share this id.
    MaterialId
);

/// A slug was not a slug.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 63 characters of a-z, 0-9 and '-', starting with a letter or digit")]
pub struct InvalidSlug;

macro_rules! slug_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The slug as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidSlug;

            fn try_from(text: String) -> Result<Self, InvalidSlug> {
                if is_slug(&text) { Ok(Self(text)) } else { Err(InvalidSlug) }
            }
        }

        impl FromStr for $name {
            type Err = InvalidSlug;

            fn from_str(text: &str) -> Result<Self, InvalidSlug> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

slug_id!(
    /// A community platform instance, as named in the configuration.
    CommunityId
);
slug_id!(
    /// A clinic: a tenant with one FHIR endpoint, as named in the configuration.
    ClinicId
);

slug_id!(
    /// A kind of visit that a clinic offers, as named in the configuration.
    VisitTypeId
);

/// Imported files belong to no community; their events are told apart by this name, which no community may have.
pub const IMPORT_COMMUNITY: &str = "import";

/// Whether this is an id of a FHIR resource: 1 to 64 letters, digits, '-' and '.' (R4, datatypes, id).
#[must_use]
pub fn is_fhir_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
        && bytes.first() != Some(&b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_short_lower_case_and_plain() {
        assert!("forum-1".parse::<CommunityId>().is_ok());
        for bad in ["", "-a", "Forum", "a b", "ü", &"a".repeat(64)] {
            assert_eq!(bad.parse::<CommunityId>(), Err(InvalidSlug), "{bad:?}");
        }
    }
}
