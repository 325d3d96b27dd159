//! The report for machines: `section,platform,brand,measure,value`, sorted, `*` for all.

use std::fmt::Write;

use super::reckon::Report;

/// Writes the report as CSV (RFC 4180, with line feeds alone).
pub(crate) fn csv(report: &Report) -> String {
    let mut rows: Vec<[String; 5]> = Vec::new();
    let all = || "*".to_owned();
    for ((platform, brand), figures) in &report.scopes {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(all);
        rows.extend(
            figures.rows().into_iter().map(|(section, measure, value)| [section.to_owned(), name(platform), name(brand), measure, value]),
        );
    }
    for standing in &report.standing {
        let mut add =
            |measure: String, value: String| rows.push(["standing".to_owned(), all(), standing.brand_id.to_string(), measure, value]);
        add("tier".to_owned(), standing.tier.clone());
        add("since".to_owned(), standing.since.to_string());
        add("volume".to_owned(), standing.volume.to_string());
        standing.as_of.iter().for_each(|at| add("as_of".to_owned(), at.to_string()));
        standing.why.iter().enumerate().for_each(|(i, why)| add(format!("why.{}", i + 1), why.clone()));
    }
    for (i, case) in report.cases.iter().enumerate() {
        let mut add =
            |measure: &str, value: String| rows.push(["cases".to_owned(), all(), all(), format!("{:02}.{measure}", i + 1), value]);
        add("case_id", case.case_id.to_string());
        add("rank", case.rank.to_string());
        add("sellers", case.sellers.join(" "));
        add("markets", case.markets.join(" "));
        case.listings.into_iter().for_each(|n| add("listings", n.to_string()));
        case.confirmed.into_iter().for_each(|n| add("confirmed", n.to_string()));
        case.outcomes.iter().enumerate().for_each(|(i, outcome)| add(&format!("outcome.{}", i + 1), outcome.clone()));
    }
    rows.sort();
    let mut text = "section,platform,brand,measure,value\n".to_owned();
    for row in &rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", row.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(","));
    }
    text
}

/// A field, quoted where it must be. A text that a spreadsheet would take for a formula is made one that it does not.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']) && field.len() > 1;
    let field = if formula { format!("'{field}") } else { field.to_owned() };
    if field.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        for (field, expected) in [
            ("plain text", "plain text"),
            ("a,b", "\"a,b\""),
            ("a \"b\"", "\"a \"\"b\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1,A2)", "\"'@SUM(A1,A2)\""),
            ("-", "-"),
            ("", ""),
        ] {
            assert_eq!(quoted(field), expected);
        }
    }
}
