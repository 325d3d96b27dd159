//! Evidence: what a detector found, with its weight and the facts behind it.

use crate::decode::{choice, record};
use crate::forms::{Amount, Score, Weight};

choice! {
    /// Which detector found it.
    pub enum Detector {
        /// What is known before looking.
        Prior = "prior",
        /// Words.
        Text = "text",
        /// Price.
        Price = "price",
        /// Pictures.
        Image = "image",
        /// The seller.
        Seller = "seller",
        /// What kind of goods and offer it is.
        Context = "context",
        /// Earlier revisions and verdicts.
        History = "history",
    }
}

choice! {
    /// What was found.
    pub enum Kind {
        /// The share of listings that are suspect before any is looked at.
        BaseRate = "base_rate",
        /// The brand is named: alias, match, span or spans.
        BrandMention = "brand_mention",
        /// Code words for a copy: phrase, pack, language, span.
        CodedPhrase = "coded_phrase",
        /// The listing itself says that it is not genuine.
        Denial = "denial",
        /// The listing protests too much that it is genuine.
        Overclaim = "overclaim",
        /// Several brands that don't sell together.
        MultiBrand = "multi_brand",
        /// The declared brand is another than the text names.
        BrandFieldMismatch = "brand_field_mismatch",
        /// A wish to deal outside the platform.
        OffPlatformContact = "off_platform_contact",
        /// Text of a known fake.
        KnownFakeText = "known_fake_text",
        /// A product of the catalog: product_id, similarity.
        ProductMatch = "product_match",
        /// Cheaper than the reference.
        BelowReference = "below_reference",
        /// Dearer than the reference.
        AboveReference = "above_reference",
        /// A price that nobody is meant to pay.
        Decoy = "decoy",
        /// As dear as the reference.
        InRange = "in_range",
        /// Near a power of ten off: a wrong unit and not a fake.
        DataError = "data_error",
        /// A copy of the brand's own picture.
        ReferenceCopy = "reference_copy",
        /// A picture of a known fake.
        KnownFake = "known_fake",
        /// The brand authorised this seller.
        Authorised = "authorised",
        /// The seller was found with fakes before.
        RepeatOffender = "repeat_offender",
        /// The shop calls itself official and is not.
        ImpostorShop = "impostor_shop",
        /// Goods made for the brand's goods.
        Accessory = "accessory",
        /// Used goods.
        Used = "used",
        /// A part of the goods.
        PartOnly = "part_only",
        /// A sample or a travel size.
        Sample = "sample",
        /// About the brand: a book, a poster, a service, an empty box.
        AboutBrand = "about_brand",
        /// Goods of a class that the brand does not make.
        CategoryMismatch = "category_mismatch",
        /// The listing sold something else before.
        SwitchedListing = "switched_listing",
        /// The price jumped.
        PriceFlip = "price_flip",
        /// A listing that was taken down before.
        Resubmission = "resubmission",
    }
}

choice! {
    /// How a brand's name was found.
    pub enum MatchKind {
        /// As the catalog writes it.
        Exact = "exact",
        /// After case, accents, width and separators are folded.
        Folded = "folded",
        /// By letters or digits that look alike.
        Confusable = "confusable",
        /// Torn apart by spaces, punctuation or invisible characters.
        Split = "split",
        /// Misspelt.
        Fuzzy = "fuzzy",
        /// By a nickname.
        Nickname = "nickname",
    }
}

choice! {
    /// What a price was compared with.
    pub enum Basis {
        /// The product's own reference price.
        Product = "product",
        /// The brand's reference price for the class of goods.
        BrandCategory = "brand_category",
        /// What authorised sellers ask.
        Authorised = "authorised",
        /// What others ask for the like.
        Peers = "peers",
    }
}

choice! {
    /// How two pictures were compared.
    pub enum Method {
        /// Global hashes by Hamming distance.
        Hash = "hash",
        /// Local features with a geometric check.
        Keypoints = "keypoints",
    }
}

record! {
    /// A piece of a listing's text.
    pub struct Span {
        /// Path of the field: `title`, `image_text[0]`, `variants[2].name`.
        req field: String,
        /// First byte in the decoded string.
        req start: u64,
        /// Byte after the last.
        req end: u64,
        /// The text between.
        req text: String,
    }
}

record! {
    /// One finding. Which facts it has depends on its kind.
    pub struct Evidence {
        /// Which detector found it.
        req detector: Detector,
        /// What was found.
        req kind: Kind,
        /// Log-odds that it adds to the score.
        req weight: Weight,
        /// `base_rate`: the share of suspect listings that the policy assumes.
        opt base_rate: Score,
        /// `brand_mention`: the name or alias of the catalog.
        opt alias: String,
        /// `brand_mention`: how it was found.
        opt r#match: MatchKind,
        /// The phrase as the pack writes it.
        opt phrase: String,
        /// The pack that has the phrase.
        opt pack: String,
        /// Language of the phrase.
        opt language: String,
        /// Where in the listing.
        opt span: Span,
        /// Where in the listing, when in several places.
        list spans: Span,
        /// Other brands named.
        list brands: String,
        /// The brand as declared.
        opt declared: String,
        /// Class of the goods.
        opt class: String,
        /// The matched product.
        opt product_id: String,
        /// Similarity to the product, 0 to 1.
        opt similarity: Score,
        /// Unit price over reference.
        opt ratio: Score,
        /// Price of one piece, in the listing's currency.
        opt unit_price: Amount,
        /// Reference price: an amount in the listing's currency; of a picture, the reference's name.
        opt reference: String,
        /// What the price was compared with.
        opt basis: Basis,
        /// Index of the listing's picture.
        opt image_index: u64,
        /// Where the reference picture can be seen.
        opt reference_url: String,
        /// How the pictures were compared.
        opt method: Method,
        /// Hamming distance.
        opt distance: u64,
        /// Bits compared.
        opt bits: u64,
        /// Local features that agree.
        opt inliers: u64,
        /// The view that matched, such as `mirrored`.
        opt view: String,
        /// Where in the listing's picture: x, y, width, height in 0..1.
        list r#box: Score,
    }
}

impl Evidence {
    /// An item without facts.
    pub fn new(detector: Detector, kind: Kind, weight: Weight) -> Self {
        Self {
            detector,
            kind,
            weight,
            base_rate: None,
            alias: None,
            r#match: None,
            phrase: None,
            pack: None,
            language: None,
            span: None,
            spans: Vec::new(),
            brands: Vec::new(),
            declared: None,
            class: None,
            product_id: None,
            similarity: None,
            ratio: None,
            unit_price: None,
            reference: None,
            basis: None,
            image_index: None,
            reference_url: None,
            method: None,
            distance: None,
            bits: None,
            inliers: None,
            view: None,
            r#box: Vec::new(),
        }
    }

    /// Every span that the item names.
    pub fn all_spans(&self) -> impl Iterator<Item = &Span> {
        self.span.iter().chain(&self.spans)
    }
}
