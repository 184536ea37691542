//! The price book.
