//! SQLite: one writer connection, readers beside it.
