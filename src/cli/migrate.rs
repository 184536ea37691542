//! `gleaner migrate`: brings the schema up to date, for those whose daemon may not.

use std::process::ExitCode;

use crate::settings::Settings;
use crate::store;

pub(super) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = store::open(&settings.database).await?;
    store.migrate().await?;
    let check = store.check().await?;
    println!("{}: the schema is at version {}", check.server, check.version);
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
