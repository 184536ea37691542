//! A linear regression that takes one observation at a time and forgets slowly.
//!
//! It starts from weights and how unsure they are. What an observation does not
//! touch stays as it was, and how unsure it is never passes how it began.

/// How many numbers an observation is explained by.
pub(super) const FACTORS: usize = 7;

/// A factor's value in an observation, or its weight.
type Factors = [f64; FACTORS];

/// How much of what is known is forgotten at each observation: about a hundred count.
const FORGOTTEN: f64 = 0.01;

/// How far an observation may be off, as a share of it.
const NOISE: f64 = 0.03;

/// Weights, and how unsure they are together.
#[derive(Debug, Clone)]
pub(super) struct Regression {
    weights: Factors,
    covariance: [Factors; FACTORS],
    /// The variances at the start.
    start: Factors,
}

impl Regression {
    /// Weights to start with, and the standard deviation of each.
    pub(super) fn new(weights: Factors, unsure: Factors) -> Self {
        let start = unsure.map(|deviation| deviation * deviation);
        let mut covariance = [[0.0; FACTORS]; FACTORS];
        for (at, variance) in start.iter().enumerate() {
            covariance[at][at] = *variance;
        }
        Self { weights, covariance, start }
    }

    pub(super) fn weights(&self) -> &Factors {
        &self.weights
    }

    /// What is expected of factors.
    pub(super) fn expected(&self, factors: &Factors) -> f64 {
        dot(&self.weights, factors)
    }

    /// Moves the weights towards what was observed, each as far as it was unsure.
    pub(super) fn observe(&mut self, factors: &Factors, observed: f64) {
        self.forget();
        let spread = self.covariance.map(|row| dot(&row, factors));
        let noise = (observed * NOISE + 1.0).powi(2);
        let total = dot(&spread, factors) + noise;
        let surprise = observed - self.expected(factors);
        for (weight, spread) in self.weights.iter_mut().zip(spread) {
            *weight += spread / total * surprise;
        }
        for (row, left) in self.covariance.iter_mut().zip(spread) {
            for (cell, right) in row.iter_mut().zip(spread) {
                *cell -= left * right / total;
            }
        }
    }

    /// Goes a small part of the way back to how unsure it was at the start; the weights stay.
    fn forget(&mut self) {
        for (at, row) in self.covariance.iter_mut().enumerate() {
            row.iter_mut().for_each(|cell| *cell *= 1.0 - FORGOTTEN);
            row[at] += FORGOTTEN * self.start[at];
        }
    }
}

fn dot(one: &Factors, other: &Factors) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}
