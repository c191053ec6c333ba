//! What clinics published for everybody: how many texts there are, and where they are read.

use mostik::domain::language::Language;

use super::chat::{Chat, text};
use crate::materials::published;
use crate::on_both_databases;
use crate::support::bridge::{TestBridge, config_text};

on_both_databases! {
    async fn whoever_wants_to_read_is_told_how_much_there_is_and_led_there(database) {
        let config = config_text(&database, "http://127.0.0.1:9", "127.0.0.1:0") + "[communities.chat]\nname = \"The chat\"\n";
        let chat = Chat::before(TestBridge::start_with(database, &config).await).await;
        chat.write("sparrow", "1", "hi").await;
        chat.write("sparrow", "2", "yes").await;
        let none = chat.write("sparrow", "3", "articles").await;
        assert!(text(&none).starts_with("No clinic has published anything to read yet."), "{none}");
        for (number, said, told) in [(1, "materials", "Clinics have published one text for everybody."), (2, "read", "Clinics have published 2 texts for everybody.")] {
            published(&chat.bridge, number, Language::En, "Sleep").await;
            let some = chat.write("sparrow", &format!("some-{number}"), said).await;
            assert!(text(&some).starts_with(told), "{some}");
            assert!(some["page"].as_str().unwrap().ends_with("/materials"), "{some}");
        }
        for (number, said) in ["материалы", "статьи", "Матереалы"].into_iter().enumerate() {
            let some = chat.write("sparrow", &format!("ru-{number}"), said).await;
            assert!(some["page"].as_str().unwrap().ends_with("/materials"), "{said}: {some}");
        }
    }
}
