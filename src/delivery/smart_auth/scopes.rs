//! Scopes (SMART App Launch 2.2.0, scopes and launch context): what of the asked ones was granted.

/// The letters of version 2 in their order: create, read, update, delete, search.
const LETTERS: &str = "cruds";

/// One clinical scope, `context/type.letters[?query]`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Scope<'a> {
    context: &'a str,
    resource_type: &'a str,
    letters: &'a str,
    /// A narrowing that only the server understands; empty when there is none.
    query: &'a str,
    /// Whether it was said in the words of version 1.
    version_1: bool,
}

/// What of `asked` is not among `granted`, in the words of version 2; both are lists parted by spaces. A server may
/// answer in the words of version 1, and with wildcards.
#[must_use]
pub fn missing(asked: &str, granted: &str) -> Vec<String> {
    asked.split_whitespace().filter_map(|scope| not_granted(scope, granted)).collect()
}

/// Whether `granted` lets its holder, in a context such as `system`, do what `letter` stands for, to every resource of a
/// type.
#[must_use]
pub fn allows(granted: &str, context: &str, resource_type: &str, letter: char) -> bool {
    let scope = format!("{context}/{resource_type}.{letter}");
    not_granted(&scope, granted).is_none()
}

/// What of `asked` is granted where no more than `allowed` can be: each scope as far as it is allowed, a wildcard as the
/// scopes it stands for. One that asks for part of the resources by a query is not granted: nobody here would see to it
/// that it stays that part.
#[must_use]
pub fn granted(asked: &str, allowed: &str) -> String {
    let mut granted: Vec<String> = Vec::new();
    let allowed: Vec<Scope<'_>> = allowed.split_whitespace().filter_map(Scope::parse).collect();
    for scope in asked.split_whitespace().filter_map(Scope::parse).filter(|scope| scope.query.is_empty()) {
        for given in &allowed {
            let same = scope.context == given.context && ["*", given.resource_type].contains(&scope.resource_type);
            let both = |letter: &char| scope.letters.contains(*letter) && given.letters.contains(*letter);
            let letters: String = LETTERS.chars().filter(both).collect();
            // Who asks in the words of version 1 is answered in them, where they say the same.
            let word = if scope.version_1 && letters == "rs" { "read" } else { &letters };
            let granting = format!("{}/{}.{word}", given.context, given.resource_type);
            if same && !letters.is_empty() && !granted.contains(&granting) {
                granted.push(granting);
            }
        }
    }
    granted.join(" ")
}

/// What is left of a scope when all that is granted is taken away from it.
fn not_granted(asked: &str, granted: &str) -> Option<String> {
    let Some(scope) = Scope::parse(asked) else {
        // A word without a structure, such as `offline_access`: it is there or it is not.
        return (!granted.split_whitespace().any(|word| word == asked)).then(|| asked.to_owned());
    };
    let covers = |letter: char| {
        granted.split_whitespace().filter_map(Scope::parse).any(|given| {
            given.context == scope.context
                && (given.resource_type == "*" || given.resource_type == scope.resource_type)
                && (given.query.is_empty() || given.query == scope.query)
                && given.letters.contains(letter)
        })
    };
    let left: String = LETTERS.chars().filter(|letter| scope.letters.contains(*letter) && !covers(*letter)).collect();
    if left.is_empty() {
        return None;
    }
    let query = if scope.query.is_empty() { String::new() } else { format!("?{}", scope.query) };
    Some(format!("{}/{}.{left}{query}", scope.context, scope.resource_type))
}

impl<'a> Scope<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scope, query) = text.split_once('?').unwrap_or((text, ""));
        let (context, rest) = scope.split_once('/')?;
        let (resource_type, permission) = rest.split_once('.')?;
        let letters = match permission {
            "read" => "rs",
            "write" => "cud",
            "*" => LETTERS,
            letters if !letters.is_empty() && letters.chars().all(|letter| LETTERS.contains(letter)) => letters,
            _ => return None,
        };
        let version_1 = matches!(permission, "read" | "write" | "*");
        Some(Self { context, resource_type, letters, query, version_1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str = "system/Observation.cruds system/Patient.rs";

    #[test]
    fn the_same_wildcards_and_version_one_cover() {
        for granted in [
            ASKED,
            "system/*.cruds",
            "system/*.*",
            "system/Observation.read system/Observation.write system/Patient.read",
            "system/Observation.crus system/Observation.d system/Patient.s system/Patient.r openid",
        ] {
            assert_eq!(missing(ASKED, granted), Vec::<String>::new(), "{granted}");
        }
    }

    #[test]
    fn what_is_missing_is_named_letter_by_letter() {
        assert_eq!(missing(ASKED, "system/Observation.rs"), ["system/Observation.cud", "system/Patient.rs"]);
        assert_eq!(missing(ASKED, ""), ASKED.split(' ').collect::<Vec<_>>());
        assert_eq!(missing("system/Patient.rs", "patient/Patient.rs user/*.rs"), ["system/Patient.rs"]);
        assert_eq!(missing("offline_access", "openid"), ["offline_access"]);
    }

    #[test]
    fn a_narrowed_grant_is_not_the_whole() {
        let survey = "system/Observation.rs?category=survey";
        assert_eq!(missing("system/Observation.rs", survey), ["system/Observation.rs"]);
        assert_eq!(missing(survey, survey), Vec::<String>::new());
        assert_eq!(missing(survey, "system/Observation.rs"), Vec::<String>::new());
    }

    #[test]
    fn what_is_granted_is_what_was_asked_as_far_as_it_is_allowed() {
        let allowed = "system/Consent.rs system/AuditEvent.s";
        for (asked, expected) in [
            ("system/Consent.rs", "system/Consent.rs"),
            ("system/Consent.r", "system/Consent.r"),
            ("system/Consent.read", "system/Consent.read"),
            ("system/AuditEvent.read", "system/AuditEvent.s"),
            ("system/Consent.cruds", "system/Consent.rs"),
            ("system/Consent.write", ""),
            ("system/*.rs", "system/Consent.rs system/AuditEvent.s"),
            ("system/*.*", "system/Consent.read system/AuditEvent.s"),
            ("system/Consent.s system/Consent.s openid system/Patient.rs", "system/Consent.s"),
            ("system/Consent.rs?status=active", ""),
            ("patient/Consent.rs user/Consent.rs", ""),
            ("", ""),
        ] {
            assert_eq!(granted(asked, allowed), expected, "{asked}");
        }
    }

    #[test]
    fn single_permissions_can_be_asked_for() {
        assert!(allows("system/*.write", "system", "Observation", 'c'));
        assert!(allows("patient/Observation.cruds", "patient", "Observation", 'c'));
        assert!(!allows("patient/Observation.cruds", "system", "Observation", 'c'));
        assert!(!allows("system/Observation.rs", "system", "Observation", 'c'));
        assert!(!allows("system/Observation.what", "system", "Observation", 'c'));
    }
}
