//! What forms send. Nothing of it is to be had before the form's token was checked.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload as RawPayload;
use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use url::form_urlencoded;
use uuid::Uuid;

use super::caller::{Caller, Session};
use super::error::PortalError;
use crate::web::State;

/// The name of the field with the token.
pub const CSRF_FIELD: &str = "csrf";

/// The name of the button that says what is to happen with a form that was carried on.
pub const PRESSED_FIELD: &str = "next";

/// The largest form, in bytes.
const MAX_FORM: usize = 64 * 1024;

/// A key for a form that is shown: what makes it the same when it is sent again.
pub fn fresh_key(state: &State) -> Result<Uuid, PortalError> {
    let key = state.bridge.keyring.entropy().uuid(state.bridge.clock.now());
    key.map_err(|error| PortalError::internal(&error))
}

/// A form's fields, in the order in which they stand in the form.
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Fields that were read elsewhere.
    pub const fn new(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// What a page carries on that shows the form without showing its fields: all of it but the token, and what was pressed.
    pub fn carried(&self) -> Vec<(String, String)> {
        self.0.iter().filter(|(name, _)| ![CSRF_FIELD, PRESSED_FIELD].contains(&name.as_str())).cloned().collect()
    }

    /// The value of a field, without the white space around it; empty if it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value.trim())
    }
}

/// A form that a member sent who is signed in.
pub struct Posted {
    /// Who.
    pub session: Session,
    /// What.
    pub fields: Fields,
}

/// A form that anybody sent, signed in or not.
pub struct PostedByAnyone {
    /// Who.
    pub caller: Caller,
    /// What.
    pub fields: Fields,
}

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, PortalError>>>>;

impl FromRequest for PostedByAnyone {
    type Error = PortalError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut RawPayload) -> Self::Future {
        let request = request.clone();
        let payload = Payload::from_request(&request, payload);
        Box::pin(async move {
            let payload = payload.await.map_err(|_| PortalError::BadForm)?;
            let fields = read(payload).await?;
            let caller = Caller::of(&request)?;
            confirm(&request, &caller, fields.text(CSRF_FIELD))?;
            Ok(Self { caller, fields })
        })
    }
}

impl FromRequest for Posted {
    type Error = PortalError;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut RawPayload) -> Self::Future {
        // Whose session is over learns that first: the form's token went with it.
        if let Err(error) = Caller::of(request).and_then(|caller| caller.session.ok_or(PortalError::SignInFirst)) {
            return Box::pin(async move { Err(error) });
        }
        let posted = PostedByAnyone::from_request(request, payload);
        Box::pin(async move {
            let PostedByAnyone { caller, fields } = posted.await?;
            Ok(Self { session: caller.session.ok_or(PortalError::SignInFirst)?, fields })
        })
    }
}

/// Whether a form carries the token of whoever sends it.
///
/// # Errors
/// [`PortalError::ForeignForm`] when it does not.
pub fn confirm(request: &HttpRequest, caller: &Caller, token: &str) -> Result<(), PortalError> {
    let state = request.app_data::<Data<State>>().ok_or(PortalError::Internal)?;
    let expected = caller.csrf(&state.bridge.keyring);
    verify_slices_are_equal(expected.as_bytes(), token.as_bytes()).map_err(|_| PortalError::ForeignForm)
}

async fn read(payload: Payload) -> Result<Fields, PortalError> {
    let bytes = payload.to_bytes_limited(MAX_FORM).await.map_err(|_| PortalError::TooLarge)?;
    let bytes = bytes.map_err(|_| PortalError::BadForm)?;
    Ok(Fields(form_urlencoded::parse(&bytes).into_owned().collect()))
}
