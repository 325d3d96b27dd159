//! How many pieces one buys, as a title says it.

/// Words after a number that count pieces, in the languages served; normalised.
const COUNTERS: &[&str] = &[
    "pc",
    "pcs",
    "pce",
    "pces",
    "piece",
    "pieces",
    "pack",
    "packs",
    "pk",
    "pair",
    "pairs",
    "ct",
    "count",
    "buah",
    "biji",
    "lembar",
    "pasang",
    "keping",
    "helai",
    "cai",
    "chiec",
    "doi",
    "cap",
    "goi",
    "chinh",
    "unidades",
    "unidad",
    "piezas",
    "pieza",
    "pares",
    "uds",
    "unid",
    "pecas",
    "개",
    "개입",
    "매",
    "件",
    "个",
    "個",
    "双",
    "雙",
    "只",
    "條",
    "条",
    "包",
    "ชิ้น",
    "คู่",
    "ตัว",
    "แพ็ค",
];
/// Words before a number that count pieces.
const BEFORE: &[&str] = &["isi", "set of", "pack of", "lot of", "box of", "pack", "combo", "bo", "set"];
const MOST: u64 = 500;

/// The number of pieces that a normalised title names; nothing when it names none.
pub(crate) fn pieces(title: &str) -> Option<u64> {
    let tokens: Vec<&str> = title.split([' ', '\n']).collect();
    let number = |token: &str| token.parse::<u64>().ok().filter(|n| (1..=MOST).contains(n));
    let fused = |token: &str| {
        let digits = token.bytes().take_while(u8::is_ascii_digit).count();
        let (n, counter) = token.split_at(digits);
        number(n).filter(|_| COUNTERS.contains(&counter))
    };
    for (i, token) in tokens.iter().enumerate() {
        if let Some(n) = fused(token) {
            return Some(n);
        }
        if let Some(n) = number(token)
            && (tokens.get(i + 1).is_some_and(|next| COUNTERS.contains(next)) || i > 0 && introduces(&tokens[..i]))
        {
            return Some(n);
        }
    }
    None
}

/// "isi 10", "pack of 3"; a bare "set 3" or "pack 3" may be a model and is not taken.
fn introduces(before: &[&str]) -> bool {
    let last = before[before.len() - 1];
    match before {
        [.., first, _] if BEFORE.contains(&format!("{first} {last}").as_str()) => true,
        _ => last == "isi" || last == "combo",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_number_of_pieces_from_a_title() {
        for (title, expected) in [
            ("cotton swab isi 100 pcs", Some(100)),
            ("crew socks 3 pairs white", Some(3)),
            ("pack of 6 shirts", Some(6)),
            ("combo 50 stickers", Some(50)),
            ("2pcs case", Some(2)),
            ("air runner 90", None),
            ("size 42 shoes", None),
            ("set 3", None),
            ("9000 pcs", None),
            ("", None),
        ] {
            assert_eq!(pieces(title), expected, "{title}");
        }
    }
}
