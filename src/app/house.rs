//! What an installation says of itself, of its clinics and its communities, from the settings.

use crate::config::{Clinic, Community, Config, ConfigError, Safety, VideoService};
use crate::domain::ids::CommunityId;
use crate::pipeline::{self, House, Watch};

/// As the settings say.
///
/// # Errors
/// [`ConfigError`] when the rules of a community cannot be used.
pub fn house(config: &Config) -> Result<House, ConfigError> {
    let clinic = |clinic: &Clinic| pipeline::Counterpart {
        name: clinic.name.clone(),
        hears_of_consent: clinic.takes.consent.unwrap_or(config.delivery.consent),
        practitioners: clinic.practitioners(),
        asks_for: clinic.questionnaires.clone(),
        pages: clinic.summary,
        warnings: clinic.warnings.clone(),
        phone: clinic.phone.clone(),
        room: clinic.video.as_ref().and_then(VideoService::in_appointments).cloned(),
        visits: clinic.visits.clone().into(),
    };
    let watch = |(id, community): (&CommunityId, &Community)| {
        let Safety { escalate_after, deciders, phrases, c_ssrs, .. } = community.safety.clone()?;
        Some((id.clone(), Watch { escalate_after, phrases, c_ssrs, deciders }))
    };
    let most = |(id, community): (&CommunityId, &Community)| Some((id.clone(), community.messages.as_ref()?.most()));
    Ok(House {
        most: config.communities.iter().filter_map(most).collect(),
        rules: config.rules()?,
        watched: config.communities.iter().filter_map(watch).collect(),
        operator: config.bridge.operator.clone(),
        contact: config.bridge.contact.clone(),
        clinics: config.clinics.iter().map(|(id, told)| (id.clone(), clinic(told))).collect(),
    })
}
