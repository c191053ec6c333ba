//! What a configuration must be.

use super::*;

fn refused(text: &str) -> String {
    Config::from_toml(text).unwrap_err().to_string()
}

#[test]
fn the_defaults_alone_are_a_good_configuration() {
    let config = Config::from_toml("").unwrap();
    assert_eq!(config.database.url, "sqlite:data/mostik.db");
    assert!(config.clinics.is_empty());
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    assert!(refused("[server]\nlissten = \"127.0.0.1:1\"").contains("lissten"));
    assert!(refused("[sever]\nlisten = \"127.0.0.1:1\"").contains("sever"));
}

#[test]
fn a_clinic_over_plain_http_needs_private_networks() {
    let clinic = "[clinics.a]\nname = \"A\"\nfhir_base = \"http://10.0.0.1/fhir\"\n";
    assert!(refused(clinic).contains("clinics.a.fhir_base: expected https"));
    assert!(Config::from_toml(&format!("{clinic}[delivery]\nprivate_networks = true")).is_ok());
}

#[test]
fn what_cannot_be_is_refused_with_what_was_expected() {
    for (text, setting) in [
        ("[delivery]\nconcurrency = 0", "delivery.concurrency"),
        ("[delivery]\nbatch_size = 1000", "delivery.batch_size"),
        ("[delivery]\ntimeout_seconds = 61", "delivery.timeout_seconds"),
        ("[delivery]\nlease_seconds = 20", "delivery.lease_seconds"),
        ("[audit]\ncheckpoint_minutes = 0", "audit.checkpoint_minutes"),
        ("[readings]\nkeep_days = 7", "readings.keep_days"),
        ("[readings]\nzone = \"Europe/Nowhere\"", "readings.zone"),
        ("[log]\nfilter = \"info,,=\"", "log.filter"),
        ("[communities.import]\nname = \"I\"", "communities.import"),
        ("[bridge]\nsource = \"no uri\"", "bridge.source"),
        ("[vault]\nmaster_key = \"data/master.key\"", "file:PATH, env:NAME or command:"),
        ("[keys]\npublish_ahead_seconds = -1", "keys.publish_ahead_seconds"),
        ("[limits]\nclinic_tokens_per_minute = 0", "limits.clinic_tokens_per_minute"),
        ("[clinics.a]\nname = \"A\"\nfhir_base = \"https://u:p@e.example/\"", "clinics.a.fhir_base"),
        (
            "[clinics.a]\nname = \"A\"\nfhir_base = \"https://e.example/\"\npractitioners = { \"dr 7\" = \"Dr A\" }",
            "clinics.a.practitioners",
        ),
        ("[clinics.Big]\nname = \"A\"\nfhir_base = \"https://e.example/\"", "slug"),
    ] {
        let error = refused(text);
        assert!(error.contains(setting) || setting == "slug" && error.contains("a-z"), "{error}");
    }
}

#[test]
fn a_setting_in_the_wrong_place_does_not_show_what_it_holds() {
    for text in [
        "database = \"postgres://u:hunter2@h/d\"",
        "[server]\nlisten = \"hunter2\"",
        "[clinics.a]\nname = \"A\"\nfhir_base = \"hunter2\"",
        "[clinics.a]\nname = \"A\"\nfhir_base = \"https://:hunter2@e.example/\"",
        "[database]\nurl = \"hunter2\" hunter2",
    ] {
        let error = refused(text);
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_password_in_the_database_url_is_not_shown() {
    let config = Config::from_toml("[database]\nurl = \"postgres://u:hunter2@h/d\"").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}
