//! Product photos, drawn: made-up goods need made-up pictures.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops;
use image::{Rgb, RgbImage};

use super::chance::Chance;

/// Pixels a side.
const SIDE: u32 = 300;

/// What the goods look like, roughly.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Shoe,
    Bag,
    Watch,
    Bottle,
    Gadget,
    Clothes,
}

impl Shape {
    /// By the words of a category.
    pub(super) fn of(category: &str) -> Self {
        match category {
            "Shoes" => Self::Shoe,
            "Bags" | "Wallets" => Self::Bag,
            "Watches" => Self::Watch,
            "Skincare" | "Makeup" | "Perfume" => Self::Bottle,
            "Earbuds" | "Flash Drive" | "SSD" => Self::Gadget,
            _ => Self::Clothes,
        }
    }

    /// Whether a point, from -1 to 1 both ways, is within the goods.
    fn holds(self, x: f64, y: f64) -> bool {
        let ellipse = |cx: f64, cy: f64, rx: f64, ry: f64| ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) < 1.0;
        let rectangle = |cx: f64, cy: f64, rx: f64, ry: f64| (x - cx).abs() < rx && (y - cy).abs() < ry;
        match self {
            Self::Shoe => ellipse(0.1, 0.25, 0.75, 0.28) || ellipse(-0.45, -0.05, 0.28, 0.42) || rectangle(0.0, 0.48, 0.8, 0.08),
            Self::Bag => rectangle(0.0, 0.2, 0.62, 0.5) || (ellipse(0.0, -0.25, 0.4, 0.5) && !ellipse(0.0, -0.25, 0.3, 0.4) && y < 0.0),
            Self::Watch => ellipse(0.0, 0.0, 0.48, 0.48) || rectangle(0.0, 0.0, 0.2, 0.92),
            Self::Bottle => rectangle(0.0, 0.25, 0.32, 0.58) || rectangle(0.0, -0.5, 0.16, 0.26),
            Self::Gadget => rectangle(0.0, 0.0, 0.5, 0.34) || rectangle(0.62, 0.0, 0.2, 0.16),
            Self::Clothes => rectangle(0.0, 0.15, 0.42, 0.62) || (rectangle(0.0, -0.25, 0.82, 0.22) && x.abs() + y < 0.85),
        }
    }
}

/// The photo of a product: the same for the same number.
pub(super) fn photo(shape: Shape, number: u64) -> RgbImage {
    let mut chance = Chance::new(number * 7 + 1);
    let mut colour = |low: f64, high: f64| [0; 3].map(|_: u8| chance.between(low, high));
    let (ground, cloth, trim) = (colour(200.0, 250.0), colour(20.0, 200.0), colour(0.0, 255.0));
    let (scale, dx, dy) = (chance.between(0.85, 1.25), chance.between(-0.22, 0.22), chance.between(-0.2, 0.2));
    let (stripes, angle, spot) =
        (chance.between(2.0, 9.0), chance.between(0.0, 3.1), [chance.between(-0.4, 0.4), chance.between(-0.3, 0.4)]);
    let (light, plaid) = (chance.between(-1.0, 1.0), chance.between(0.0, 1.0) < 0.5);
    RgbImage::from_fn(SIDE, SIDE, |px, py| {
        let at = |p: u32| f64::from(p) / f64::from(SIDE) * 2.0 - 1.0;
        let (x, y) = ((at(px) - dx) * scale, (at(py) - dy) * scale);
        let wave = |a: f64| (x * a.cos() + y * a.sin()) * stripes;
        let striped = wave(angle).rem_euclid(2.0) < 0.8 || (plaid && wave(angle + 1.57).rem_euclid(2.0) < 0.5);
        let badge = (x - spot[0]).powi(2) + (y - spot[1]).powi(2) < 0.03;
        let shade = 1.0 + 0.18 * (x * light + y * (1.0 - light.abs()));
        let colour = match () {
            () if !shape.holds(x, y) => ground.map(|c| c - 18.0 * (at(py) + 1.0)),
            () if badge => trim,
            () if striped => trim.map(|c| c * 0.5).map(|c| c + 40.0),
            () => cloth,
        };
        // A shade of a byte, kept within it.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Rgb(colour.map(|c| (c * shade).clamp(0.0, 255.0) as u8))
    })
}

/// What a seller does to a copied photo, so that it is not found.
pub(super) fn edited(photo: &RgbImage, edit: usize) -> Vec<u8> {
    match edit % 6 {
        0 => jpeg(photo, 40),
        1 => jpeg(&imageops::flip_horizontal(photo), 80),
        2 => jpeg(&framed(photo, [255, 255, 255]), 80),
        3 => jpeg(&framed(&imageops::flip_horizontal(photo), [200, 30, 40]), 70),
        4 => jpeg(&imageops::rotate90(photo), 80),
        _ => jpeg(&imageops::resize(photo, SIDE / 2, SIDE / 2, imageops::FilterType::Triangle), 80),
    }
}

fn framed(photo: &RgbImage, colour: [u8; 3]) -> RgbImage {
    const FRAME: u32 = 24;
    let mut framed = RgbImage::from_pixel(photo.width() + 2 * FRAME, photo.height() + 2 * FRAME, Rgb(colour));
    imageops::replace(&mut framed, photo, i64::from(FRAME), i64::from(FRAME));
    framed
}

/// The photo as a file.
pub(super) fn jpeg(photo: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    // Writing to memory fails for pictures of no size only.
    let _ = JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(photo);
    bytes.into_inner()
}
