//! A search for what is known of one patient, as a clinic asks it.

use actix_web::HttpRequest;

use super::Outcome;
use super::caller::ClinicCaller;
use super::parameters::{Applied, Page, Parameters, check_format};
use super::patient::Asked;
use crate::web::State;

/// A search for resources of one type.
pub struct Search<T> {
    /// Which page of what is found.
    pub page: Page,
    /// The Patient's id at the clinic's EHR. `None`: nobody who can be known here.
    pub patient: Option<String>,
    /// The values of the parameter that resources of this type alone have.
    pub own: Vec<T>,
    /// What of it was understood.
    pub applied: Applied,
}

/// The parameter that resources of one type alone have, and how its values are read.
type Own<'a, T> = (&'a str, fn(&str) -> Result<T, Outcome>);

impl<T> Search<T> {
    /// Reads a search, which has one parameter of its own; some of it may come in a form.
    ///
    /// # Errors
    /// [`Outcome`] for whoever may not search, and for what cannot be read.
    pub fn read(
        state: &State,
        caller: &ClinicCaller,
        resource_type: &str,
        (request, form): (&HttpRequest, &[u8]),
        (own, value): Own<'_, T>,
    ) -> Result<Self, Outcome> {
        caller.check(resource_type, 's')?;
        check_format(request)?;
        let ehr = state.fhir.ehr_of(&caller.clinic)?;
        let (mut page, mut asked, mut values) = (Page::default(), Asked::default(), Vec::new());
        let applied = Parameters::of(request, form).read(&mut page, |name, given| {
            if name != own {
                return asked.take(name, given, ehr);
            }
            values.push(value(given)?);
            Ok(true)
        })?;
        Ok(Self { page, patient: asked.patient()?, own: values, applied })
    }
}
