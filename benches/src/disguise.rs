//! The ways in which sellers write a name so that a search does not find it.

use fastrand::Rng;

/// A way to hide a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disguise {
    /// Digits and signs for letters: n0rdv4le.
    Leet,
    /// A space between all letters.
    Spaced,
    /// A sign inside.
    Punctuated,
    /// A picture inside.
    Emoji,
    /// An invisible character inside.
    ZeroWidth,
    /// Letters of other alphabets.
    Homoglyphs,
    /// Mathematical letters.
    Mathematical,
    /// Wide letters.
    FullWidth,
    /// Accents upon letters.
    Accents,
    /// A letter hidden by a star.
    Starred,
    /// A letter twice.
    Doubled,
    /// A letter left out.
    Dropped,
    /// Two neighbours swapped.
    Swapped,
}

impl Disguise {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Leet,
        Self::Spaced,
        Self::Punctuated,
        Self::Emoji,
        Self::ZeroWidth,
        Self::Homoglyphs,
        Self::Mathematical,
        Self::FullWidth,
        Self::Accents,
        Self::Starred,
        Self::Doubled,
        Self::Dropped,
        Self::Swapped,
    ];

    /// Its name, as a class of listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leet => "leet",
            Self::Spaced => "spaced",
            Self::Punctuated => "punctuated",
            Self::Emoji => "emoji",
            Self::ZeroWidth => "zero_width",
            Self::Homoglyphs => "homoglyphs",
            Self::Mathematical => "mathematical",
            Self::FullWidth => "full_width",
            Self::Accents => "accents",
            Self::Starred => "starred",
            Self::Doubled => "doubled",
            Self::Dropped => "dropped",
            Self::Swapped => "swapped",
        }
    }

    /// The name in disguise; nothing where it cannot be disguised so: it is too short, or has no letter that has a look-alike.
    pub fn of(self, name: &str, rng: &mut Rng) -> Option<String> {
        let letters: Vec<char> = name.chars().collect();
        // Inside a word: neither its first letter nor its last, letters on both sides.
        let inside: Vec<usize> =
            (1..letters.len().saturating_sub(1)).filter(|i| letters[i - 1..=i + 1].iter().all(char::is_ascii_alphabetic)).collect();
        let at = |rng: &mut Rng| inside.get(rng.usize(..inside.len().max(1))).copied();
        let mapped = |map: &dyn Fn(char) -> Option<char>| -> Option<String> {
            let text: String = letters.iter().map(|c| map(*c).unwrap_or(*c)).collect();
            (text != name).then_some(text)
        };
        let with = |i: usize, sign: &str| -> String {
            let (head, tail) = letters.split_at(i);
            format!("{}{sign}{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
        };
        // Names of fewer letters become other words by a slip.
        let slips = inside.len() >= 3 && letters.len() >= 6;
        match self {
            Self::Leet => {
                let signs = rng.bool();
                mapped(&|c| match c.to_ascii_lowercase() {
                    'o' => Some('0'),
                    'e' => Some('3'),
                    'a' => Some(if signs { '@' } else { '4' }),
                    's' => Some(if signs { '$' } else { '5' }),
                    'i' => Some('1'),
                    _ => None,
                })
                .filter(|_| letters.len() >= 4)
            }
            Self::Spaced => (letters.len() >= 4 && name.chars().all(|c| c.is_ascii_alphabetic()))
                .then(|| letters.iter().map(char::to_string).collect::<Vec<_>>().join(" ")),
            Self::Punctuated => {
                let sign = [".", "_", "~", "|", "*.*"][rng.usize(..5)];
                (letters.len() >= 5).then(|| at(rng)).flatten().map(|i| with(i, sign))
            }
            Self::Emoji => {
                let sign = ["💎", "⭐", "🔥", "👟"][rng.usize(..4)];
                (letters.len() >= 5).then(|| at(rng)).flatten().map(|i| with(i, sign))
            }
            Self::ZeroWidth => at(rng).map(|i| with(i, ["\u{200b}", "\u{200d}", "\u{2060}", "\u{ad}"][rng.usize(..4)])),
            Self::Homoglyphs => mapped(&|c| match c {
                'a' => Some('а'),
                'e' => Some('е'),
                'o' => Some('о'),
                'i' => Some('і'),
                'A' => Some('А'),
                'E' => Some('Ε'),
                'O' => Some('Ο'),
                _ => None,
            }),
            Self::Mathematical => mapped(&|c| {
                let (from, base) = if c.is_ascii_uppercase() { ('A', 0x1D5D4) } else { ('a', 0x1D5EE) };
                c.is_ascii_alphabetic().then(|| char::from_u32(base + c as u32 - from as u32)).flatten()
            }),
            Self::FullWidth => mapped(&|c| c.is_ascii_graphic().then(|| char::from_u32(c as u32 + 0xFEE0)).flatten()),
            Self::Accents => mapped(&|c| match c {
                'a' => Some('ä'),
                'e' => Some('é'),
                'o' => Some('ô'),
                'i' => Some('ï'),
                'u' => Some('ü'),
                'A' => Some('Ä'),
                'E' => Some('É'),
                'O' => Some('Ô'),
                _ => None,
            })
            .filter(|text| text.chars().filter(|c| !c.is_ascii()).count() >= 2),
            Self::Starred => (letters.len() >= 5).then(|| at(rng)).flatten().map(|i| {
                let mut starred = letters.clone();
                starred[i] = '*';
                starred.into_iter().collect()
            }),
            Self::Doubled => slips.then(|| at(rng)).flatten().map(|i| with(i, &letters[i].to_string())),
            Self::Dropped => slips.then(|| at(rng)).flatten().map(|i| {
                let mut dropped = letters.clone();
                dropped.remove(i);
                dropped.into_iter().collect()
            }),
            Self::Swapped => slips.then(|| at(rng)).flatten().filter(|i| letters[*i] != letters[i + 1]).map(|i| {
                let mut swapped = letters.clone();
                swapped.swap(i, i + 1);
                swapped.into_iter().collect()
            }),
        }
        .filter(|text| text.to_lowercase() != name.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_every_way() {
        let mut rng = Rng::with_seed(1);
        for disguise in Disguise::ALL {
            let text = disguise.of("Nordvale", &mut rng).expect("a disguise");
            assert_ne!(text, "Nordvale", "{}", disguise.name());
            assert_eq!(disguise.of("Nordvale", &mut Rng::with_seed(5)), disguise.of("Nordvale", &mut Rng::with_seed(5)));
        }
        assert_eq!(Disguise::Spaced.of("Nordvale", &mut rng).as_deref(), Some("N o r d v a l e"));
        assert_eq!(Disguise::Dropped.of("On", &mut rng), None);
    }
}
