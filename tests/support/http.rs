//! Callers.

use reqwest::{Client, Method, Response};
use serde_json::Value;

/// A plain HTTP client, as a stranger would use.
#[expect(clippy::disallowed_methods, reason = "tests call the bridge from outside")]
pub fn client() -> Client {
    Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// What came back: status and JSON, or null.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub content_type: String,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    pub json: Value,
}

impl Got {
    pub async fn read(response: Response) -> Self {
        Self::whole(response).await.unwrap()
    }

    /// The same; `None` when it broke off.
    pub async fn whole(response: Response) -> Option<Self> {
        let status = response.status().as_u16();
        let header = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = header.unwrap_or_default().to_owned();
        let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = header.map(|seconds| seconds.parse().unwrap());
        let bytes = response.bytes().await.ok()?;
        Some(Self { status, content_type, retry_after, json: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }
}

/// Calls with JSON, or nothing.
pub async fn call(method: Method, url: &str, credential: Option<&str>, body: Option<&Value>) -> Got {
    let mut request = client().request(method, url);
    if let Some(credential) = credential {
        request = request.bearer_auth(credential);
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    Got::read(request.send().await.unwrap()).await
}
