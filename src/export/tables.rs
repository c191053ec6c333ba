//! Where what stands in the database about a member is found in their archive.

/// Every table with rows of members, and the file that tells of them; or, in round brackets, why none does. A test holds it
/// against the schema.
pub const TABLES: &[(&str, &str)] = &[
    ("members", "profile/profile.json"),
    ("handles", "profile/profile.json"),
    ("links", "profile/profile.json"),
    ("former_links", "profile/profile.json"),
    ("patient_tokens", "profile/profile.json"),
    ("erasures", "profile/profile.json"),
    ("member_settings", "profile/settings.json"),
    ("member_tokens", "profile/sign-ins.json"),
    ("sessions", "profile/sign-ins.json"),
    ("identities", "profile/sign-ins.json"),
    ("launches", "profile/sign-ins.json"),
    ("readings", "readings/readings.csv"),
    ("questionnaire_drafts", "readings/unfinished.json"),
    ("recommendations", "recommendations/recommendations.json"),
    ("recommendation_answers", "recommendations/recommendations.json"),
    ("grants", "consents/consents.json"),
    ("consent_records", "consents/consents.json"),
    ("audit_entries", "disclosures/log.csv"),
    ("outbox", "deliveries/deliveries.csv"),
    ("ledger", "deliveries/deliveries.csv"),
    ("lanes", "deliveries/deliveries.csv"),
    ("events", "deliveries/entries.csv"),
    ("summaries", "(each stands in deliveries/deliveries.csv, by its identifier)"),
    ("pages", "(which weeks' pages were made; what was sent is in deliveries)"),
    ("unsummarised", "(times of readings, until the summary of their day or week is made)"),
    ("upkeep", "(when the bridge looks at readings next)"),
    ("link_attempts", "(how many codes were tried within an hour)"),
    ("audit_heads", "(how far the log goes)"),
];
