//! Names misspelt by one slip that a reader would not notice.

/// Shortest name that a misspelling is looked for of.
pub(super) const SHORTEST: usize = 5;
/// From this length on a name is still told by its ends when one of them slips.
pub(super) const LONG: usize = 7;
/// From this length on any letter inside may be another.
const VERY_LONG: usize = 9;

/// First and last letter of a word, as a number under 26 * 26.
pub(super) fn shape(first: u8, last: u8) -> usize {
    let letter = |b: u8| usize::from(b.saturating_sub(b'a').min(25));
    letter(first) * 26 + letter(last)
}

/// The shapes that a misspelling of a name may have.
pub(super) fn shapes(name: &[u8]) -> Vec<usize> {
    let (first, last) = (name[0], name[name.len() - 1]);
    let mut all = vec![shape(first, last)];
    if name.len() >= LONG {
        all.extend((b'a'..=b'z').filter(|c| begin_alike(*c, first)).map(|c| shape(c, last)));
        all.push(shape(first, b's'));
        all.extend((b'a'..=b'z').filter(|c| alike(*c, last)).map(|c| shape(first, c)));
    }
    // The last two swapped, or the last dropped.
    if name.len() >= 2 {
        all.push(shape(first, name[name.len() - 2]));
    }
    all
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// Whether a word is a name with one slip that a reader would not notice: a letter doubled, dropped or added inside,
/// two neighbours swapped, or a letter for one that looks or sounds alike. First and last letters stay, since a change
/// there usually makes another word ("valentine" is no slip of a name that ends in o); a long name may begin with a letter
/// that sounds alike, lose its last letter or double it, take an s, or have any vowel for another. In five letters a slip
/// often makes another word, so that only a doubled letter, a swap or a dropped vowel counts.
pub(super) fn is_misspelling(word: &[u8], name: &[u8]) -> bool {
    if word == name {
        return false;
    }
    if name.len() >= LONG {
        let tail = name.len() - 1;
        let slipped = word == &name[..tail] || word.strip_suffix(b"s") == Some(name) || word.strip_suffix(&name[tail..]) == Some(name);
        if slipped || (word[1..] == name[1..] && begin_alike(word[0], name[0])) {
            return true;
        }
    }
    let (w, n) = (word.len(), name.len());
    // "Rolxe": the last two swapped.
    if w == n && word[..n - 2] == name[..n - 2] && word[n - 2] == name[n - 1] && word[n - 1] == name[n - 2] {
        return true;
    }
    if n >= LONG && w == n && word[..n - 1] == name[..n - 1] && alike(word[n - 1], name[n - 1]) {
        return true;
    }
    if word.first() != name.first() || word.last() != name.last() {
        return false;
    }
    let prefix = word.iter().zip(name).take_while(|(a, b)| a == b).count();
    let suffix = word.iter().rev().zip(name.iter().rev()).take_while(|(a, b)| a == b).count();
    let (short, long) = (word.len().min(name.len()), word.len().max(name.len()));
    let doubled = word.len() > name.len() && prefix > 0 && word[prefix] == word[prefix - 1];
    let short_name = name.len() <= SHORTEST;
    match long - short {
        1 => prefix + suffix >= short && (doubled || !short_name || (word.len() < name.len() && is_vowel(name[prefix]))),
        0 if prefix + suffix + 1 == short => {
            let vowels = name.len() >= LONG && is_vowel(word[prefix]) && is_vowel(name[prefix]);
            let any = name.len() >= VERY_LONG;
            (alike(word[prefix], name[prefix]) || vowels || any) && (!short_name || is_vowel(name[prefix]))
        }
        0 if prefix + suffix + 2 == short => word[prefix] == name[prefix + 1] && word[prefix + 1] == name[prefix],
        _ => false,
    }
}

/// Letters that sound alike at the beginning of a name.
fn begin_alike(a: u8, b: u8) -> bool {
    const PAIRS: [&[u8; 2]; 5] = [b"ck", b"kq", b"cq", b"sz", b"iy"];
    PAIRS.iter().any(|pair| **pair == [a, b] || **pair == [b, a])
}

/// Letters that look or sound alike.
fn alike(a: u8, b: u8) -> bool {
    const PAIRS: [&[u8; 2]; 20] = [
        b"bd", b"hn", b"xs", b"iy", b"il", b"ij", b"uv", b"vw", b"ck", b"kq", b"cs", b"sz", b"mn", b"fv", b"bp", b"dt", b"gj", b"ei",
        b"ou", b"uw",
    ];
    PAIRS.iter().any(|pair| **pair == [a, b] || **pair == [b, a])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_keeps_the_ends_and_slips_once() {
        for (word, name, expected) in [
            ("nordvalle", "nordvale", true),
            ("norvale", "nordvale", true),
            ("nordvlae", "nordvale", true),
            ("nortvale", "nordvale", true),
            ("nordvala", "nordvale", false),
            ("nordvales", "nordvale", true),
            ("nordvael", "nordvale", true),
            ("nardvale", "nordvale", true),
            ("marovxlle", "marovelle", true),
            ("kesr", "kesra", false),
            ("nordval", "nordvale", true),
            ("quellin", "kuellin", true),
            ("orelo", "orel", false),
            ("mordvale", "nordvale", false),
            ("nordxale", "nordvale", false),
            ("nordvale", "nordvale", false),
            ("norvlae", "nordvale", false),
            ("lummo", "lumo", true),
            ("orrel", "orel", true),
            ("kessra", "kesra", true),
            ("kesa", "kesra", false),
        ] {
            assert_eq!(is_misspelling(word.as_bytes(), name.as_bytes()), expected, "{word}");
        }
    }
}
