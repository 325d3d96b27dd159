//! The made-up brands and their goods: the catalog of the examples, with a drawn photo for each product.

use std::path::Path;

use image::RgbImage;
use serde_json::{Value, json};

use super::draw::{Shape, jpeg, photo};

const FILES: [(&str, &str); 6] = [
    ("brands.jsonl", include_str!("../../../examples/catalog/brands.jsonl")),
    ("rights_holders.jsonl", include_str!("../../../examples/catalog/rights_holders.jsonl")),
    ("authorised_sellers.jsonl", include_str!("../../../examples/catalog/authorised_sellers.jsonl")),
    ("offenders.jsonl", include_str!("../../../examples/catalog/offenders.jsonl")),
    ("category_map.jsonl", include_str!("../../../examples/catalog/category_map.jsonl")),
    ("known_fakes.jsonl", include_str!("../../../examples/catalog/known_fakes.jsonl")),
];
const PRODUCTS: &str = include_str!("../../../examples/catalog/products.jsonl");

/// A product that listings are made from.
pub(super) struct Product {
    pub(super) brand_id: String,
    /// The brand's name.
    pub(super) brand: String,
    /// The product's name, with the brand's.
    pub(super) name: String,
    pub(super) usd: f64,
    pub(super) category: Vec<String>,
    pub(super) photo: RgbImage,
}

/// Every product of the demo.
pub(super) fn products() -> Vec<Product> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let rows = |text: &str| text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).collect::<Vec<_>>();
    let brands = rows(FILES[0].1);
    let product = |(number, row): (usize, Value)| {
        let brand = brands.iter().find(|b| b["brand_id"] == row["brand_id"]).map(|b| text(&b["name"]));
        let category: Vec<String> = row["category"].as_array().into_iter().flatten().map(text).collect();
        Product {
            brand_id: text(&row["brand_id"]),
            brand: brand.unwrap_or_default(),
            name: text(&row["name"]),
            usd: row["reference_prices"][0]["amount"].as_str().and_then(|a| a.parse().ok()).unwrap_or(100.0),
            photo: photo(Shape::of(category.last().map_or("", String::as_str)), number as u64),
            category,
        }
    };
    rows(PRODUCTS).into_iter().enumerate().map(product).collect()
}

/// Writes the catalog, with the photos, into a folder.
pub(super) fn write(folder: &Path, products: &[Product]) -> std::io::Result<()> {
    for (name, text) in FILES {
        std::fs::write(folder.join(name), text)?;
    }
    let mut rows = String::new();
    for (i, (line, product)) in PRODUCTS.lines().zip(products).enumerate() {
        let mut row: Value = serde_json::from_str(line)?;
        let file = format!("{i}.jpg");
        std::fs::write(folder.join(&file), jpeg(&product.photo, 90))?;
        row["images"] = json!([{"path": file}]);
        rows += &format!("{row}\n");
    }
    std::fs::write(folder.join("products.jsonl"), rows)
}
