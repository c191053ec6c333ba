//! What was recommended and what became of it, in words.

use super::words::Words;
use crate::domain::language::Language::{En, Ru};
use crate::domain::page::{Recommended, Untold};
use crate::domain::recommendation::RecommendationState as State;

impl Words {
    /// Something that the clinic recommended, and what became of it.
    pub fn recommended(self, it: &Recommended) -> String {
        let (on, since) = (self.day(it.on), self.day(it.since));
        let what = if it.what.is_empty() { "–" } else { it.what.as_str() };
        let head = format!("{what} ({on})");
        if !it.is_actionable {
            return format!("{head}.");
        }
        let fate = match (it.state, self.0) {
            (State::Received, En) => "not seen yet".to_owned(),
            (State::Received, Ru) => "пока не прочитано".to_owned(),
            (State::Delivered, En) => "the patient was told, and has not opened it yet".to_owned(),
            (State::Delivered, Ru) => "пациенту сообщено, пока не открыто".to_owned(),
            (State::Seen, En) => format!("read ({since}), not answered"),
            (State::Seen, Ru) => format!("прочитано ({since}), ответа нет"),
            (State::Accepted, En) => format!("the patient wants to do it ({since})"),
            (State::Accepted, Ru) => format!("пациент хочет это сделать ({since})"),
            (State::Declined, En) => format!("the patient does not want to ({since})"),
            (State::Declined, Ru) => format!("пациент отказывается ({since})"),
            (State::Done, En) => format!("done, as the patient says ({since})"),
            (State::Done, Ru) => format!("выполнено, по словам пациента ({since})"),
            (State::Retracted, En) => "taken back".to_owned(),
            (State::Retracted, Ru) => "отозвано".to_owned(),
        };
        format!("{head}: {fate}.")
    }

    /// What the patient answered, where it reaches the clinic by this page alone.
    pub fn reply(self, reply: &Untold) -> String {
        let on = self.day(reply.on);
        let said = match (reply.answer, self.0) {
            ("accept", En) => "wants to do it",
            ("accept", Ru) => "хочет это сделать",
            ("decline", En) => "does not want to",
            ("decline", Ru) => "отказывается",
            ("done", En) => "has done it",
            ("done", Ru) => "сделано",
            (_, En) => "asks",
            (_, Ru) => "спрашивает",
        };
        let before = if reply.answer == "question" { ":" } else { "." };
        let text = reply.text.as_ref().map(|text| format!("{before} {text}")).unwrap_or_default();
        match self.0 {
            En => format!("Answer of {on}: {said}{text}"),
            Ru => format!("Ответ {on}: {said}{text}"),
        }
    }
}
