//! What the demo prints: the addresses, a table of suspects as they are found, and the closing check.

use std::io::{self, Write};

use touchstone_schemas::{Kind, Suspect};

const TITLE: usize = 46;

/// The head of the table.
pub(super) fn head() -> io::Result<()> {
    writeln!(io::stdout(), "\n{:<9} {:>6}  {:<12} {:<TITLE$}  why", "band", "score", "brand", "title")
}

/// One suspect.
pub(super) fn row(suspect: &Suspect) -> io::Result<()> {
    let mut findings: Vec<_> = suspect.evidence.iter().filter(|e| e.weight.to_f64() > 0.5 && e.kind != Kind::BaseRate).collect();
    findings.sort_by_key(|e| std::cmp::Reverse(e.weight));
    let why: Vec<String> = findings.iter().take(3).map(|e| finding(e)).collect();
    let title: String = suspect.listing.title.chars().take(TITLE).collect();
    let score = suspect.score.to_f64();
    writeln!(
        io::stdout(),
        "{:<9} {score:>6.3}  {:<12} {title:<TITLE$}  {}",
        suspect.band.as_str(),
        suspect.brand_id.as_str(),
        why.join(", ")
    )
}

fn finding(e: &touchstone_schemas::Evidence) -> String {
    match e.kind {
        Kind::CodedPhrase | Kind::Denial | Kind::OffPlatformContact => format!("{:?}", e.phrase.as_deref().unwrap_or_default()),
        Kind::BelowReference => format!("{:.0} % of the price", e.ratio.map_or(0.0, touchstone_schemas::Score::to_f64) * 100.0),
        Kind::ReferenceCopy => format!("the brand's photo ({})", e.view.as_deref().unwrap_or_default()),
        Kind::BrandMention => format!("name {}", e.r#match.map_or("named", touchstone_schemas::MatchKind::as_str)),
        kind => kind.as_str().replace('_', " "),
    }
}
