//! What each character becomes when text is normalised, worked out once for every code point.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// How far a character had to be changed; the greatest of a span says how a name was hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// As it stands.
    None,
    /// Another case.
    Case,
    /// An accent, a width or a compatibility form.
    Folded,
    /// A letter of another script, or a drawing of a letter.
    Confusable,
    /// An invisible character stood before it, inside a word.
    Torn,
}

/// What becomes of a character.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    /// It becomes these letters, digits or marks.
    Kept(&'static str, Change),
    /// It divides words.
    Separator,
    /// It is invisible.
    Invisible,
    /// A mark on the letter before it, which goes with it.
    Mark,
}

const TABLED: usize = 0x2_0000;

struct Table {
    /// Index into `kept`, or one of the three constants.
    fate: Vec<u32>,
    kept: Vec<(&'static str, Change)>,
}

const SEPARATOR: u32 = u32::MAX;
const INVISIBLE: u32 = u32::MAX - 1;
const MARK: u32 = u32::MAX - 2;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { fate: Vec::with_capacity(TABLED), kept: Vec::new() };
    for code in 0..TABLED as u32 {
        let fate = match char::from_u32(code).map(work_out) {
            None | Some(Worked::Separator) => SEPARATOR,
            Some(Worked::Invisible) => INVISIBLE,
            Some(Worked::Mark) => MARK,
            Some(Worked::Kept(text, change)) => {
                // The table lives as long as the program, so its texts may.
                table.kept.push((Box::leak(text.into_boxed_str()), change));
                (table.kept.len() - 1) as u32
            }
        };
        table.fate.push(fate);
    }
    table
});

/// What becomes of a character. Characters beyond the second plane (rare ideographs) stay as they are.
pub(crate) fn fate(c: char) -> Option<Fate> {
    let code = c as usize;
    if code >= TABLED {
        return if is_invisible(c) { Some(Fate::Invisible) } else { None };
    }
    Some(match TABLE.fate[code] {
        SEPARATOR => Fate::Separator,
        INVISIBLE => Fate::Invisible,
        MARK => Fate::Mark,
        index => {
            let (text, change) = TABLE.kept[index as usize];
            Fate::Kept(text, change)
        }
    })
}

enum Worked {
    Kept(String, Change),
    Separator,
    Invisible,
    Mark,
}

fn work_out(c: char) -> Worked {
    if is_invisible(c) {
        return Worked::Invisible;
    }
    // Signs of a mark would become letters of the name before them.
    if matches!(c, '™' | '℠') {
        return Worked::Separator;
    }
    if c.is_ascii() {
        return match c {
            'a'..='z' | '0'..='9' => Worked::Kept(c.to_string(), Change::None),
            'A'..='Z' => Worked::Kept(c.to_ascii_lowercase().to_string(), Change::Case),
            _ => Worked::Separator,
        };
    }
    if is_latin_mark(c) {
        return Worked::Mark;
    }
    if let Some(letter) = drawn_letter(c) {
        return Worked::Kept(letter.to_string(), Change::Confusable);
    }
    // Confusables before case folding, since a capital may look Latin where its small letter does not; and after it,
    // since the small letter may where the capital does not.
    if let Some(letter) = look_alike(c) {
        return Worked::Kept(letter.to_string(), if is_latin(c) { Change::Folded } else { Change::Confusable });
    }
    let lower: String = without_marks(c).chars().flat_map(char::to_lowercase).filter(|c| !is_latin_mark(*c)).collect();
    let folded: String = lower.chars().map(|c| look_alike(c).unwrap_or(c)).collect();
    if folded.is_empty() || !folded.chars().all(is_wordy) {
        return Worked::Separator;
    }
    let change = match () {
        () if folded != lower && !is_latin(c) => Change::Confusable,
        () if folded.chars().eq(std::iter::once(c)) => Change::None,
        () if folded.chars().eq(c.to_lowercase()) => Change::Case,
        () => Change::Folded,
    };
    Worked::Kept(folded, change)
}

/// Small letters drawn like capitals, which the tables of confusables leave out.
#[rustfmt::skip]
const SMALL: &[(char, char)] = &[
    ('к', 'k'), ('т', 't'), ('м', 'm'), ('є', 'e'), ('ᴀ', 'a'), ('ʙ', 'b'), ('ᴄ', 'c'), ('ᴅ', 'd'), ('ᴇ', 'e'), ('ꜰ', 'f'), ('ɢ', 'g'), ('ʜ', 'h'), ('ɪ', 'i'),
    ('ᴊ', 'j'), ('ᴋ', 'k'), ('ʟ', 'l'), ('ᴍ', 'm'), ('ɴ', 'n'), ('ᴏ', 'o'), ('ᴘ', 'p'), ('ʀ', 'r'), ('ꜱ', 's'), ('ᴛ', 't'), ('ᴜ', 'u'), ('ᴠ', 'v'), ('ᴡ', 'w'),
    ('ʏ', 'y'), ('ᴢ', 'z'), ('ғ', 'f'), ('қ', 'k'), ('ǫ', 'q'),
];

/// The ASCII letter or digit, in lower case, that a letter of another alphabet is drawn like.
fn look_alike(c: char) -> Option<char> {
    if without_marks(c).is_ascii() || !may_be_confused(c) {
        return None;
    }
    if let Some((_, letter)) = SMALL.iter().find(|(small, _)| *small == c) {
        return Some(*letter);
    }
    let bare =
        unicode_security::confusable_detection::skeleton(c.encode_utf8(&mut [0; 4])).filter(|c| !is_latin_mark(*c)).collect::<String>();
    let mut letters = bare.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii_alphanumeric() => Some(letter.to_ascii_lowercase()),
        _ => None,
    }
}

/// The compatibility form, composed, and without accents where the letter under them is ASCII.
/// Hangul stays composed and Thai keeps its marks.
fn without_marks(c: char) -> String {
    let bare: String = std::iter::once(c).nfkd().filter(|c| !is_latin_mark(*c)).collect();
    if bare.is_ascii() { bare } else { std::iter::once(c).nfkc().collect() }
}

/// Mathematical, circled, squared and regional-indicator letters and digits: drawings of a letter.
fn drawn_letter(c: char) -> Option<char> {
    let drawn = matches!(c as u32, 0x1D400..=0x1D7FF | 0x2460..=0x24FF | 0x1F100..=0x1F1FF);
    if let 0x1F130..=0x1F149 | 0x1F150..=0x1F169 | 0x1F170..=0x1F189 | 0x1F1E6..=0x1F1FF = c as u32 {
        let base = match c as u32 {
            0x1F1E6.. => 0x1F1E6,
            0x1F170.. => 0x1F170,
            0x1F150.. => 0x1F150,
            _ => 0x1F130,
        };
        return char::from_u32('a' as u32 + c as u32 - base);
    }
    let form: String = std::iter::once(c).nfkd().collect();
    let mut letters = form.chars().filter(|c| c.is_ascii_alphanumeric());
    match (letters.next(), letters.next()) {
        (Some(letter), None) if drawn => Some(letter.to_ascii_lowercase()),
        _ => None,
    }
}

/// The blocks whose letters sellers borrow for Latin ones. Ideographs, Thai and the Indian scripts are left alone:
/// there a look-alike is an ordinary letter.
fn may_be_confused(c: char) -> bool {
    matches!(c as u32,
        0x0080..=0x058F | 0x10A0..=0x10FF | 0x13A0..=0x13FF | 0x1C80..=0x1C8F | 0x1D00..=0x1FFF | 0x2100..=0x214F
        | 0x2C60..=0x2CFF | 0xA4D0..=0xA4FF | 0xA640..=0xA69F | 0xA720..=0xA7FF | 0xAB30..=0xABBF)
}

/// Letters that some language of the Latin script writes.
fn is_latin(c: char) -> bool {
    matches!(c as u32, 0x00C0..=0x024F | 0x1E00..=0x1EFF)
}

fn is_latin_mark(c: char) -> bool {
    matches!(c as u32, 0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

/// Default-ignorable characters: zero-width, direction marks, variation selectors, tags.
fn is_invisible(c: char) -> bool {
    matches!(c as u32,
        0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x202A..=0x202E
        | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFF8 | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
        | 0xE0000..=0xE0FFF)
}

/// Letters, digits, and the marks of scripts that need them.
fn is_wordy(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || matches!(c as u32, 0x0E00..=0x0E7F)
}

/// Whether words of this character's script run together, so that a name may begin or end beside it.
pub(crate) fn runs_together(c: char) -> bool {
    matches!(c as u32, 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1100..=0x11FF | 0x1780..=0x17FF | 0x2E80..=0x9FFF | 0xA960..=0xA97F
        | 0xAC00..=0xD7FF | 0xF900..=0xFAFF | 0xFF66..=0xFFDC | 0x20000..=0x3FFFF)
}

/// Hangul syllables and letters: particles follow a name there, but nothing stands before it.
pub(crate) fn is_hangul(c: char) -> bool {
    matches!(c as u32, 0x1100..=0x11FF | 0x3131..=0x318E | 0xA960..=0xA97F | 0xAC00..=0xD7FF)
}
