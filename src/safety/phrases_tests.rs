use proptest::prelude::*;

use super::*;

#[test]
fn the_list_reads_and_is_written_as_texts_are_compared() {
    let read: Lexicon = toml::from_str(PHRASES).unwrap();
    assert_eq!(read.version, version());
    for (language, list) in [(Language::En, &read.en), (Language::Ru, &read.ru)] {
        assert!(list.phrases.len() > 40 && !list.denials.is_empty(), "{language:?}");
        for line in list.phrases.iter().chain(&list.denials).chain(&list.except) {
            let words = line.split(' ').filter(|word| *word != "*").map(|word| word.trim_end_matches('~'));
            assert!(words.into_iter().all(|word| !word.is_empty() && tidied(word) == word), "{line}");
        }
        for phrase in &list.phrases {
            let written = phrase.replace("* ", "").replace('~', "а");
            assert!(found(&written, Some(language)).is_some(), "{phrase} finds itself");
        }
    }
}

#[test]
fn what_says_so_is_found_in_either_language() {
    for (text, phrase) in [
        ("I want to die", "i want to die"),
        ("honestly... I WANT TO DIE!!", "i want to die"),
        ("I just want to be dead", "i * want to be dead"),
        ("i'm not ok. i want to kill myself", "want to kill myself"),
        ("I don’t want to live anymore", "don't want to live"),
        ("Everyone would be better off without me", "better off without me"),
        ("I can't go on, I want to end it all", "can't go on"),
        ("I took all my pills", "took all my pills"),
        ("He said \"it gets better\" but I want to die", "i want to die"),
        ("no, I want to die", "i want to die"),
        ("> how are you\nI want to end my life", "want to end my life"),
        ("Хочу умереть", "хочу умереть"),
        ("я больше не хочу жить...", "не хочу жить"),
        ("мне кажется, всем без меня будет лучше", "без меня * лучше"),
        ("Я выпила все таблетки", "выпил~ все таблетки"),
        ("Нет. Хочу умереть", "хочу умереть"),
        ("мама говорит «всё пройдёт», а я не хочу жить", "не хочу жить"),
        ("Я боюсь, что убью себя", "убью себя"),
    ] {
        assert_eq!(found(text, None), Some(phrase), "{text}");
    }
}

#[test]
fn what_is_denied_quoted_or_meant_otherwise_is_not() {
    for text in [
        "",
        "I do not want to die",
        "I don't want to kill myself",
        "I never want to hurt myself",
        "I would never commit suicide",
        "I'm not suicidal, I promise: not suicidal thoughts",
        "My friend wrote “I want to die”",
        "the song \"I want to die\" is on",
        "> I want to die\nwho wrote this?",
        "I want to diet",
        "the battery will die",
        "that was so funny, I want to die laughing",
        "Я не хочу умереть",
        "никогда не хотел покончить с собой",
        "Она сказала «хочу умереть», и я с ней поговорил",
        "хочу умереть со смеху",
        "не могу жить без музыки",
        "Хочу умереннее есть",
        "хочу жить",
    ] {
        assert_eq!(found(text, None), None, "{text}");
    }
}

#[test]
fn only_the_language_that_was_asked_for_is_looked_at() {
    assert_eq!(found("хочу умереть", Some(Language::En)), None);
    assert_eq!(found("i want to die", Some(Language::Ru)), None);
}

#[test]
fn what_it_does_not_find_is_known() {
    // Nobody may rely on it: what is told of others without quotation marks is found, and other words are not.
    assert!(found("he says he is fine and thinks i want to die", None).is_some());
    assert!(found("I have bought a rope", None).is_none());
}

proptest! {
    #[test]
    fn nothing_that_anybody_writes_breaks_it(text in "\\PC{0,200}") {
        let _ = found(&text, None);
    }

    #[test]
    fn marks_and_phrases_in_any_order_do_not_either(parts in prop::collection::vec(prop::sample::select(vec![
        "i want to die", "не хочу жить", "\"", "“", "”", "„", "«", "»", ">", "\n", "not", "не", ".", "’", "ё", " ", "*", "~", "💔",
    ]), 0..40)) {
        let _ = found(&parts.concat(), None);
    }

    #[test]
    fn a_phrase_is_found_wherever_it_stands_alone(before in "[a-z]{0,10}\\. ", after in "\\. [a-z]{0,10}") {
        let text = format!("{before}i want to die{after}");
        prop_assert!(found(&text, None).is_some());
    }
}
