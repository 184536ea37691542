//! A quick look whether two sets of symbols can have one in common.

use super::Symbol;

/// A bit for each symbol of a set; several symbols share one. Sets whose bits do not meet have
/// nothing in common, and most walks end at that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sieve([u64; 2]);

impl Sieve {
    /// The bit that every word has, and every node at which more may happen than a word.
    const ALWAYS: u64 = 1 << 63;
    /// Lets everything through.
    pub(super) const OPEN: Self = Self([u64::MAX; 2]);
    /// What stands beyond the end of a text or a sentence.
    pub(super) const END: Self = Self([0, Self::ALWAYS]);

    /// The bits of these symbols.
    pub(super) fn of(symbols: impl Iterator<Item = Symbol>) -> Self {
        symbols.fold(Self([0; 2]), Self::with)
    }

    /// These bits and a symbol's.
    pub(super) fn with(self, symbol: Symbol) -> Self {
        let place = symbol % 127;
        let mut bits = self.0;
        bits[place as usize / 64] |= 1 << (place % 64);
        Self(bits)
    }

    /// These bits and the other's.
    pub(super) fn and(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// Whether the symbol may be among those of these bits.
    pub(super) fn may_hold(self, symbol: Symbol) -> bool {
        let place = symbol % 127;
        self.0[place as usize / 64] >> (place % 64) & 1 == 1
    }

    /// Whether the two may have something in common.
    pub(super) fn meets(self, other: Self) -> bool {
        (self.0[0] & other.0[0]) | (self.0[1] & other.0[1]) != 0
    }
}
