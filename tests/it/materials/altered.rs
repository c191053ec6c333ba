//! Somebody who can write in the database, and lacks the keys: nothing they make of a text is shown as the clinic's.

use sqlx::{Connection, PgConnection, SqliteConnection};

use super::{form, publishes, renews, told, ward};
use crate::on_both_databases;
use crate::support::database::Database;
use crate::support::staff::main_text;

/// Runs a statement, and returns what the database says against it.
async fn refused(database: &Database, statement: &'static str) -> Option<String> {
    let outcome = if let Some(file) = database.direct.strip_prefix("sqlite:") {
        let mut connection = SqliteConnection::connect(file).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.map(drop)
    } else {
        let mut connection = PgConnection::connect(&database.direct).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.map(drop)
    };
    outcome.err().map(|error| error.to_string())
}

/// Gets rid of what keeps the rows from being changed.
async fn without_trigger(database: &Database) {
    let on = if database.is_sqlite() { "" } else { " ON materials" };
    database.run(&format!("DROP TRIGGER materials_stay{on}")).await;
}

on_both_databases! {
    async fn the_database_refuses_every_change_of_what_is_published(database) {
        let ward = ward(database).await;
        let database = &ward.portal.bridge.database;
        let mut nurse = ward.colleague("riverside").await;
        publishes(&mut nurse, &form("Sleep", "First.")).await;
        for statement in ["UPDATE materials SET text = 'Buy pills.'", "UPDATE materials SET version = 2", "UPDATE materials SET clinic_id = 'lakeside'"] {
            let said = refused(database, statement).await.unwrap_or_default();
            assert!(said.contains("what is published is never changed"), "{statement}: {said}");
        }
    }
}

on_both_databases! {
    async fn whatever_is_changed_past_that_is_found_and_shown_to_nobody(database) {
        let ward = ward(database).await;
        let bridge = &ward.portal.bridge;
        let mut nurse = ward.colleague("riverside").await;
        without_trigger(&bridge.database).await;
        let sum = "'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'";
        let of_abc = if bridge.database.is_sqlite() { format!("x{sum}") } else { format!("decode({sum}, 'hex')") };
        for change in [
            "text = 'abc'".to_owned(),
            format!("text = 'abc', sha256 = {of_abc}"),
            format!("sha256 = {of_abc}"),
            "title = 'Buy pills'".to_owned(),
            "link = 'https://pills.example/'".to_owned(),
            "language = 'ru'".to_owned(),
            "clinic_id = 'lakeside'".to_owned(),
            "published_at = published_at + 1".to_owned(),
            "version = 2".to_owned(),
        ] {
            let id = publishes(&mut nurse, &form("Sleep", &format!("As it was published. {change}"))).await;
            let mut anybody = ward.portal.browser();
            assert_eq!(anybody.get(&format!("/materials/{id}")).await.status, 200);
            let this = if bridge.database.is_sqlite() { format!("hex(material_id) = '{}'", id.replace('-', "").to_uppercase()) } else { format!("material_id = '{id}'") };
            bridge.database.run(&format!("UPDATE materials SET {change} WHERE {this}")).await;
            let page = anybody.get(&format!("/materials/{id}")).await;
            assert!(page.status == 500 && main_text(&page).contains("not what the clinic published"), "{change}: {}", page.body);
            assert!(!main_text(&page).contains("abc") && !page.body.contains("pills"), "{change}: {}", page.body);
            assert!(anybody.get("/materials").await.body.contains("id=\"none\""), "{change}");
            assert_eq!(told(bridge).await["materials"].as_array().unwrap().len(), 0, "{change}");
        }
        assert!(nurse.get("/clinic/materials").await.body.contains("not what your clinic published"));
    }
}

on_both_databases! {
    async fn a_version_that_nobody_published_is_not_shown_and_the_clinic_can_put_it_right(database) {
        let ward = ward(database).await;
        let bridge = &ward.portal.bridge;
        let mut nurse = ward.colleague("riverside").await;
        let id = publishes(&mut nurse, &form("Sleep", "First.")).await;
        let columns = "clinic_id, language, title, link, sha256, staff_id, published_at, mac";
        let forged = format!("INSERT INTO materials (material_id, version, text, {columns}) SELECT material_id, 2, 'Buy pills.', {columns} FROM materials");
        bridge.database.run(&forged).await;
        let mut anybody = ward.portal.browser();
        let page = anybody.get(&format!("/materials/{id}")).await;
        assert!(page.status == 500 && !page.body.contains("pills"), "{}", page.body);
        assert!(main_text(&anybody.get(&format!("/materials/{id}/1")).await).contains("First."));
        let put_right = renews(&mut nurse, &id, &form("Sleep", "First.")).await;
        assert_eq!(put_right.status, 303, "{}", put_right.body);
        let page = anybody.get(&format!("/materials/{id}")).await;
        assert!(main_text(&page).contains("First.") && main_text(&page).contains("version 3"), "{}", page.body);
    }
}
