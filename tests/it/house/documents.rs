//! Documents that are generated or promised: they must say what the code does.

use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_api_description_in_the_repository_is_what_the_code_says() {
    let path = root().join("schemas/openapi.json");
    let generated = mostik::web::openapi_document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == generated, "schemas/openapi.json is old: UPDATE_DOCUMENTS=1 cargo test --test it documents");
    assert!(generated.contains("\"openapi\": \"3.1"));
}

/// Whoever generates a client from the description gets a function for each.
#[test]
fn every_operation_of_the_api_has_a_name_of_its_own() {
    let document = serde_json::to_value(mostik::web::openapi_document()).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let names: Vec<&str> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let repeated: Vec<&&str> = names.iter().filter(|name| names.iter().filter(|it| it == name).count() > 1).collect();
    assert!(names.len() > 30 && repeated.is_empty(), "{repeated:?}");
}

#[test]
fn migrations_have_the_same_names_on_both_databases() {
    let names = |database: &str| {
        let folder = root().join("migrations").join(database);
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert!(!names("sqlite").is_empty());
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn no_crate_switches_arbitrary_precision_on() {
    // With it, serde_json hands numbers on in a form in which the FHIR types lose valueQuantity without a word.
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--edges", "features", "--invert", "serde_json", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("serde_json feature"), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!tree.contains("arbitrary_precision"), "{tree}");
}

#[test]
fn every_setting_in_the_defaults_is_explained() {
    let mut explained = false;
    for line in mostik::config::DEFAULTS.lines() {
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(explained, "no comment above: {line}");
        }
        explained = line.starts_with('#');
    }
}
