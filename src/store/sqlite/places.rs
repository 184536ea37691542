//! A rate's places: which are held, whose turn is when. Nothing here reads or writes.
//!
//! A place is held from an instant on for the rate's span: its window, and the
//! time that a permit may wait before it is sent.

use super::Micros;

/// A rate's places at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    limit: usize,
    span: Micros,
    now: Micros,
    /// From when those that are held count, oldest first; of more than the limit the newest.
    held: Vec<Micros>,
}

impl Places {
    pub(super) fn at(now: Micros, mut instants: Vec<Micros>, limit: u32, span: Micros) -> Self {
        let limit = limit as usize;
        instants.retain(|at| at.saturating_add(span) > now);
        instants.sort_unstable();
        let held = instants.split_off(instants.len().saturating_sub(limit));
        Self { limit, span, now, held }
    }

    /// How many are free now.
    pub(super) fn free(&self) -> usize {
        self.limit.saturating_sub(self.held.len())
    }

    /// When the next one frees; now, when one is free.
    pub(super) fn next(&self) -> Micros {
        if self.free() > 0 { self.now } else { self.frees(0) }
    }

    /// When the first of those that are held frees.
    pub(super) fn first_to_free(&self) -> Option<Micros> {
        self.held.first().map(|at| at.saturating_add(self.span))
    }

    /// When somebody with so many ahead of it has its turn; `None` is now.
    pub(super) fn turn(&self, ahead: usize) -> Option<Micros> {
        if ahead < self.free() {
            return None;
        }
        Some(self.frees(ahead - self.free()))
    }

    /// When the nth of the next places frees, each being taken again as soon as it is free.
    fn frees(&self, nth: usize) -> Micros {
        let (nth, round) = match self.limit {
            0 => (0, 0),
            limit => (nth % limit, nth / limit),
        };
        // What is free is taken by those ahead, now.
        let from = self.held.get(nth).copied().unwrap_or(self.now);
        let spans = self.span.saturating_mul(i64::try_from(round).unwrap_or(i64::MAX / 4) + 1);
        from.saturating_add(spans)
    }

    /// Whether a place counts from exactly that instant.
    pub(super) fn has(&self, instant: Micros) -> bool {
        self.held.contains(&instant)
    }

    /// What is held with one more.
    pub(super) fn take(&self, instant: Micros) -> Vec<Micros> {
        let mut held = self.held.clone();
        held.push(instant);
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three places of a span of 100, held since these instants, at 1,000.
    fn three(held: &[Micros]) -> Places {
        Places::at(1_000, held.to_vec(), 3, 100)
    }

    #[test]
    fn a_place_is_free_from_the_end_of_its_span_on() {
        assert_eq!(three(&[901, 950, 999]).turn(0), Some(1_001));
        assert_eq!(three(&[900, 950, 999]).turn(0), None);
        assert_eq!(three(&[950, 900]).take(1_000), [950, 1_000]);
    }

    #[test]
    fn whoever_waits_is_told_when_its_own_place_frees() {
        let full = three(&[910, 920, 930]);
        let turns: Vec<_> = (0..5).map(|ahead| full.turn(ahead).unwrap()).collect();
        assert_eq!(turns, [1_010, 1_020, 1_030, 1_110, 1_120]);
    }

    #[test]
    fn free_places_are_for_those_ahead() {
        let places = three(&[910]);
        let turns: Vec<_> = (0..6).map(|ahead| places.turn(ahead)).collect();
        let after = [1_010, 1_100, 1_100, 1_110].map(Some);
        assert_eq!(turns, [[None; 2].as_slice(), &after].concat());
    }

    #[test]
    fn a_limit_that_was_lowered_waits_for_the_newest() {
        let places = Places::at(1_000, vec![910, 920, 930], 1, 100);
        assert_eq!((places.free(), places.next()), (0, 1_030));
        assert_eq!(Places::at(1_000, vec![910], 0, 100).turn(4), Some(1_100));
    }
}
