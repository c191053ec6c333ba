//! The EHR of the simulation: a few lines of FHIR, atomic, and a witness of everything that it ever stored.

use std::collections::BTreeMap;

use mostik::delivery::egress::Answer;
use reqwest::StatusCode;
use reqwest::header::{ETAG, HeaderMap, LOCATION};
use serde_json::{Value, json};

/// A request as it reached the EHR.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The last part of the path and what follows: `Observation`, `Observation/7`, or nothing for a batch.
    pub path: String,
    pub identifier: Option<String>,
    pub if_match: Option<String>,
    pub body: Value,
}

impl Request {
    /// The resources that it is to store.
    pub fn resources(&self) -> Vec<&Value> {
        match self.body["entry"].as_array() {
            Some(entries) => entries.iter().map(|entry| &entry["resource"]).collect(),
            None => vec![&self.body],
        }
    }
}

/// What it stores, and what it has seen.
#[derive(Debug, Default)]
pub struct Ehr {
    pub conditional_create: bool,
    pub batch: bool,
    pub resources: Vec<Value>,
    /// Identifiers in the order in which they were created, by Patient.
    pub created: BTreeMap<String, Vec<String>>,
}

impl Ehr {
    /// Answers a request, and does what it asks for.
    pub fn answer(&mut self, request: &Request) -> Answer {
        let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        match (request.method.as_str(), path.as_slice()) {
            ("GET", ["metadata"]) => self.metadata(),
            ("GET", ["Observation"]) => self.search(request.identifier.as_deref().unwrap_or_default()),
            ("GET", ["Observation", id]) => match self.resources.iter().find(|resource| resource["id"] == **id) {
                Some(resource) => answer(200, None, resource),
                None => answer(404, None, &Value::Null),
            },
            ("POST", ["Observation"]) => self.create(&request.body, request.identifier.as_deref()),
            ("PUT", ["Observation", id]) => self.update(id, request),
            ("POST", []) => self.batch(&request.body),
            other => panic!("the bridge never asks for {other:?}"),
        }
    }

    fn metadata(&self) -> Answer {
        let batch = if self.batch { json!([{"code": "batch"}]) } else { json!([]) };
        let statement = json!({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{
            "interaction": batch,
            "resource": [{"type": "Observation", "conditionalCreate": self.conditional_create,
                "interaction": [{"code": "create"}, {"code": "update"}]}],
        }]});
        answer(200, None, &statement)
    }

    fn search(&self, identifier: &str) -> Answer {
        let entries: Vec<Value> = self
            .resources
            .iter()
            .filter(|resource| identifier_of(resource) == identifier)
            .map(|resource| json!({"resource": resource}))
            .collect();
        answer(200, None, &json!({"resourceType": "Bundle", "type": "searchset", "entry": entries}))
    }

    fn create(&mut self, resource: &Value, if_none_exist: Option<&str>) -> Answer {
        let identifier = identifier_of(resource);
        let found = self.resources.iter().find(|resource| identifier_of(resource) == identifier);
        match found {
            Some(found) if if_none_exist == Some(identifier.as_str()) => answer(200, Some(found), &Value::Null),
            Some(_) => panic!("{identifier} is stored a second time"),
            None => {
                let mut stored = resource.clone();
                stored["id"] = json!(self.resources.len().to_string());
                stored["meta"]["versionId"] = json!("1");
                let patient = resource["subject"]["reference"].as_str().unwrap().to_owned();
                self.created.entry(patient).or_default().push(identifier);
                self.resources.push(stored);
                answer(201, self.resources.last(), &Value::Null)
            }
        }
    }

    fn update(&mut self, id: &str, request: &Request) -> Answer {
        let place = self.resources.iter().position(|resource| resource["id"] == id).unwrap();
        let version: u64 = self.resources[place]["meta"]["versionId"].as_str().unwrap().parse().unwrap();
        if request.if_match.as_deref() != Some(format!("W/\"{version}\"").as_str()) {
            return answer(412, None, &Value::Null);
        }
        let mut stored = request.body.clone();
        stored["meta"]["versionId"] = json!((version + 1).to_string());
        self.resources[place] = stored;
        answer(200, Some(&self.resources[place]), &Value::Null)
    }

    fn batch(&mut self, bundle: &Value) -> Answer {
        let entries: Vec<Value> = bundle["entry"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let condition = entry["request"]["ifNoneExist"].as_str().and_then(|query| query.split_once('|'));
                let got = self.create(&entry["resource"], condition.map(|(_, identifier)| identifier));
                let text = |name| got.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
                json!({"response": {"status": got.status.as_str(), "location": text(LOCATION), "etag": text(ETAG)}})
            })
            .collect();
        answer(200, None, &json!({"resourceType": "Bundle", "type": "batch-response", "entry": entries}))
    }
}

pub fn identifier_of(resource: &Value) -> String {
    resource["identifier"][0]["value"].as_str().unwrap().to_owned()
}

/// An answer about a stored resource, or with a body.
pub fn answer(status: u16, about: Option<&Value>, body: &Value) -> Answer {
    let mut headers = HeaderMap::new();
    if let Some(resource) = about {
        let location = format!("Observation/{}", resource["id"].as_str().unwrap());
        headers.insert(LOCATION, location.parse().unwrap());
        headers.insert(ETAG, format!("W/\"{}\"", resource["meta"]["versionId"].as_str().unwrap()).parse().unwrap());
    }
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    Answer { status: StatusCode::from_u16(status).unwrap(), headers, body }
}
