//! An EHR that cannot prove who it is: nothing is sent to it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mostik::domain::delivery::DeliveryState::Retry;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use super::scene::{MOODS, Scene, assert_all_once, queue_of};
use crate::on_both_databases;
use crate::support::bridge::mood;
use crate::support::database::Database;
use crate::support::door::Door;
use crate::support::ehr::Ehr;
use crate::support::proxy::Proxy;
use crate::support::server::{Server, moment};

/// Somebody who issues certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let pem = pem::encode(&pem::Pem::new("CERTIFICATE", certificate.der().to_vec()));
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A server that shows a certificate for `host`, valid until the end of a year.
    fn vouches_for(&self, host: &str, until: i32) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap();
        Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
    }

    /// A file that a process is told to trust.
    fn file(&self, database: &Database) -> PathBuf {
        let file = database.folder.path().join("roots.pem");
        std::fs::write(&file, &self.pem).unwrap();
        file
    }
}

/// `mostik serve` trusts the authority, and the EHR shows this certificate; later, a good one.
async fn nothing_is_sent_until_the_certificate_is_good(
    database: Database,
    certificate: impl Fn(&Authority) -> Arc<ServerConfig>,
) {
    let authority = Authority::new();
    let ehr = Ehr::without_conditional_create().await;
    let proxy = Proxy::with_tls(&ehr.base, certificate(&authority));
    let mut server = Server::prepare_at(&database, &proxy.base, &ehr.patient).await;
    server.environment.push(("SSL_CERT_FILE", authority.file(&database)));
    let running = server.start(None).await;
    assert!(running.grant(&server).await);
    let moods: Value = (0..MOODS).map(|n| mood(&n.to_string(), &server.handle, 3)).collect();
    running.send(&server, &moods).await.unwrap();
    let seen = async {
        while !queue_of(&server.config).await.iter().any(|line| line.state == "retry" && line.why == "tls") {
            moment().await;
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(20), seen).await;
    assert!(seen.is_ok(), "an operator sees {:?}", queue_of(&server.config).await);
    assert_eq!(proxy.requests(), 0, "not a word was said");
    assert!((1..=10).contains(&proxy.connections()), "{} handshakes", proxy.connections());

    proxy.show(authority.vouches_for("localhost", 2100));
    running.wait_until_idle(&server).await;
    assert_all_once(&ehr, MOODS).await;
}

on_both_databases! {
    async fn to_an_ehr_with_an_expired_certificate_nothing_is_sent(database) {
        nothing_is_sent_until_the_certificate_is_good(database, |all| all.vouches_for("localhost", 2020)).await;
    }
}

on_both_databases! {
    async fn to_an_ehr_with_the_certificate_of_another_host_nothing_is_sent(database) {
        nothing_is_sent_until_the_certificate_is_good(database, |all| all.vouches_for("other.example", 2100)).await;
    }
}

on_both_databases! {
    async fn to_an_ehr_that_nobody_vouches_for_nothing_is_sent(database) {
        nothing_is_sent_until_the_certificate_is_good(database, |_| {
            Authority::new().vouches_for("localhost", 2100)
        }).await;
    }
}

on_both_databases! {
    async fn an_authority_that_the_system_does_not_know_is_not_believed(database) {
        let ehr = Ehr::without_conditional_create().await;
        let proxy = Proxy::with_tls(&ehr.base, Authority::new().vouches_for("localhost", 2100));
        let scene = Scene::with(database, ehr, proxy).await;
        scene.is_seen_as(Retry, "tls").await;
        scene.an_hour_later(Retry, "tls").await;
        assert_eq!(scene.proxy.requests(), 0, "not a word was said");
        scene.arrives_at(&scene.ehr.base).await;
    }
}

on_both_databases! {
    async fn an_ehr_that_speaks_no_tls_where_it_should_is_told_nothing(database) {
        let ehr = Ehr::without_conditional_create().await;
        let mut proxy = Proxy::before(&ehr.base);
        proxy.base = proxy.base.replace("http://", "https://");
        let scene = Scene::with(database, ehr, proxy).await;
        scene.is_seen_as(Retry, "tls").await;
        scene.an_hour_later(Retry, "tls").await;
        assert_eq!(scene.ehr.observations().await.len(), 0);
        scene.arrives_at(&scene.ehr.base).await;
    }
}

on_both_databases! {
    async fn a_handshake_that_never_ends_is_no_request_that_may_have_arrived(database) {
        let ehr = Ehr::without_conditional_create().await;
        let silent = Door::new(|mut client| async move {
            let mut heard = Vec::new();
            let _gone = client.read_to_end(&mut heard).await;
        });
        let mut proxy = Proxy::before(&ehr.base);
        proxy.base = format!("https://localhost:{}/fhir", silent.address.port());
        let scene = Scene::with(database, ehr, proxy).await;
        scene.is_seen_as(Retry, "no-connection").await;
    }
}
