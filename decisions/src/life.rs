//! The states of a matter, and what moves it from one to another: the table of `docs/life.md`.

use touchstone_schemas::Life;

/// What happens to a matter. A suspect with other content than before starts it anew, whatever its state, and is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// Somebody whose word suffices says that it is counterfeit, and the removal is ordered.
    Removal,
    /// Somebody says that it is counterfeit, and nothing is ordered.
    Report,
    /// The brand says that it is genuine, or of another market.
    Genuine,
    /// The answer is overdue.
    Due,
    /// The seller objects.
    AppealOpened,
    /// The seller was right.
    AppealWon,
    /// The seller was wrong.
    AppealLost,
    /// The platform does not carry the removal out.
    Refused,
    /// There is no such listing any more.
    NotFound,
    /// The suspicion is taken back.
    Withdrawal,
}

impl Happening {
    /// All of them, as the table has them.
    pub const ALL: [Self; 10] = [
        Self::Removal,
        Self::Report,
        Self::Genuine,
        Self::Due,
        Self::AppealOpened,
        Self::AppealWon,
        Self::AppealLost,
        Self::Refused,
        Self::NotFound,
        Self::Withdrawal,
    ];
}

/// Where a matter stands after what happens; nothing where that leaves it as it is.
pub fn next(life: Life, happening: Happening) -> Option<Life> {
    use Happening as H;
    use Life as L;
    let undecided = matches!(life, L::Suspected | L::Asked | L::Reported | L::Expired);
    let down = matches!(life, L::Removed | L::Countered | L::Upheld);
    match happening {
        H::Removal if undecided || matches!(life, L::Rejected | L::Reinstated) => Some(L::Removed),
        H::Report if undecided && life != L::Reported || matches!(life, L::Rejected | L::Reinstated) => Some(L::Reported),
        H::Genuine if down => Some(L::Reinstated),
        H::Genuine if undecided => Some(L::Rejected),
        H::Due if life == L::Asked => Some(L::Expired),
        H::AppealOpened if life == L::Removed => Some(L::Countered),
        H::AppealWon if down => Some(L::Reinstated),
        H::AppealLost if life == L::Countered => Some(L::Upheld),
        H::Refused if life == L::Removed => Some(L::Reported),
        H::NotFound if life == L::Removed => Some(L::Withdrawn),
        H::Withdrawal if life != L::Withdrawn => Some(L::Withdrawn),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in the docs is this one: `TOUCHSTONE_BLESS=1` writes it anew.
    #[test]
    fn the_docs_have_the_table() {
        let mut table = format!("| from | {} |\n| --- |{}\n", Happening::ALL.map(|h| format!("{h:?}")).join(" | "), " --- |".repeat(10));
        for life in Life::ALL {
            let row = Happening::ALL.map(|h| next(*life, h).map_or("", Life::as_str));
            table += &format!("| {} | {} |\n", life.as_str(), row.join(" | "));
        }
        let (begin, end) = ("<!-- the table of decisions/src/life.rs -->\n", "<!-- end -->");
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/life.md");
        let text = std::fs::read_to_string(&file).expect("the page is there");
        let (before, rest) = text.split_once(begin).expect("the mark is there");
        let (kept, after) = rest.split_once(end).expect("the other mark is there");
        if std::env::var_os("TOUCHSTONE_BLESS").is_some() {
            std::fs::write(&file, format!("{before}{begin}{table}{end}{after}")).expect("the page can be written");
        } else {
            assert_eq!(kept, table, "run with TOUCHSTONE_BLESS=1");
        }
    }

    #[test]
    fn a_listing_that_is_down_comes_back_only_by_its_brand_its_appeal_or_its_end() {
        for down in [Life::Removed, Life::Countered, Life::Upheld] {
            let back: Vec<Happening> = Happening::ALL
                .into_iter()
                .filter(|h| next(down, *h).is_some_and(|to| !matches!(to, Life::Removed | Life::Countered | Life::Upheld)))
                .collect();
            let expected: &[Happening] = match down {
                Life::Removed => {
                    &[Happening::Genuine, Happening::AppealWon, Happening::Refused, Happening::NotFound, Happening::Withdrawal]
                }
                _ => &[Happening::Genuine, Happening::AppealWon, Happening::Withdrawal],
            };
            assert_eq!(back, expected, "{down:?}");
        }
    }
}
