//! How many pieces one buys, as a title says it.

/// Words after a number that count pieces, in the languages served; normalised.
const COUNTERS: &[&str] = &[
    "pc",
    "pcs",
    "pces",
    "pieces",
    "pack",
    "packs",
    "pk",
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
/// Words after the number one that count pieces: a greater number before them is a model's ("runner 9 pair of shoes").
const SINGULAR: &[&str] = &["piece", "pair", "pce"];
/// Words before a number that count what the shop has and not what one buys.
const STOCK: &[&str] = &["stock", "stok", "sisa", "only", "last", "con", "tinggal", "restan", "quedan"];
/// Units of size: "50 ml x 3" is three pieces.
const SIZES: &[&str] = &["ml", "g", "gr", "oz", "l", "kg", "cl", "tablets", "capsules"];
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
        if i > 0 && STOCK.contains(&tokens[i - 1]) {
            continue;
        }
        if let Some(n) = fused(token).or_else(|| times(&tokens, i)) {
            return Some(n);
        }
        if *token == "1" && tokens.get(i + 1).is_some_and(|next| SINGULAR.contains(next)) {
            return Some(1);
        }
        if let Some(n) = number(token)
            && (tokens.get(i + 1).is_some_and(|next| COUNTERS.contains(next)) || i > 0 && introduces(&tokens[..i]))
        {
            return Some(n);
        }
    }
    None
}

/// "50 ml x 3", "50ml x3".
fn times(tokens: &[&str], i: usize) -> Option<u64> {
    let number = match tokens[i].strip_prefix('x')? {
        "" => tokens.get(i + 1)?,
        fused => fused,
    };
    let size = tokens.get(i.checked_sub(1)?)?.trim_start_matches(|c: char| c.is_ascii_digit());
    number.parse().ok().filter(|n| (2..=MOST).contains(n) && SIZES.contains(&size))
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
            ("runner 9 pair of shoes", None),
            ("1 pair of socks", Some(1)),
            ("runner 9 chinh hang", None),
            ("only 20 pcs left", None),
            ("ready stock 20 pcs", None),
            ("serum 50 ml x 3", Some(3)),
            ("serum 50ml x3", Some(3)),
            ("bmw x 5", None),
            ("9000 pcs", None),
            ("", None),
        ] {
            assert_eq!(pieces(title), expected, "{title}");
        }
    }
}
