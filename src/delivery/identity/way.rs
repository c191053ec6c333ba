//! The one way out, as the `openidconnect` crate wants it.

use std::pin::Pin;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::Url;

use crate::delivery::egress::{Egress, EgressError};

/// The way out to one provider.
pub struct Way<'a>(pub &'a Egress);

impl Way<'_> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, EgressError> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| EgressError::Refused)?;
        let answer = self.0.send(self.0.request(parts.method, url).headers(parts.headers).body(body)).await?;
        // Without its headers: what cannot be read is found out by reading it, not by its Content-Type.
        let mut response = HttpResponse::new(answer.body);
        *response.status_mut() = answer.status;
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Way<'_> {
    type Error = EgressError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, EgressError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
