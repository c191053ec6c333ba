//! The names of the months, as data.
//!
//! These are the full names that Unicode CLDR gives for a month beside a day (the genitive where a language has one),
//! which is what Android and iOS write and so what stands in the column `date` of the oldest exports.

pub(super) const MONTHS: [(&str, &str); 10] = [
    ("English", "january february march april may june july august september october november december"),
    ("German", "januar februar märz april mai juni juli august september oktober november dezember"),
    ("Russian", "января февраля марта апреля мая июня июля августа сентября октября ноября декабря"),
    ("French", "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    ("Spanish", "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
    ("Portuguese", "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"),
    ("Italian", "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"),
    ("Polish", "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia"),
    ("Dutch", "januari februari maart april mei juni juli augustus september oktober november december"),
    ("Ukrainian", "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня"),
];

/// The number of the month with this name, in any of the languages and in any case.
pub(super) fn month(name: &str) -> Option<i8> {
    let name = name.to_lowercase();
    MONTHS
        .iter()
        .find_map(|(_, names)| names.split(' ').zip(1..).find_map(|(month, number)| (month == name).then_some(number)))
}
