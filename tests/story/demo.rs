//! `mostik demo`, as somebody runs it who wants to see what mostik is: each of its stories comes to its end.

use std::process::Command;

/// Runs the demo to its end.
fn told(story: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mostik"));
    let output = command.args(["demo", "--story", story]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.lines().count() > 10, "{said}");
}

#[test]
fn the_demo_tells_of_a_diary() {
    told("diary");
}

#[test]
fn the_demo_tells_of_a_forum() {
    told("forum");
}

#[test]
fn the_demo_tells_of_an_app_with_a_companion() {
    told("app");
}

#[test]
fn the_demo_tells_of_a_messenger_group() {
    told("group");
}
