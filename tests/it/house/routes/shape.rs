//! What is no route: other methods, and addresses that only look like one.

use std::collections::BTreeSet;

use mostik::web::ROUTES;
use reqwest::Method;

use super::served;
use super::world::World;
use crate::support::clinic::read;
use crate::support::database::Database;
use crate::support::http::client;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_method_is_served_that_the_table_does_not_have() {
    let world = World::new(Database::sqlite()).await;
    let served: BTreeSet<String> = served().into_iter().collect();
    for route in ROUTES {
        let path = route.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        let url = format!("{}{}", world.bridge.api, path.collect::<Vec<_>>().join("/"));
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"] {
            if served.contains(&format!("{method} {}", route.path)) {
                continue;
            }
            // Where an id would stand: a read of something that no id can name.
            let read = method == "GET" && route.path == "/fhir/Consent/_search";
            let method: Method = method.parse().unwrap();
            let response = client().request(method.clone(), &url).bearer_auth(&world.clinic).send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            if read {
                assert_eq!(status, 404, "{method} {}", route.path);
                continue;
            }
            assert_eq!(status, 405, "{method} {}", route.path);
            let allowed = headers["allow"].to_str().unwrap();
            assert!(route.methods.split(' ').all(|served| allowed.contains(served)), "{method} {}", route.path);
            let expected =
                if route.path.starts_with("/fhir/") { "application/fhir+json" } else { "application/problem+json" };
            assert_eq!(headers["content-type"], expected, "{method} {}", route.path);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_only_looks_like_a_route_is_none() {
    let world = World::new(Database::sqlite()).await;
    for path in [
        "/v1",
        "/v1/",
        "/v1/grants/",
        "/V1/grants",
        "/v1//grants",
        "/v1/grants%2f1",
        "/fhir",
        "/fhir/",
        "/fhir/Consent/",
        "/fhir/consent",
        "/fhir/Consent/1/_history",
        "/fhir/Consent/1/_history/1",
        "/fhir/$export",
        "/fhir//metadata",
        "/fhir/Patient",
        "/fhir/.well-known",
    ] {
        let got = read(&world.bridge, &world.clinic, path).await;
        let expected = if path.starts_with("/fhir") { "application/fhir+json" } else { "application/problem+json" };
        assert_eq!((got.status, got.content_type.as_str()), (404, expected), "{path}");
    }
}
