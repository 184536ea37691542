//! The items that this process holds a lease on, so that their leases are renewed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::ids::{Held, ItemId, Lease};

/// All of them.
#[derive(Debug, Default)]
pub struct HeldItems(Mutex<HashMap<ItemId, Lease>>);

impl HeldItems {
    /// All of them, now.
    pub fn snapshot(&self) -> Vec<Held> {
        self.lock().iter().map(|(item, lease)| Held { item: item.clone(), lease: *lease }).collect()
    }

    /// Holds an item until the guard goes, whatever way the work on it ends.
    pub(super) fn hold(&self, held: &Held) -> Holding<'_> {
        self.lock().insert(held.item.clone(), held.lease);
        Holding { items: self, held: held.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ItemId, Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An item is held while this lives.
pub(super) struct Holding<'a> {
    items: &'a HeldItems,
    held: Held,
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        let mut items = self.items.lock();
        // A later claim of the same item by this process has a newer lease, which stays.
        if items.get(&self.held.item) == Some(&self.held.lease) {
            items.remove(&self.held.item);
        }
    }
}
