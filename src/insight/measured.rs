//! What can be measured, in words.

use crate::domain::language::Language;
use crate::domain::measurement::Measured;

use Language::{En, Ru};

/// What was measured.
#[must_use]
pub const fn name(of: Measured, language: Language) -> &'static str {
    match (of, language) {
        (Measured::SleepDuration, En) => "Sleep",
        (Measured::SleepDuration, Ru) => "Сон",
        (Measured::DeepSleep, En) => "Deep sleep",
        (Measured::DeepSleep, Ru) => "Глубокий сон",
        (Measured::LightSleep, En) => "Light sleep",
        (Measured::LightSleep, Ru) => "Лёгкий сон",
        (Measured::RemSleep, En) => "Dream sleep (REM)",
        (Measured::RemSleep, Ru) => "Быстрый сон (REM)",
        (Measured::TimeInBed, En) => "Time in bed",
        (Measured::TimeInBed, Ru) => "Время в постели",
        (Measured::Awakenings, En) => "Awakenings",
        (Measured::Awakenings, Ru) => "Пробуждения",
        (Measured::Steps, En) => "Steps",
        (Measured::Steps, Ru) => "Шаги",
        (Measured::ExerciseDuration, En) => "Exercise",
        (Measured::ExerciseDuration, Ru) => "Тренировки",
        (Measured::MindfulSession, En) => "Mindfulness",
        (Measured::MindfulSession, Ru) => "Осознанность",
        (Measured::HeartRate, En) => "Heart rate",
        (Measured::HeartRate, Ru) => "Пульс",
        (Measured::RestingHeartRate, En) => "Resting heart rate",
        (Measured::RestingHeartRate, Ru) => "Пульс в покое",
        (Measured::HrvSdnn, En) => "Heart rate variability (SDNN)",
        (Measured::HrvSdnn, Ru) => "Вариабельность пульса (SDNN)",
        (Measured::HrvRmssd, En) => "Heart rate variability (RMSSD)",
        (Measured::HrvRmssd, Ru) => "Вариабельность пульса (RMSSD)",
    }
}

/// Its unit. Nothing where the name says it.
#[must_use]
pub fn unit(of: Measured, language: Language) -> &'static str {
    match (of.unit(), language) {
        ("min", En) => "min",
        ("min", Ru) => "мин",
        ("/min", En) => "per min",
        ("/min", Ru) => "уд/мин",
        ("ms", En) => "ms",
        ("ms", Ru) => "мс",
        _ => "",
    }
}
