//! What clinics publish for everybody to read.
//!
//! How a text is kept from being changed: whoever of a clinic's staff is signed in adds a version or takes all of them back, and
//! can do nothing else. The store has no statement that changes a version, and the database refuses any. Beside each stands a code
//! over all of it, made with the index key, which is never in the database: what was changed past all of this, or was never
//! published here, is found when it is read, and is shown to nobody ([`MaterialError::Altered`]). Who published what, by its
//! checksum, stands in the clinic's audit chain.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::audit::{Chain, Event, StaffPublished, StaffRetracted, hex};
use crate::domain::ids::{ClinicId, MaterialId};
use crate::domain::material::{Content, Material};
use crate::domain::staff::Colleague;
use crate::store::{MaterialRow, StoreError, Tx};
use crate::vault::{Index, Keyring};

/// The most that are listed at once.
pub const MOST: i64 = 100;

/// Something about a material that was not done.
#[derive(Debug, thiserror::Error)]
pub enum MaterialError {
    /// There is none, or it is another clinic's.
    #[error("there is no such material")]
    NotFound,
    /// Somebody was faster: there is a newer version, or it was taken back.
    #[error("somebody changed it meanwhile")]
    Meanwhile,
    /// What stands in the database is not what its clinic published.
    #[error("what stands in the database of {0}, version {1}, is not what its clinic published")]
    Altered(MaterialId, i64),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a material stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// It can be read.
    Published {
        /// The version that was asked for.
        material: Box<Material>,
        /// The newest that there is.
        newest: i64,
    },
    /// Its clinic took it back.
    Retracted {
        /// The clinic.
        clinic: ClinicId,
        /// When.
        at: Timestamp,
    },
}

/// The id of what somebody of a clinic's staff publishes with a form, however often they send it.
#[must_use]
pub fn id_of(keyring: &Keyring, who: &Colleague, form: Uuid) -> MaterialId {
    let parts = [who.clinic.as_str().as_bytes(), who.id.as_bytes(), form.as_bytes()];
    MaterialId(keyring.index().uuid("material", &parts))
}

/// Publishes the first version of a material. Said twice, it is said once.
///
/// # Errors
/// [`MaterialError`]; the caller's transaction must then be dropped.
pub async fn publish(
    tx: &mut Tx,
    keyring: &Keyring,
    who: &Colleague,
    (id, content): (MaterialId, Content),
    now: Timestamp,
) -> Result<Material, MaterialError> {
    match tx.newest_material(id).await? {
        None => put(tx, keyring, who, (id, 1, content), now).await,
        Some(row) => said_before(row, keyring, &content)?.ok_or(MaterialError::Meanwhile),
    }
}

/// Publishes another version of a material, in its language, in the place of the one that whoever wrote it saw. What says the same
/// as the newest is none.
///
/// # Errors
/// [`MaterialError`]; the caller's transaction must then be dropped.
pub async fn renew(
    tx: &mut Tx,
    keyring: &Keyring,
    who: &Colleague,
    (id, seen, content): (MaterialId, i64, Content),
    now: Timestamp,
) -> Result<Material, MaterialError> {
    let newest = tx.newest_material(id).await?.filter(|row| row.material.clinic == who.clinic);
    let newest = newest.ok_or(MaterialError::NotFound)?;
    let (version, language) = (newest.material.version, newest.material.content.language);
    let content = Content { language, ..content };
    if let Some(same) = said_before(newest, keyring, &content)? {
        return Ok(same);
    }
    if version != seen {
        return Err(MaterialError::Meanwhile);
    }
    put(tx, keyring, who, (id, version.saturating_add(1), content), now).await
}

/// What was published before, if it says the same. What was taken back is published no more.
fn said_before(row: MaterialRow, keyring: &Keyring, content: &Content) -> Result<Option<Material>, MaterialError> {
    if row.retracted_at.is_some() {
        return Err(MaterialError::Meanwhile);
    }
    // One that was altered can be put right by a new version: it is compared with nothing.
    Ok(verified(keyring, row).ok().filter(|material| material.content == *content))
}

async fn put(
    tx: &mut Tx,
    keyring: &Keyring,
    who: &Colleague,
    (id, version, content): (MaterialId, i64, Content),
    now: Timestamp,
) -> Result<Material, MaterialError> {
    let material = Material { id, version, clinic: who.clinic.clone(), content, by: who.id, published_at: now };
    let sha256 = material.content.sha256();
    tx.insert_material(&material, &sha256, mac(keyring, &material, &sha256)).await?;
    let event = StaffPublished { staff: who.id, material: id, version, sha256: hex(&sha256) };
    tx.record(Chain::of_clinic(&who.clinic), now, Event::MaterialPublished(event));
    Ok(material)
}

/// Takes a material back, in all its versions, for good. Said twice, it is said once.
///
/// # Errors
/// [`MaterialError`]; the caller's transaction must then be dropped.
pub async fn retract(tx: &mut Tx, who: &Colleague, id: MaterialId, now: Timestamp) -> Result<(), MaterialError> {
    let newest = tx.newest_material(id).await?;
    newest.filter(|row| row.material.clinic == who.clinic).ok_or(MaterialError::NotFound)?;
    if tx.retract_material(&who.clinic, id, who.id, now).await? {
        let event = StaffRetracted { staff: who.id, material: id };
        tx.record(Chain::of_clinic(&who.clinic), now, Event::MaterialRetracted(event));
    }
    Ok(())
}

/// A material in a version, or in its newest.
///
/// # Errors
/// [`MaterialError`].
pub async fn find(
    tx: &mut Tx,
    keyring: &Keyring,
    id: MaterialId,
    version: Option<i64>,
) -> Result<Found, MaterialError> {
    let newest = tx.newest_material(id).await?.ok_or(MaterialError::NotFound)?;
    let (last, clinic) = (newest.material.version, newest.material.clinic.clone());
    let row = match version.filter(|version| *version != last) {
        Some(version) => tx.material(id, version).await?.ok_or(MaterialError::NotFound)?,
        None => newest,
    };
    if let Some(at) = row.retracted_at {
        return Ok(Found::Retracted { clinic, at });
    }
    Ok(Found::Published { material: Box::new(verified(keyring, row)?), newest: last })
}

/// The newest version of each material that can be read, the last published first.
///
/// # Errors
/// [`StoreError`].
pub async fn published(tx: &mut Tx, keyring: &Keyring) -> Result<Vec<Material>, StoreError> {
    Ok(readable(keyring, tx.materials(MOST).await?))
}

/// The same of those that were published after an instant.
///
/// # Errors
/// [`StoreError`].
pub async fn published_since(tx: &mut Tx, keyring: &Keyring, after: Timestamp) -> Result<Vec<Material>, StoreError> {
    Ok(readable(keyring, tx.materials_since(after, MOST).await?))
}

fn readable(keyring: &Keyring, rows: Vec<MaterialRow>) -> Vec<Material> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        match verified(keyring, row) {
            Ok(material) => all.push(material),
            Err(error) => tracing::error!(%error, "a material is not shown"),
        }
    }
    all
}

/// What stands in the database, if it is what was published.
///
/// # Errors
/// [`MaterialError::Altered`].
pub fn verified(keyring: &Keyring, row: MaterialRow) -> Result<Material, MaterialError> {
    let MaterialRow { material, sha256, mac: noted, .. } = row;
    if noted != mac(keyring, &material, &sha256) {
        return Err(MaterialError::Altered(material.id, material.version));
    }
    Ok(material)
}

/// The code over everything that stands in a version.
fn mac(keyring: &Keyring, material: &Material, sha256: &[u8; 32]) -> Index {
    let Material { id, version, clinic, content, by, published_at } = material;
    let (version, at) = (version.to_be_bytes(), published_at.as_microsecond().to_be_bytes());
    let link = content.link.as_deref().map_or(&b"-"[..], str::as_bytes);
    keyring.index().index(
        "material version",
        &[
            id.0.as_bytes(),
            &version,
            clinic.as_str().as_bytes(),
            content.language.as_str().as_bytes(),
            content.title.as_bytes(),
            content.text.as_bytes(),
            link,
            sha256,
            by.as_bytes(),
            &at,
        ],
    )
}
