//! What members ask for, and how their grants are shown to them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::category::{Category, Detail};
use crate::domain::consented::{Method, Practitioner};
use crate::domain::grant::{Addressee, Purpose, Terms, WayBack};
use crate::domain::ids::ClinicId;
use crate::domain::label::Label;
use crate::domain::language::Language;
use crate::pipeline::consent::{Version, Wish};

/// How long a consent lasts when the member does not say: about six months.
const DEFAULT_VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 183);

/// What a member consents to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TermsRequest {
    /// Which categories, and how finely each.
    categories: BTreeMap<Category, Detail>,
    /// For which purposes; treatment if absent.
    #[serde(default = "treatment")]
    purposes: BTreeSet<Purpose>,
    /// From when; now if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// Until when; six months from `valid_from` if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    /// Only data lived at or after this instant; everything if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    data_from: Option<Timestamp>,
    /// The one practitioner whom it is for; whoever treats the member at the clinic if absent. Everything is addressed to
    /// them, and the bridge shows it to nobody else; who opens the record inside the clinic is for the clinic to rule.
    practitioner: Option<Practitioner>,
    /// How much of what the clinic answers comes back into the community; nothing if absent.
    #[serde(default)]
    way_back: WayBack,
    /// What carries one of these sensitivity labels is not shared, whatever its category.
    #[serde(default)]
    withheld: BTreeSet<Label>,
    /// The text that the member had before them (`GET /v1/notices`). Without it the member is asked again.
    notice: Option<NoticeShown>,
}

/// A text that a member had before them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeShown {
    /// Which version of it.
    version: i32,
    /// In which language.
    language: Language,
}

/// A first consent towards a clinic.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// Towards whom.
    #[schema(value_type = String)]
    pub(super) clinic: ClinicId,
    /// What the member consents to.
    pub(super) terms: TermsRequest,
}

/// One version of a grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantBody {
    /// The grant; its versions share it.
    id: Uuid,
    /// Which version.
    version: i32,
    /// Towards whom.
    #[schema(value_type = String)]
    clinic: ClinicId,
    /// Where in its life it stands: `active`, `paused`, `expired`, `superseded` or `revoked`.
    state: &'static str,
    /// Which categories, and how finely each.
    categories: BTreeMap<Category, Detail>,
    /// For which purposes.
    purposes: BTreeSet<Purpose>,
    /// From when.
    #[schema(value_type = String, format = DateTime)]
    valid_from: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    valid_until: Timestamp,
    /// Only data lived at or after this instant.
    #[schema(value_type = Option<String>, format = DateTime)]
    data_from: Option<Timestamp>,
    /// The one practitioner whom it is for.
    practitioner: Option<Practitioner>,
    /// How much of what the clinic answers comes back into the community.
    way_back: WayBack,
    /// Labels of what is not shared.
    withheld: BTreeSet<Label>,
    /// The text that the member had before them, if it is known.
    notice: Option<NoticeShown>,
    /// Whether the member is to be asked again: the text is another one by now.
    needs_asking: bool,
    /// When this version was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it ended for good.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

/// Every version of every grant of the member.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantList {
    /// Oldest first.
    pub(super) grants: Vec<GrantBody>,
    /// In which form each clinic's EHR takes what is shared, as far as it is known: `discrete` (as data), `document` (as
    /// a note to read) or `none` (not at all yet).
    #[schema(value_type = BTreeMap<String, String>)]
    pub(super) arrives_as: BTreeMap<String, &'static str>,
}

/// A revoked grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revoked {
    /// The grant, ended.
    pub(super) grant: GrantBody,
    /// How many waiting items were withdrawn.
    pub(super) withdrawn: u64,
}

fn treatment() -> BTreeSet<Purpose> {
    BTreeSet::from([Purpose::Treatment])
}

impl TermsRequest {
    /// What the member wants, at the instant `now`.
    pub(super) fn at(self, now: Timestamp) -> Wish {
        let valid_from = self.valid_from.unwrap_or(now);
        let until = self.valid_until.or_else(|| valid_from.checked_add(DEFAULT_VALIDITY).ok());
        Wish {
            terms: Terms {
                categories: self.categories,
                purposes: self.purposes,
                valid_from,
                valid_until: until.unwrap_or(Timestamp::MAX),
                data_from: self.data_from,
                recipient: Addressee::Clinic,
                way_back: self.way_back,
                withheld: self.withheld,
            },
            practitioner: self.practitioner,
            shown: self.notice.map(|notice| (notice.version, notice.language)),
            method: Method::Api,
        }
    }
}

impl GrantBody {
    /// The grant as it stands at the instant `now`.
    pub(super) fn at(version: Version, now: Timestamp) -> Self {
        let Version { grant, practitioner, shown, needs_asking } = version;
        let expired = !grant.state.is_final() && now >= grant.terms.valid_until;
        Self {
            id: grant.id.0,
            version: grant.version,
            clinic: grant.clinic,
            state: if expired { "expired" } else { grant.state.as_str() },
            categories: grant.terms.categories,
            purposes: grant.terms.purposes,
            valid_from: grant.terms.valid_from,
            valid_until: grant.terms.valid_until,
            data_from: grant.terms.data_from,
            practitioner,
            way_back: grant.terms.way_back,
            withheld: grant.terms.withheld,
            notice: shown.map(|shown| NoticeShown { version: shown.version, language: shown.language }),
            needs_asking,
            created_at: grant.created_at,
            ended_at: grant.ended_at,
        }
    }
}
