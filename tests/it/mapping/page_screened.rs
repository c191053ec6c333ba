//! What a page says of a questionnaire, and of what no total says, in each language.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use mostik::domain::category::{Category, Detail};
use mostik::domain::language::Language;
use mostik::domain::questionnaire::Answer::{self, Declined, Given, NotAsked};
use mostik::domain::questionnaire::{Answers, Instrument};
use mostik::domain::reading::{Measure, Reading};
use mostik::insight::page::pdf::pdf;
use mostik::insight::page::text::{COLUMNS, text};

use crate::mapping::page_words::{grant, page, reading};

/// What stands on a page about these forms, on one line; and that it is one sheet.
fn screened(forms: &[(Date, [Answer; 9])], language: Language) -> String {
    let of = |(day, said): &(Date, [Answer; 9])| {
        let answers = said.iter().copied().chain([NotAsked]).collect();
        reading(*day, 12, Measure::Questionnaire(Answers::new(Instrument::Phq9, answers).unwrap()))
    };
    let readings: Vec<Reading> = forms.iter().map(of).collect();
    let page = page(&readings, &[grant(&[(Category::Questionnaires, Detail::EveryEntry)])]).unwrap();
    let written = pdf(&page, None, language, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(String::from_utf8_lossy(&written).matches("/Type/Page/").count(), 1);
    let text = text(&page, None, language);
    assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Answers to PHQ-9 that are all the same, but for the last one.
fn said(all: Answer, last: Answer) -> [Answer; 9] {
    let mut said = [all; 9];
    said[8] = last;
    said
}

const fn november(day: i8) -> Date {
    date(2026, 11, day)
}

#[test]
fn what_no_total_says_is_said_beside_it_in_the_words_of_the_form() {
    for (last, english, russian) in [
        (Given(1), "“Several days” (20 Nov 2026).", "«Несколько дней» (20.11.2026)."),
        (Given(2), "“More than half the days” (20 Nov 2026).", "«Более недели» (20.11.2026)."),
        (Given(3), "“Nearly every day” (20 Nov 2026).", "«Почти каждый день» (20.11.2026)."),
        (Declined, "“I would rather not say” (20 Nov 2026).", "«предпочитаю не отвечать» (20.11.2026)."),
        (NotAsked, "not answered (20 Nov 2026).", "нет ответа (20.11.2026)."),
    ] {
        let forms = [(november(20), said(Given(0), last))];
        let english = format!("Question 9, thoughts of death or self-harm: {english}");
        let russian = format!("Вопрос 9, мысли о смерти или о причинении себе вреда: {russian}");
        for (language, wanted) in [(Language::En, english), (Language::Ru, russian)] {
            let text = screened(&forms, language);
            assert!(text.contains(&wanted), "{wanted} in {text}");
        }
    }
    let nothing =
        screened(&[(november(6), said(Given(1), Given(0))), (november(20), said(Given(2), Given(0)))], Language::En);
    assert!(nothing.contains("PHQ-9: 16 of 27") && !nothing.contains("Question 9"), "{nothing}");
}

#[test]
fn a_form_that_is_not_complete_stands_there_until_it_is_filled_in_once_more() {
    let (first, cut_short) = ((november(6), said(Given(0), Given(3))), (november(18), said(Declined, Declined)));
    let text = screened(&[first, cut_short], Language::Ru);
    for wanted in [
        "PHQ-9: заполнен не полностью, суммы баллов нет (18.11.2026). PHQ-9: 3 из 27",
        "вреда: «предпочитаю не отвечать» (18.11.2026); «Почти каждый день» (06.11.2026).",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    let text = screened(&[first, cut_short, (november(20), said(Given(1), Given(0)))], Language::En);
    assert!(text.contains("PHQ-9: 8 of 27") && !text.contains("not complete"), "{text}");
}

#[test]
fn an_answer_above_zero_is_not_lost_behind_later_ones() {
    let later = [9, 16, 18].map(|day| (november(day), said(Given(1), Given(0))));
    let forms = [vec![(november(6), said(Declined, Given(3)))], later.to_vec()].concat();
    let text = screened(&forms, Language::En);
    let wanted = "“Not at all” (18 Nov 2026); “Not at all” (16 Nov 2026); “Nearly every day” (6 Nov 2026).";
    assert!(text.contains(wanted), "{wanted} in {text}");
}
