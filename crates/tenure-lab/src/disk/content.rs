//! One file's bytes twice: as processes see them, and as they would be read after a power cut.

use std::collections::BTreeSet;
use std::ops::Range;

use super::survivors::Survivors;

/// The unit in which unsynced bytes survive or are lost.
pub(super) const PAGE: usize = 4096;

/// The bytes of one regular file.
#[derive(Debug, Default)]
pub(super) struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Pages of `live` that differ from `durable`, by index.
    dirty: BTreeSet<usize>,
}

impl Content {
    pub(super) fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether every byte and the length would survive a power cut.
    pub(super) fn is_synced(&self) -> bool {
        self.dirty.is_empty() && self.live.len() == self.durable.len()
    }

    /// At most `size` bytes from `offset`; fewer at the end of the file.
    pub(super) fn read(&self, offset: usize, size: usize) -> &[u8] {
        let end = self.live.len().min(offset.saturating_add(size));
        self.live.get(offset..end).unwrap_or_default()
    }

    /// Puts `data` at `offset`; a gap before it reads as zeros.
    pub(super) fn write(&mut self, offset: usize, data: &[u8]) {
        let end = offset + data.len();
        if end > self.live.len() {
            self.resize(end);
        }
        if let Some(place) = self.live.get_mut(offset..end) {
            place.copy_from_slice(data);
        }
        self.touch(offset..end);
    }

    /// Cuts or zero-extends the file to `len` bytes.
    pub(super) fn resize(&mut self, len: usize) {
        let old = self.live.len();
        self.live.resize(len, 0);
        if len > old {
            self.touch(old..len);
        } else {
            self.dirty.retain(|page| page * PAGE < len);
        }
    }

    /// Makes the present bytes and length durable.
    pub(super) fn sync(&mut self) {
        self.durable.resize(self.live.len(), 0);
        for page in std::mem::take(&mut self.dirty) {
            self.keep(page);
        }
    }

    /// Loses what was not synced, except for the pages that happen to survive.
    pub(super) fn cut(&mut self, survivors: &mut Survivors) {
        if self.live.len() < self.durable.len() && survivors.keep_one() {
            self.durable.truncate(self.live.len());
        }
        for page in std::mem::take(&mut self.dirty) {
            if survivors.keep_page() {
                self.keep(page);
            }
        }
        self.live.clone_from(&self.durable);
    }

    fn touch(&mut self, bytes: Range<usize>) {
        self.dirty
            .extend(bytes.start / PAGE..bytes.end.div_ceil(PAGE));
    }

    fn keep(&mut self, page: usize) {
        let bytes = page * PAGE..self.live.len().min((page + 1) * PAGE);
        if self.durable.len() < bytes.end {
            self.durable.resize(bytes.end, 0);
        }
        if let (Some(to), Some(from)) = (self.durable.get_mut(bytes.clone()), self.live.get(bytes))
        {
            to.copy_from_slice(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synced_page_stays_and_a_later_one_goes() {
        let mut file = Content::default();
        file.write(0, &[1; PAGE]);
        file.sync();
        file.write(PAGE, &[2; 10]);
        file.write(5, &[3; 1]);
        file.cut(&mut Survivors::none());
        assert_eq!(file.read(0, 2 * PAGE), &[1; PAGE]);
    }

    #[test]
    fn a_truncation_that_was_not_synced_is_undone() {
        let mut file = Content::default();
        file.write(0, &[1; 2 * PAGE]);
        file.sync();
        file.resize(3);
        file.resize(9);
        assert_eq!(file.read(0, 99), &[1, 1, 1, 0, 0, 0, 0, 0, 0]);
        file.cut(&mut Survivors::none());
        assert_eq!(file.read(0, 3 * PAGE), &[1; 2 * PAGE]);
    }

    #[test]
    fn what_was_cut_off_and_written_again_is_durable_only_after_the_next_sync() {
        let mut file = Content::default();
        file.write(0, &[1; 2 * PAGE]);
        file.sync();
        file.resize(0);
        file.write(PAGE, &[7; 3]);
        assert!(!file.is_synced());
        file.sync();
        file.cut(&mut Survivors::none());
        assert_eq!(file.len(), PAGE + 3);
        assert_eq!(file.read(0, PAGE), &[0; PAGE]);
        assert_eq!(file.read(PAGE, 9), &[7; 3]);
    }

    #[test]
    fn surviving_pages_lie_at_their_own_offset() {
        let mut file = Content::default();
        for page in 0..64u8 {
            file.write(usize::from(page) * PAGE, &[page + 1; PAGE]);
        }
        let mut survivors = Survivors::random(fastrand::Rng::with_seed(3));
        file.cut(&mut survivors);
        let (mut kept, mut holes) = (0, 0);
        for page in 0..file.len() / PAGE {
            match file.read(page * PAGE, PAGE) {
                [0, ..] => holes += 1,
                bytes => {
                    assert!(bytes.iter().all(|byte| usize::from(*byte) == page + 1));
                    kept += 1;
                }
            }
        }
        assert!(kept > 0 && holes > 0, "kept {kept}, holes {holes}");
        assert_eq!(survivors.report().pages_kept, kept);
    }
}
