//! Speaking HTTP as the people of the story do: an app, a member, a clinician.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Method, Url};
use serde_json::Value;

use crate::delivery::egress::{Egress, EgressPolicy};

/// One who calls the bridge or the EHR.
pub struct Caller {
    egress: Egress,
}

impl Caller {
    /// A caller of these hosts.
    pub fn new(urls: &[&Url]) -> anyhow::Result<Self> {
        let hosts: BTreeSet<String> = urls.iter().filter_map(|url| url.host_str().map(str::to_owned)).collect();
        let timeout = Duration::from_secs(10);
        Ok(Self { egress: Egress::new(EgressPolicy { hosts, private_networks: true, timeout })? })
    }

    /// Sends JSON, or nothing, and returns the status with the JSON that came back.
    pub async fn call(
        &self,
        method: Method,
        url: Url,
        credential: Option<&str>,
        body: Option<(&str, &Value)>,
    ) -> anyhow::Result<(u16, Value)> {
        let path = url.path().to_owned();
        let mut request = self.egress.request(method, url).header("accept", "application/json, application/fhir+json");
        if let Some(credential) = credential {
            request = request.bearer_auth(credential);
        }
        if let Some((media_type, body)) = body {
            request = request.header("content-type", media_type).header("prefer", "return=representation");
            request = request.body(body.to_string());
        }
        let answer = self.egress.send(request).await.with_context(|| format!("calling {path}"))?;
        let json = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        Ok((answer.status.as_u16(), json))
    }

    /// As [`Caller::call`], when anything but success is an error.
    pub async fn ask(
        &self,
        method: Method,
        url: Url,
        credential: Option<&str>,
        body: Option<(&str, &Value)>,
    ) -> anyhow::Result<Value> {
        let path = url.path().to_owned();
        let (status, json) = self.call(method, url, credential, body).await?;
        ensure!((200..300).contains(&status), "{path} answered {status}: {json}");
        Ok(json)
    }

    /// Posts JSON with these headers, and returns the JSON that came back.
    pub async fn bring(&self, url: Url, headers: &[(&str, &str)], body: String) -> anyhow::Result<Value> {
        let mut request = self.egress.request(Method::POST, url).header("content-type", "application/json").body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.egress.send(request).await.context("bringing something to the bridge")?;
        ensure!(answer.status.is_success(), "the bridge answered {}", answer.status);
        Ok(serde_json::from_slice(&answer.body)?)
    }
}
