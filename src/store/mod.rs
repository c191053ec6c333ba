//! The store: SQLite for one machine, PostgreSQL for many, behind one port.
//!
//! Every statement is written once. A [`Tx`] is a transaction on either database; the `on!` macro stamps the same
//! expression for both, so that nothing branches on the database inside a function. What truly differs (row locks) is a
//! fragment that the transaction hands out. The decision and what it was weighed against: see `migrations/README.md`.

mod agreements;
mod announcements;
mod asks;
mod audit;
mod audit_read;
mod backfill;
mod bookings;
mod calendar_feeds;
mod clinic_access;
mod clinics;
mod concerns;
mod consent_records;
mod credentials;
mod data_keys;
mod drafts;
mod ears;
mod erasures;
mod error;
mod events;
mod exported;
mod grants;
mod group_sessions;
mod identities;
mod join_codes;
mod lanes;
mod launches;
mod ledger;
mod link_codes;
mod links;
mod materials;
mod matter;
mod members;
mod news;
mod outbox;
mod pages;
mod patient_tokens;
mod pool;
mod push_subscriptions;
mod queue;
mod readings;
mod recommendation_answers;
mod recommendations;
mod reminders;
mod sessions;
mod settings;
mod sign_in_links;
mod staff;
mod stored_grants;
mod subscriptions;
mod summaries;
mod sweep;
mod talks;
mod tellings;
mod turns;
mod upkeep;
mod versions;
mod visit_terms;
mod visits;
mod wake;
mod warnings;
mod way_back;
mod wipe;

pub use agreements::AgreementRow;
pub use announcements::{AnnouncementFate, DueAnnouncement};
pub use asks::Asks;
pub use audit::{ChainKey, key_of};
pub use audit_read::{AuditCursor, AuditHead, AuditPlace, AuditRow, AuditScope, HeadedRow};
pub use bookings::{BookingKey, SealedBooking};
pub use clinic_access::ClinicTokenRow;
pub use clinics::ClinicRow;
pub use concerns::{ConcernRow, NewConcern, OpenConcerns, SealedNames, Telling};
pub use consent_records::ConsentRecord;
pub use credentials::ApiKeyRow;
pub use data_keys::{DataKeyRow, Rewrapped};
pub use drafts::DraftRow;
pub use erasures::{Erasure, ErasureState};
pub use error::StoreError;
pub use events::SeenEvent;
pub use exported::{Accesses, DeliveryRow, EntryRow, LentRow, LinkRow, PayloadRow, PlaceOnLane, Profile};
pub use identities::{IdentityKey, IdentityRequest, NewIdentityRequest};
pub use lanes::{HeldLane, Lane, LaneKey, Leased, Reserved, Room};
pub use launches::{LaunchRow, NewLaunch};
pub use ledger::LedgerEntry;
pub use link_codes::{LinkCodeRow, NewLinkCode};
pub use links::{EndedBy, FormerLink, Link, NewLink};
pub use materials::MaterialRow;
pub use news::NoticeRow;
pub use outbox::NewDelivery;
pub use pages::{DuePage, PageDue, PageKey};
pub use patient_tokens::{NewPatientTokens, PatientTokensRow, PatientTokensState};
pub use pool::{Store, Tx};
pub use push_subscriptions::BrowserRow;
pub use queue::{QueueRow, Replay, StuckItem};
pub use readings::{ReadingSearch, SealedReading};
pub use recommendation_answers::{AnswerRow, NewAnswer};
pub use recommendations::{EhrVersion, ResourceIndexes, SealedRecommendation};
pub use sessions::SessionRow;
pub use sign_in_links::{DueSignInLink, NewSignInLink};
pub use staff::{StaffSessionRow, StaffWalk};
pub use stored_grants::StoredGrant;
pub use subscriptions::{NewSubscription, SubscriptionRow, Tended};
pub use summaries::{MadeSummary, Unsummarised};
pub use sweep::WITHDRAWN_REASON;
pub use tellings::{TellingRow, Try};
pub use turns::{Heads, Refused, Settled};
pub use versions::Version;
pub use visit_terms::OwnTerms;
pub use visits::RatingCount;
pub use wake::Listener;
pub use warnings::WarningRow;
pub use way_back::{DueLook, LookCount, LookedAt};
pub use wipe::{KEPT_TABLES, MEMBER_TABLES, Sent};

use jiff::{SignedDuration, Timestamp};

/// How many rows one statement inserts or asks for: both databases bound the number of parameters.
const ROWS_PER_STATEMENT: usize = 500;

/// Runs one expression on whichever database the transaction belongs to.
///
/// `on!(tx, conn => …)` binds the connection; `on!(tx, conn: Db => …)` also names the database type, for builders.
macro_rules! on {
    ($tx:expr, $conn:ident => $run:expr) => {
        match &mut $tx.inner {
            $crate::store::pool::Inner::Sqlite(tx) => {
                let $conn = &mut **tx;
                $run
            }
            $crate::store::pool::Inner::Postgres(tx) => {
                let $conn = &mut **tx;
                $run
            }
        }
    };
    ($tx:expr, $conn:ident: $db:ident => $run:expr) => {
        match &mut $tx.inner {
            $crate::store::pool::Inner::Sqlite(tx) => {
                type $db = sqlx::Sqlite;
                let $conn = &mut **tx;
                $run
            }
            $crate::store::pool::Inner::Postgres(tx) => {
                type $db = sqlx::Postgres;
                let $conn = &mut **tx;
                $run
            }
        }
    };
}
use on;

/// Rows for one statement, filled up with the last of them to a power of two: so that few different statements have to
/// be prepared. Only for statements in which a row may stand twice.
///
/// SQLite takes such a list of rows for a million of them, and would rather read a whole table than look each up: so a
/// table is looked up in by `CROSS JOIN`, which it does in the order given, and changed by `IN`, which it takes for short.
fn padded<T>(rows: &[T]) -> impl Iterator<Item = &T> {
    rows.iter().chain(std::iter::repeat_n(rows.last(), rows.len().next_power_of_two() - rows.len()).flatten())
}

/// The instant a column holds. (`Timestamp::from_microsecond` reads nothing of the last second that there is, and something may be
/// until [`Timestamp::MAX`].)
fn instant(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_duration(SignedDuration::from_micros(micros))
        .map_err(|_| StoreError::Corrupt("an instant out of range"))
}

/// A name column that the code must know.
fn named<T>(found: Option<T>, what: &'static str) -> Result<T, StoreError> {
    found.ok_or(StoreError::Corrupt(what))
}

/// A community's name in a column.
fn community_id(text: String) -> Result<crate::domain::ids::CommunityId, StoreError> {
    text.try_into().map_err(|_| StoreError::Corrupt("a community id that is no slug"))
}

/// A clinic's name in a column.
fn clinic_id(text: String) -> Result<crate::domain::ids::ClinicId, StoreError> {
    text.try_into().map_err(|_| StoreError::Corrupt("a clinic id that is no slug"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instant_is_read_as_it_was_stored_from_the_first_to_the_last() {
        let micro = SignedDuration::from_micros(1);
        for at in [Timestamp::MIN, Timestamp::UNIX_EPOCH - micro, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            let stored = at.as_microsecond();
            assert_eq!(instant(stored).unwrap().as_microsecond(), stored, "{at}");
        }
        for beyond in [Timestamp::MIN.as_microsecond() - 1, Timestamp::MAX.as_microsecond() + 1] {
            assert!(matches!(instant(beyond), Err(StoreError::Corrupt(_))));
        }
    }
}
