//! Ways to be reached that a text names: numbers, handles, mail addresses.

/// Fewest digits of a number: shorter ones are prices, sizes and years.
const FEWEST_DIGITS: usize = 8;
/// Most digits of a number, those of E.164.
const MOST_DIGITS: usize = 15;
/// Fewest characters of a handle.
const FEWEST: usize = 6;
/// Zeros of the scripts that sellers write numbers in; their nines stand nine further.
const ZEROS: [char; 7] = ['0', '０', '๐', '٠', '۰', '०', '০'];

/// Numbers as digits, handles and mail addresses in lower case; sorted, each once.
pub(super) fn contacts(text: &str) -> Vec<String> {
    let text: Vec<char> = text.chars().map(|c| digit(c).unwrap_or(c)).collect();
    let mut found: Vec<String> = numbers(&text).chain(handles(&text)).collect();
    found.sort();
    found.dedup();
    found
}

/// The digit as ASCII writes it.
fn digit(c: char) -> Option<char> {
    ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(u32::from(*zero)).and_then(|n| char::from_digit(n, 10)))
}

/// Runs of digits, with at most two signs between two of them.
fn numbers(text: &[char]) -> impl Iterator<Item = String> {
    let (mut runs, mut gap) = (vec![String::new()], 0);
    for c in text {
        let sign = matches!(c, ' ' | '-' | '.' | '(' | ')' | '+');
        gap = if c.is_ascii_digit() { 0 } else { gap + 1 };
        match runs.last_mut() {
            Some(run) if c.is_ascii_digit() || (sign && gap <= 2) => run.push(*c),
            _ => runs.push(String::new()),
        }
    }
    runs.into_iter().filter_map(|run| number(&run))
}

/// The digits of a run, unless they are sizes (39 40 41 42) or an amount (15.000.000).
fn number(run: &str) -> Option<String> {
    let run = run.trim_matches(|c: char| !c.is_ascii_digit());
    let groups: Vec<&str> = run.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let sizes = groups.iter().all(|group| group.len() < 3);
    let amount =
        groups.len() > 1 && groups[1..].iter().all(|group| group.len() == 3) && run.chars().all(|c| c == '.' || c.is_ascii_digit());
    let digits = groups.concat();
    (!sizes && !amount && (FEWEST_DIGITS..=MOST_DIGITS).contains(&digits.len())).then_some(digits)
}

/// What stands behind an at sign, with what stands before it; and what stands behind a colon and has letters and more.
fn handles(text: &[char]) -> impl Iterator<Item = String> {
    let of_handle = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let word = |from: usize| text[from..].iter().take_while(|c| of_handle(c)).collect::<String>();
    let mut all = Vec::new();
    for (i, c) in text.iter().enumerate() {
        let found = match c {
            '@' => {
                let before = text[..i].iter().rev().take_while(|c| of_handle(c)).count();
                let (local, rest) = (word(i - before), word(i + 1));
                let rest = rest.trim_end_matches(['.', '-']);
                // "me@shop" is no address, and "shop" no handle.
                match before {
                    0 => rest.to_owned(),
                    _ if rest.contains('.') => format!("{local}@{rest}"),
                    _ => String::new(),
                }
            }
            ':' | '：' => {
                let spaces = text[i + 1..].iter().take_while(|c| **c == ' ').count();
                let word = word(i + 1 + spaces);
                let word = word.trim_end_matches(['.', '-']);
                let named = word.contains(|c: char| c.is_ascii_alphabetic()) && word.contains(|c: char| c.is_ascii_digit() || c == '_');
                if named { word.to_owned() } else { String::new() }
            }
            _ => continue,
        };
        if found.len() >= FEWEST {
            all.push(found.to_lowercase());
        }
    }
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_handles_and_no_ordinary_words() {
        for (text, found) in [
            ("WhatsApp +62 812-3456-7890", &["6281234567890"][..]),
            ("whatsapp ０８１２３４５６７８", &["0812345678"]),
            ("ไลน์ ๐๘๑๒๓๔๕๖๗๘", &["0812345678"]),
            ("call (021) 5550 1234!", &["02155501234"]),
            ("wa 150.000", &[]),
            ("wa 15.000.000", &[]),
            ("size 39 40 41 42 43 44", &[]),
            ("call 81234567 -- 7", &["81234567"]),
            ("1234 5678 9012 3456", &[]),
            ("IG @Best_Shop.", &["best_shop"]),
            ("IG @shop", &[]),
            ("mail Me.Too@Mail.Example.", &["me.too@mail.example"]),
            ("line id: king88", &["king88"]),
            ("微信：fake_goods1", &["fake_goods1"]),
            ("wechat: contact us", &[]),
            ("line@: a", &[]),
            ("@", &[]),
            ("whatsapp", &[]),
            ("", &[]),
        ] {
            assert_eq!(contacts(text), found, "{text}");
        }
    }
}
