//! Archives, opened.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use serde_json::Value;
use zip::ZipArchive;

/// The files of an archive, by name.
pub struct Files(pub BTreeMap<String, String>);

impl Files {
    pub fn of(archive: &[u8]) -> Self {
        let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
        let mut files = BTreeMap::new();
        for at in 0..archive.len() {
            let mut file = archive.by_index(at).unwrap();
            let name = file.name().unwrap().into_owned();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert!(files.insert(name, text).is_none(), "each once");
        }
        Self(files)
    }

    pub fn text(&self, name: &str) -> &str {
        &self.0[name]
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(self.text(name)).unwrap()
    }

    pub fn rows(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        csv::Reader::from_reader(self.text(name).as_bytes()).deserialize().map(Result::unwrap).collect()
    }

    /// All that can be read in it.
    pub fn everything(&self) -> String {
        self.0.values().map(String::as_str).collect()
    }
}
