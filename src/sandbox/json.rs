//! Small tools for resources that are raw JSON.

use jiff::Timestamp;
use serde_json::Value;

/// The object with one more member, if there is one.
#[must_use]
pub fn with(mut object: Value, name: &str, member: Option<Value>) -> Value {
    if let (Value::Object(members), Some(member)) = (&mut object, member) {
        members.insert(name.to_owned(), member);
    }
    object
}

/// The member `name` where it is a string.
#[must_use]
pub fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

/// A reference to a resource of this server as `Type/id`, any other as it is.
#[must_use]
pub fn relative<'a>(base: &str, reference: &'a str) -> &'a str {
    reference.strip_prefix(base).and_then(|below| below.strip_prefix('/')).unwrap_or(reference)
}

/// The elements at a path such as `participant.actor`, walking through arrays on the way.
#[must_use]
pub fn nodes<'a>(resource: &'a Value, path: &str) -> Vec<&'a Value> {
    path.split('.').fold(vec![resource], |found, name| {
        let children = found.into_iter().filter_map(|value| value.get(name));
        children.flat_map(|child| child.as_array().map_or(std::slice::from_ref(child), Vec::as_slice)).collect()
    })
}

/// `at` in the form of an R4 `instant`.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}
