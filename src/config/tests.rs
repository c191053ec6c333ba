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
fn a_questionnaire_is_asked_for_again_while_it_is_known_when_it_was_filled_in() {
    let asks = |every: &str, keep_days: i64| {
        let clinic = "[clinics.a]\nname = \"A\"\nfhir_base = \"https://e.example/\"\n[clinics.a.questionnaires]";
        format!("{clinic}\ngad-7 = \"P1W\"\nphq-9 = \"{every}\"\n[readings]\nkeep_days = {keep_days}")
    };
    for (every, keep_days) in [("P2M", 35), ("P5W", 35), ("P2Y", 400), ("P2Y", 731), ("P1Y", 366)] {
        let error = refused(&asks(every, keep_days));
        let expected = "clinics.a.questionnaires.phq-9: expected a period shorter than readings.keep_days";
        assert_eq!(error, expected, "{every}, {keep_days}");
    }
    for (every, keep_days) in [("P1M", 35), ("P34D", 35), ("P1Y", 400), ("P2Y", 732)] {
        assert!(Config::from_toml(&asks(every, keep_days)).is_ok(), "{every}, {keep_days}");
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

#[test]
fn a_platform_is_refused_with_what_was_expected() {
    let whatsapp = "platform = \"whatsapp\"\nphone_number_id = \"106\"\ntoken_file = \"t\"\napp_secret_file = \"a\"\n\
                    verify_token_file = \"v\"\ntemplates = { en = { name = \"news\", language = \"en_US\" } }\n";
    let mail = "platform = \"mail\"\nsecret_file = \"s\"\nauthserv_id = \"mx.a.example\"\n";
    let by_mail = "[communities.a.messages]\nmethod = \"mail\"\nserver = \"a.example\"\nfrom = \"helper@a.example\"\n";
    let with = |connector: &str| format!("[communities.a]\nname = \"A\"\n[communities.a.connector]\n{connector}");
    let good = [
        with(whatsapp),
        with(mail) + by_mail,
        with(&mail.replace("authserv_id = \"mx.a.example\"", "trusts_server = true")) + by_mail,
    ];
    for text in good {
        assert!(Config::from_toml(&text).is_ok(), "{text}");
    }
    let safety = "[communities.a.safety]\nescalate_after = \"PT1H\"\n[communities.a.safety.first]\nmethod = \"connector\"\nroom = \"1\"\n";
    for (text, expected) in [
        (with(&whatsapp.replace("106", "+49 151")), "connector.phone_number_id: expected the id of the number"),
        (with(&whatsapp.replace("\"news\"", "\"our news\"")), "connector.templates: expected the name"),
        (with(&format!("{whatsapp}language = \"ru\"\n")), "connector.templates: expected a template in the language"),
        (with(&format!("{whatsapp}version = \"26\"\n")), "connector.version: expected a version"),
        (with(&format!("{whatsapp}api = \"http://a.example\"\n")), "expected https"),
        (with(&format!("{whatsapp}number = \"1\"\n")), "number"),
        (with(whatsapp) + safety, "communities.a.safety: expected another method than connector"),
        (
            with(whatsapp) + "[communities.a.messages]\nmethod = \"connector\"\nmost = \"full\"\n",
            "communities.a.messages.most: expected notice",
        ),
        (
            with(whatsapp) + "[communities.a.announcements]\nrooms = [\"1\"]\n",
            "communities.a.announcements: expected a platform with rooms",
        ),
        (with(mail), "communities.a.messages: expected method mail"),
        (
            with(mail) + "[communities.a.messages]\nmethod = \"connector\"\n",
            "communities.a.messages: expected method mail",
        ),
        (with(mail) + by_mail + safety, "communities.a.safety: expected another method than connector"),
        (
            with(&mail.replace("mx.a.example", "mx a")) + by_mail,
            "connector.authserv_id: expected the name of the mail server",
        ),
        (with(&mail.replace("authserv_id = \"mx.a.example\"\n", "")) + by_mail, "or trusts_server = true"),
        (with(&format!("{mail}trusts_server = true\n")) + by_mail, "connector.authserv_id: expected nothing"),
    ] {
        assert!(refused(&text).contains(expected), "{text}: {}", refused(&text));
    }
}
