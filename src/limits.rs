//! Admission: who may ask a model now.
