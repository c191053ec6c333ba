//! Webhooks, judged by the `standardwebhooks` package of another language, by its own clock.

use serde_json::json;

use crate::support::database::Database;
use crate::support::postbox::SECRET;
use crate::support::receiver::{Receiver, Telling, any_time};
use crate::support::recommendations::said;
use crate::support::smart::present;

const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDazfe06eCCNE=";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_knows_the_sender_by_either_secret_while_it_changes_them_and_by_no_other() {
    let Some(receiver) = Receiver::with_secrets(&[SECRET, NEW, OTHER]).await else { return };
    let database = Database::sqlite();
    let ways = receiver.by_hook(&database, "notice");
    std::fs::write(database.folder.path().join("forum.secret"), format!("{SECRET}\n{NEW}\n")).unwrap();
    let telling = Telling::open(database, &ways, present()).await;
    let sparrow = telling.member("sparrow", "notice", any_time()).await;
    telling.comes(&sparrow, &said("Walk half an hour")).await;
    telling.tell().await;
    let letter = receiver.last().await;
    assert_eq!(letter["signed_by"], json!([SECRET, NEW]));
    assert_eq!(letter["headers"]["webhook-signature"].as_str().unwrap().split(' ').count(), 2);
}
