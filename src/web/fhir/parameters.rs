//! The parameters of a search, and what of them was applied (FHIR R4, search, error handling).

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, HeaderName};
use url::form_urlencoded;

use super::Outcome;

/// Entries of a page when a caller does not say how many.
const USUAL_COUNT: usize = 50;

/// Entries of a page, however many a caller asks for.
const MOST: usize = 200;

/// What was asked for.
#[derive(Debug, Default)]
pub struct Parameters {
    given: Vec<(String, String)>,
    strict: bool,
}

/// What of the parameters was understood, as it was given: what the `self` link shows.
#[derive(Debug, Default)]
pub struct Applied(pub Vec<(String, String)>);

/// Which page is asked for, and how long it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// Entries of a page.
    pub count: usize,
    /// Behind which entry it begins.
    pub after: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self { count: USUAL_COUNT, after: None }
    }
}

/// A form, or a query, taken apart.
pub fn pairs(form: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(form).into_owned().collect()
}

impl Parameters {
    /// Those of a query, together with those of a form (FHIR R4, http, search).
    #[must_use]
    pub fn of(request: &HttpRequest, form: &[u8]) -> Self {
        let mut given = pairs(request.query_string().as_bytes());
        given.extend(pairs(form));
        // R4: "if a parameter is present without a value, it is ignored".
        given.retain(|(_, value)| !value.is_empty());
        Self { given, strict: prefers_strict(request) }
    }

    /// Hands each parameter to `take`, which says whether it knows it. What nobody knows is left out of `self`, or refused
    /// where the caller asked for that.
    ///
    /// # Errors
    /// [`Outcome`] of `take`, for a modifier, and, with `handling=strict`, for a parameter that nobody knows.
    pub fn read(
        self,
        page: &mut Page,
        mut take: impl FnMut(&str, &str) -> Result<bool, Outcome>,
    ) -> Result<Applied, Outcome> {
        let mut applied = Vec::new();
        for (name, value) in self.given {
            if page.take(&name, &value)? || take(&name, &value)? {
                applied.push((name, value));
            } else if name.contains(':') {
                // Ignoring a modifier would find what the caller wanted to leave out.
                let words = "A modifier is not known here. /fhir/metadata says what is.";
                return Err(Outcome::new(StatusCode::BAD_REQUEST, "not-supported", words));
            } else if self.strict && !is_about_the_answer(&name) {
                let words =
                    "A parameter is not known here, and handling=strict was asked for. /fhir/metadata says what is.";
                return Err(Outcome::new(StatusCode::BAD_REQUEST, "not-supported", words));
            }
        }
        Ok(Applied(applied))
    }
}

impl Page {
    fn take(&mut self, name: &str, value: &str) -> Result<bool, Outcome> {
        match name {
            "_count" => {
                let count = value.parse::<usize>().ok();
                self.count =
                    count.ok_or_else(|| Outcome::bad_search("value", "_count", "Expected a number."))?.min(MOST);
            }
            "_cursor" => self.after = Some(value.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// How the answer looks, not what is in it.
fn is_about_the_answer(name: &str) -> bool {
    matches!(name, "_format" | "_pretty")
}

fn prefers_strict(request: &HttpRequest) -> bool {
    let lines = request.headers().get_all(HeaderName::from_static("prefer"));
    let preferences = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split([',', ';']));
    preferences.map(str::trim).any(|preference| preference.eq_ignore_ascii_case("handling=strict"))
}

/// Refuses whoever takes no JSON (FHIR R4, http, content types).
///
/// # Errors
/// [`Outcome`] with 406.
pub fn check_format(request: &HttpRequest) -> Result<(), Outcome> {
    let asked = pairs(request.query_string().as_bytes()).into_iter().find(|(name, _)| name == "_format");
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let wanted = asked.map(|(_, format)| format).filter(|format| !format.is_empty()).or(accept);
    if wanted.is_none_or(|wanted| wanted.split(',').any(is_json)) {
        return Ok(());
    }
    Err(Outcome::new(StatusCode::NOT_ACCEPTABLE, "not-supported", "Expected application/fhir+json to be acceptable."))
}

fn is_json(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim();
    // A `+` that nobody encoded is a space by the time it gets here.
    let json = ["json", "text/json", "application/json", "application/fhir+json", "application/fhir json"];
    ["*/*", "application/*"].contains(&name) || json.iter().any(|json| name.eq_ignore_ascii_case(json))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn read(query: &str, strict: bool) -> Result<(Vec<String>, Page), String> {
        let mut request = TestRequest::with_uri(&format!("/fhir/Consent?{query}"));
        if strict {
            request = request.insert_header(("Prefer", "return=minimal, Handling=Strict"));
        }
        let mut page = Page::default();
        let known = |name: &str, _: &str| Ok(name == "patient");
        let applied = Parameters::of(&request.to_http_request(), b"").read(&mut page, known);
        let applied = applied.map_err(|outcome| outcome.to_json()["issue"][0]["code"].to_string())?;
        Ok((applied.0.into_iter().map(|(name, value)| format!("{name}={value}")).collect(), page))
    }

    #[test]
    fn what_is_not_known_is_left_out_or_refused_as_the_caller_likes() {
        let (applied, _) = read("patient=1&colour=red&patient=2&_pretty=true&empty=", false).unwrap();
        assert_eq!(applied, ["patient=1", "patient=2"]);
        assert_eq!(read("patient=1&colour=red", true).unwrap_err(), "\"not-supported\"");
        assert!(read("patient=1&_format=json&_pretty=true", true).is_ok());
        for strict in [true, false] {
            assert!(read("patient:missing=true", strict).is_err(), "a modifier is never ignored");
        }
    }

    #[test]
    fn a_page_has_an_end() {
        assert_eq!(read("_count=7&_cursor=x", false).unwrap().1, Page { count: 7, after: Some("x".into()) });
        assert_eq!(read("_count=100000", false).unwrap().1.count, MOST);
        assert_eq!(read("_count=-1", false).unwrap_err(), "\"value\"");
    }

    #[test]
    fn json_is_all_there_is() {
        let check = |uri: &str, accept: Option<&str>| {
            let request = TestRequest::with_uri(uri);
            let request = accept.map_or(TestRequest::with_uri(uri), |accept| request.insert_header(("Accept", accept)));
            check_format(&request.to_http_request()).is_ok()
        };
        for accept in ["*/*", "application/fhir+json;fhirVersion=4.0", "text/html, application/json", "application/*"] {
            assert!(check("/", Some(accept)), "{accept}");
        }
        assert!(
            check("/", None)
                && check("/?_format=json", Some("text/html"))
                && check("/?_format=application/fhir+json", None)
        );
        assert!(!check("/", Some("application/fhir+xml")) && !check("/?_format=xml", Some("*/*")));
    }
}
