//! JSON for people to read. Not parsed and written anew: a number stays in the very digits in which it goes out.

/// The same JSON, each value on a line of its own.
#[must_use]
pub fn indented(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    let mut signs = json.chars().peekable();
    while let Some(sign) = signs.next() {
        if in_string {
            text.push(sign);
            in_string = is_escaped || sign != '"';
            is_escaped = sign == '\\' && !is_escaped;
            continue;
        }
        match sign {
            '"' => {
                in_string = true;
                text.push(sign);
            }
            '{' | '[' => {
                text.push(sign);
                if !matches!(signs.peek(), Some('}' | ']')) {
                    depth += 1;
                    new_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                if !text.ends_with(['{', '[']) {
                    depth = depth.saturating_sub(1);
                    new_line(&mut text, depth);
                }
                text.push(sign);
            }
            ',' => {
                text.push(sign);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            sign if sign.is_ascii_whitespace() => {}
            sign => text.push(sign),
        }
    }
    text
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_value_has_a_line_and_numbers_stay_as_they_are() {
        let json = r#"{"a":6.50,"b":["x, {\"y\": 1}\\",[],{}],"c":{"d":null}}"#;
        let expected = "{\n  \"a\": 6.50,\n  \"b\": [\n    \"x, {\\\"y\\\": 1}\\\\\",\n    [],\n    {}\n  ],\n  \
                        \"c\": {\n    \"d\": null\n  }\n}";
        assert_eq!(indented(json), expected);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_says_the_same(json in any_json()) {
            prop_assert_eq!(serde_json::from_str::<Value>(&indented(&json.to_string())).unwrap(), json);
        }
    }
}
