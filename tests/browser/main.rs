//! The portal in a real browser, as members see it: on a phone and on a desk, in both languages, with scripts and without.
//! Each story is a script of `scripts/`; what it cannot do in a browser it asks the [`stage`] for.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on must fail")]

#[path = "../support/mod.rs"]
mod support;

mod stage;

use support::database::Database;
use support::parts::part;

/// Lets every kind of visitor live through a story. CI has time for the first two: between them they have every size, language and
/// setting, and the longer words on the smaller screen.
macro_rules! stories {
    ($($story:ident: $place:ident,)*) => {
        $(
            mod $story {
                use super::*;

                visitors! {
                    stringify!($story), stage::Place::$place;
                    on_a_phone_in_russian: "phone", "ru", "on";
                    at_a_desk_in_english_without_scripts: "desktop", "en", "off";
                    on_a_phone_in_english_without_scripts: "phone", "en", "off";
                    at_a_desk_in_russian: "desktop", "ru", "on";
                }
            }
        )*
    };
}

macro_rules! visitors {
    ($story:expr, $place:expr; $($name:ident: $size:literal, $language:literal, $scripts:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(chromium) = part("MOSTIK_TEST_BROWSER", "a browser") {
                    let visitor = stage::Visitor { size: $size, language: $language, scripts: $scripts };
                    stage::play($story, $place, &visitor, &chromium, Database::sqlite()).await;
                }
            }
        )*
    };
}

/// From what a clinician writes into an EHR that nobody here wrote to what it says in the end; the EHR tells the bridge at once
/// that there is something, in either way.
mod recommended_by_topic {
    use super::*;

    visitors! {
        "recommended", stage::Place::Told { by_topic: true };
        on_a_phone_in_russian_without_scripts: "phone", "ru", "off";
        at_a_desk_in_english: "desktop", "en", "on";
    }
}

mod recommended_by_criteria {
    use super::*;

    visitors! {
        "recommended", stage::Place::Told { by_topic: false };
        on_a_phone_in_english: "phone", "en", "on";
        at_a_desk_in_russian_without_scripts: "desktop", "ru", "off";
    }
}

/// Each page of it once on a phone and once at a desk.
mod group {
    use super::*;

    visitors! {
        "group", stage::Place::Staffed;
        on_a_phone_in_russian: "phone", "ru", "on";
        at_a_desk_in_english_without_scripts: "desktop", "en", "off";
    }
}

/// Each page of it once on a phone and once at a desk.
mod moderate {
    use super::*;

    visitors! {
        "moderate", stage::Place::Staffed;
        on_a_phone_in_english: "phone", "en", "on";
        at_a_desk_in_russian_without_scripts: "desktop", "ru", "off";
    }
}

stories! {
    account: Unlinked,
    ask: Linked,
    data: Linked,
    messages: Linked,
    sign_in: Linked,
    share: Unlinked,
    papers: Linked,
    warned: Linked,
    visit: Linked,
    staff: Staffed,
}
