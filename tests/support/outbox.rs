//! The outbox as it stands in the database, read and moved beside the bridge.

use mostik::outbox::enqueue::PAYLOAD_COLUMN;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, FromRow};
use uuid::Uuid;

use super::bridge::{Person, TestBridge};

/// An item with its content opened.
pub struct Item {
    pub clinic: String,
    pub seq: i64,
    pub operation: String,
    pub state: String,
    pub reason: Option<String>,
    pub identifier: String,
    pub measured_at: i64,
    pub body: Option<Value>,
    /// The same as it leaves, character by character.
    pub text: Option<String>,
}

#[derive(FromRow)]
struct Row {
    clinic_id: String,
    seq: i64,
    delivery_id: Uuid,
    operation: String,
    state: String,
    reason: Option<String>,
    identifier: String,
    measured_at: i64,
    sealed_payload: Option<Vec<u8>>,
    sealed_key: Option<Vec<u8>>,
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.clinic, self.seq, self.summary())
    }
}

impl Item {
    /// In a word: `create 4 ready`.
    pub fn summary(&self) -> String {
        let value = match self.value() {
            Some(value) => value.to_string(),
            None if self.body.is_some() => "gone".to_owned(),
            None => "-".to_owned(),
        };
        format!("{} {value} {}", self.operation, self.state)
    }

    /// The rating that it tells.
    pub fn value(&self) -> Option<i64> {
        self.body.as_ref()?["valueQuantity"]["value"].as_i64()
    }

    /// Whether it tells a page as a report.
    pub fn is_report(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body["resourceType"] == "DiagnosticReport")
    }

    pub fn is_living(&self) -> bool {
        self.state != "withdrawn"
    }
}

/// Everything in the outbox about a person, clinic by clinic, in the order of the lanes: as it stands, whether or not the
/// rows were swept since.
pub async fn items(bridge: &TestBridge, person: &Person) -> Vec<Item> {
    let sql = "SELECT o.clinic_id, seq, delivery_id, operation, reason, identifier, measured_at, sealed_key, \
               CASE WHEN seq <= withdrawn_through AND state IN ('ready', 'retry', 'held') THEN 'withdrawn' ELSE state END \
               AS state, CASE WHEN seq > withdrawn_through THEN sealed_payload END AS sealed_payload \
               FROM outbox o JOIN lanes l ON o.clinic_id = l.clinic_id AND o.member_id = l.member_id \
               WHERE o.member_id = $1 ORDER BY o.clinic_id, seq";
    let rows: Vec<Row> = if bridge.database.is_sqlite() {
        let mut conn = SqliteConnection::connect(&bridge.database.url).await.unwrap();
        sqlx::query_as(sql).bind(person.id.0).fetch_all(&mut conn).await.unwrap()
    } else {
        let mut conn = PgConnection::connect(&bridge.database.direct).await.unwrap();
        sqlx::query_as(sql).bind(person.id.0).fetch_all(&mut conn).await.unwrap()
    };
    let wrapped = bridge.bridge.store.read().await.unwrap().member_key(person.id).await.unwrap().unwrap();
    let member = bridge.bridge.keyring.unwrap_member_key(person.id, &wrapped).unwrap();
    let open = |row: &Row| {
        let key = member.content_key(&row.clinic_id.parse().unwrap(), row.sealed_key.as_deref()).unwrap();
        let plain = key.open(PAYLOAD_COLUMN, row.delivery_id.as_bytes(), row.sealed_payload.as_ref()?).unwrap();
        Some(String::from_utf8(plain).unwrap())
    };
    rows.into_iter()
        .map(|row| (open(&row), row))
        .map(|(text, row)| Item {
            body: text.as_deref().map(|text| serde_json::from_str(text).unwrap()),
            text,
            clinic: row.clinic_id,
            seq: row.seq,
            operation: row.operation,
            state: row.state,
            reason: row.reason,
            identifier: row.identifier,
            measured_at: row.measured_at,
        })
        .collect()
}

/// The same, in words.
pub async fn summary(bridge: &TestBridge, person: &Person) -> Vec<String> {
    items(bridge, person).await.iter().map(Item::summary).collect()
}

/// Changes the database beside the bridge, as another process or an older release would have left it.
pub async fn execute(bridge: &TestBridge, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    if bridge.database.is_sqlite() {
        let mut conn = SqliteConnection::connect(&bridge.database.url).await.unwrap();
        sqlx::query(sql).execute(&mut conn).await.unwrap();
    } else {
        let mut conn = PgConnection::connect(&bridge.database.direct).await.unwrap();
        sqlx::query(sql).execute(&mut conn).await.unwrap();
    }
}
