//! Settings: `config/default.toml`, then the `--config` file, then the environment.
//!
//! One struct per table of the file. Unknown keys are refused, and every mistake
//! is reported at once with its key, before a port is bound. Secrets are typed,
//! so that they cannot be printed by accident.

mod mask;
mod tables;
mod mistake;
mod shape;
mod layers;
mod checks;
mod load;

pub use load::load;
pub use mask::masked;
pub use mistake::{Mistake, Mistakes};
pub use tables::*;
