//! `gleaner run`: the daemon.

use std::process::ExitCode;

use tracing::info;

use super::signals::Stop;
use crate::app::Prepared;
use crate::settings::Settings;

pub(super) async fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    let asked = Stop::listen()?;
    let prepared = Prepared::new(settings, true).await?;
    if let Some(address) = prepared.address() {
        info!(%address, "listening on http://{address}");
    }
    let Some(mut running) = prepared.start(&asked.stop).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let ended = running.run(&asked.stop).await;
    running.drain(&asked.at_once).await;
    ended.map(|()| ExitCode::SUCCESS)
}
