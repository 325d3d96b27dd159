//! The texts of one listing as one normalised text, and the way from it back to field and byte.

use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;

use touchstone_schemas::{Listing, Span};

use super::normalise::{Normalised, Token};
use super::origin::Origin;
use super::table::{Change, is_hangul, runs_together};

/// Which of a listing's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path<'a> {
    Title,
    Brand,
    Description,
    Variant(usize),
    Attribute(&'a str),
    ImageText(usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Title => f.write_str("title"),
            Self::Brand => f.write_str("brand"),
            Self::Description => f.write_str("description"),
            Self::Variant(i) => write!(f, "variants[{i}].name"),
            Self::Attribute(key) => write!(f, "attributes.{key}"),
            Self::ImageText(i) => write!(f, "image_text[{i}]"),
        }
    }
}

/// One field within the document.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    pub(crate) path: Path<'a>,
    pub(crate) original: &'a str,
    /// Where it stands in the normalised text.
    pub(crate) range: Range<usize>,
    /// Its words among all.
    words: Range<usize>,
    origin: OnceCell<Origin>,
}

impl Field<'_> {
    fn origin(&self) -> &Origin {
        self.origin.get_or_init(|| Origin::of(self.original))
    }

    /// A piece counted from the field's beginning.
    fn inside(&self, piece: Piece) -> Range<usize> {
        piece.start - self.range.start..piece.end - self.range.start
    }
}

/// The texts of one listing.
#[derive(Debug, Default)]
pub(crate) struct Document<'a> {
    pub(crate) fields: Vec<Field<'a>>,
    normalised: Normalised,
    /// Bytes read of other fields than the title.
    read: usize,
}

/// A piece of the normalised text, within one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Piece {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Piece {
    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.end
    }

    pub(crate) fn within(self, other: Piece) -> bool {
        other.start <= self.start && self.end <= other.end
    }

    pub(crate) fn overlaps(self, other: Piece) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// Pieces as the places that they cover, so that it is told at once whether another piece touches any of them.
pub(crate) struct Cover(Vec<Piece>);

impl Cover {
    /// The pieces in any order.
    pub(crate) fn of(pieces: impl Iterator<Item = Piece>) -> Self {
        let mut pieces: Vec<Piece> = pieces.collect();
        pieces.sort_unstable();
        let mut merged: Vec<Piece> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match merged.last_mut().filter(|last| piece.start < last.end) {
                Some(last) => last.end = last.end.max(piece.end),
                None => merged.push(piece),
            }
        }
        Self(merged)
    }

    pub(crate) fn touches(&self, piece: Piece) -> bool {
        let next = self.0.partition_point(|covered| covered.end <= piece.start);
        self.0.get(next).is_some_and(|covered| covered.overlaps(piece))
    }
}

/// The title is the first field.
const TITLE: usize = 0;
/// Bytes of a title that are read: on no platform is a title nearly as long.
const TITLE_BYTES: usize = 4 << 10;
/// Bytes of all other fields together that are read.
const OTHER_BYTES: usize = 128 << 10;

impl<'a> Document<'a> {
    pub(crate) fn of(listing: &'a Listing) -> Self {
        let mut document = Self::default();
        document.push(Path::Title, listing.title());
        if let Some(brand) = &listing.brand {
            document.push(Path::Brand, brand);
        }
        if let Some(description) = &listing.description {
            document.push(Path::Description, description);
        }
        for (i, name) in listing.variants.iter().enumerate().filter_map(|(i, v)| v.name.as_deref().map(|name| (i, name))) {
            document.push(Path::Variant(i), name);
        }
        for (key, value) in listing.attributes.iter().flatten() {
            document.push(Path::Attribute(key), value);
        }
        for (i, text) in listing.image_text.iter().enumerate() {
            document.push(Path::ImageText(i), text);
        }
        document
    }

    /// Adds a field, cut where more would be read than is allowed; what has no room is left out.
    fn push(&mut self, path: Path<'a>, original: &'a str) {
        let room = if self.fields.is_empty() { TITLE_BYTES } else { OTHER_BYTES - self.read };
        let original = &original[..original.floor_char_boundary(room)];
        if !self.fields.is_empty() {
            if original.is_empty() {
                return;
            }
            self.read += original.len();
        }
        let (start, word) = (self.normalised.text.len(), self.normalised.tokens.len());
        self.normalised.push(original);
        let (range, words) = (start..self.normalised.text.len() - 1, word..self.normalised.tokens.len());
        self.fields.push(Field { path, original, range, words, origin: OnceCell::new() });
    }

    pub(crate) fn text(&self) -> &str {
        &self.normalised.text
    }

    /// The field that a piece stands in.
    pub(crate) fn field_of(&self, piece: Piece) -> &Field<'a> {
        &self.fields[self.field_index(piece)]
    }

    pub(crate) fn field_index(&self, piece: Piece) -> usize {
        self.fields.partition_point(|field| field.range.end < piece.start).min(self.fields.len() - 1)
    }

    pub(crate) fn title(&self) -> &Field<'a> {
        &self.fields[TITLE]
    }

    pub(crate) fn in_title(&self, piece: Piece) -> bool {
        self.field_index(piece) == TITLE
    }

    /// Whether a piece stands in the description: the other fields name what is sold.
    pub(crate) fn in_prose(&self, piece: Piece) -> bool {
        self.field_of(piece).path == Path::Description
    }

    /// The bytes of its field that a piece came from.
    pub(crate) fn original_range(&self, piece: Piece) -> Range<usize> {
        let field = self.field_of(piece);
        field.origin().original(field.inside(piece))
    }

    /// The original text of a piece.
    pub(crate) fn original(&self, piece: Piece) -> &'a str {
        &self.field_of(piece).original[self.original_range(piece)]
    }

    /// The greatest change that made a piece of what it came from.
    pub(crate) fn change(&self, piece: Piece) -> Change {
        let field = self.field_of(piece);
        field.origin().change(field.inside(piece))
    }

    pub(crate) fn span(&self, piece: Piece) -> Span {
        let field = self.field_of(piece);
        let original = self.original_range(piece);
        Span {
            field: field.path.to_string(),
            start: original.start as u64,
            end: original.end as u64,
            text: field.original[original].to_owned(),
        }
    }

    /// Words of a field, in order.
    pub(crate) fn words(&self, field: usize) -> &[Token] {
        &self.normalised.tokens[self.fields[field].words.clone()]
    }

    /// Whether a number with a fraction stands right before a piece: "0.9 kW".
    pub(crate) fn decimal_before(&self, piece: Piece) -> bool {
        let field = self.field_of(piece);
        let before = field.original[..self.original_range(piece).start].trim_end();
        let fraction = before.trim_end_matches(|c: char| c.is_ascii_digit());
        fraction.len() < before.len()
            && fraction.strip_suffix(['.', ',']).is_some_and(|whole| whole.ends_with(|c: char| c.is_ascii_digit()))
    }

    /// Whether at most so many words stand between two pieces of one field. Reads no further than it must.
    pub(crate) fn within_words(&self, a: Piece, b: Piece, most: usize) -> bool {
        let (left, right) = if a.start <= b.start { (a, b) } else { (b, a) };
        // No word is longer than a field; a gap of so many bytes is far.
        const LONGEST: usize = 64;
        if self.field_index(a) != self.field_index(b) || right.start.saturating_sub(left.end) > (most + 2) * LONGEST {
            return false;
        }
        let gap = self.text().get(left.end..right.start).unwrap_or_default();
        // Where words run together there are no spaces: three characters count as a word.
        gap.split(' ').filter(|w| !w.is_empty()).map(|w| if w.is_ascii() { 1 } else { w.chars().count().div_ceil(3) }).sum::<usize>()
            <= most
    }

    /// Whether a piece is a word, or words, of its own and not part of another word; a number may follow it at once.
    pub(crate) fn is_name(&self, piece: Piece) -> bool {
        let after = self.text()[piece.end..].chars().next();
        // Model 574 as "nb574".
        let number_follows = self.text()[..piece.end].ends_with(char::is_alphabetic) && after.is_some_and(|c| c.is_ascii_digit());
        self.begins(piece) && (number_follows || self.ends(piece))
    }

    /// Whether a piece is a word, or words, of its own and not part of another word.
    pub(crate) fn is_whole(&self, piece: Piece) -> bool {
        self.begins(piece) && self.ends(piece)
    }

    fn begins(&self, piece: Piece) -> bool {
        let text = self.text();
        let before = text[..piece.start].chars().next_back();
        let first = text[piece.range()].chars().next();
        // Korean particles follow a name, but a short name within a longer word is another word.
        let korean_tail = first.is_some_and(is_hangul) && piece.end - piece.start <= 6 && before.is_some_and(is_hangul);
        !joins(before, first) && !korean_tail
    }

    fn ends(&self, piece: Piece) -> bool {
        !joins(self.text()[piece.range()].chars().next_back(), self.text()[piece.end..].chars().next())
    }
}

/// Whether two neighbouring characters belong to one word.
fn joins(left: Option<char>, right: Option<char>) -> bool {
    let wordy = |c: char| c != ' ' && c != '\n';
    match (left, right) {
        (Some(l), Some(r)) if wordy(l) && wordy(r) => !(runs_together(l) || runs_together(r)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str, part: &str) -> bool {
        let mut document = Document::default();
        document.push(Path::Title, text);
        let start = document.text().find(part).expect("the part");
        document.is_name(Piece { start, end: start + part.len() })
    }

    #[test]
    fn a_name_is_a_word_of_its_own() {
        for (text, part, expected) in [
            ("Nordvale shoes", "nordvale", true),
            ("Nordvale2 shoes", "nordvale", true),
            ("2Nordvale", "nordvale", false),
            ("Nordvaleshoes", "nordvale", false),
            ("รองเท้าNordvaleสีดำ", "nordvale", true),
            ("노드베일운동화", "노드베일", true),
            ("가나다", "나다", false),
            ("跑鞋", "鞋", true),
            ("pineapple", "apple", false),
        ] {
            assert_eq!(whole(text, part), expected, "{part} in {text}");
        }
    }
}
