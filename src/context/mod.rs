//! Context levels: what of an event's past a model may see, within a token cap.
