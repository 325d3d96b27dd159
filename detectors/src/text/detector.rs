//! Text evidence: how the brand is named, and what is said beside its name.

use std::collections::BTreeMap;

use touchstone_schemas::{Detector as Name, Evidence, Kind, MatchKind, PhraseKind, Score, Weight};

use super::document::Piece;
use super::known::FakeText;
use super::negation::is_denied;
use super::normalise::normalise;
use super::words::Hit;
use crate::catalog::Class;
use crate::detector::Detector;
use crate::matter::Matter;

/// A phrase outside the title counts at most this many words from the brand's name.
const NEAR: usize = 12;
/// Strength of a phrase that says plainly that the goods are copies.
const PLAIN: f64 = 0.8;
/// Places listed for one finding.
const MOST_SPANS: usize = 8;

/// Finds names and phrases.
pub(crate) struct TextDetector;

impl Detector for TextDetector {
    fn name(&self) -> Name {
        Name::Text
    }

    fn detect(&self, matter: &Matter<'_>) -> Vec<Evidence> {
        let mut found = mentions(matter);
        found.extend(product(matter));
        found.extend(known_fakes(matter));
        if matter.anchored {
            found.extend(phrases(matter));
            found.extend(several_brands(matter));
            found.extend(declared_brand(matter));
        }
        found
    }
}

fn item(kind: Kind, weight: f64) -> Evidence {
    Evidence::new(Name::Text, kind, Weight::from_f64(weight))
}

fn place(matter: &Matter<'_>, evidence: &mut Evidence, pieces: &[Piece]) {
    let mut spans: Vec<_> = pieces.iter().take(MOST_SPANS).map(|p| matter.reading.document.span(*p)).collect();
    if spans.len() == 1 {
        evidence.span = spans.pop();
    } else {
        evidence.spans = spans;
    }
}

/// One item for each name and way of writing it.
fn mentions(matter: &Matter<'_>) -> Vec<Evidence> {
    let weights = &matter.policy.weights.text;
    let mut groups: BTreeMap<(MatchKind, usize), Vec<Piece>> = BTreeMap::new();
    for mention in &matter.mentions {
        groups.entry((mention.kind, mention.name)).or_default().push(mention.piece);
    }
    let plainly = groups.keys().any(|(kind, _)| matches!(kind, MatchKind::Exact | MatchKind::Folded));
    let group = |((kind, name), pieces): ((MatchKind, usize), Vec<Piece>)| {
        // Who names the brand plainly beside it hides nothing.
        let kind_weighed = if kind == MatchKind::Fuzzy && plainly { MatchKind::Folded } else { kind };
        let weight = match kind_weighed {
            MatchKind::Exact => weights.mention_exact,
            MatchKind::Folded => weights.mention_folded,
            MatchKind::Confusable => weights.mention_confusable,
            MatchKind::Split => weights.mention_split,
            MatchKind::Fuzzy => weights.mention_fuzzy,
            MatchKind::Nickname => weights.mention_nickname,
        };
        let named = pieces.iter().any(|p| !matter.reading.document.in_prose(*p));
        // A name that may be an ordinary word says nothing until something else says that it is the brand.
        let factor = if !matter.anchored {
            0.0
        } else if named {
            1.0
        } else {
            weights.mention_elsewhere
        };
        let mut evidence = item(Kind::BrandMention, weight * factor);
        evidence.alias = Some(matter.catalog.snapshot.lexicon.names[name].written.clone());
        evidence.r#match = Some(kind);
        place(matter, &mut evidence, &pieces);
        evidence
    };
    groups.into_iter().map(group).collect()
}

fn product(matter: &Matter<'_>) -> Option<Evidence> {
    let product = matter.product()?;
    let alone = matter.mentions.is_empty() && matter.anchored;
    let mut evidence = item(Kind::ProductMatch, if alone { matter.policy.weights.text.model_number } else { 0.0 });
    evidence.product_id = Some(matter.catalog.snapshot.products[product.product].row.product_id.to_string());
    evidence.similarity = Some(Score::from_f64(product.similarity));
    let pieces: Vec<Piece> = matter.models.iter().filter(|m| m.product == product.product).map(|m| m.piece).collect();
    place(matter, &mut evidence, &pieces);
    Some(evidence)
}

fn known_fakes(matter: &Matter<'_>) -> Vec<Evidence> {
    let own = matter.catalog.overlay.fake_texts.iter().filter(|fake| fake.brand == matter.brand);
    let repeated = own.filter(|fake| fake.is_repeated(&matter.reading.document, &matter.listing().occurred_at));
    let evidence = |fake: &FakeText| {
        let mut evidence = item(Kind::KnownFakeText, matter.policy.weights.text.known_fake_text);
        evidence.reference = Some(fake.id.clone());
        evidence
    };
    repeated.map(evidence).collect()
}

fn phrases(matter: &Matter<'_>) -> Vec<Evidence> {
    let weights = &matter.policy.weights.text;
    let mut groups: BTreeMap<(Kind, usize, bool), Vec<Piece>> = BTreeMap::new();
    let tree = &matter.catalog.snapshot.classes;
    let named = matter.mentions.iter().any(|m| !matter.reading.document.in_prose(m.piece));
    let scale_model = matter.reading.in_title(matter.catalog, &[PhraseKind::ScaleModel]).next().and_then(|_| tree.by_name("scale_models"));
    for hit in &matter.reading.hits {
        let super::What::Phrase(index) = hit.what else { continue };
        let entry = &matter.catalog.snapshot.words.phrases[index];
        let kind = match entry.row.says {
            PhraseKind::Coded => Kind::CodedPhrase,
            PhraseKind::Denial => Kind::Denial,
            PhraseKind::Overclaim => Kind::Overclaim,
            PhraseKind::OffPlatform => Kind::OffPlatformContact,
            _ => continue,
        };
        let mut goods = matter.goods.iter().map(|g| g.class).chain(scale_model);
        let means_something_else = goods.any(|class| entry.not_in.iter().any(|not_in| tree.is_within(class, *not_in)));
        let document = &matter.reading.document;
        // A wish to deal elsewhere counts wherever it stands, and a plain code word where title, variants or pictures name
        // the brand alone.
        let counts = document.in_title(hit.piece)
            || kind == Kind::OffPlatformContact
            || near_a_mention(matter, hit)
            || (named && entry.row.strength.to_f64() >= PLAIN && (!document.in_prose(hit.piece) || is_early(document, hit.piece)));
        let foreign = !entry.row.phrase.contains(' ') && entry.row.phrase.is_ascii() && !speaks(matter, &entry.row.language);
        let negated = kind == Kind::CodedPhrase && is_denied(document, hit.piece);
        if counts && !foreign && !negated && !means_something_else && !beside(matter, hit, &entry.not_in) {
            groups.entry((kind, index, document.in_prose(hit.piece))).or_default().push(hit.piece);
        }
    }
    let group = |((kind, index, elsewhere), pieces): ((Kind, usize, bool), Vec<Piece>)| {
        let entry = &matter.catalog.snapshot.words.phrases[index];
        let full = match kind {
            Kind::CodedPhrase => weights.coded_phrase,
            Kind::Denial => weights.denial,
            Kind::Overclaim => weights.overclaim,
            _ => weights.off_platform,
        };
        let factor = if elsewhere { weights.phrase_elsewhere } else { 1.0 };
        let mut evidence = item(kind, full * entry.row.strength.to_f64() * factor);
        evidence.phrase = Some(entry.row.phrase.clone());
        evidence.pack = Some(entry.pack.clone());
        evidence.language = Some(entry.row.language.clone());
        place(matter, &mut evidence, &pieces);
        evidence
    };
    let mut found: Vec<Evidence> = groups.into_iter().map(group).collect();
    // Languages share phrases: of one place the strongest reading stays.
    found.sort_by(|a, b| (a.kind, b.weight).cmp(&(b.kind, a.weight)));
    let mut read: Vec<(Kind, Vec<touchstone_schemas::Span>)> = Vec::new();
    found.retain(|e| {
        let place = (e.kind, e.all_spans().cloned().collect::<Vec<_>>());
        let new = !read.contains(&place);
        read.extend(new.then_some(place));
        new
    });
    found
}

/// Whether a listing may be in a language: a single word of a foreign one is most likely another word. English is understood everywhere.
fn speaks(matter: &Matter<'_>, language: &str) -> bool {
    const MARKETS: &[(&str, &[&str])] = &[
        ("id", &["ID"]),
        ("ms", &["MY", "BN", "SG"]),
        ("fil", &["PH"]),
        ("vi", &["VN"]),
        ("th", &["TH"]),
        ("ko", &["KR"]),
        ("zh", &["CN", "TW", "HK", "MO", "SG"]),
        ("es", &["ES", "MX", "AR", "CL", "CO", "PE", "UY", "EC"]),
        ("pt", &["BR", "PT"]),
    ];
    let listing = matter.listing();
    let thai = || language == "th" && listing.title().chars().any(|c| ('\u{e00}'..='\u{e7f}').contains(&c));
    language == "en"
        || listing.language.as_deref().is_some_and(|own| own.split('-').next() == Some(language))
        || MARKETS.iter().any(|(l, markets)| *l == language && markets.contains(&listing.market.as_str()))
        || thai()
}

/// Whether a word right beside a phrase names goods of which it means something else: "replica jersey".
fn beside(matter: &Matter<'_>, hit: &Hit, not_in: &[Class]) -> bool {
    let tree = &matter.catalog.snapshot.classes;
    let near = |h: &Hit| matter.reading.document.within_words(h.piece, hit.piece, 1);
    let other = |class: Class| not_in.iter().any(|not_in| tree.is_within(class, *not_in));
    matter.reading.hits.iter().any(|h| matches!(h.what, super::What::Class(class, _) if other(class)) && near(h))
}

/// Whether a piece stands where a description says what the goods are, and not among the shop's other words.
fn is_early(document: &super::Document<'_>, piece: Piece) -> bool {
    const EARLY: usize = 500;
    piece.start - document.field_of(piece).range.start < EARLY
}

fn near_a_mention(matter: &Matter<'_>, hit: &Hit) -> bool {
    // The nearest before and the nearest behind are near, or none is.
    let next = matter.mentions.partition_point(|m| m.piece.start < hit.piece.start);
    let nearest = matter.mentions[next.saturating_sub(1)..].iter().take(2);
    nearest.into_iter().any(|m| matter.reading.document.within_words(m.piece, hit.piece, NEAR))
}

/// Other protected brands in the title. A name that may be an ordinary word is no other brand.
fn several_brands(matter: &Matter<'_>) -> Option<Evidence> {
    let names = &matter.catalog.snapshot.lexicon.names;
    let in_title = |p: Piece| matter.reading.document.in_title(p);
    let others: BTreeMap<usize, Piece> = matter
        .reading
        .found
        .mentions
        .iter()
        .filter(|m| m.brand != matter.brand && in_title(m.piece) && names[m.name].weak == super::Weakness::None)
        .map(|m| (m.brand, m.piece))
        .collect();
    let own = matter.mentions.iter().any(|m| in_title(m.piece));
    if others.is_empty() || !own || matter.accessory.is_some() {
        return None;
    }
    let mut evidence = item(Kind::MultiBrand, matter.policy.weights.text.multi_brand);
    evidence.brands = others.keys().map(|b| matter.catalog.snapshot.brands[*b].row.brand_id.to_string()).collect();
    place(matter, &mut evidence, &others.into_values().collect::<Vec<_>>());
    Some(evidence)
}

/// What sellers write who declare no brand, in the languages served; normalised.
const NO_BRAND: &[&str] = &[
    "no brand",
    "nobrand",
    "oem",
    "generic",
    "unbranded",
    "other",
    "others",
    "none",
    "n a",
    "na",
    "khac",
    "khong",
    "lainnya",
    "tidak ada merek",
    "otro",
    "sin marca",
    "outro",
    "sem marca",
    "무브랜드",
    "无品牌",
    "其他",
    "ไม่มีแบรนด์",
];

/// The title names the brand and the seller declared another, or none.
fn declared_brand(matter: &Matter<'_>) -> Option<Evidence> {
    let declared = matter.listing().brand.as_deref()?;
    let folded = normalise(declared);
    let own = matter.catalog.snapshot.lexicon.of_brand(matter.brand);
    let contains = |name: &str| format!(" {folded} ").contains(&format!(" {name} "));
    let in_title = matter.mentions.iter().any(|m| matter.reading.document.in_title(m.piece));
    if folded.is_empty() || !in_title || own.into_iter().any(|n| contains(&n.spaced)) {
        return None;
    }
    let weights = &matter.policy.weights.text;
    let weight = if NO_BRAND.contains(&folded.as_str()) { weights.field_generic } else { weights.field_other };
    let mut evidence = item(Kind::BrandFieldMismatch, weight);
    evidence.declared = Some(declared.to_owned());
    Some(evidence)
}
