//! The way back from a normalised text to the field that it came from, byte by byte.
//!
//! Few listings name a brand, and only of these does anybody ask: so it is worked out when it is wanted.

use super::table::{Change, Fate, fate};

/// Of each byte of a field's normalised text, where it came from.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// Where its character begins in the original.
    starts: Vec<u32>,
    /// Where its character ends there.
    ends: Vec<u32>,
    changes: Vec<Change>,
}

impl Origin {
    /// Normalises as [`super::normalise::Normalised::push`] does, and keeps the way instead of the text.
    pub(crate) fn of(original: &str) -> Self {
        let mut origin = Self::default();
        let (mut spaced, mut torn) = (false, false);
        for (at, c) in original.char_indices() {
            let (start, end) = (at as u32, (at + c.len_utf8()) as u32);
            let open = !origin.starts.is_empty() && !spaced;
            let kept = match fate(c) {
                Some(Fate::Kept(letters, change)) => Some((letters.len(), if torn && open { Change::Torn } else { change })),
                None => Some((c.len_utf8(), Change::None)),
                Some(Fate::Separator) => {
                    if open {
                        origin.emit(1, start, end, Change::None);
                    }
                    (spaced, torn) = (true, false);
                    None
                }
                Some(Fate::Invisible) => {
                    torn = true;
                    None
                }
                Some(Fate::Mark) => {
                    if open {
                        origin.mark(end);
                    }
                    None
                }
            };
            if let Some((length, change)) = kept {
                origin.emit(length, start, end, change);
                spaced = false;
                // What normalisation does not know keeps what stood before it in mind.
                torn &= fate(c).is_none();
            }
        }
        origin
    }

    fn emit(&mut self, length: usize, start: u32, end: u32, change: Change) {
        self.starts.extend(std::iter::repeat_n(start, length));
        self.ends.extend(std::iter::repeat_n(end, length));
        self.changes.extend(std::iter::repeat_n(change, length));
    }

    fn mark(&mut self, end: u32) {
        if let (Some(last), Some(change)) = (self.ends.last_mut(), self.changes.last_mut()) {
            *last = end;
            *change = (*change).max(Change::Folded);
        }
    }

    /// The bytes of the original that a non-empty range of the normalised field came from.
    pub(crate) fn original(&self, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.starts[range.start] as usize..self.ends[range.end - 1] as usize
    }

    /// The greatest change within a range of the normalised field.
    pub(crate) fn change(&self, range: std::ops::Range<usize>) -> Change {
        // What stood before the first letter tears nothing.
        let torn_first = self.changes[range.start] == Change::Torn;
        let rest = &self.changes[range.start + usize::from(torn_first)..range.end];
        rest.iter().copied().max().unwrap_or(Change::None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::normalise::Normalised;

    proptest! {
        #[test]
        fn every_piece_points_into_the_original(text in "\\PC{0,40}|[a-zA-Z Nоrd\u{200b}\u{301}é0-9-]{0,40}") {
            let mut normalised = Normalised::default();
            normalised.push(&text);
            let origin = Origin::of(&text);
            let mut last = 0;
            for (at, c) in normalised.text.char_indices().filter(|(_, c)| *c != '\n') {
                let original = origin.original(at..at + c.len_utf8());
                prop_assert!(original.start >= last || original.start + 4 > last);
                prop_assert!(text.get(original.clone()).is_some_and(|s| !s.is_empty()));
                last = original.start;
            }
            prop_assert!(!normalised.text.contains("  "));
            for token in &normalised.tokens {
                prop_assert_eq!(origin.original(token.piece.range()), token.from..token.to);
            }
            let words: Vec<&str> = normalised.tokens.iter().map(|token| &normalised.text[token.piece.range()]).collect();
            prop_assert_eq!(words, normalised.text.split([' ', '\n']).filter(|w| !w.is_empty()).collect::<Vec<_>>());
        }
    }
}
