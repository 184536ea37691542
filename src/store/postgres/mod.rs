//! PostgreSQL: one statement a step, in a schema of its own.
