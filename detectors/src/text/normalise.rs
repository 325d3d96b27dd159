//! Hostile text to comparable text in one pass.
//!
//! Case, accents, widths, look-alike letters and invisible characters are folded away; every run of what is neither
//! letter nor digit becomes one space. Each word knows the bytes of the original that it came from; what a part of a
//! word came from, `origin` works out where it is wanted.

use super::document::Piece;
use super::table::{Fate, fate};

/// A word of the normalised text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) piece: Piece,
    /// Where it begins in the original field.
    pub(crate) from: usize,
    /// Where it ends there.
    pub(crate) to: usize,
}

/// Texts of one listing, normalised one after the other, each ended by a line feed.
#[derive(Debug, Default)]
pub(crate) struct Normalised {
    /// The normalised text: lower-case letters, digits, single spaces, line feeds between fields.
    pub(crate) text: String,
    /// Its words, in order.
    pub(crate) tokens: Vec<Token>,
}

impl Normalised {
    /// Appends one field. Offsets count from the field's own beginning.
    pub(crate) fn push(&mut self, original: &str) {
        self.text.reserve(original.len() + 1);
        let mut field = Writing { first: self.text.len(), open: false, out: self };
        let bytes = original.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            // Most text is ASCII, and of that only letters and digits stay.
            let run = bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
            if run > 0 {
                field.write(&original[at..at + run], at, at + run);
                let text = &mut field.out.text;
                let from = text.len() - run;
                text[from..].make_ascii_lowercase();
                at += run;
                continue;
            }
            if bytes[at].is_ascii() {
                field.open = false;
                at += 1;
                continue;
            }
            let Some(c) = original[at..].chars().next() else { break };
            let end = at + c.len_utf8();
            match fate(c) {
                Some(Fate::Kept(letters, _)) => field.write(letters, at, end),
                None => field.write(&original[at..end], at, end),
                Some(Fate::Separator) => field.open = false,
                Some(Fate::Invisible) => {}
                Some(Fate::Mark) => field.mark(end),
            }
            at = end;
        }
        self.text.push('\n');
    }
}

/// A field on its way.
struct Writing<'a> {
    out: &'a mut Normalised,
    /// Where the field begins in the text.
    first: usize,
    /// The last word may go on.
    open: bool,
}

impl Writing<'_> {
    fn write(&mut self, letters: &str, from: usize, to: usize) {
        let Normalised { text, tokens } = &mut *self.out;
        let space = !self.open && text.len() > self.first;
        if space {
            text.push(' ');
        }
        let start = text.len();
        text.push_str(letters);
        let end = text.len();
        match tokens.last_mut().filter(|_| self.open) {
            Some(token) => (token.piece.end, token.to) = (end, to),
            None => tokens.push(Token { piece: Piece { start, end }, from, to }),
        }
        self.open = true;
    }

    /// A mark belongs to the letter before it.
    fn mark(&mut self, to: usize) {
        if let Some(token) = self.out.tokens.last_mut().filter(|_| self.open) {
            token.to = to;
        }
    }
}

/// One text, normalised: for names and phrases of the catalog.
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
        fn normalising_again_changes_nothing(text in "\\PC{0,40}") {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once);
        }
    }
}
