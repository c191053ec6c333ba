//! What can go wrong between a person and a page, and what they are told. `guard` makes pages of these.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};

use super::guard::wants_html;
use crate::booking::BookingError;
use crate::consent::change::ChangeError;
use crate::enrolment::identity::IdentityError;
use crate::enrolment::join::EnrolError;
use crate::enrolment::session::SessionError;
use crate::erasure::ErasureError;
use crate::export::ExportError;
use crate::pipeline::AcceptError;
use crate::pipeline::answers::AnswerError;
use crate::pipeline::consent::ConsentError;
use crate::readings::KeptError;
use crate::recommendations::RecommendationError;
use crate::store::StoreError;
use crate::telemetry::logs::chain;
use crate::web::routes::no_such_route;

/// Why there is no page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortalError {
    /// The request was sent to another host.
    WrongHost,
    /// Something was sent that did not come from a form of the portal, or from one that is too old.
    ForeignForm,
    /// The page is for members who are signed in.
    SignInFirst,
    /// There is no such page.
    NotFound,
    /// The page does not do this.
    NoSuchMethod,
    /// The form cannot be read.
    BadForm,
    /// More was sent than is taken.
    TooLarge,
    /// The same was done by somebody else, or in another window, at the same time.
    ChangedMeanwhile,
    /// It was tried too often; so many seconds are to wait.
    TooOften(u64),
    /// It cannot be done at present.
    Busy,
    /// Something broke on this side.
    Internal,
}

impl PortalError {
    /// Something broke on this side. The cause goes to the log, once.
    pub fn internal(cause: &dyn std::error::Error) -> Self {
        tracing::error!(cause = chain(cause), "a page failed");
        Self::Internal
    }

    /// The keys of the title and of the words under it.
    #[must_use]
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::WrongHost => ("error-host", "error-host-more"),
            Self::ForeignForm => ("error-form", "error-form-more"),
            Self::SignInFirst => ("error-sign-in", "error-sign-in-more"),
            Self::NotFound => ("error-not-found", "error-not-found-more"),
            Self::NoSuchMethod => ("error-method", "error-method-more"),
            Self::BadForm => ("error-bad-form", "error-bad-form-more"),
            Self::TooLarge => ("error-large", "error-large-more"),
            Self::ChangedMeanwhile => ("error-meanwhile", "error-meanwhile-more"),
            Self::TooOften(_) => ("error-often", "error-often-more"),
            Self::Busy => ("error-busy", "error-busy-more"),
            Self::Internal => ("error-internal", "error-internal-more"),
        }
    }
}

impl From<StoreError> for PortalError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::RowCount { .. } | StoreError::Conflict => Self::ChangedMeanwhile,
            temporary if temporary.is_temporary() => {
                tracing::error!(cause = chain(&error), "the database cannot be used at present");
                Self::Busy
            }
            _ => Self::internal(&error),
        }
    }
}

impl From<ChangeError> for PortalError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Store(error) => error.into(),
            ChangeError::NotLinked | ChangeError::NotFound => Self::NotFound,
            ChangeError::AlreadyGranted(_) | ChangeError::Transition(_) => Self::ChangedMeanwhile,
            terms @ ChangeError::Terms { .. } => Self::internal(&terms),
        }
    }
}

impl From<ConsentError> for PortalError {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::Change(error) => error.into(),
            // Another text took its place while the page was open: it is to be read before anything is decided.
            ConsentError::OldNotice | ConsentError::BeingErased => Self::ChangedMeanwhile,
            other => Self::internal(&other),
        }
    }
}

impl From<KeptError> for PortalError {
    fn from(error: KeptError) -> Self {
        match error {
            KeptError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<AcceptError> for PortalError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Store(error) => error.into(),
            AcceptError::Kept(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<EnrolError> for PortalError {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<ErasureError> for PortalError {
    fn from(error: ErasureError) -> Self {
        match error {
            ErasureError::UnknownMember => Self::SignInFirst,
            ErasureError::AlreadyRequested | ErasureError::NotRequested => Self::ChangedMeanwhile,
            ErasureError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<ExportError> for PortalError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::UnknownMember => Self::SignInFirst,
            ExportError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<AnswerError> for PortalError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Store(error) => error.into(),
            AnswerError::NotFound => Self::NotFound,
            // It was answered in another window, or the clinic took it back, while the page was open.
            AnswerError::NotNow | AnswerError::NotPermitted(_) => Self::ChangedMeanwhile,
            other => Self::internal(&other),
        }
    }
}

impl From<RecommendationError> for PortalError {
    fn from(error: RecommendationError) -> Self {
        match error {
            RecommendationError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<BookingError> for PortalError {
    fn from(error: BookingError) -> Self {
        match error {
            BookingError::Store(error) => error.into(),
            BookingError::NotFound => Self::NotFound,
            BookingError::Reason => Self::BadForm,
            // It was done in another window, the time was not confirmed while it was kept, the clinic offers it no longer, or a
            // consent has ended.
            BookingError::NotNow
            | BookingError::NotOffered
            | BookingError::NotOfferedNow
            | BookingError::TooMany
            | BookingError::NotPermitted(_) => Self::ChangedMeanwhile,
            other => Self::internal(&other),
        }
    }
}

impl From<IdentityError> for PortalError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Store(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<SessionError> for PortalError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Store(error) => error.into(),
            SessionError::NoEntropy(error) => Self::internal(&error),
        }
    }
}

impl fmt::Display for PortalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl ResponseError for PortalError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::SignInFirst => StatusCode::SEE_OTHER,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadForm => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ChangedMeanwhile => StatusCode::CONFLICT,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// What answers where nothing is: a page to a browser, a problem to a program.
pub async fn no_such_page(request: HttpRequest) -> HttpResponse {
    if wants_html(&request) { HttpResponse::from_error(PortalError::NotFound) } else { no_such_route(&request) }
}

/// What answers a method that a page does not have.
pub async fn no_such_method() -> Result<HttpResponse, PortalError> {
    Err(PortalError::NoSuchMethod)
}
