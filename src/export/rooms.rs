//! The rooms of an archive, in their order.

use super::{
    Archive, ExportError, Exported, Section, access, concerns, consents, deliveries, disclosures, entries, profile,
    readings, receipts, recommendations, unfinished, visits, waiting,
};
use crate::domain::language::Language;

/// A text in each language.
type About = [&'static str; 2];

/// A folder of an archive.
struct Room {
    name: &'static str,
    /// What its README says.
    about: About,
    sections: &'static [Section],
}

/// The README of a room, or of the whole archive, in each language.
macro_rules! about {
    ($name:literal) => {
        [include_str!(concat!("readme/en/", $name, ".txt")), include_str!(concat!("readme/ru/", $name, ".txt"))]
    };
}

const ARCHIVE: About = about!("archive");

const ROOMS: [Room; 8] = [
    Room {
        name: "profile",
        about: about!("profile"),
        sections: &[profile::write, profile::write_settings, access::write],
    },
    Room {
        name: "readings",
        about: about!("readings"),
        sections: &[readings::write_csv, readings::write_fhir, unfinished::write],
    },
    Room {
        name: "consents",
        about: about!("consents"),
        sections: &[consents::write_words, consents::write_json, consents::write_fhir, consents::write_texts],
    },
    Room { name: "recommendations", about: about!("recommendations"), sections: &[recommendations::write] },
    Room { name: "visits", about: about!("visits"), sections: &[visits::write] },
    Room { name: "receipts", about: about!("receipts"), sections: &[receipts::write_keys, receipts::write] },
    Room {
        name: "disclosures",
        about: about!("disclosures"),
        sections: &[disclosures::write, disclosures::write_log, concerns::write, concerns::write_warnings],
    },
    Room {
        name: "deliveries",
        about: about!("deliveries"),
        sections: &[deliveries::write, waiting::write, entries::write],
    },
];

/// Writes an archive to its end.
pub async fn write(of: &Exported, mut archive: Archive) -> Result<(), ExportError> {
    archive.file("README.txt").await?;
    archive.write(text(&ARCHIVE, of.language)).await?;
    for room in &ROOMS {
        archive.file(&format!("{}/README.txt", room.name)).await?;
        archive.write(text(&room.about, of.language)).await?;
        for section in room.sections {
            section(of, &mut archive).await?;
        }
    }
    archive.finish().await
}

const fn text(about: &About, language: Language) -> &'static [u8] {
    let [english, russian] = about;
    match language {
        Language::En => english.as_bytes(),
        Language::Ru => russian.as_bytes(),
    }
}
