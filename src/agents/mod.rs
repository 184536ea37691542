//! Agents: for each intent a prompt, a schema, a context level, a cache key and a reading.
mod dates;
