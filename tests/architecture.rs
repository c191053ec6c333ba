//! The shape of the house: who may import whom, no cycles, no room too large to see at a glance.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on must fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// Which modules each module may import. A stage imports no other stage, except that everything that lets data out
/// takes the decision's permit, and that delivery works on the outbox.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("telemetry", &[]),
    ("vault", &["domain"]),
    ("store", &["domain", "vault"]),
    ("consent", &["domain", "vault", "store"]),
    ("inbound", &["domain"]),
    ("mapping", &["domain", "consent::decide"]),
    ("audit", &["domain", "vault", "store", "mapping"]),
    ("outbox", &["domain", "vault", "store", "consent::decide"]),
    ("delivery", &["domain", "vault", "store", "telemetry", "consent::decide", "outbox"]),
    ("connectors", &["domain", "delivery::egress", "delivery::member"]),
    ("enrolment", &["domain", "vault", "store", "consent", "delivery"]),
    ("readings", &["domain", "vault", "store"]),
    ("safety", &["domain", "vault", "store", "telemetry", "outbox", "delivery", "enrolment"]),
    ("recommendations", &["domain", "vault", "store"]),
    ("materials", &["domain", "vault", "store"]),
    ("rotation", &["domain", "vault", "store"]),
    (
        "pipeline",
        &[
            "domain",
            "vault",
            "store",
            "telemetry",
            "enrolment",
            "inbound",
            "consent",
            "mapping",
            "audit",
            "outbox",
            "readings",
            "safety",
            "recommendations",
            "delivery::smart_auth::patient",
        ],
    ),
    (
        "booking",
        &[
            "domain",
            "vault",
            "store",
            "inbound",
            "consent::decide",
            "mapping",
            "outbox",
            "readings",
            "delivery::ehr",
            "delivery::egress",
            "pipeline",
        ],
    ),
    (
        "insight",
        &[
            "domain",
            "vault",
            "store",
            "inbound",
            "consent",
            "mapping",
            "outbox",
            "readings",
            "recommendations",
            "pipeline",
        ],
    ),
    (
        "way_back",
        &[
            "domain",
            "vault",
            "store",
            "inbound",
            "consent::decide",
            "mapping",
            "delivery",
            "enrolment",
            "recommendations",
            "pipeline",
            "booking",
        ],
    ),
    (
        "telling",
        &[
            "domain",
            "vault",
            "store",
            "telemetry",
            "consent",
            "outbox",
            "delivery::member",
            "enrolment",
            "readings",
            "recommendations",
            "pipeline",
            "booking",
            "insight",
        ],
    ),
    ("announcing", &["domain", "store", "outbox", "delivery::member", "materials", "pipeline", "booking"]),
    ("import", &["domain", "inbound", "pipeline"]),
    (
        "export",
        &[
            "domain",
            "vault",
            "store",
            "telemetry",
            "consent",
            "mapping",
            "audit",
            "outbox",
            "enrolment",
            "readings",
            "safety",
            "recommendations",
            "pipeline",
            "booking",
        ],
    ),
    ("erasure", &["domain", "vault", "store", "delivery::smart_auth::patient", "enrolment", "pipeline", "booking"]),
    (
        "companion",
        &["domain", "vault", "store", "enrolment", "readings", "safety", "pipeline", "booking", "insight", "erasure"],
    ),
    (
        "chores",
        &[
            "store",
            "audit",
            "enrolment",
            "readings",
            "safety",
            "pipeline",
            "booking",
            "erasure",
            "insight",
            "companion",
        ],
    ),
    ("config", &["domain", "vault", "telemetry"]),
    (
        "web",
        &[
            "domain",
            "vault",
            "store",
            "telemetry",
            "enrolment",
            "readings",
            "safety",
            "audit",
            "inbound",
            "consent",
            "delivery",
            "connectors",
            "recommendations",
            "materials",
            "announcing",
            "pipeline",
            "booking",
            "telling",
            "export",
            "erasure",
            "companion",
            "insight",
            "way_back",
            "import",
            "config",
        ],
    ),
    ("sandbox", &["domain"]),
    (
        "app",
        &[
            "domain",
            "vault",
            "store",
            "telemetry",
            "inbound",
            "consent",
            "mapping",
            "audit",
            "delivery",
            "connectors",
            "enrolment",
            "readings",
            "safety",
            "pipeline",
            "booking",
            "announcing",
            "telling",
            "way_back",
            "erasure",
            "chores",
            "config",
            "web",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "vault",
            "store",
            "telemetry",
            "audit",
            "enrolment",
            "inbound",
            "consent",
            "mapping",
            "delivery",
            "safety",
            "rotation",
            "pipeline",
            "import",
            "export",
            "erasure",
            "config",
            "sandbox",
            "app",
        ],
    ),
];

const LONGEST_FILE: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Collects every path that begins with `crate::`, in `use` trees and in expressions.
#[derive(Default)]
struct CratePaths(BTreeSet<String>);

impl CratePaths {
    fn tree(&mut self, tree: &syn::UseTree, path: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.tree(&step.tree, path);
                path.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(item, path)),
            syn::UseTree::Name(name) => self.keep(path.iter().cloned().chain([name.ident.to_string()])),
            syn::UseTree::Rename(name) => self.keep(path.iter().cloned().chain([name.ident.to_string()])),
            syn::UseTree::Glob(_) => self.keep(path.iter().cloned()),
        }
    }

    fn keep(&mut self, segments: impl Iterator<Item = String>) {
        let segments: Vec<String> = segments.collect();
        if segments.first().is_some_and(|first| first == "crate") && segments.len() > 1 {
            self.0.insert(segments[1..].join("::"));
        }
    }
}

impl<'ast> Visit<'ast> for CratePaths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.keep(path.segments.iter().map(|segment| segment.ident.to_string()));
        visit::visit_path(self, path);
    }
}

/// Every import from one top-level module to another: (from, to, file).
fn imports() -> Vec<(String, String, PathBuf)> {
    let source = root().join("src");
    let mut found = Vec::new();
    for file in rust_files(&source) {
        let inside = file.strip_prefix(&source).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let module = first.trim_end_matches(".rs").to_owned();
        let is_test = inside.components().any(|part| part.as_os_str().to_string_lossy().contains("tests"));
        if is_test || ["lib", "main", "fhir-codec"].contains(&module.as_str()) {
            continue;
        }
        let mut paths = CratePaths::default();
        paths.visit_file(&syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap());
        for path in paths.0 {
            if path.split("::").next() != Some(module.as_str()) {
                found.push((module.clone(), path, file.clone()));
            }
        }
    }
    found
}

fn is_within(path: &str, allowed: &str) -> bool {
    path == allowed || path.strip_prefix(allowed).is_some_and(|rest| rest.starts_with("::"))
}

#[test]
fn modules_import_only_what_their_place_in_the_flow_allows() {
    let rules: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let found = imports();
    assert!(found.len() > 100, "imports are seen at all");
    for (from, path, file) in found {
        let allowed = rules.get(from.as_str()).unwrap_or_else(|| panic!("{from} has no rule: {}", file.display()));
        assert!(
            allowed.iter().any(|allowed| is_within(&path, allowed)),
            "{} imports crate::{path}; {from} may import {allowed:?}",
            file.display()
        );
    }
}

#[test]
fn the_rules_have_no_cycle_and_no_rule_too_many() {
    let mut below: BTreeSet<&str> = BTreeSet::new();
    for (module, allowed) in MAY_IMPORT {
        for target in *allowed {
            let target = target.split("::").next().unwrap();
            assert!(below.contains(target), "{module} may import {target}, which stands above it");
        }
        below.insert(module);
    }
    let used: BTreeSet<(String, String)> =
        imports().into_iter().map(|(from, path, _)| (from, path.split("::").next().unwrap().to_owned())).collect();
    for (module, allowed) in MAY_IMPORT {
        for target in *allowed {
            let edge = ((*module).to_owned(), target.split("::").next().unwrap().to_owned());
            assert!(used.contains(&edge), "{module} no longer imports {target}: take the rule away");
        }
    }
}

#[test]
fn no_file_is_too_long_to_see_at_a_glance() {
    for folder in ["src", "tests", "benches"] {
        let folder = root().join(folder);
        for file in if folder.exists() { rust_files(&folder) } else { Vec::new() } {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= LONGEST_FILE, "{} has {lines} lines, at most {LONGEST_FILE} are allowed", file.display());
        }
    }
}

#[test]
fn only_the_codec_touches_the_fhir_sdk() {
    for file in rust_files(&root().join("src")) {
        let is_codec = file.starts_with(root().join("src/fhir-codec"));
        let uses = fs::read_to_string(&file).unwrap().lines().any(|line| line.contains("fhir_sdk::"));
        assert!(is_codec || !uses, "{} uses fhir_sdk", file.display());
    }
}

#[test]
fn a_permit_has_one_place_of_birth() {
    let built: Vec<PathBuf> = rust_files(&root().join("src"))
        .into_iter()
        .filter(|file| fs::read_to_string(file).unwrap().contains("Ok(Permit {"))
        .collect();
    assert_eq!(built, [root().join("src/consent/decide/mod.rs")]);
}
