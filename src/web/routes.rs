//! Every route of the API, on one page; the portal's pages stand in a table of their own. What does not stand in this table is not served; `tests/it/routes.rs` asks each
//! row as everybody there is, and fails for a row that it has no answers for.

use std::collections::BTreeMap;

use actix_web::web::{self, ServiceConfig};

use super::problem::no_such_method;
use super::{events, grants, health, jwks, openapi, portal, receipts};

/// A route: methods, parted by spaces, and the pattern of its path, both as its handler has them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Route {
    /// `GET`, or several.
    pub methods: &'static str,
    /// Such as `/v1/grants/{grant_id}`.
    pub path: &'static str,
}

/// Makes the table and what serves it from the same lines, so that nothing is served that is not in the table.
macro_rules! routes {
    ($($methods:literal $path:literal => $handler:expr,)*) => {
        /// Every route of the API.
        pub const ROUTES: &[Route] = &[$(Route { methods: $methods, path: $path },)*];

        /// Serves every route there is. A method that is not served at a path is told so, with those that are.
        pub fn routes(config: &mut ServiceConfig) {
            $(config.service($handler);)*
            for (path, allowed) in allowed_methods() {
                config.service(web::resource(path).to(move || no_such_method(allowed.clone())));
            }
            portal::routes(config);
        }
    };
}

routes! {
    "POST" "/v1/events" => events::post_events,
    "GET" "/v1/grants" => grants::list,
    "POST" "/v1/grants" => grants::create,
    "PUT" "/v1/grants/{grant_id}" => grants::change,
    "POST" "/v1/grants/{grant_id}/pause" => grants::pause,
    "POST" "/v1/grants/{grant_id}/resume" => grants::resume,
    "POST" "/v1/grants/{grant_id}/revoke" => grants::revoke,
    "GET" "/v1/receipts" => receipts::list,
    "GET" "/v1/receipts/{receipt_id}" => receipts::receipt,
    "GET" "/v1/notices" => receipts::notices,
    "GET" "/.well-known/jwks.json" => jwks::jwks,
    "GET HEAD" "/livez" => health::livez,
    "GET HEAD" "/readyz" => health::readyz,
    "GET" "/openapi.json" => openapi::openapi_json,
}

/// The API's routes and the portal's pages.
pub fn all_routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(portal::ROUTES)
}

/// For each path the methods that are served there, as `Allow` says them (RFC 9110, section 10.2.1).
fn allowed_methods() -> BTreeMap<&'static str, String> {
    let mut allowed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for route in ROUTES {
        allowed.entry(route.path).or_default().extend(route.methods.split(' '));
    }
    allowed.into_iter().map(|(path, methods)| (path, methods.join(", "))).collect()
}
