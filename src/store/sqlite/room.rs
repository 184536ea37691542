//! The room of a budget's window. Nothing here reads or writes.
//!
//! A hard budget holds at the worst case of all that is in flight; a soft one is
//! asked for what a request will likely cost, and may be passed by what is in flight.

/// What a budget's window says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There is room.
    Free,
    /// What is left is held by others, most of which comes back.
    Busy,
    /// Nothing that ends makes room for it.
    Spent,
}

/// Who stands before a request in a window's line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ahead {
    /// How many.
    pub(super) count: usize,
    /// What they cost at most, together.
    pub(super) worst: i64,
}

impl Ahead {
    /// The same with one more, of that worst case.
    pub(super) fn and(self, worst: i64) -> Self {
        Self { count: self.count + 1, worst: self.worst.saturating_add(worst) }
    }
}

/// A budget's window at one instant, in nano-dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Room {
    /// The limit; without one there is always room.
    pub(super) limit: Option<i64>,
    /// Of a hard budget, the share of what is left that requests in flight may hold.
    pub(super) share: Option<f64>,
    /// What requests in flight hold.
    pub(super) reserved: i64,
    /// What is paid or in doubt.
    pub(super) spent: i64,
}

impl Room {
    /// What a request may cost at most once all in flight have ended.
    pub(super) fn left(&self) -> i64 {
        self.limit.map_or(i64::MAX, |limit| limit.saturating_sub(self.spent).max(0))
    }

    pub(super) fn judge(&self, worst: i64, expected: i64, ahead: Ahead) -> Verdict {
        let Some(limit) = self.limit else { return Verdict::Free };
        let asked = if self.share.is_some() { worst } else { expected };
        if self.spent.saturating_add(asked) > limit {
            return Verdict::Spent;
        }
        let Some(share) = self.share else { return Verdict::Free };
        // One request always may, however little the share is.
        if self.reserved == 0 && ahead.count == 0 {
            return Verdict::Free;
        }
        let in_flight = self.reserved.saturating_add(ahead.worst).saturating_add(worst);
        let left = limit - self.spent;
        let fits = in_flight <= left && in_flight as f64 <= share * left as f64;
        if fits { Verdict::Free } else { Verdict::Busy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: Ahead = Ahead { count: 0, worst: 0 };

    fn hard(share: f64, reserved: i64, spent: i64) -> Room {
        Room { limit: Some(100), share: Some(share), reserved, spent }
    }

    #[test]
    fn what_no_end_makes_room_for_is_spent_and_all_else_busy() {
        assert_eq!(hard(1.0, 0, 40).judge(60, 60, NOBODY), Verdict::Free);
        assert_eq!(hard(1.0, 0, 40).judge(61, 61, NOBODY), Verdict::Spent);
        assert_eq!(hard(1.0, 1, 40).judge(60, 60, NOBODY), Verdict::Busy);
        assert_eq!(hard(1.0, 1, 40).judge(61, 61, NOBODY), Verdict::Spent);
        assert_eq!((hard(1.0, 1, 40).left(), hard(1.0, 0, 140).left()), (60, 0));
    }

    #[test]
    fn requests_in_flight_hold_their_share_of_what_is_left_and_one_always_may() {
        assert_eq!(hard(0.5, 0, 20).judge(80, 80, NOBODY), Verdict::Free);
        assert_eq!(hard(0.5, 20, 20).judge(20, 20, NOBODY), Verdict::Free);
        assert_eq!(hard(0.5, 20, 20).judge(21, 21, NOBODY), Verdict::Busy);
    }

    #[test]
    fn those_ahead_count_as_if_they_were_in_flight() {
        let ahead = Ahead { count: 2, worst: 70 };
        assert_eq!(hard(1.0, 0, 0).judge(30, 30, ahead), Verdict::Free);
        assert_eq!(hard(1.0, 0, 0).judge(31, 31, ahead), Verdict::Busy);
        // Whoever is first may ask for more than the share, and no one passes it.
        assert_eq!(hard(0.1, 0, 0).judge(1, 1, Ahead { count: 1, worst: 30 }), Verdict::Busy);
    }

    #[test]
    fn a_soft_budget_is_asked_for_what_is_expected_and_never_busy() {
        let soft = Room { limit: Some(100), share: None, reserved: 500, spent: 90 };
        let ahead = Ahead { count: 9, worst: 900 };
        assert_eq!(soft.judge(50, 10, ahead), Verdict::Free);
        assert_eq!(soft.judge(50, 11, ahead), Verdict::Spent);
    }

    #[test]
    fn a_lifted_budget_has_room() {
        let lifted = Room { limit: None, share: Some(0.1), reserved: i64::MAX, spent: i64::MAX };
        assert_eq!(lifted.judge(i64::MAX, i64::MAX, NOBODY), Verdict::Free);
    }
}
