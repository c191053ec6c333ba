//! What a member wishes, as a form says it.

use jiff::civil::Time;

use crate::domain::settings::Reminders;
use crate::domain::telling::{Channel, Grade, Quiet, Subject, Wishes};
use crate::web::portal::error::PortalError;
use crate::web::portal::form::Fields;

/// The wishes that a form says, about these channels. `None`: a time is none.
pub fn wishes(fields: &Fields, channels: &[Channel]) -> Result<Option<Wishes>, PortalError> {
    let grade = Grade::from_name(fields.text("grade")).ok_or(PortalError::BadForm)?;
    let is_daily = match fields.text("when") {
        "now" => false,
        "daily" => true,
        _ => return Err(PortalError::BadForm),
    };
    let is_quiet = fields.text("quiet") == "yes";
    let [daily, from, until] = ["daily-at", "quiet-from", "quiet-until"].map(|name| time(fields.text(name)));
    let is_sound = (!is_daily || daily.is_some()) && (!is_quiet || from.is_some() && until.is_some());
    if !is_sound {
        return Ok(None);
    }
    let silent = Subject::ALL.into_iter().filter(|subject| fields.text(&format!("tell-{}", subject.as_str())) != "yes");
    let place = |channel: &Channel| fields.text(&format!("way-{channel}")).parse::<usize>().unwrap_or(0);
    let mut order: Vec<Channel> = channels.iter().filter(|channel| place(channel) > 0).cloned().collect();
    order.sort_by_key(place);
    Ok(Some(Wishes {
        grade,
        quiet: from.zip(until).filter(|_| is_quiet).map(|(from, until)| Quiet { from, until }),
        daily: daily.filter(|_| is_daily),
        silent: silent.collect(),
        unused: channels.iter().filter(|channel| place(channel) == 0).cloned().collect(),
        order,
    }))
}

/// How long before a visit reminders can be chosen, in minutes.
pub const REMINDERS: [u16; 5] = [2 * 24 * 60, 24 * 60, 3 * 60, 60, 15];

/// When they wish to be reminded of their visits, as a form says it; `None` where it does not ask.
pub fn reminders(fields: &Fields) -> Result<Option<Reminders>, PortalError> {
    let is_chosen = |minutes: &u16| fields.text(&format!("remind-{minutes}")) == "yes";
    match fields.text("remind") {
        "" => Ok(None),
        "usual" => Ok(Some(Reminders::Usual)),
        "own" => Ok(Some(Reminders::Before(REMINDERS.into_iter().filter(is_chosen).collect()))),
        _ => Err(PortalError::BadForm),
    }
}

/// A time of the day, as browsers send it: hours and minutes, some with seconds.
fn time(text: &str) -> Option<Time> {
    let [hour, minute] = [text.get(..2)?, text.get(3..5)?].map(|part| part.parse::<i8>().ok());
    let rest = text.get(5..)?;
    let is_shaped = text.get(2..3) == Some(":") && (rest.is_empty() || rest.starts_with(':'));
    Time::new(hour?, minute?, 0, 0).ok().filter(|_| is_shaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_hours_and_minutes() {
        assert_eq!(time("22:30"), Time::new(22, 30, 0, 0).ok());
        assert_eq!(time("07:05:00"), Time::new(7, 5, 0, 0).ok());
        for none in ["", "22", "2230", "24:00", "22:60", "ab:cd", "22.30", "22:30pm", "ночь:0"] {
            assert_eq!(time(none), None, "{none}");
        }
    }
}
