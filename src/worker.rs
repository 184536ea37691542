//! Around the pipeline: slots, deadlines, panics, settling, drain.
