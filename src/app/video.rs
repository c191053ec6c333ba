//! The rooms in which clinics hold their visits, wired from the settings.

use std::collections::{BTreeMap, BTreeSet};

use super::StartError;
use crate::booking::video::{BigBlueButton, Jitsi, LiveKit, Rooms, Video};
use crate::config::{Config, VideoService};
use crate::delivery::egress::{Egress, EgressPolicy};
use crate::pipeline::Bridge;
use crate::vault::read_secret_file;

/// The rooms of the clinics that have a video service.
///
/// # Errors
/// [`StartError`].
pub fn rooms(config: &Config, bridge: &Bridge) -> Result<Rooms, StartError> {
    let (mut services, mut hosts) = (BTreeMap::new(), BTreeSet::new());
    for (id, clinic) in &config.clinics {
        if let Some(settings) = &clinic.video {
            let service = video(settings)?;
            if let Video::BigBlueButton(service) = &service {
                hosts.extend(service.url.host_str().map(str::to_owned));
            }
            services.insert(id.clone(), service);
        }
    }
    let (private_networks, timeout) = (config.delivery.private_networks, config.timeout());
    let egress = Egress::new(EgressPolicy { hosts, private_networks, timeout })?;
    Ok(Rooms::new(services, egress, bridge.keyring.index().clone()))
}

fn video(settings: &VideoService) -> Result<Video, StartError> {
    Ok(match settings.clone() {
        VideoService::Jitsi { url, app_id, secret_file } => {
            Video::Jitsi(Jitsi { url, app_id, secret: read_secret_file(&secret_file)? })
        }
        VideoService::LiveKit { url, server, key, secret_file } => {
            Video::LiveKit(LiveKit { page: url, server, key, secret: read_secret_file(&secret_file)? })
        }
        VideoService::BigBlueButton { url, secret_file } => {
            Video::BigBlueButton(BigBlueButton { url, secret: read_secret_file(&secret_file)? })
        }
        VideoService::Link { url, .. } => Video::Link(url),
    })
}
