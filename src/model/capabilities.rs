//! What each model accepts, by table.
