use proptest::prelude::*;

use super::*;
use crate::domain::questionnaire::Kind;

fn talk() -> Talk {
    Talk::load().unwrap()
}

fn waits<'a>(talk: &'a Talk, name: &str) -> &'a Waits {
    match talk.place(name) {
        Some((found, Place::Waits(waits))) if found == name => waits,
        other => panic!("{name} does not wait: {other:?}"),
    }
}

fn leads(talk: &Talk, at: &str, said: &str) -> Option<String> {
    talk.understand(waits(talk, at), Said::Written(said)).map(|it| it.to)
}

#[test]
fn a_mood_is_a_digit_or_a_word_in_either_language() {
    let talk = talk();
    for (said, number) in [
        ("4", 4),
        (" 2. ", 2),
        ("very bad", 1),
        ("хорошо", 4),
        ("Очень хорошо!", 5),
        ("так себе", 2),
        ("greatt", 5),
        ("ужастно", 1),
    ] {
        let understood = talk.understand(waits(&talk, "mood"), Said::Written(said)).map(|it| (it.to, it.number));
        assert_eq!(understood, Some(("keep-mood".into(), Some(number))), "{said}");
    }
    for said in ["0", "6", "44", "-1", "4.5", "banana"] {
        assert_eq!(talk.understand(waits(&talk, "mood"), Said::Written(said)).and_then(|it| it.number), None, "{said}");
    }
}

#[test]
fn of_a_letter_the_first_line_below_a_salutation_is_heard_and_a_cry_for_help_wherever_it_stands() {
    let talk = talk();
    for (letter, to) in [
        ("stop everything", Some("stop")),
        ("\n  Stop everything.  \n\nBest,\nSparrow", Some("stop")),
        ("Dear helper,\n\nstop everything\n\nSparrow", Some("stop")),
        ("4\n\nIt was a long day, and then I slept.", Some("keep-mood")),
        ("4\n\nI thought so.\n\nI want to die", Some("help")),
        ("It was a long day, and then I slept, and I thought about it for a while.\n\nstop everything", None),
        ("Dear helper,", None),
        ("", None),
    ] {
        assert_eq!(
            talk.understand(waits(&talk, "mood"), Said::Letter(letter)).map(|it| it.to).as_deref(),
            to,
            "{letter}"
        );
    }
    assert_eq!(leads(&talk, "mood", "4\n\nBest,\nSparrow"), None, "a chat has no letters");
}

#[test]
fn everything_stops_wherever_the_talk_is_in_one_message() {
    let talk = talk();
    for at in ["home", "mood", "question", "delete", "sharing-active", "danger"] {
        for said in ["stop everything", "STOP", "Стоп", "остановить все", "stop evrything", "/stop", "остоновить всё"]
        {
            assert_eq!(leads(&talk, at, said).as_deref(), Some("stop"), "{said} at {at}");
        }
    }
}

#[test]
fn help_is_understood_wherever_the_talk_is() {
    let talk = talk();
    for at in ["home", "mood", "question", "delete", "review"] {
        for said in ["help", "HELP!!", "помогите", "помагите", "I want to die", "не хочу жить"]
        {
            assert_eq!(leads(&talk, at, said).as_deref(), Some("help"), "{said} at {at}");
        }
    }
}

#[test]
fn small_mistakes_are_understood_and_what_is_near_to_nothing_is_not() {
    let talk = talk();
    for (said, to) in [
        ("chek in", "mood"),
        ("qestionnaires", "forms"),
        ("настороение", "mood"),
        ("сообшения", "messages"),
        ("meny", ""),
        ("xyzzy", ""),
        ("", ""),
        ("   ", ""),
    ] {
        let to = Some(to).filter(|to| !to.is_empty());
        assert_eq!(leads(&talk, "home", said).as_deref(), to, "{said:?}");
    }
    let long = "I have been thinking about whether I should stop everything that I do at work";
    assert_eq!(leads(&talk, "home", long), None);
}

#[test]
fn a_button_leads_where_its_word_does() {
    let talk = talk();
    for name in ["home", "mood", "question", "forms", "delete"] {
        let at = waits(&talk, name);
        for (word, to) in &at.words {
            assert_eq!(talk.understand(at, Said::Pressed(word)).map(|it| it.to).as_ref(), Some(to));
        }
        assert!(talk.understand(at, Said::Pressed("no-such-word")).is_none());
    }
}

#[test]
fn an_old_button_is_heard_where_somebody_wants_help_wherever_the_talk_waits_and_no_other_one() {
    let talk = talk();
    for word in EVER {
        assert!(Said::Pressed(&format!("{word}.0000000a")).is_marked(Some("0000000b")), "{word}");
        for (name, at) in talk.script().waiting() {
            assert_eq!(talk.understand(at, Said::Pressed(word)).map(|it| it.to).as_deref(), Some(word), "at {name}");
        }
    }
    for word in ["stop", "accept", "menu", "delete", "delete-all", "yes", "3", ""] {
        assert!(!Said::Pressed(&format!("{word}.0000000a")).is_marked(Some("0000000b")), "{word}");
        assert!(Said::Pressed(&format!("{word}.0000000b")).is_marked(Some("0000000b")), "{word}");
    }
}

#[test]
fn each_word_that_a_button_has_is_understood_as_itself_in_each_language() {
    let talk = talk();
    for (name, at) in talk.script().waiting() {
        for (word, _) in &at.words {
            for language in Language::ALL {
                let line = talk.words.first(language, word).unwrap();
                let meant = talk.words.meant(line, talk.script().ways(at).map(|(word, _)| word));
                assert_eq!(meant, Some(word.as_str()), "{line} at {name}");
            }
        }
    }
}

#[test]
fn each_answer_that_is_offered_is_understood_in_its_own_words() {
    let talk = talk();
    for kind in [Kind::Frequency, Kind::Difficulty] {
        for (number, choice) in (0..).zip(kind.choices()) {
            for language in Language::ALL {
                let said = Said::Written(choice.words(language));
                let understood = talk.understand(waits(&talk, "question"), said).and_then(|it| it.number);
                assert_eq!(understood, Some(number), "{}", choice.words(language));
            }
        }
    }
}

#[test]
fn a_place_that_is_no_more_leads_to_the_beginning() {
    assert_eq!(talk().place("of-another-release").map(|(name, _)| name.to_owned()).as_deref(), Some("home"));
}

proptest! {
    #[test]
    fn a_talk_never_ends_up_nowhere(steps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>()), 1..200)) {
        let talk = talk();
        let mut at = "home".to_owned();
        for (way, end, presses) in steps {
            let Some((_, place)) = talk.place(&at) else { panic!("{at} is nowhere") };
            at = match place {
                Place::Waits(waits) => {
                    let ways: Vec<_> = talk.script().ways(waits).collect();
                    prop_assert!(!waits.words.is_empty());
                    let (word, _) = *way.get(&ways);
                    let said = if presses { Said::Pressed(word) } else { Said::Written("7") };
                    talk.understand(waits, said).map_or(at, |understood| understood.to)
                }
                Place::Acts(acts) => {
                    let became = *end.get(acts.does.may_become());
                    talk.after(acts, became).unwrap().to_owned()
                }
            };
        }
    }
}
