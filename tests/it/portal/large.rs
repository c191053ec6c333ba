//! Files of phones through the portal: too large for memory, too large altogether, too many at once.

use std::fs;
use std::path::Path;

use mostik::web::portal::IN_MEMORY;

use crate::on_both_databases;
use crate::support::database::Database;
use crate::support::imports::{PATH, bring, keeper, keeper_under, told};

/// An export of Apple Health of about this many bytes, with one heart rate that is told and a name that is not.
fn export(bytes: usize) -> Vec<u8> {
    let other = "<Record type=\"HKQuantityTypeIdentifierBodyMass\" sourceName=\"kanarienvogel\" value=\"70\"/>\n";
    let told = "<Record type=\"HKQuantityTypeIdentifierHeartRate\" sourceName=\"kanarienvogel\" unit=\"count/min\" \
                startDate=\"2026-11-15 08:00:00 +0100\" endDate=\"2026-11-15 08:00:00 +0100\" value=\"72\"/>\n";
    format!("<HealthData locale=\"de\">\n{}{told}</HealthData>\n", other.repeat(bytes / other.len())).into_bytes()
}

/// All that lies in a folder and below.
fn found(folder: &Path, word: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return found(&path, word);
        }
        fs::read(&path).unwrap().windows(word.len()).any(|bytes| bytes == word)
    })
}

on_both_databases! {
    async fn a_file_that_is_too_large_for_memory_is_read_and_leaves_nothing(database) {
        let (portal, sparrow, mut browser) = keeper(database).await;
        let file = export(IN_MEMORY + (1 << 20));
        for (button, expected) in [("look", "New: Heart 1"), ("take", "New: Heart 1"), ("take", "Here already 1")] {
            let page = bring(&mut browser, &file, button).await;
            assert_eq!(page.status, 200, "{}", page.body);
            assert_eq!(told(&page.html())[2], expected);
        }
        assert_eq!(portal.bridge.readings(&sparrow).await.len(), 1);
        let folder = portal.bridge.database.folder.path();
        assert_eq!(fs::read_dir(folder.join("imports")).unwrap().count(), 0, "it has no name there");
        assert!(!found(folder, b"kanarienvogel"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_larger_than_anything_that_is_taken_is_said_to_be_too_much() {
    let (portal, sparrow, mut browser) = keeper_under(Database::sqlite(), "largest_mib = 1\n").await;
    let page = browser.get(PATH).await.html();
    assert!(page.text().contains("at most 1 MB"));
    assert_eq!(bring(&mut browser, &export((1 << 20) - 500), "take").await.status, 200);
    let page = bring(&mut browser, &export(1 << 20), "take").await;
    assert_eq!(page.status, 413);
    assert!(page.html().text().contains("That was too much at once"));
    assert_eq!(portal.bridge.readings(&sparrow).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_too_many_large_files_are_under_way_somebody_comes_again_and_small_ones_go_on() {
    let (_portal, _, mut browser) = keeper_under(Database::sqlite(), "at_once = 0\n").await;
    assert_eq!(bring(&mut browser, &export(IN_MEMORY + 1), "look").await.status, 429);
    assert_eq!(bring(&mut browser, b"PK\x03\x04 an archive may grow", "look").await.status, 429);
    assert_eq!(bring(&mut browser, &export(1000), "look").await.status, 200);
}
