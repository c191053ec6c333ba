//! Backups as the runbook makes them, and databases that are restored from them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::database::Database;

impl Database {
    /// Backs it up while it is in use.
    pub async fn back_up(&self, name: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        if self.is_sqlite() {
            self.run(&format!("VACUUM INTO '{}'", file.display())).await;
        } else {
            run("pg_dump", &["--format=custom", "--file", &file.display().to_string(), &self.direct]).await;
        }
        file
    }

    /// A new database of the same kind, from a backup.
    pub async fn restored(&self, backup: &Path) -> Self {
        if self.is_sqlite() {
            let new = Self::sqlite();
            std::fs::copy(backup, new.folder.path().join("mostik.db")).unwrap();
            return new;
        }
        let new = Self::postgres().await.unwrap();
        new.empty().await;
        let file = backup.display().to_string();
        run("pg_restore", &["--no-owner", "--exit-on-error", "--single-transaction", "--dbname", &new.direct, &file])
            .await;
        new
    }
}

async fn run(program: &'static str, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}
