//! A database that refuses something for a while.

use crate::support::database::Database;

/// From now on it refuses this (`INSERT`, `UPDATE`) in a table: PostgreSQL as one that is shutting down (SQLSTATE 57P01); SQLite
/// cannot say that it is only for a while.
pub async fn refuses(database: &Database, what: &str, table: &str) {
    let statements = if database.is_sqlite() {
        format!("CREATE TRIGGER away BEFORE {what} ON {table} BEGIN SELECT RAISE(ABORT, 'away'); END")
    } else {
        format!(
            "CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'away' USING ERRCODE = '57P01'; END $$; \
             CREATE TRIGGER away BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION away()"
        )
    };
    database.run(&statements).await;
}

/// It takes it again.
pub async fn takes_again(database: &Database) {
    database.run(if database.is_sqlite() { "DROP TRIGGER away" } else { "DROP FUNCTION away CASCADE" }).await;
}
