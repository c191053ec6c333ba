#![no_main]
//! Whatever somebody says to the companion, wherever their talk stands: line after line, the first letter of each says how.
//! The lines of a letter stand between tabs.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mostik_fuzz::companion::script::Place;
use mostik_fuzz::companion::talk::{Said, Talk};

static TALK: LazyLock<Talk> = LazyLock::new(|| Talk::load().expect("the script"));

fuzz_target!(|bytes: &[u8]| {
    let mut at = "home".to_owned();
    for line in String::from_utf8_lossy(bytes).lines().take(40) {
        let mut letters = line.chars();
        let how = letters.next().map_or(0, u32::from) as usize;
        let letter = letters.as_str().replace('\t', "\n");
        let said = match how % 4 {
            0 => Said::Written(letters.as_str()),
            2 => Said::Letter(&letter),
            _ => Said::Pressed(letters.as_str()),
        };
        for _ in 0..20 {
            match TALK.place(&at).expect("a place").1 {
                Place::Waits(waits) => {
                    let understood = TALK.understand(waits, said.unmarked());
                    at = understood.map_or_else(|| at.clone(), |it| it.to);
                    break;
                }
                Place::Acts(acts) => {
                    let ends = acts.does.may_become();
                    at = TALK.after(acts, ends[how % ends.len()]).expect("each end leads on").to_owned();
                }
            }
        }
    }
});
