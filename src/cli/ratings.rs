//! `mostik ratings`

use std::collections::BTreeMap;
use std::fmt::Write;

use super::open;
use crate::config::Config;
use crate::store::RatingCount;

/// Fewer answers than these are not shown: whoever knows who was there could guess who said what.
const FEWEST: i64 = 5;

/// Shows how members found the visits of clinics, month by month.
pub async fn ratings(config: &Config) -> anyhow::Result<()> {
    let bridge = open(config).await?;
    let counts = bridge.store.read().await?.ratings().await?;
    print!("{}", table(&counts)?);
    Ok(())
}

/// One line for each kind of visit and month.
fn table(counts: &[RatingCount]) -> Result<String, std::fmt::Error> {
    if counts.is_empty() {
        return Ok("Nobody has said yet how a visit was.\n".to_owned());
    }
    let mut lines: BTreeMap<_, [i64; 6]> = BTreeMap::new();
    for count in counts {
        let line = lines.entry((&count.month, &count.clinic_id, &count.visit)).or_default();
        let place = usize::try_from(count.rating).ok().and_then(|rating| line.get_mut(rating));
        *place.ok_or(std::fmt::Error)? += count.answers;
    }
    let mut text = format!("{:<8} {:<40} {:>6} {:>8}   1 to 5\n", "month", "visit", "mean", "unsaid");
    for ((month, clinic, visit), [unsaid, said @ ..]) in lines.into_iter().rev() {
        let (answers, name) = (said.iter().sum::<i64>(), format!("{clinic}/{visit}"));
        if answers < FEWEST {
            writeln!(text, "{month:<8} {name:<40} fewer than {FEWEST} answers: not shown")?;
            continue;
        }
        let sum: i64 = said.iter().zip(1..).map(|(answers, rating)| answers * rating).sum();
        let (whole, tenths) = (sum / answers, sum % answers * 10 / answers);
        let (mean, said) = (format!("{whole}.{tenths}"), said.map(|answers| answers.to_string()).join(" "));
        writeln!(text, "{month:<8} {name:<40} {mean:>6} {unsaid:>8}   {said}")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(visit: &str, rating: i64, answers: i64) -> RatingCount {
        let (clinic_id, month) = ("riverside".to_owned(), "2026-11".to_owned());
        RatingCount { clinic_id, visit: visit.to_owned(), month, rating, answers }
    }

    #[test]
    fn what_few_have_said_is_not_shown() {
        let counts =
            [count("first-talk", 5, 3), count("first-talk", 2, 2), count("first-talk", 0, 4), count("group", 1, 4)];
        let table = table(&counts).unwrap();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3, "{table}");
        assert!(
            lines[1].ends_with("riverside/group                          fewer than 5 answers: not shown"),
            "{table}"
        );
        assert!(lines[2].ends_with("   3.8        4   0 2 0 0 3"), "{table}");
        assert_eq!(super::table(&[]).unwrap(), "Nobody has said yet how a visit was.\n");
    }
}
