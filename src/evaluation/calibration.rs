//! Calibration: how often a guess of some probability is right, as a rising line.

/// Knots at most; between them the line is straight.
const KNOTS: usize = 24;

/// Fits a rising line to guesses, each a probability and whether it was right: neighbours that
/// fall are pooled until none does.
pub(super) fn fit(guesses: &[(f32, bool)]) -> Vec<(f32, f32)> {
    let mut sorted = guesses.to_vec();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let size = sorted.len().div_ceil(KNOTS).max(1);
    // Of each pool: the sum of the probabilities, how many are right, how many there are.
    let mut pools: Vec<(f64, f64, f64)> = Vec::new();
    for part in sorted.chunks(size) {
        let sum = part.iter().map(|(probability, _)| f64::from(*probability)).sum();
        let right = part.iter().filter(|(_, right)| *right).count() as f64;
        pools.push((sum, right, part.len() as f64));
        while let [.., before, last] = pools[..]
            && before.1 / before.2 >= last.1 / last.2
        {
            pools.truncate(pools.len() - 2);
            pools.push((before.0 + last.0, before.1 + last.1, before.2 + last.2));
        }
    }
    pools.iter().map(|(sum, right, all)| ((sum / all) as f32, (right / all) as f32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_rises_and_tells_how_often_guesses_were_right() {
        let guesses: Vec<(f32, bool)> = (0..1000)
            .map(|at| (at as f32 / 1000.0, at % 10 < if at < 500 { 2 } else { 9 }))
            .collect();
        let line = fit(&guesses);
        assert!(line.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
        assert!((line[0].1 - 0.2).abs() < 0.05, "{line:?}");
        assert!((line[line.len() - 1].1 - 0.9).abs() < 0.05, "{line:?}");
    }

    #[test]
    fn no_guesses_make_no_line() {
        assert!(fit(&[]).is_empty());
    }
}
