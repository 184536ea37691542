//! Chat files: JSON Lines and WhatsApp exports.
