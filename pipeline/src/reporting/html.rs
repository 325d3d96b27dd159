//! The report for people: one page that fetches nothing and runs nothing.

use std::fmt::{self, Write};

use touchstone_schemas::{AppealOutcome, Case, Origin, ReceiptOutcome, Score, Standing, VerdictKind};

use super::figures::{BANDS, Figures, count};
use super::reckon::{Report, Scope};
use crate::eval::Share;

static PAGE: &str = include_str!("page.html");

/// Writes the report as a page.
pub(crate) fn html(report: &Report) -> String {
    let mut body = String::new();
    // Writing to a String cannot fail.
    let _ = write_body(report, &mut body);
    PAGE.replacen("{{BODY}}", &body, 1)
}

fn write_body(report: &Report, out: &mut String) -> fmt::Result {
    writeln!(out, "<header><h1>What brands and platforms went through together</h1>")?;
    writeln!(out, "<p class=\"dim\">From {} to just before {}.</p></header>", escaped(&report.from), escaped(&report.to))?;
    overview(report, out)?;
    scopes(report, out, "Suspects", SUSPECTS, &["remove", "report", "ask the brand", "taken back"], |f| {
        let mut cells: Vec<Cell> = BANDS.iter().map(|band| Cell::figure(count(&f.suspects, band))).collect();
        cells.push(Cell::Text(listed(f.withdrawn.iter().map(|(because, n)| (because.as_str(), n)))));
        cells
    })?;
    let head = ["asked", "answered", "counterfeit", "genuine", "grey", "unsure", "median hours", "90 % within hours", "in time"];
    scopes(report, out, "Questions and answers", ANSWERS, &head, |f| {
        let asked = [f.asked, f.answered].map(Cell::figure);
        let kinds = VerdictKind::ALL.iter().map(|kind| Cell::figure(count(&f.answers, kind)));
        let hours = [50, 90].map(|percent| Cell::figure(f.hours(percent).unwrap_or_else(|| "-".to_owned())));
        asked.into_iter().chain(kinds).chain(hours).chain([Cell::Share(f.in_time())]).collect()
    })?;
    scopes(report, out, "Precision by band", PRECISION, &["remove", "report", "ask the brand", "base rate"], |f| {
        let bands = BANDS.iter().map(|band| f.judged(*band)).map(|(fakes, judged)| Cell::Of(fakes, judged));
        bands.chain([Cell::Figure(f.base_rates().map_or_else(|| "-".to_owned(), base_rates))]).collect()
    })?;
    let head =
        ["proactive", "by verdict", "by notice", "proactive for one asked for", "before any notice", "taken back", "in shadow", "receipts"];
    scopes(report, out, "Removals", REMOVALS, &head, |f| {
        let ratio = f.proactive_per_requested().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let receipts = ReceiptOutcome::ALL.iter().filter_map(|o| f.receipts.get(o).map(|n| (o.as_str(), n)));
        let mut cells: Vec<Cell> = Origin::ALL.iter().map(|origin| Cell::figure(count(&f.removals, origin))).collect();
        cells.extend([
            Cell::Figure(ratio),
            Cell::Share(f.unprompted()),
            Cell::Text(listed(f.reversed.iter().map(|(cause, n)| (*cause, n)))),
        ]);
        cells.extend([Cell::figure(f.shadow.values().sum::<usize>()), Cell::Text(listed(receipts))]);
        cells
    })?;
    scopes(report, out, "Appeals", APPEALS, &["opened", "won", "lost"], |f| {
        AppealOutcome::ALL.iter().map(|outcome| Cell::figure(count(&f.appeals, outcome))).collect()
    })?;
    let sum = |refused: &std::collections::BTreeMap<String, (u64, String)>| Cell::figure(refused.values().map(|(n, _)| n).sum::<u64>());
    scopes(report, out, "Filings", FILINGS, &["notices accepted", "notices refused", "verdicts refused"], |f| {
        vec![Cell::figure(f.accepted), sum(&f.refused_notices), sum(&f.refused_verdicts)]
    })?;
    refused(report, out)?;
    standing(&report.standing, out)?;
    cases(&report.cases, out)
}

const SUSPECTS: &str = "Listings that a brand would probably call counterfeit, each counted once in the band of its last look. How many listings were \
    scanned is told by the metric touchstone_listings_total.";
const ANSWERS: &str = "Asked: suspects that were not removed at once. A listing whose content changes is asked about anew. Hours run from the first \
    look to the first answer of the brand or its agent.";
const PRECISION: &str = "Of suspects that a verdict says something of, the share called counterfeit, with its 95 % interval (Wilson). Verdicts are given \
    of some suspects and not of a random sample. Scores were reckoned at this base rate, the share of listings that are suspect before any is looked at.";
const REMOVALS: &str =
    "Orders to take a listing down. In shadow: only written down. Before any notice: nobody had reported that listing by then.";
const APPEALS: &str = "Sellers' objections to removals, by the day on which each step came.";
const FILINGS: &str = "Notices and verdicts that were refused are kept with the reason and with what to do better.";

fn overview(report: &Report, out: &mut String) -> fmt::Result {
    let Some((_, all)) = report.scopes.first_key_value() else { return Ok(()) };
    let percent = |share: Share| share.value.map_or_else(|| "-".to_owned(), |value| format!("{:.0} %", value * 100.0));
    let figures = [
        ("suspects", all.suspects.values().sum::<usize>().to_string()),
        ("removals", all.removed().to_string()),
        (
            "proactive removals for one asked for",
            all.proactive_per_requested().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1}")),
        ),
        ("removed before any notice", percent(all.unprompted())),
        ("answers that the brands owed and gave", format!("{} of {}", all.answered, all.asked)),
        ("median hours to an answer", all.hours(50).unwrap_or_else(|| "-".to_owned())),
        ("removals taken back", all.reversed.values().sum::<usize>().to_string()),
    ];
    write!(out, "<section><h2>In all</h2><dl>")?;
    figures.iter().try_for_each(|(name, value)| write!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>"))?;
    writeln!(out, "</dl></section>")
}

/// A cell of a table.
enum Cell {
    Text(String),
    Figure(String),
    Share(Share),
    /// A share with its interval.
    Of(usize, usize),
}

impl Cell {
    #[allow(clippy::needless_pass_by_value, reason = "numbers, and texts made for it")]
    fn figure(value: impl ToString) -> Self {
        Self::Figure(value.to_string())
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        match self {
            Self::Text(text) => write!(out, "<td>{}</td>", escaped(text)),
            Self::Figure(text) => write!(out, "<td class=\"figure\">{}</td>", escaped(text)),
            Self::Share(Share { value: None, .. }) | Self::Of(_, 0) => write!(out, "<td class=\"figure\">-</td>"),
            Self::Share(Share { value: Some(value), .. }) => {
                write!(out, "<td class=\"figure\">{:.0} %{}</td>", value * 100.0, bar(*value, None))
            }
            Self::Of(part, whole) => {
                let share = Share::of(*part, *whole);
                let (value, low, high) = (share.value.unwrap_or_default(), share.low, share.high);
                let bar = bar(value, Some((low, high)));
                let (percent, low, high) = (value * 100.0, low * 100.0, high * 100.0);
                write!(out, "<td class=\"figure\">{part} of {whole}: {percent:.1} % ({low:.1} to {high:.1}){bar}</td>")
            }
        }
    }
}

/// A share as a bar, with its interval as a line.
fn bar(share: f64, interval: Option<(f64, f64)>) -> String {
    let at = |share: f64| share * 80.0;
    let line = |(low, high)| format!("<path class=\"interval\" d=\"M{:.1} 5H{:.1}\"/>", at(low), at(high));
    format!(
        "<svg width=\"80\" height=\"10\" viewBox=\"0 0 80 10\" aria-hidden=\"true\"><rect class=\"ground\" width=\"80\" height=\"10\"/>\
         <rect class=\"share\" width=\"{:.1}\" height=\"10\"/>{}</svg>",
        at(share),
        interval.map(line).unwrap_or_default()
    )
}

/// A table with a row for each scope.
fn scopes(
    report: &Report,
    out: &mut String,
    title: &str,
    about: &str,
    head: &[&str],
    cells: impl Fn(&Figures) -> Vec<Cell>,
) -> fmt::Result {
    let rows = report.scopes.iter().map(|(scope, figures)| {
        let (platform, brand) = scope;
        let name = |name: &Option<String>, all: &str| Cell::Text(name.clone().unwrap_or_else(|| all.to_owned()));
        let named = [name(platform, "all platforms"), name(brand, "all brands")];
        (is_total(scope), named.into_iter().chain(cells(figures)).collect())
    });
    table(out, title, about, &[&["platform", "brand"], head].concat(), rows.collect())
}

fn is_total((platform, brand): &Scope) -> bool {
    platform.is_none() || brand.is_none()
}

fn table(out: &mut String, title: &str, about: &str, head: &[&str], rows: Vec<(bool, Vec<Cell>)>) -> fmt::Result {
    write!(out, "<section><h2>{title}</h2><p class=\"dim\">{about}</p>")?;
    if rows.is_empty() {
        return writeln!(out, "<p>There are none.</p></section>");
    }
    write!(out, "<table><thead><tr>")?;
    head.iter().try_for_each(|name| write!(out, "<th scope=\"col\">{name}</th>"))?;
    writeln!(out, "</tr></thead><tbody>")?;
    for (total, cells) in rows {
        write!(out, "{}", if total { "<tr class=\"total\">" } else { "<tr>" })?;
        cells.iter().try_for_each(|cell| cell.write(out))?;
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></section>")
}

fn refused(report: &Report, out: &mut String) -> fmt::Result {
    let all = report.scopes.first_key_value().map(|(_, figures)| figures);
    let kinds = all.into_iter().flat_map(|f| [("notice", &f.refused_notices), ("verdict", &f.refused_verdicts)]);
    let reasons = kinds.flat_map(|(kind, refused)| refused.iter().map(move |(reason, (n, guidance))| (kind, reason, n, guidance)));
    let rows = reasons.map(|(kind, reason, n, guidance)| {
        (false, vec![Cell::figure(n), Cell::Text(kind.to_owned()), Cell::Text(reason.clone()), Cell::Text(guidance.clone())])
    });
    let about = "With what to do better, in the words of one of each kind.";
    table(out, "Why filings were refused", about, &["number", "kind", "reason", "what to do better"], rows.collect())?;
    let rows = report.refused.iter().map(|r| {
        let cells = [&r.at, &r.id, &r.platform, &r.brand, &r.reason, &r.detail];
        (false, cells.into_iter().map(|text| Cell::Text(text.clone())).collect())
    });
    let head = ["filed at", "filing", "platform", "brand", "reason", "what to do better"];
    table(out, "Filings that were refused last", "A hundred at most.", &head, rows.collect())
}

fn standing(standing: &[Standing], out: &mut String) -> fmt::Result {
    let rows = standing.iter().map(|s| {
        let day = |at: Option<&touchstone_schemas::Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let texts = [s.brand_id.to_string(), s.tier.clone(), day(Some(&s.since)), day(s.as_of.as_ref())];
        let mut cells: Vec<Cell> = texts.into_iter().map(Cell::Text).collect();
        cells.extend([Cell::figure(s.volume), Cell::Text(s.why.join("; "))]);
        (false, cells)
    });
    let about = "Of each brand on all platforms, the last that was reckoned before the end; where none is kept, the first after it.";
    table(out, "Standing", about, &["brand", "tier", "since", "as of", "filings", "why"], rows.collect())
}

fn cases(cases: &[Case], out: &mut String) -> fmt::Result {
    let rows = cases.iter().map(|c| {
        let number = |n: Option<u64>| Cell::Figure(n.map_or_else(|| "-".to_owned(), |n| n.to_string()));
        let joins = c.joins.iter().map(|join| join.kind.as_str()).collect::<Vec<_>>().join(", ");
        let texts = [c.case_id.to_string(), c.sellers.join(", "), joins, c.markets.join(", "), c.outcomes.join("; ")];
        let mut cells = vec![Cell::figure(c.rank), number(c.listings), number(c.confirmed)];
        cells.extend(texts.into_iter().map(Cell::Text));
        (false, cells)
    });
    let about = "Sellers that belong together, the most urgent first, as they stand now.";
    let head = ["rank", "suspected listings", "confirmed fakes", "case", "sellers", "joined by", "markets", "what became of it"];
    table(out, "Seller cases", about, &head, rows.collect())
}

/// How often each came, in words.
fn listed<'a>(counts: impl Iterator<Item = (&'a str, &'a usize)>) -> String {
    let all: Vec<String> = counts.map(|(name, n)| format!("{n} {}", name.replace('_', " "))).collect();
    if all.is_empty() { "-".to_owned() } else { all.join(", ") }
}

fn base_rates((least, most): (Score, Score)) -> String {
    let percent = |rate: Score| format!("{:.2} %", rate.to_f64() * 100.0);
    if least == most { percent(least) } else { format!("{} to {}", percent(least), percent(most)) }
}

/// A text as HTML shows it: nothing in it is taken for markup. What would turn the direction of the text around it is taken out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_texts_stay_texts() {
        assert_eq!(escaped("<script>alert('1')</script> & \"\u{202e}x"), "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x");
    }

    #[test]
    fn the_page_fetches_and_runs_nothing() {
        assert!(PAGE.contains("default-src 'none'") && PAGE.matches("{{BODY}}").count() == 1);
        for outside in ["src=", "href=", "url(", "@import", "<script"] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
    }

    #[test]
    fn bars_show_the_share_and_its_interval() {
        let bar = bar(0.5, Some((0.25, 0.75)));
        assert!(bar.contains("width=\"40.0\"") && bar.contains("M20.0 5H60.0"), "{bar}");
    }
}
