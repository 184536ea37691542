//! Names of things: messages, queue items, events, rooms, people, leases.
//!
//! IDs come from producers' databases and from queues, so they are parsed once
//! at the edge; after that the type is the proof.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest ID that is accepted, in bytes.
pub const LONGEST_ID: usize = 128;

/// An ID that is empty, too long, or holds a character that is not visible ASCII.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {shown:?} is not 1 to {LONGEST_ID} visible ASCII characters")]
pub struct BadId {
    what: &'static str,
    shown: String,
}

impl BadId {
    fn of(what: &'static str, text: &str) -> Self {
        Self { what, shown: text.chars().take(40).collect() }
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes 1 to 128 visible ASCII characters, as producers' databases have them.
            ///
            /// # Errors
            /// [`BadId`] when the text is empty, longer, or holds any other character.
            pub fn parse(text: &str) -> Result<Self, BadId> {
                let fits = (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
                if fits { Ok(Self(text.to_owned())) } else { Err(BadId::of($what, text)) }
            }

            /// The ID as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id!(
    /// The ID of a chat message, as its producer's database has it.
    MessageId,
    "message ID"
);
text_id!(
    /// The ID of a queue item: the message's, or the UUID of a suggestion run.
    ItemId,
    "queue item ID"
);
text_id!(
    /// The ID of an event: a wedding, an offsite, a reunion.
    EventId,
    "event ID"
);
text_id!(
    /// The ID of a chat room.
    RoomId,
    "room ID"
);

impl From<&MessageId> for ItemId {
    fn from(id: &MessageId) -> Self {
        Self(id.0.clone())
    }
}

impl From<Uuid> for ItemId {
    fn from(id: Uuid) -> Self {
        Self(id.to_string())
    }
}

/// A participant's ID within an event: a user ID, or the name in an imported chat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub String);

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The proof of a claim on a queue item. It only ever grows, so it is the fence
/// of every write that follows the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lease(pub i64);

/// A queue item that this process holds: its ID and the lease that proves it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Held {
    /// The item.
    pub item: ItemId,
    /// The lease under which it is held.
    pub lease: Lease,
}

/// The namespace of all UUIDv5 values that Gleaner derives.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x6c_6561_6e65_7240_01a0_0067_6c65_616e);

/// A UUIDv5 over parts that may hold any text; no two lists of parts collide by concatenation.
pub fn derived_uuid(parts: &[&str]) -> Uuid {
    let mut name = Vec::new();
    for part in parts {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part.as_bytes());
    }
    Uuid::new_v5(&NAMESPACE, &name)
}

/// Half of a BLAKE3 digest, in hex; no two lists of parts collide by concatenation.
pub fn digest(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_to_128_visible_ascii_characters() {
        assert!(MessageId::parse("msg-1").is_ok());
        assert!(MessageId::parse(&"x".repeat(128)).is_ok());
        for bad in ["", "two words", "naïve", "line\nbreak", &"x".repeat(129)] {
            assert!(MessageId::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn parts_of_a_derived_uuid_do_not_run_together() {
        assert_ne!(derived_uuid(&["ab", "c"]), derived_uuid(&["a", "bc"]));
    }
}
