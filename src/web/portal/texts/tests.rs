use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser::parse;

use super::*;

/// Each key with the names that stand in its text.
fn keys(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for (room, source) in sources(language) {
        for entry in parse(*source).unwrap_or_else(|_| panic!("{room} is broken")).body {
            let Entry::Message(message) = entry else { continue };
            let mut names = BTreeSet::new();
            collect(message.value.as_ref().unwrap(), &mut names);
            assert!(found.insert(message.id.name.to_owned(), names).is_none(), "{} stands twice", message.id.name);
        }
    }
    found
}

fn collect(pattern: &Pattern<&str>, names: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        let inline = match expression {
            Expression::Inline(inline) => inline,
            Expression::Select { selector, variants } => {
                for variant in variants {
                    collect(&variant.value, names);
                }
                selector
            }
        };
        if let InlineExpression::VariableReference { id } = inline {
            names.insert(id.name.to_owned());
        }
    }
}

/// Everything in double quotes in the portal's code and templates, except these tests.
fn quoted(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            quoted(&path, found);
        } else if path.extension().is_some_and(|ending| ["rs", "html", "toml"].iter().any(|code| ending == *code))
            && !path.ends_with("tests.rs")
        {
            let text = fs::read_to_string(&path).unwrap();
            found.extend(text.split('"').map(str::to_owned));
        }
    }
}

/// The keys that templates and code ask for by name.
fn asked(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            asked(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "html") {
            let text = fs::read_to_string(&path).unwrap();
            for call in ["frame.t(\"", "frame.t1(\"", "frame.t2(\""] {
                found.extend(text.split(call).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
            }
        }
    }
}

#[test]
fn both_languages_say_the_same_things_of_the_same_things() {
    let (english, russian) = (keys(Language::En), keys(Language::Ru));
    assert_eq!(
        english.keys().collect::<Vec<_>>(),
        russian.keys().collect::<Vec<_>>(),
        "a key stands in one language only"
    );
    for (key, names) in &english {
        assert_eq!(names, &russian[key], "{key} speaks of other things");
    }
}

#[test]
fn every_text_is_used_and_every_text_that_is_used_is_there() {
    let rooms = ["src/web/portal", "src/web/clinic", "src/web/moderate", "src/companion"]
        .map(|room| Path::new(env!("CARGO_MANIFEST_DIR")).join(room));
    let keys: BTreeSet<String> = keys(Language::En).into_keys().collect();
    let mut used = BTreeSet::new();
    for room in &rooms {
        quoted(room, &mut used);
    }
    let unused: Vec<&String> = keys.difference(&used).collect();
    assert!(unused.is_empty(), "nobody says {unused:?}");
    let mut wanted = BTreeSet::new();
    for room in &rooms {
        asked(room, &mut wanted);
    }
    assert!(wanted.len() > 10, "calls are seen at all");
    let missing: Vec<&String> = wanted.difference(&keys).collect();
    assert!(missing.is_empty(), "there is no text for {missing:?}");
}

#[test]
fn numbers_take_the_form_their_language_wants() {
    let texts = Texts::load().unwrap();
    let minutes = |language, count: i32| texts.say(language, "minutes", &[("count", count.into())]);
    assert_eq!(minutes(Language::En, 1), "1 minute");
    assert_eq!(minutes(Language::En, 10), "10 minutes");
    assert_eq!(minutes(Language::Ru, 1), "1 минуту");
    assert_eq!(minutes(Language::Ru, 3), "3 минуты");
    assert_eq!(minutes(Language::Ru, 10), "10 минут");
}
