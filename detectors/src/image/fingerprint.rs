//! What a picture is reduced to: 192 bits of each of its views.
//!
//! A hash is the sign of the 64 lowest frequencies of a discrete cosine transform, and of 64 differences across and 64
//! down. Uniform borders are trimmed first. A reference keeps its whole view. A listing's picture is looked up by its whole
//! view in all eight turns, and by its halves, since sellers paste two pictures into one.

use std::panic::catch_unwind;
use std::sync::{LazyLock, OnceLock};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::GrayImage;
use image_hasher::{HashAlg, Hasher, HasherConfig};
use touchstone_schemas::Fingerprint as Row;

use super::colour::{Chart, Colours};
use super::decode::{PictureFault, decode, glance};
use super::keypoints::{Feature, OF_LISTING, OF_REFERENCE, features, features_both_ways};
use super::planes::{Plane, Planes, Region, Turn};
use super::search::Hash192;
use super::trim::trim;

/// Name and version of the method: hashes of another one are not comparable.
pub const ALGORITHM: &str = "touchstone-192/2";

/// A PDQ hash, 256 bits.
pub type Pdq = [u64; 4];

/// Mean difference of neighbouring cells under which a picture is nearly one colour, in 1/255 of the brightest.
const LEAST_DETAIL: u32 = 2;
const DETAIL_CELLS: usize = 16;

static FREQUENCIES: LazyLock<Hasher<[u8; 8]>> = LazyLock::new(|| hasher(HashAlg::Median, true));
static ACROSS: LazyLock<Hasher<[u8; 8]>> = LazyLock::new(|| hasher(HashAlg::Gradient, false));
static DOWN: LazyLock<Hasher<[u8; 8]>> = LazyLock::new(|| hasher(HashAlg::VertGradient, false));

fn hasher(algorithm: HashAlg, cosine: bool) -> Hasher<[u8; 8]> {
    let config = HasherConfig::with_bytes_type::<[u8; 8]>().hash_size(8, 8).hash_alg(algorithm);
    if cosine { config.preproc_dct().to_hasher() } else { config.to_hasher() }
}

/// A part of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    Left,
    Right,
    Top,
    Bottom,
}

/// A part of a picture, turned, as a hash.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) hash: Hash192,
    pub(crate) colours: Colours,
    part: Part,
    turn: Turn,
    /// Its place in the picture: x, y, width, height in 0..1.
    pub(crate) place: [f64; 4],
}

impl View {
    /// Its name in evidence.
    pub(crate) fn name(&self) -> String {
        let part = match self.part {
            Part::Whole => "whole",
            Part::Left => "left half",
            Part::Right => "right half",
            Part::Top => "top half",
            Part::Bottom => "bottom half",
        };
        let mirrored = if self.turn.mirrored { ", mirrored" } else { "" };
        match self.turn.quarters {
            0 => format!("{part}{mirrored}"),
            quarters => format!("{part}{mirrored}, turned {}", u32::from(quarters) * 90),
        }
    }
}

/// What a listing's picture is reduced to: hashes at once, and local features when they are asked for.
#[derive(Debug)]
pub struct Fingerprint {
    pub(crate) views: Vec<View>,
    bytes: Box<[u8]>,
    local: OnceLock<Option<Local>>,
}

/// What is told by a picture in full.
#[derive(Debug)]
pub(crate) struct Local {
    /// Local features: as it stands, and mirrored.
    pub(crate) features: [Vec<Feature>; 2],
    /// Width and height of the picture that the features' places count in.
    pub(crate) size: (f64, f64),
    /// Colours of all of it, in a finer grid.
    pub(crate) chart: Chart,
}

impl Local {
    fn of(picture: &Planes) -> Self {
        let whole = picture.luma.whole();
        Self { features: features_both_ways(&picture.luma, OF_LISTING), size: (whole.width, whole.height), chart: Chart::of(picture) }
    }
}

impl Fingerprint {
    /// Reduces a picture: the bytes of a JPEG, PNG, WebP or GIF.
    ///
    /// # Errors
    /// Why it cannot be looked at.
    pub fn of(bytes: &[u8]) -> Result<Self, PictureFault> {
        let picture = glance(bytes)?;
        let trimmed = trim(&picture.luma, picture.luma.whole());
        if lacks_detail(&picture.luma, trimmed) {
            return Err(PictureFault::LowDetail);
        }
        let mut views = Cells::of(&picture, trimmed).views(Part::Whole, &Turn::ALL);
        for part in [Part::Left, Part::Right, Part::Top, Part::Bottom] {
            let region = trim(&picture.luma, half(&picture.luma, part));
            if !lacks_detail(&picture.luma, region) {
                views.extend(Cells::of(&picture, region).views(part, &[Turn::UPRIGHT, Turn::MIRRORED]));
            }
        }
        Ok(Self { views, bytes: bytes.into(), local: OnceLock::new() })
    }

    /// Bytes of memory that it takes at most.
    pub fn footprint(&self) -> usize {
        const LOCAL: usize = 40 << 10;
        self.bytes.len() + LOCAL
    }

    /// What the picture in full tells; nothing where it cannot be decoded further than its hash needs.
    pub(crate) fn local(&self) -> Option<&Local> {
        // A decoder's panic must not take the listing with it.
        let read = || catch_unwind(|| decode(&self.bytes).map(|picture| Local::of(&picture)).ok()).ok().flatten();
        self.local.get_or_init(read).as_ref()
    }

    /// The row that a catalog keeps of a reference picture: the hash, and in `features` its size, colours and local features.
    ///
    /// # Errors
    /// It is broken somewhere.
    pub fn row(&self) -> Result<Row, PictureFault> {
        let picture = decode(&self.bytes)?;
        let mut bytes = Vec::new();
        // Sides are at most 256.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        for side in [picture.luma.width, picture.luma.height] {
            bytes.extend((side as u16).to_be_bytes());
        }
        self.views[0].colours.write(&mut bytes);
        Chart::of(&picture).write(&mut bytes);
        features(&picture.luma, OF_REFERENCE).iter().for_each(|feature| feature.write(&mut bytes));
        Ok(Row { algo: ALGORITHM.to_owned(), hex: self.hex(), features: Some(BASE64_STANDARD.encode(bytes)) })
    }

    /// The row of what a glance tells: the hash and the colours. The same picture is known again by it, also resized, recompressed,
    /// turned or mirrored; a crop of it is not.
    pub fn brief_row(&self) -> Row {
        let mut bytes = vec![0; 4];
        self.views[0].colours.write(&mut bytes);
        Row { algo: ALGORITHM.to_owned(), hex: self.hex(), features: Some(BASE64_STANDARD.encode(bytes)) }
    }

    fn hex(&self) -> String {
        self.views[0].hash.iter().map(|word| format!("{word:016x}")).collect()
    }
}

/// What a catalog keeps of a reference picture.
pub(crate) struct Kept {
    pub(crate) hash: Hash192,
    pub(crate) colours: Colours,
    /// What is told by more than a glance.
    pub(crate) close: Option<Close>,
}

/// What is kept of a picture that was looked at in full.
pub(crate) struct Close {
    pub(crate) chart: Chart,
    pub(crate) size: (f64, f64),
    pub(crate) features: Vec<Feature>,
}

/// What a catalog's row holds; nothing when it has not the form that `row` or `brief_row` gives it.
pub(crate) fn parse(row: &Row) -> Option<Kept> {
    let bytes = BASE64_STANDARD.decode(row.features.as_deref()?).ok()?;
    let (size, rest) = bytes.split_at_checked(4)?;
    let side = |i: usize| f64::from(u16::from_be_bytes([size[i], size[i + 1]]));
    let (colours, rest) = Colours::read(rest)?;
    let close = match rest {
        [] => None,
        rest => {
            let (chart, rest) = Chart::read(rest)?;
            Some(Close { chart, size: (side(0), side(2)), features: Feature::read_all(rest)? })
        }
    };
    Some(Kept { hash: words(&row.hex)?, colours, close })
}

/// Hexadecimal digits as words, the first digit the highest.
pub(crate) fn words<const N: usize>(hex: &str) -> Option<[u64; N]> {
    if hex.len() != N * 16 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut words = [0; N];
    for (i, word) in words.iter_mut().enumerate() {
        *word = u64::from_str_radix(&hex[i * 16..(i + 1) * 16], 16).ok()?;
    }
    Some(words)
}

fn half(picture: &Plane, part: Part) -> Region {
    let whole = picture.whole();
    let (width, height) = (whole.width / 2.0, whole.height / 2.0);
    match part {
        Part::Whole => whole,
        Part::Left => Region { width, ..whole },
        Part::Right => Region { x: width, width, ..whole },
        Part::Top => Region { height, ..whole },
        Part::Bottom => Region { y: height, height, ..whole },
    }
}

/// The means of a region in the three grids that are hashed, and its colours.
struct Cells {
    square: Vec<u8>,
    wide: Vec<u8>,
    tall: Vec<u8>,
    colours: Colours,
    place: [f64; 4],
}

impl Cells {
    fn of(picture: &Planes, region: Region) -> Self {
        let grid = |columns, rows| picture.luma.grid(region, columns, rows);
        let whole = picture.luma.whole();
        let place = [region.x / whole.width, region.y / whole.height, region.width / whole.width, region.height / whole.height];
        Self { square: grid(16, 16), wide: grid(9, 8), tall: grid(8, 9), colours: Colours::of(picture, region), place }
    }

    /// The region in some of its turns: whatever way it stands, its cells have the same means.
    fn views(&self, part: Part, turns: &[Turn]) -> Vec<View> {
        let view = |turn: &Turn| {
            let upright = turn.quarters.is_multiple_of(2);
            let (wide, tall) = if upright { (&self.wide, &self.tall) } else { (&self.tall, &self.wide) };
            let hash = [
                word(&FREQUENCIES, turn.turn(&self.square, 16, 16), 16, 16),
                word(&ACROSS, turn.turn(wide, 9, 8), 9, 8),
                word(&DOWN, turn.turn(tall, 8, 9), 8, 9),
            ];
            View { hash, colours: self.colours.turned(*turn), part, turn: *turn, place: self.place }
        };
        turns.iter().map(view).collect()
    }
}

fn word(hasher: &Hasher<[u8; 8]>, cells: Vec<u8>, columns: u32, rows: u32) -> u64 {
    // The hasher finds the size that it wants, so that it resizes nothing.
    let image = GrayImage::from_raw(columns, rows, cells).unwrap_or_default();
    u64::from_be_bytes(hasher.hash_image(&image).into_inner())
}

fn lacks_detail(picture: &Plane, region: Region) -> bool {
    let cells = picture.grid(region, DETAIL_CELLS, DETAIL_CELLS);
    let differences = cells.chunks(DETAIL_CELLS).flat_map(|row| row.windows(2)).map(|pair| u32::from(pair[0].abs_diff(pair[1])));
    let down = cells.iter().zip(&cells[DETAIL_CELLS..]).map(|(a, b)| u32::from(a.abs_diff(*b)));
    let count = 2 * DETAIL_CELLS * (DETAIL_CELLS - 1);
    let sum: u32 = differences.chain(down).sum();
    (sum as usize) < LEAST_DETAIL as usize * count
}

/// A PDQ hash as platforms write it: 64 hexadecimal digits.
pub fn pdq(hex: &str) -> Option<Pdq> {
    words(hex)
}
