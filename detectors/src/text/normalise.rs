//! Hostile text to comparable text in one pass, with the way back.
//!
//! Case, accents, widths, look-alike letters and invisible characters are folded away; every run of what is neither
//! letter nor digit becomes one space. Each byte of the result knows the bytes of the original that it came from.

use super::table::{Change, Fate, fate};

/// Texts of one listing, normalised one after the other, each ended by a line feed.
#[derive(Debug, Default)]
pub(crate) struct Normalised {
    /// The normalised text: lower-case letters, digits, single spaces, line feeds between fields.
    pub(crate) text: String,
    /// For each byte of `text`, where its character begins in the original field.
    starts: Vec<u32>,
    /// For each byte of `text`, where its character ends in the original field.
    ends: Vec<u32>,
    changes: Vec<Change>,
}

impl Normalised {
    /// Appends one field. Offsets count from the field's own beginning.
    pub(crate) fn push(&mut self, original: &str) {
        let from = self.text.len();
        let mut invisible = false;
        for (at, c) in original.char_indices() {
            let start = at as u32;
            let end = (at + c.len_utf8()) as u32;
            match fate(c) {
                Some(Fate::Kept(letters, change)) => {
                    let torn = invisible && self.text.len() > from && !self.text.ends_with(' ');
                    self.emit(letters, start, end, if torn { Change::Torn } else { change });
                    invisible = false;
                }
                None => self.emit(c.encode_utf8(&mut [0; 4]), start, end, Change::None),
                Some(Fate::Separator) => {
                    if self.text.len() > from && !self.text.ends_with(' ') {
                        self.emit(" ", start, end, Change::None);
                    }
                    invisible = false;
                }
                Some(Fate::Invisible) => invisible = true,
                Some(Fate::Mark) => self.mark(from, end),
            }
        }
        if self.text.len() > from && self.text.ends_with(' ') {
            self.text.pop();
            self.starts.pop();
            self.ends.pop();
            self.changes.pop();
        }
        let end = original.len() as u32;
        self.emit("\n", end, end, Change::None);
    }

    fn emit(&mut self, letters: &str, start: u32, end: u32, change: Change) {
        self.text.push_str(letters);
        let n = letters.len();
        self.starts.extend(std::iter::repeat_n(start, n));
        self.ends.extend(std::iter::repeat_n(end, n));
        self.changes.extend(std::iter::repeat_n(change, n));
    }

    /// A mark belongs to the letter before it.
    fn mark(&mut self, from: usize, end: u32) {
        if self.text.len() > from && !self.text.ends_with(' ') {
            let last = self.text.len() - 1;
            self.ends[last] = end;
            self.changes[last] = self.changes[last].max(Change::Folded);
        }
    }

    /// The bytes of the original field that a non-empty range of the text came from.
    pub(crate) fn original(&self, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.starts[range.start] as usize..self.ends[range.end - 1] as usize
    }

    /// The greatest change within a range of the text.
    pub(crate) fn change(&self, range: std::ops::Range<usize>) -> Change {
        // What stood before the first letter tears nothing.
        let torn_first = self.changes[range.start] == Change::Torn;
        let rest = &self.changes[range.start + usize::from(torn_first)..range.end];
        rest.iter().copied().max().unwrap_or(Change::None)
    }
}

/// One text, normalised, without its way back: for names and phrases of the catalog.
pub(crate) fn normalise(text: &str) -> String {
    let mut normalised = Normalised::default();
    normalised.push(text);
    normalised.text.pop();
    normalised.text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folds_what_sellers_do_to_names() {
        for (written, read) in [
            ("Nordvale", "nordvale"),
            ("ＮＯＲＤＶＡＬＥ", "nordvale"),
            ("𝐍𝕠𝓻𝖉𝙫𝚊𝗅𝑒", "nordvale"),
            ("Ⓝⓞⓡⓓ🅥🄰🅻🇪", "nordvale"),
            ("Nоrdvаlе", "nordvale"),
            ("ΝΟRDVALE", "nordvale"),
            ("Nord\u{200b}vale", "nordvale"),
            ("N\u{301}o\u{308}rdvale", "nordvale"),
            ("Nord\u{ad}vale", "nordvale"),
            ("Nördvàlé", "nordvale"),
            ("nord-vale / shoes!!", "nord vale shoes"),
            ("  nord\t\nvale  ", "nord vale"),
            ("Giày thể thao đế đỏ", "giay the thao de do"),
            ("нордвейл", "\u{43d}op\u{434}\u{432}e\u{439}\u{43b}"),
            ("รองเท้า สีดำ", "รองเท้า สีดํา"),
            ("운동화", "운동화"),
            ("１：１", "1 1"),
            ("👟👟", ""),
            ("", ""),
        ] {
            assert_eq!(normalise(written), read, "{written}");
        }
    }

    proptest! {
        #[test]
        fn every_piece_points_into_the_original(text in "\\PC{0,40}|[a-zA-Z Nоrd\u{200b}\u{301}é0-9]{0,40}") {
            let mut normalised = Normalised::default();
            normalised.push(&text);
            let mut last = 0;
            for (at, c) in normalised.text.char_indices().filter(|(_, c)| *c != '\n') {
                let original = normalised.original(at..at + c.len_utf8());
                prop_assert!(original.start >= last || original.start + 4 > last);
                prop_assert!(text.get(original.clone()).is_some_and(|s| !s.is_empty()));
                last = original.start;
            }
            prop_assert!(!normalised.text.contains("  "));
        }

        #[test]
        fn normalising_again_changes_nothing(text in "\\PC{0,40}") {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once);
        }
    }
}
