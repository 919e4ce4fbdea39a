//! How numbers are spread.

use std::fmt::{Display, Formatter};

/// The median, the 90th percentile and the largest of some numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spread {
    median: usize,
    ninetieth: usize,
    most: usize,
}

impl Spread {
    /// That of the numbers; zeros where there are none.
    pub(super) fn of(mut numbers: Vec<usize>) -> Self {
        numbers.sort_unstable();
        let at = |percent: usize| {
            numbers.get(numbers.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0)
        };
        Self { median: at(50), ninetieth: at(90), most: at(100) }
    }
}

impl Display for Spread {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.median, self.ninetieth, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn percentiles_are_numbers_of_the_list() {
        assert_eq!(Spread::of((1..=11).rev().collect()).to_string(), "6/10/11");
        assert_eq!(Spread::of(vec![7]).to_string(), "7/7/7");
        assert_eq!(Spread::of(Vec::new()).to_string(), "0/0/0");
    }
}
