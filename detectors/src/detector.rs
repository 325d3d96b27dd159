//! What a detector is, and the detectors in the order in which their evidence is shown.

use touchstone_schemas::{Detector as Name, Evidence};

use crate::context::ContextDetector;
use crate::image::ImageDetector;
use crate::matter::Matter;
use crate::price::PriceDetector;
use crate::seller::SellerDetector;
use crate::text::TextDetector;

/// Looks at one matter and says what it finds. The same matter gives the same findings, in the same order; no input
/// makes it panic; weights are finite; spans name their own text.
pub(crate) trait Detector: Sync {
    /// Its name in evidence and metrics.
    fn name(&self) -> Name;

    /// What it finds.
    fn detect(&self, matter: &Matter<'_>) -> Vec<Evidence>;
}

/// All detectors.
pub(crate) static DETECTORS: [&dyn Detector; 5] = [&TextDetector, &PriceDetector, &ImageDetector, &SellerDetector, &ContextDetector];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use touchstone_schemas::Listing;

    use super::*;
    use crate::fixture::{SCANNER, listing, pictures};
    use crate::matter::Reading;

    /// What every detector must hold to, on any listing.
    fn conforms(detector: &dyn Detector, listing: &Listing) -> Result<(), TestCaseError> {
        let Some(reading) = Reading::of(listing, &pictures(), SCANNER.catalog()) else { return Ok(()) };
        for brand in reading.brands(SCANNER.catalog()) {
            let matter = || Matter::of(&reading, SCANNER.catalog(), SCANNER.policy(), brand);
            let found = detector.detect(&matter());
            prop_assert_eq!(&found, &detector.detect(&matter()), "the same matter gives the same findings");
            for evidence in &found {
                prop_assert_eq!(evidence.detector, detector.name());
                prop_assert!(evidence.weight.to_f64().is_finite());
                for span in evidence.all_spans() {
                    let (start, end) = (usize::try_from(span.start).expect("fits"), usize::try_from(span.end).expect("fits"));
                    prop_assert_eq!(field(listing, &span.field).get(start..end), Some(span.text.as_str()), "{}", span.field);
                    prop_assert!(!span.text.is_empty());
                }
            }
        }
        Ok(())
    }

    /// The text that a span's path names.
    fn field<'a>(listing: &'a Listing, path: &str) -> &'a str {
        let index = || path.split(['[', ']']).nth(1).and_then(|i| i.parse::<usize>().ok()).expect("an index");
        match path {
            "title" => listing.title(),
            "brand" => listing.brand.as_deref().expect("a brand"),
            "description" => listing.description.as_deref().expect("a description"),
            p if p.starts_with("variants") => listing.variants[index()].name.as_deref().expect("a name"),
            p if p.starts_with("attributes.") => &listing.attributes.as_ref().expect("attributes")[&p["attributes.".len()..]],
            p if p.starts_with("image_text") => &listing.image_text[index()],
            other => panic!("no field {other}"),
        }
    }

    /// Texts that name brands in many ways among anything at all.
    fn text() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            3 => prop::sample::select(vec![
                "Nordvale", "NORDVALE", "nordvaIe", "N0rdvale", "n o r d v a l e", "nord\u{200b}vale", "Nоrdvаle", "nordvalle", "the fjord", "NV574", "NV2040-101",
                "Kessra", "Kessra & Rowe", "Harbor", "harbor coast", "Oro", "노드베일", "replica", "1:1", "kw super", "미러급", "고퀄", "mirror quality", "for",
                "untuk", "compatible with", "case", "shoes", "hoodie", "giày", "กระเป๋า", "used", "free", "100% original", "not original", "3 pairs", "13 colorways",
            ]).prop_map(str::to_owned),
            1 => "\\PC{0,12}",
            1 => "[a-zA-Z0-9 .,!$@\u{301}\u{200d}é]{0,12}",
        ];
        prop::collection::vec(word, 0..8).prop_map(|words| words.join(" "))
    }

    fn any_listing() -> impl Strategy<Value = Listing> {
        let price = prop_oneof![Just(None), (0_u64..2_000_000).prop_map(Some)];
        let seller = prop::sample::select(vec!["s1", "good", "bad"]);
        (text(), text(), text(), text(), price, seller, any::<bool>()).prop_map(|(title, description, variant, image_text, price, seller, used)| {
            let mut fields = json!({"title": title, "description": description, "variants": [{"name": variant}], "image_text": [image_text, ""], "attributes": {"model": "NV2040-101 Kessra"},
                "seller": {"id": seller, "name": "Nordvale Official Store"}, "condition": if used { "used" } else { "new" }});
            if let Some(price) = price {
                fields["price"] = json!({"amount": price.to_string(), "currency": "IDR"});
            }
            listing(fields)
        })
    }

    macro_rules! conformance {
        ($($name:ident: $detector:expr),*) => { proptest! {
            $(#[test]
            fn $name(listing in any_listing()) {
                conforms(&$detector, &listing)?;
            })*
        } };
    }
    conformance!(text_conforms: TextDetector, price_conforms: PriceDetector, image_conforms: ImageDetector, seller_conforms: SellerDetector, context_conforms: ContextDetector);

    #[test]
    fn every_detector_is_held_to_conformance() {
        assert_eq!(DETECTORS.map(|d| d.name()), crate::DETECTOR_NAMES);
    }
}
