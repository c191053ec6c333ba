//! What somebody wrote in a mail, without what other mails said, and without what stands below their name.

/// How many lines are heard, and how many characters.
const MOST_LINES: usize = 40;
const LONGEST: usize = 4000;

/// What stands before a mail that is quoted whole.
const BEFORE_QUOTED: [&str; 4] =
    ["-----Original Message", "-----Исходное сообщение", "---------- Forwarded message", "-------- Пересылаемое"];

/// What programs write below a mail of their own accord.
const BY_PROGRAMS: [&str; 4] = ["Sent from my ", "Get Outlook for ", "Отправлено с ", "Отправлено из "];

/// Who wrote what is quoted.
const WROTE: [&str; 4] = ["wrote:", "пишет:", "писал(а):", "написал(а):"];

/// What somebody wrote. People answer above what they quote, or below it, or in between: what is heard begins where their own
/// words do, and ends where those of others begin again.
#[must_use]
pub fn written(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut own: Vec<&str> = Vec::new();
    let mut rest = lines.as_slice();
    while let [line, below @ ..] = rest {
        rest = below;
        if *line == "--" || BY_PROGRAMS.iter().any(|words| line.starts_with(words)) {
            break;
        }
        let quoted = quoted(line, below.first().copied().unwrap_or_default());
        match quoted {
            0 if line.is_empty() && own.is_empty() => {}
            0 => own.push(line),
            _ if is_begun(&own) => break,
            more => rest = below.get(more - 1..).unwrap_or_default(),
        }
        if own.len() == MOST_LINES {
            break;
        }
    }
    let own = own.join("\n");
    own.trim().chars().take(LONGEST).collect()
}

fn is_begun(own: &[&str]) -> bool {
    own.iter().any(|line| !line.is_empty())
}

/// How many lines of these two are other people's words, or say that such follow.
fn quoted(line: &str, next: &str) -> usize {
    let is_line = line.starts_with('>')
        || BEFORE_QUOTED.iter().any(|words| line.starts_with(words))
        || (line.len() >= 10 && line.bytes().all(|byte| byte == b'_'))
        || (["From:", "От:"].iter().any(|name| line.starts_with(name)) && line.contains('@'));
    let says_who =
        |line: &str| line.ends_with(':') && (line.contains('@') || WROTE.iter().any(|it| line.ends_with(it)));
    match () {
        () if is_line || says_who(line) => 1,
        // The line that says who wrote it is too long for one.
        () if line.contains('@') && WROTE.iter().any(|it| next.ends_with(it)) => 2,
        () if line.starts_with("On ") && next.contains('@') && says_who(next) => 2,
        () => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_somebody_wrote_themselves_is_heard() {
        for (text, own) in [
            (
                "Yes\r\n\r\nOn Fri, 20 Nov 2026 at 12:00, The forum <helper@forum.example> wrote:\r\n\r\n> Shall I?\r\n",
                "Yes",
            ),
            (
                "Yes\n\nOn Fri, 20 Nov 2026 at 12:00, The forum of the whole town <helper@forum.example>\nwrote:\n> Shall I?",
                "Yes",
            ),
            ("Да\n\nпт, 20 нояб. 2026 г. в 12:00, Форум <helper@forum.example>:\n\n> Можно?", "Да"),
            ("Да\n\n20.11.2026 12:00, Форум пишет:\n> Можно?", "Да"),
            ("4\n-- \nSparrow\nhttps://sparrow.example", "4"),
            ("4\n\nSent from my iPhone", "4"),
            ("4\n\nОтправлено с iPhone", "4"),
            ("4\n________________________________\nFrom: The forum <helper@forum.example>\nSent: Friday", "4"),
            ("4\n\nFrom: The forum <helper@forum.example>\nSent: Friday\n\nHow are you?", "4"),
            ("4\n-----Original Message-----\nHow are you?", "4"),
            ("> How are you?\n> 1 to 5\n\n4\n\n> Shall I keep it?\n\nkeep it", "4"),
            ("On Friday The forum <helper@forum.example> wrote:\n> How are you?\n4", "4"),
            ("4\n\nBest,\nSparrow", "4\n\nBest,\nSparrow"),
            ("  \n\n", ""),
            ("> all of it\n> was said by others", ""),
            ("", ""),
        ] {
            assert_eq!(written(text), own, "{text}");
        }
        assert_eq!(written(&"a\n".repeat(1000)).lines().count(), MOST_LINES);
        assert_eq!(written(&"я".repeat(10_000)).chars().count(), LONGEST);
    }

    proptest! {
        #[test]
        fn nothing_that_is_heard_was_not_written(text in "(?s)[a>@:\\-_ \n]{0,200}") {
            let heard = written(&text);
            prop_assert!(heard.lines().all(|line| text.contains(line)), "{heard}");
            prop_assert!(!heard.lines().any(|line| line.starts_with('>') || line == "--"), "{heard}");
        }
    }
}
