//! "not", before a name or a code word, in the languages served: what follows is what the goods are not.

use super::document::{Document, Piece};

/// What stands right before; normalised.
const BEFORE: &[&str] = &[
    "not",
    "not a",
    "no",
    "never",
    "non",
    "isn t",
    "isnt",
    "without",
    "anti",
    "beware of",
    "against",
    "bukan",
    "tanpa",
    "khong",
    "khong phai",
    "khong phai la",
    "khong ban",
    "hindi",
    "hindi po",
    "nao",
    "nao e",
    "sem",
    "no es",
    "no son",
    "nao sao",
    "alternative to",
    "better than",
    "lighter than",
    "cheaper than",
    "sin",
    "ไม่ใช่",
    "ไม่ใช่ของ",
    "ไม่มี",
    "ไม่ขาย",
    "不是",
    "非",
    "拒绝",
    "拒絕",
    "不卖",
    "绝非",
    "杜绝",
    "抵制",
];
/// What stands right behind, as in Korean.
const BEHIND: &[&str] = &["아님", "아닙니다", "아니에요", "아닌", "절대 아님", "사절", "안팝니다"];

/// Words that no language denies by when they bear an accent: "nón" is a hat.
const BARE: &[&str] = &["non", "no", "sin", "not", "anti"];

fn is_accented(document: &Document<'_>, start: usize, word: &str) -> bool {
    BARE.contains(&word) && !document.original(Piece { start, end: start + word.len() }).is_ascii()
}

/// Whether a place is denied by what stands beside it.
pub(super) fn is_denied(document: &Document<'_>, piece: Piece) -> bool {
    let field = document.field_of(piece).range.clone();
    let before = document.text()[field.start..piece.start].trim_end();
    let behind = document.text()[piece.end..field.end].trim_start();
    // Where words run together nothing divides them.
    let divided = |rest: &str, word: &str, edge: Option<char>| rest.is_empty() || !word.is_ascii() || edge == Some(' ');
    let denies = |word: &str| {
        before
            .strip_suffix(word)
            .is_some_and(|rest| divided(rest, word, rest.chars().next_back()) && !is_accented(document, field.start + rest.len(), word))
    };
    BEFORE.iter().any(|word| denies(word)) || BEHIND.iter().any(|word| behind.starts_with(word))
}
