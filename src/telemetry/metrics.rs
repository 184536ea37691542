//! Every metric, in one list.
