//! `mostik key …` and `mostik member …`

use anyhow::{bail, ensure};
use jiff::SignedDuration;

use super::args::{KeyCommand, KeyPurpose, MemberCommand};
use super::audit::operator;
use super::open;
use crate::config::Config;
use crate::domain::audit::{ApiKey, Chain, Event};
use crate::domain::consented::Method;
use crate::domain::ids::{ClinicId, CommunityId};
use crate::enrolment::credentials::{
    CONCERNS_DISCLOSE, CONCERNS_MANAGE, EVENTS_WRITE, TALKS_WRITE, create_api_key, create_member_token,
};
use crate::enrolment::join::join;
use crate::enrolment::link::{Claim, Linked, Proof};
use crate::enrolment::session::end_all;
use crate::pipeline::consent;
use crate::store::{EndedBy, StoreError};

/// Makes and revokes API keys.
pub async fn key(config: &Config, command: KeyCommand) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    let now = bridge.clock.now();
    let mut tx = bridge.store.begin().await?;
    match command {
        KeyCommand::Create { community, purpose } => {
            known_community(config, &community)?;
            let scopes = match purpose {
                KeyPurpose::Events => EVENTS_WRITE.to_owned(),
                KeyPurpose::Concerns => CONCERNS_MANAGE.to_owned(),
                KeyPurpose::Disclosure => format!("{CONCERNS_MANAGE} {CONCERNS_DISCLOSE}"),
                KeyPurpose::Talks => TALKS_WRITE.to_owned(),
            };
            let key = create_api_key(&mut tx, &bridge.keyring, &community, &scopes, now).await?;
            tx.record(Chain::HOUSE, now, by_operator("key create"));
            tx.commit().await?;
            println!("{}", key.secret);
            eprintln!("This key is shown once. To revoke it: mostik key revoke {}", key.key_id);
        }
        KeyCommand::Revoke { key_id } => {
            match tx.revoke_api_key(&key_id, now).await {
                Err(StoreError::RowCount { .. }) => bail!("there is no such key in force"),
                other => other?,
            }
            tx.record(Chain::HOUSE, now, by_operator("key revoke"));
            let revoked = ApiKey { key_id: key_id.clone(), community: None };
            tx.record(Chain::HOUSE, now, Event::ApiKeyRevoked(revoked));
            tx.commit().await?;
            println!("The key {key_id} is revoked.");
        }
    }
    Ok(())
}

/// Adds members, links them, and makes their tokens.
pub async fn member(config: &Config, command: MemberCommand) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    let now = bridge.clock.now();
    let mut tx = bridge.store.begin().await?;
    match command {
        MemberCommand::Add { community, handle } => {
            known_community(config, &community)?;
            let member = join(&mut tx, &bridge.keyring, &community, &handle, now).await?;
            tx.record(Chain::of_member(member), now, by_operator("member add"));
            tx.commit().await?;
            println!("{member}");
        }
        MemberCommand::Link { member, clinic, patient, replace } => {
            known_clinic(config, &clinic)?;
            let proof = Proof::Word { of: "operator".to_owned(), replaces: replace };
            let claim = Claim { member, clinic: &clinic, patient: &patient, proof: &proof };
            let linked = consent::link(&bridge, &mut tx, claim, now).await?;
            tx.record(Chain::between(&clinic, member), now, by_operator("member link"));
            tx.commit().await?;
            match linked {
                Linked::Anew => println!("The member is linked to {clinic}."),
                Linked::Already => println!("The member was linked to this Patient at {clinic} before."),
                Linked::InPlaceOf(other) => println!("The member is linked to {clinic}; {other} no longer is."),
            }
        }
        MemberCommand::Unlink { member, clinic } => {
            let ended =
                consent::unlink(&bridge, &mut tx, member, &clinic, EndedBy::Operator, Method::Operator, now).await?;
            tx.record(Chain::between(&clinic, member), now, by_operator("member unlink"));
            tx.commit().await?;
            println!("The link to {clinic} has ended; {} waiting item(s) were withdrawn.", ended.withdrawn);
            if let Some(lent) = ended.lent {
                bridge.launches.give_back(&clinic, &lent).await;
            }
        }
        MemberCommand::Token { member, days } => {
            let validity = SignedDuration::from_hours(24 * days);
            let token = create_member_token(&mut tx, &bridge.keyring, member, validity, now).await?;
            tx.record(Chain::of_member(member), now, by_operator("member token"));
            tx.commit().await?;
            println!("{token}");
        }
        MemberCommand::SignOut { member } => {
            let ended = end_all(&mut tx, member, now).await?;
            tx.record(Chain::of_member(member), now, by_operator("member sign-out"));
            tx.commit().await?;
            println!("{ended} token(s) and session(s) are good for nothing any more.");
        }
    }
    Ok(())
}

pub(super) fn by_operator(command: &str) -> Event {
    Event::OperatorAccess(operator(command))
}

pub(super) fn known_community(config: &Config, community: &CommunityId) -> anyhow::Result<()> {
    ensure!(
        config.communities.contains_key(community),
        "there is no community {community} in the configuration: expected a section [communities.{community}]"
    );
    Ok(())
}

pub(super) fn known_clinic(config: &Config, clinic: &ClinicId) -> anyhow::Result<()> {
    ensure!(
        config.clinics.contains_key(clinic),
        "there is no clinic {clinic} in the configuration: expected a section [clinics.{clinic}]"
    );
    Ok(())
}
