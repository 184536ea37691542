//! What a failed request earns: another try, a pause, or the end.
