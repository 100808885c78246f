//! Environments in waves: which go together, and when no other wave begins.

use std::num::NonZeroUsize;
use std::ops::Range;

/// What goes through waves, and how far it came.
///
/// The waves follow each other in the order of the environments. One begins when all of the one before have ended and no
/// more have failed, in all waves together, than may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waves {
    parts: Vec<Range<usize>>,
    /// How many may fail.
    failures: usize,
    failed: usize,
    /// How many waves were begun.
    begun: usize,
    stopped: bool,
}

/// How an environment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaveEnd {
    /// It is as it should be.
    Done,
    /// It is not, which counts against the budget.
    Failed,
    /// Somebody said no, or stopped the run: nothing is begun any more, whatever the budget.
    Stopped,
}

impl Waves {
    /// Parts environments into waves of these sizes, the last of which is that of all waves after it, and lets so many
    /// fail.
    pub fn new(environments: usize, sizes: &[NonZeroUsize], failures: usize) -> Self {
        let mut parts = Vec::new();
        let mut sizes = sizes.iter().map(|size| size.get());
        let mut size = 1;
        let mut start = 0;
        while start < environments {
            size = sizes.next().unwrap_or(size);
            let end = start.saturating_add(size).min(environments);
            parts.push(start..end);
            start = end;
        }
        Self {
            parts,
            failures,
            failed: 0,
            begun: 0,
            stopped: false,
        }
    }

    /// Returns how many waves there are.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Returns whether there is no wave.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Begins the next wave, where there is one and it may begin: returns its number from one, and the positions of its
    /// environments.
    pub fn begin(&mut self) -> Option<(usize, Range<usize>)> {
        if !self.may_go_on() {
            return None;
        }
        let wave = self.parts.get(self.begun)?.clone();
        self.begun += 1;
        Some((self.begun, wave))
    }

    /// Notes how an environment of a wave that was begun has ended.
    pub fn end(&mut self, end: WaveEnd) {
        match end {
            WaveEnd::Done => {}
            WaveEnd::Failed => self.failed += 1,
            WaveEnd::Stopped => self.stopped = true,
        }
    }

    /// Returns whether nothing speaks against beginning something else.
    pub fn may_go_on(&self) -> bool {
        !self.stopped && self.failed <= self.failures
    }

    /// Returns the positions of the environments whose waves were not begun.
    pub fn not_begun(&self) -> Range<usize> {
        let end = self.parts.last().map_or(0, |wave| wave.end);
        let start = self.parts.get(self.begun).map_or(end, |wave| wave.start);
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(environments: usize, sizes: &[usize], failures: usize) -> Waves {
        let sizes: Vec<NonZeroUsize> = sizes
            .iter()
            .map(|size| NonZeroUsize::new(*size).expect("is not zero"))
            .collect();
        Waves::new(environments, &sizes, failures)
    }

    /// Goes through the waves, with environments that end as they are told, and returns the waves that were begun and
    /// what was not begun.
    fn run(mut waves: Waves, ends: &[WaveEnd]) -> (Vec<Range<usize>>, Range<usize>) {
        let mut begun = Vec::new();
        while let Some((number, wave)) = waves.begin() {
            begun.push(wave.clone());
            assert_eq!(number, begun.len());
            for environment in wave {
                waves.end(ends[environment]);
            }
        }
        (begun, waves.not_begun())
    }

    #[test]
    fn the_last_size_is_that_of_all_waves_after_it() {
        use WaveEnd::Done;
        for (environments, sizes, expected) in [
            (1, &[1][..], &[(0, 1)][..]),
            (3, &[1], &[(0, 1), (1, 2), (2, 3)]),
            (6, &[1, 2], &[(0, 1), (1, 3), (3, 5), (5, 6)]),
            (3, &[1, 10], &[(0, 1), (1, 3)]),
            (3, &[usize::MAX], &[(0, 3)]),
            (2, &[1, 1, 4], &[(0, 1), (1, 2)]),
            (0, &[1], &[]),
        ] {
            let waves = waves(environments, sizes, 0);
            assert_eq!(waves.len(), expected.len());
            let (begun, not_begun) = run(waves, &[Done; 6]);
            let begun: Vec<_> = begun
                .into_iter()
                .map(|wave| (wave.start, wave.end))
                .collect();
            assert_eq!(begun, expected, "{environments} by {sizes:?}");
            assert!(not_begun.is_empty());
        }
    }

    #[test]
    fn no_wave_begins_when_more_have_failed_than_may() {
        use WaveEnd::{Done, Failed, Stopped};
        for (failures, ends, expected) in [
            // Nothing may fail: whatever is in the wave ends, and no other begins.
            (0, [Failed, Done, Done, Done, Done], 1..5),
            (0, [Done, Failed, Done, Done, Done], 3..5),
            (0, [Done, Done, Done, Done, Failed], 5..5),
            // One may, over all waves together.
            (1, [Failed, Done, Done, Done, Done], 5..5),
            (1, [Failed, Done, Failed, Done, Done], 3..5),
            (1, [Done, Failed, Failed, Done, Done], 3..5),
            (2, [Failed, Failed, Failed, Done, Done], 3..5),
            (5, [Failed; 5], 5..5),
            // No budget covers a no.
            (5, [Stopped, Done, Done, Done, Done], 1..5),
            (5, [Done, Done, Stopped, Done, Done], 3..5),
        ] {
            let (_, not_begun) = run(waves(5, &[1, 2], failures), &ends);
            assert_eq!(not_begun, expected, "{failures} of {ends:?}");
        }
    }
}
