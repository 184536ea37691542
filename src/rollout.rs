//! Which events Gleaner works for.
