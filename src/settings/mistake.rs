//! What is wrong with the settings, all of it at once.

use std::fmt;

/// One mistake in the settings, with the key it stands at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The key, dotted: `worker.slots`; empty when a whole file cannot be read.
    pub key: String,
    /// Where the value comes from: a file, an environment variable, or the defaults.
    pub layer: String,
    /// What is wrong with its value, and what would be right; never a secret.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "{}: {}", self.layer, self.problem),
            key => write!(f, "{key} {} ({})", self.problem, self.layer),
        }
    }
}

/// All mistakes at once; printed, one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "the settings hold a mistake:")?,
            count => write!(f, "the settings hold {count} mistakes:")?,
        }
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl std::error::Error for Mistakes {}
