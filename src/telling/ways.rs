//! The ways to a member outside of the portal, in the order in which they are tried.

use std::fmt;

use uuid::Uuid;

use super::{SUBSCRIPTION_COLUMN, Teller, TellingError};
use crate::delivery::member::Subscription;
use crate::domain::ids::CommunityId;
use crate::domain::settings::Settings;
use crate::domain::telling::Channel;
use crate::enrolment::join::HANDLE_COLUMN;
use crate::store::Tx;
use crate::vault::MemberKey;

/// A way to a member. Personal: its `Debug` does not tell.
#[derive(Clone)]
pub enum Way {
    /// Browsers, each with its id here.
    Push(Vec<(Uuid, Subscription)>),
    /// A community, and the name under which it knows them.
    Community(CommunityId, String),
}

impl Way {
    /// Which channel it is.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Push(_) => Channel::Push,
            Self::Community(community, _) => Channel::Community(community.clone()),
        }
    }
}

impl Teller {
    /// The ways to a member that are open and used, in their order.
    pub(super) async fn ways(
        &self,
        tx: &mut Tx,
        key: &MemberKey,
        settings: &Settings,
    ) -> Result<Vec<Way>, TellingError> {
        let mut ways = Vec::new();
        if self.push.is_some() {
            let browsers = subscriptions(tx, key).await?;
            ways.extend((!browsers.is_empty()).then_some(Way::Push(browsers)));
        }
        for (community, sealed) in tx.handles_of(key.member()).await? {
            if self.messengers.of(&community).is_some() {
                let handle = key.open(HANDLE_COLUMN, community.as_str().as_bytes(), &sealed)?;
                ways.push(Way::Community(community, String::from_utf8_lossy(&handle).into_owned()));
            }
        }
        ways.retain(|way| !settings.closed.iter().any(|closed| closed.channel == way.channel()));
        let order = settings.told.in_order(ways.iter().map(Way::channel).collect());
        let place = |way: &Way| order.iter().position(|channel| *channel == way.channel());
        ways.retain(|way| place(way).is_some());
        ways.sort_by_key(place);
        Ok(ways)
    }
}

/// The browsers in which the member whose key it is wishes to be told. One that does not open is left out; the log says so.
async fn subscriptions(tx: &mut Tx, key: &MemberKey) -> Result<Vec<(Uuid, Subscription)>, TellingError> {
    let rows = tx.subscriptions(key.member()).await?.into_iter();
    let opened = rows.filter_map(|row| {
        let plain = key.open(SUBSCRIPTION_COLUMN, row.id.as_bytes(), &row.sealed).ok();
        let read = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
        if read.is_none() {
            tracing::error!(member_id = %key.member(), "a subscription cannot be read");
        }
        Some((row.id, read?))
    });
    Ok(opened.collect())
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Way({})", self.channel())
    }
}
