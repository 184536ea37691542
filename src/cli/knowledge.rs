//! The rules and weights that a command detects with.

use std::path::PathBuf;

use clap::Args;

use crate::detect::{Detector, LoadError};
use crate::settings::DetectSettings;

/// Rules and weights of one's own, before those of the settings.
#[derive(Debug, Args)]
pub(super) struct Knowledge {
    /// Rules instead of the bundled ones, in the form of config/intents.toml.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Weights instead of the bundled ones, as `gleaner train` writes them.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
}

impl Knowledge {
    /// The detector with these rules and weights.
    pub(super) fn detector(&self, settings: &DetectSettings) -> Result<Detector, LoadError> {
        let mut settings = settings.clone();
        self.choose(&mut settings);
        Detector::load(&settings)
    }

    /// Puts these rules and weights before those of the settings.
    pub(super) fn choose(&self, settings: &mut DetectSettings) {
        settings.rules = self.rules.clone().or(settings.rules.take());
        settings.weights = self.weights.clone().or(settings.weights.take());
    }
}
