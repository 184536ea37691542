//! Learning from labelled messages, and measuring on those not learnt from.
//!
//! A conversation is never torn: it is learnt from as a whole or measured on as a
//! whole. A message that stands alone is a conversation of its own.

mod labelled;
mod folds;
mod calibration;
mod entities;
mod figures;

pub use figures::{Calibration, Figures, IntentFigures, Judged, Rate};
pub use folds::{cross_validate, measure, train};
pub use labelled::{BrokenLabel, Labelled, read_labelled};
