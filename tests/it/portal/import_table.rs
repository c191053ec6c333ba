//! A table of a member's own through the portal, with a file beside it that says which column is what; and the script that
//! shows how far a file is.

use crate::on_both_databases;
use crate::support::database::Database;
use crate::support::imports::{PATH, bring_all, keeper, told};
use crate::support::portal::Part;

const TABLE: &[u8] = b"When;Mood;Hours slept;Words\n15.11.2026 20:30;7;8.5;x\n16.11.2026 20:30;6;;x\n";
const DIARY: &[u8] = b"full_date,date,weekday,time,mood,activities,note_title,note\n2026-11-15,x,x,20:30,good,,,\n";

const fn columns(content: &[u8]) -> Part<'_> {
    Part { name: "columns", file: Some("columns.toml"), content }
}

on_both_databases! {
    async fn a_table_of_ones_own_is_read_with_the_file_beside_it_whichever_comes_first(database) {
        let (portal, sparrow, mut browser) = keeper(database).await;
        let example = browser.get(PATH).await.html().by_id("columns-example").exactly();
        let (table, beside) = (Part::file("own.csv", TABLE), columns(example.as_bytes()));
        let alone = bring_all(&mut browser, &[table], "take").await;
        assert_eq!(alone.status, 422, "nobody said which column is what");
        assert_eq!(portal.bridge.traces(&sparrow).await, 0);
        let first = bring_all(&mut browser, &[beside, table], "take").await;
        assert_eq!(first.status, 200, "{}", first.body);
        assert_eq!(told(&first.html()), ["Entries read 2", "New: Mood 2", "New: Sleep 1"]);
        let after = bring_all(&mut browser, &[table, beside], "take").await.html();
        assert_eq!(told(&after), ["Entries read 2", "Here already 3"]);
        let kept = portal.bridge.readings(&sparrow).await;
        assert_eq!((kept.len(), kept[0].moment.to_rfc3339().as_str()), (3, "2026-11-15T20:30:00+01:00"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_the_file_of_columns_is_said_at_its_field_and_nothing_is_taken() {
    let (portal, sparrow, mut browser) = keeper(Database::sqlite()).await;
    let time = "delimiter = \";\"\n[time]\ncolumn = \"When\"\nformat = \"%d.%m.%Y %H:%M\"\n";
    let reading = |column: &str, word: &str| format!("{time}[[reading]]\ncolumn = \"{column}\"\nas = \"{word}\"\n");
    for (content, said) in [
        (time.to_owned().into_bytes(), "cannot be read. Nothing was taken. What is wrong with it: columns file: "),
        (b"mood = ".to_vec(), "columns file: "),
        (reading("<b>Mood</b>", "tarot").into_bytes(), "reading \"<b>Mood</b>\": expected `as` mood, note, tags"),
        (
            reading("Laune", "note").into_bytes(),
            "do not fit together. Nothing was taken. What is wrong: the table has no column \"Laune\"",
        ),
        ("#".repeat(8193).into_bytes(), "is too large: it may have at most 8 KB"),
        (b"# \xff".to_vec(), "Please save it as text in UTF-8."),
    ] {
        let page = bring_all(&mut browser, &[columns(&content), Part::file("own.csv", TABLE)], "take").await;
        assert_eq!(page.status, 422, "{said}: {}", page.body);
        let page = page.html();
        let words = page.by_id("wrong").text();
        assert!(words.contains(said), "{said}: {words}");
        assert!(page.by_id("columns").get("aria-describedby").ends_with(" wrong"), "{said}");
        assert!(!page.by_id("file").get("aria-describedby").contains("wrong"), "{said}");
        assert!(page.named("details")[0].attributes.contains_key("open"), "{said}");
        portal.bridge.clock.advance(jiff::SignedDuration::from_mins(1));
    }
    assert_eq!(portal.bridge.traces(&sparrow).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_chose_no_such_file_sends_an_empty_one_and_is_not_asked_for_it() {
    let (portal, sparrow, mut browser) = keeper(Database::sqlite()).await;
    let none = Part { name: "columns", file: Some(""), content: b"" };
    let page = bring_all(&mut browser, &[Part::file("export.csv", DIARY), none], "take").await;
    assert_eq!(page.status, 200, "{}", page.body);
    let page = page.html();
    assert_eq!(told(&page), ["Entries read 1", "New: Mood 1"]);
    assert!(!page.named("details")[0].attributes.contains_key("open"));
    assert_eq!(portal.bridge.traces(&sparrow).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_of_the_portal_itself_shows_how_far_a_file_is_on_each_page_with_the_form() {
    let (_portal, _, mut browser) = keeper(Database::sqlite()).await;
    let form = browser.get(PATH).await;
    let taken = bring_all(&mut browser, &[Part::file("export.csv", DIARY)], "take").await;
    let refused = bring_all(&mut browser, &[Part::file("export.csv", b"a,b\n1,2\n")], "take").await;
    for (page, status) in [(&form, 200), (&taken, 200), (&refused, 422)] {
        assert_eq!(page.status, status);
        let policy = page.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "form-action 'self'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        let html = page.html();
        let script = html.named("script")[0].get("src").to_owned();
        assert_eq!(html.named("script").len(), 1);
        let file = browser.get(&script).await;
        assert_eq!((file.status, file.header("content-type")), (200, "text/javascript; charset=utf-8"));
        assert!(html.by_id("sending").attributes.contains_key("hidden"), "nothing is on its way yet");
        assert_eq!(html.by_id("sent").name, "progress");
        assert!(
            html.all(&|label| label.name == "label" && label.get("for") == "sent")[0].text().contains("on its way")
        );
        let said = html.by_id("sending-said");
        assert_eq!((said.get("role"), said.text().as_str()), ("status", ""));
        assert_eq!(said.get("data-part"), "{percent} % of the file has been sent.");
        assert!(html.by_id("cut").text().contains("nothing is counted twice"));
        assert!(html.by_id("unanswered").text().contains("nothing is counted twice"));
        // The script sends this very form: the token stands first in it.
        assert_eq!(html.by_id("import").named("input")[0].get("name"), "csrf");
    }
    assert!(!browser.get("/data").await.header("content-security-policy").contains("script-src"));
}
