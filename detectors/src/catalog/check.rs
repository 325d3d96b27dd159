//! What is wrong in rows, whatever they were read from.

use std::collections::{BTreeSet, HashMap};

use touchstone_schemas::{ReferencePrice, Timestamp};

use super::classes::Classes;
use super::faults::Faults;
use super::fx::Rates;
use super::nearest;
use super::rows::{Row, Rows};
use crate::text::normalise;

impl Faults<'_> {
    /// All that can be said without a look at the pictures' files.
    pub(super) fn check(&mut self, rows: &Rows) {
        let brands = self.unique("brands.jsonl", "brand_id", &rows.brands, |b| b.brand_id.to_string());
        self.repeated_products(rows);
        self.unique("rights_holders.jsonl", "rights_holder_id", &rows.rights_holders, |r| r.rights_holder_id.to_string());
        let holders: HashMap<String, usize> = rows.rights_holders.iter().map(|r| (r.row.rights_holder_id.to_string(), r.line)).collect();
        let classes = Classes::shipped();
        let rates = Rates::new(rows.fx.as_ref());

        for Row { row, line } in &rows.brands {
            for (what, name) in std::iter::once(("name", &row.name))
                .chain(row.aliases.iter().map(|a| ("alias", a)))
                .chain(row.nicknames.iter().map(|n| ("nickname", n)))
            {
                if normalise(name).is_empty() {
                    self.fault(
                        "brands.jsonl",
                        *line,
                        format!("{what} {name:?} has no letter or digit: nothing in a listing could match it"),
                    );
                }
            }
            if let Some(holder) = row.rights_holder_id.as_ref().filter(|h| !holders.contains_key(h.as_str())) {
                self.fault(
                    "brands.jsonl",
                    *line,
                    format!("rights_holder_id {holder:?} is not in rights_holders.jsonl: add it there or leave it out"),
                );
            }
            self.reference_prices("brands.jsonl", *line, &row.reference_prices, &rates, &classes);
            self.categories("brands.jsonl", *line, &row.categories, &classes);
            let thresholds = row.thresholds.clone().unwrap_or_default();
            let order = [thresholds.ask_brand, thresholds.report, thresholds.remove].into_iter().flatten().collect::<Vec<_>>();
            if order.iter().any(|t| t.to_f64() <= 0.0 || t.to_f64() > 1.0) {
                self.fault("brands.jsonl", *line, "a threshold must be over 0 and at most 1".to_owned());
            }
            if !order.is_sorted() {
                self.fault("brands.jsonl", *line, "thresholds must rise: ask_brand <= report <= remove".to_owned());
            }
        }
        let ids: BTreeSet<&str> = brands.keys().map(String::as_str).collect();
        self.strangers("products.jsonl", rows.products.iter().map(|r| (r.line, r.row.brand_id.as_str())), &ids);
        for Row { row, line } in &rows.products {
            self.reference_prices("products.jsonl", *line, &row.reference_prices, &rates, &classes);
        }
        self.check_overlay(rows, &ids);
        for Row { row, line } in &rows.category_map {
            self.class("category_map.jsonl", *line, &row.class, &classes);
            if row.category_id.is_none() && row.path.is_empty() {
                self.fault("category_map.jsonl", *line, "needs a category_id or a path".to_owned());
            }
        }
        for (pack, phrases) in &rows.phrases {
            let file = format!("phrases/{pack}.jsonl");
            for Row { row, line } in phrases {
                if !(0.0..=1.0).contains(&row.strength.to_f64()) || row.strength.to_f64() <= 0.0 {
                    self.fault(&file, *line, format!("strength {} is not over 0 and at most 1", row.strength.to_f64()));
                }
                if normalise(&row.phrase).is_empty() {
                    self.fault(&file, *line, format!("phrase {:?} has no letter or digit", row.phrase));
                }
                row.not_in.iter().for_each(|class| self.class(&file, *line, class, &classes));
            }
        }
    }

    /// The rows that change from day to day, given the brands that there are.
    pub(super) fn check_overlay(&mut self, rows: &Rows, brands: &BTreeSet<&str>) {
        self.unique("known_fakes.jsonl", "id", &rows.known_fakes, |k| k.id.to_string());
        self.strangers("authorised_sellers.jsonl", rows.authorised_sellers.iter().map(|r| (r.line, r.row.brand_id.as_str())), brands);
        self.strangers("known_fakes.jsonl", rows.known_fakes.iter().map(|r| (r.line, r.row.brand_id.as_str())), brands);
        for Row { row, line } in &rows.authorised_sellers {
            self.period("authorised_sellers.jsonl", *line, row.valid_from.as_ref(), row.valid_until.as_ref());
        }
        for Row { row, line } in &rows.known_fakes {
            if row.fingerprint.is_none() && row.path.is_none() && row.text.is_none() {
                self.fault("known_fakes.jsonl", *line, "needs a fingerprint, a path or a text".to_owned());
            }
        }
    }

    /// Rows of brands that there are not.
    fn strangers<'r>(&mut self, file: &str, rows: impl Iterator<Item = (usize, &'r str)>, brands: &BTreeSet<&str>) {
        for (line, id) in rows.filter(|(_, id)| !brands.contains(id)) {
            let near = nearest(id, brands.iter().copied()).map(|b| format!(": did you mean {b:?}?")).unwrap_or_default();
            self.fault(file, line, format!("brand_id {id:?} is not in brands.jsonl{near}"));
        }
    }

    fn unique<T>(&mut self, file: &str, key: &str, rows: &[Row<T>], id: impl Fn(&T) -> String) -> HashMap<String, usize> {
        let mut seen = HashMap::with_capacity(rows.len());
        for Row { row, line } in rows {
            let id = id(row);
            if let Some(first) = seen.get(&id) {
                self.fault(file, *line, format!("{key} {id:?} stands in line {first} already: give each row its own"));
            } else {
                seen.insert(id, *line);
            }
        }
        seen
    }

    /// Exports of shops repeat products: one row is used, the same whatever the order of the file.
    fn repeated_products(&mut self, rows: &Rows) {
        let mut seen: HashMap<&str, usize> = HashMap::with_capacity(rows.products.len());
        let repeated = rows.products.iter().filter(|r| *seen.entry(r.row.product_id.as_str()).or_insert(r.line) != r.line);
        let lines: Vec<usize> = repeated.map(|r| r.line).collect();
        if let Some(first) = lines.first() {
            let text = format!(
                "product_id stands in an earlier line already, here and in {} more lines: one row of each is used",
                lines.len() - 1
            );
            self.warn("products.jsonl", *first, text);
        }
    }

    fn class(&mut self, file: &str, line: usize, name: &str, classes: &Classes) {
        if classes.by_name(name).is_none() {
            let meant = classes.of_name(name).map(|class| classes.name(class));
            let near = meant.or_else(|| nearest(name, classes.names())).map(|c| format!(": did you mean {c:?}?")).unwrap_or_default();
            self.fault(file, line, format!("class {name:?} is not in the closed list{near}"));
        }
    }

    fn categories(&mut self, file: &str, line: usize, categories: &[String], classes: &Classes) {
        if !categories.is_empty() && classes.of_path(categories).is_none() && categories.iter().all(|c| classes.of_name(c).is_none()) {
            self.warn(
                file,
                line,
                format!("no class is known for category {categories:?}: map it in category_map.jsonl, or use a word like \"shoes\""),
            );
        }
    }

    fn reference_prices(&mut self, file: &str, line: usize, prices: &[ReferencePrice], rates: &Rates, classes: &Classes) {
        for price in prices {
            if !rates.knows(&price.currency) {
                self.fault(
                    file,
                    line,
                    format!("no exchange rate for {}: add it to fx.json or give the price in another currency", price.currency),
                );
            } else if price.amount.value() == 0.0 {
                self.fault(
                    file,
                    line,
                    "a reference price of 0 cannot be compared with: write what the goods cost, or leave it out".to_owned(),
                );
            }
            self.categories(file, line, &price.category, classes);
        }
    }

    fn period(&mut self, file: &str, line: usize, from: Option<&Timestamp>, until: Option<&Timestamp>) {
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            self.fault(file, line, format!("valid_until {until} is not after valid_from {from}"));
        }
    }
}
