//! What an operation is given: `Parameters` in the body, or, where nothing is changed, in the query (R4, operations.html,
//! 3.2.0.5).

use serde_json::Value;

use super::exchange::Call;
use super::json::text;
use super::outcome::Refusal;

/// The parameters of an operation, by name, in their order.
pub struct Given(Vec<(String, Value)>);

impl Given {
    /// Reads them; `known` are those that the operation has here.
    ///
    /// # Errors
    /// 400 for what is no `Parameters`, and for a parameter that is not known.
    pub fn read(call: &Call, known: &[&str]) -> Result<Self, Refusal> {
        let mut given: Vec<(String, Value)> =
            call.params.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        if let Some(body) = &call.resource {
            if text(body, "resourceType") != Some("Parameters") {
                return Err(Refusal::bad_request("invalid", "the body is no Parameters").at("resourceType"));
            }
            let parameters = body.get("parameter").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            for parameter in parameters {
                given.push(named(parameter).ok_or_else(|| {
                    Refusal::bad_request("structure", "a parameter has no name, or no value").at("Parameters.parameter")
                })?);
            }
        }
        given.retain(|(name, _)| name != "_format");
        match given.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => {
                Err(Refusal::bad_request("not-supported", format!("there is no parameter {name}")).at(name.as_str()))
            }
            None => Ok(Self(given)),
        }
    }

    /// Each value of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value)
    }

    /// The first value of a parameter.
    pub fn one(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// The first value of a parameter, where it is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.one(name)?.as_str()
    }
}

fn named(parameter: &Value) -> Option<(String, Value)> {
    let is_value = |name: &str| name == "resource" || name.starts_with("value");
    let value = parameter.as_object()?.iter().find(|(name, _)| is_value(name))?.1;
    Some((text(parameter, "name")?.to_owned(), value.clone()))
}
