//! Local features: corners that are found again after a crop, a turn, a change of scale, a band or a sticker.
//!
//! Corners by FAST (Rosten and Drummond, 2006) at several scales; each with an orientation by the centroid of its
//! brightness and a descriptor of 96 comparisons of smoothed points, turned by the orientation, after ORB (Rublee et al.,
//! 2011). No chance and no floating trigonometry but `libm`'s: the same picture gives the same features on any processor.

use std::sync::LazyLock;

use super::planes::Plane;

/// Bits of a descriptor.
pub(super) const BITS: u32 = 96;
/// Features that a listing's picture is described by.
pub(super) const OF_LISTING: usize = 400;
/// Features that a reference keeps: 15 bytes each, so that all take less than 1 KiB.
pub(super) const OF_REFERENCE: usize = 68;
/// Bytes of a feature as a catalog keeps it.
const BYTES: usize = 15;

/// From one scale to the next.
const STEP: f64 = 1.3;
const SCALES: usize = 6;
/// Powers of the step.
pub(super) const SIZES: [f64; SCALES] = {
    let mut sizes = [1.0; SCALES];
    let mut i = 1;
    while i < SCALES {
        sizes[i] = sizes[i - 1] * STEP;
        i += 1;
    }
    sizes
};
/// A corner's ring must be this much brighter or darker, in 1/255.
const CONTRAST: i32 = 12;
/// Of the ring's sixteen pixels in a row.
const ARC: usize = 9;
/// Pixels around a corner that its descriptor looks at.
const RADIUS: usize = 15;
/// Cells a side that corners are spread over.
const SPREAD: usize = 6;
/// Orientations that the comparisons are prepared for.
const TURNS: usize = 64;

/// One corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Feature {
    pub(crate) bits: u128,
    /// In pixels of the picture as it is kept.
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// Of its patch, in 1/256 of a turn.
    pub(crate) angle: u8,
    /// Power of the scale step.
    pub(crate) scale: u8,
}

impl Feature {
    /// Size of a feature's patch beside that of the smallest.
    pub(crate) fn size(&self) -> f64 {
        SIZES[usize::from(self.scale) % SCALES]
    }

    /// Descriptor, place, and in one byte orientation (5 bits) and scale (3 bits).
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(&self.bits.to_be_bytes()[4..]);
        // Pictures are kept at 256 pixels a side.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        out.extend([self.x as u8, self.y as u8, self.angle & 0xf8 | self.scale]);
    }

    fn read(bytes: &[u8; BYTES]) -> Self {
        let mut bits = [0; 16];
        bits[4..].copy_from_slice(&bytes[..12]);
        let [x, y, packed] = [bytes[12], bytes[13], bytes[14]];
        // The middle of the step.
        Self { bits: u128::from_be_bytes(bits), x: f32::from(x), y: f32::from(y), angle: packed & 0xf8 | 4, scale: packed & 7 }
    }

    /// The features that a catalog's row holds; nothing for bytes of another length.
    pub(super) fn read_all(bytes: &[u8]) -> Option<Vec<Self>> {
        let (features, rest) = bytes.as_chunks::<BYTES>();
        rest.is_empty().then(|| features.iter().map(Self::read).collect())
    }
}

/// A corner before it is described.
struct Corner {
    score: i32,
    x: usize,
    y: usize,
    scale: usize,
}

/// A picture at one scale, with how much of a corner each pixel is.
struct Level {
    width: usize,
    pixels: Vec<u8>,
    scores: Vec<i32>,
}

/// The features of a picture as it stands, the strongest of each part of it first.
pub(super) fn features(picture: &Plane, most: usize) -> Vec<Feature> {
    of_levels(&levels(picture), picture, most)
}

/// The same, and those of the picture mirrored.
pub(super) fn features_both_ways(picture: &Plane, most: usize) -> [Vec<Feature>; 2] {
    let mut levels = levels(picture);
    let upright = of_levels(&levels, picture, most);
    for level in &mut levels {
        level.pixels.chunks_exact_mut(level.width).for_each(<[u8]>::reverse);
        level.scores.chunks_exact_mut(level.width).for_each(<[i32]>::reverse);
    }
    [upright, of_levels(&levels, picture, most)]
}

fn levels(picture: &Plane) -> Vec<Level> {
    let mut levels = Vec::with_capacity(SCALES);
    for size in SIZES {
        // A scale's size, rounded; at most that of the picture.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let side = |length: usize| (length as f64 / size).round() as usize;
        let (width, height) = (side(picture.width), side(picture.height));
        if width.min(height) <= 2 * RADIUS + 2 {
            break;
        }
        let pixels = picture.grid(picture.whole(), width, height);
        levels.push(Level { scores: scores(&pixels, width), width, pixels });
    }
    levels
}

fn of_levels(levels: &[Level], picture: &Plane, most: usize) -> Vec<Feature> {
    let mut corners = Vec::new();
    for (scale, level) in levels.iter().enumerate() {
        find_corners(level, scale, &mut corners);
    }
    let planes: Vec<Plane> = levels.iter().map(|level| Plane::from_pixels(level.width, &level.pixels)).collect();
    spread(&mut corners, &planes, most);
    corners.iter().map(|corner| describe(&planes[corner.scale], corner, picture)).collect()
}

const RING: [(isize, isize); 16] = [
    (0, -3),
    (1, -3),
    (2, -2),
    (3, -1),
    (3, 0),
    (3, 1),
    (2, 2),
    (1, 3),
    (0, 3),
    (-1, 3),
    (-2, 2),
    (-3, 1),
    (-3, 0),
    (-3, -1),
    (-2, -2),
    (-1, -3),
];

/// How much of a corner each pixel of one scale is; nothing for no corner.
fn scores(pixels: &[u8], width: usize) -> Vec<i32> {
    let height = pixels.len() / width;
    let mut scores = vec![0_i32; pixels.len()];
    // Rings lie within the picture by the margin.
    let ring = RING.map(|(dx, dy)| dy * width.cast_signed() + dx);
    for y in RADIUS..height - RADIUS {
        for at in y * width + RADIUS..(y + 1) * width - RADIUS {
            let centre = i32::from(pixels[at]);
            let around = |offset: isize| i32::from(pixels[at.wrapping_add_signed(offset)]) - centre;
            // Of four pixels a quarter apart, an arc of nine holds two at least.
            let quarters = [around(ring[0]), around(ring[4]), around(ring[8]), around(ring[12])];
            let count = |like: fn(i32) -> bool| quarters.iter().map(|d| u32::from(like(*d))).sum::<u32>();
            if count(|d| d > CONTRAST) >= 2 || count(|d| d < -CONTRAST) >= 2 {
                scores[at] = score(&ring.map(around));
            }
        }
    }
    scores
}

/// Corners of one scale that are the strongest among their neighbours.
fn find_corners(level: &Level, scale: usize, corners: &mut Vec<Corner>) {
    let Level { width, scores, .. } = level;
    let (width, height) = (*width, scores.len() / width);
    for y in RADIUS..height - RADIUS {
        for x in RADIUS..width - RADIUS {
            let at = y * width + x;
            let own = scores[at];
            if own == 0 {
                continue;
            }
            let neighbours = [at - width - 1, at - width, at - width + 1, at - 1, at + 1, at + width - 1, at + width, at + width + 1];
            // Of equals the first stays.
            if neighbours.iter().all(|n| scores[*n] < own || (scores[*n] == own && *n > at)) {
                corners.push(Corner { score: own, x, y, scale });
            }
        }
    }
}

/// How strongly an arc of the ring differs from the centre; nothing for no corner.
fn score(ring: &[i32; 16]) -> i32 {
    let arc = |sign: i32| {
        let differs = ring.iter().enumerate().fold(0_u32, |bits, (i, d)| bits | u32::from(d * sign > CONTRAST) << i);
        // Nine in a row around the ring: each pixel with the one behind it, then with two, four and one more.
        let twice = differs | differs << 16;
        let two = twice & twice >> 1;
        let four = two & two >> 2;
        let nine = four & four >> 4 & twice >> 8;
        let sum = || ring.iter().map(|d| (d * sign - CONTRAST).max(0)).sum();
        if nine & 0xFFFF != 0 { sum() } else { 0 }
    };
    const _: () = assert!(ARC == 9);
    arc(1).max(arc(-1))
}

/// Keeps the strongest corners of each part of the picture, turn about.
fn spread(corners: &mut Vec<Corner>, levels: &[Plane], most: usize) {
    corners.sort_by_key(|c| (std::cmp::Reverse(c.score), c.scale, c.y, c.x));
    let cell = |c: &Corner| {
        let level = &levels[c.scale];
        c.y * SPREAD / level.height * SPREAD + c.x * SPREAD / level.width
    };
    let mut taken = [0_usize; SPREAD * SPREAD];
    let mut ranked: Vec<(usize, Corner)> = Vec::with_capacity(corners.len());
    for corner in corners.drain(..) {
        let rank = &mut taken[cell(&corner)];
        ranked.push((*rank, corner));
        *rank += 1;
    }
    ranked.sort_by_key(|(rank, c)| (*rank, std::cmp::Reverse(c.score), c.scale, c.y, c.x));
    corners.extend(ranked.into_iter().take(most).map(|(_, corner)| corner));
}

/// Pairs of points that are compared, for each orientation.
static PAIRS: LazyLock<Vec<[[i8; 4]; BITS as usize]>> = LazyLock::new(|| {
    // A linear congruence, so that the pairs are the same everywhere; four draws make a bell.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = || {
        let mut sum = 0.0;
        for _ in 0..4 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sum += f64::from((state >> 40) as u32) / f64::from(1_u32 << 24) - 0.5;
        }
        sum * 11.0
    };
    let inside = |x: f64, y: f64| x * x + y * y < 12.5 * 12.5;
    let mut pairs = Vec::with_capacity(BITS as usize);
    while pairs.len() < BITS as usize {
        let pair = [draw(), draw(), draw(), draw()];
        if inside(pair[0], pair[1]) && inside(pair[2], pair[3]) {
            pairs.push(pair);
        }
    }
    let turned = |turn: usize| {
        // A handful of turns.
        #[allow(clippy::cast_precision_loss)]
        let angle = turn as f64 / TURNS as f64 * std::f64::consts::TAU;
        let (sin, cos) = (libm::sin(angle), libm::cos(angle));
        // Within the radius of 13.
        #[allow(clippy::cast_possible_truncation)]
        let rotate = |x: f64, y: f64| [(x * cos - y * sin).round() as i8, (x * sin + y * cos).round() as i8];
        std::array::from_fn(|i| {
            let ([ax, ay], [bx, by]) = (rotate(pairs[i][0], pairs[i][1]), rotate(pairs[i][2], pairs[i][3]));
            [ax, ay, bx, by]
        })
    };
    (0..TURNS).map(turned).collect()
});

fn describe(level: &Plane, corner: &Corner, picture: &Plane) -> Feature {
    let angle = orientation(level, corner.x, corner.y);
    let mut bits = 0_u128;
    for [ax, ay, bx, by] in &PAIRS[usize::from(angle) * TURNS / 256] {
        let mean =
            |dx: i8, dy: i8| level.around(corner.x.wrapping_add_signed(isize::from(dx)), corner.y.wrapping_add_signed(isize::from(dy)));
        bits = bits << 1 | u128::from(mean(*ax, *ay) < mean(*bx, *by));
    }
    // Pixels of a picture that is kept.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    let place = |v: usize, of: usize, whole: usize| ((v as f64 + 0.5) * whole as f64 / of as f64) as f32;
    // A handful of scales.
    let scale = corner.scale as u8;
    Feature { bits, x: place(corner.x, level.width, picture.width), y: place(corner.y, level.height, picture.height), angle, scale }
}

/// The direction from a corner to the centroid of the brightness around it, in 1/256 of a turn.
fn orientation(level: &Plane, x: usize, y: usize) -> u8 {
    const REACH: isize = 12;
    let (mut across, mut down) = (0_i64, 0_i64);
    for dy in -REACH..=REACH {
        for dx in -REACH..=REACH {
            if dx * dx + dy * dy <= REACH * REACH {
                let pixel = i64::from(level.pixel(x.wrapping_add_signed(dx), y.wrapping_add_signed(dy)));
                across += pixel * dx as i64;
                down += pixel * dy as i64;
            }
        }
    }
    #[allow(clippy::cast_precision_loss)]
    let angle = libm::atan2(down as f64, across as f64) / std::f64::consts::TAU;
    // A share of a turn.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let steps = (angle.rem_euclid(1.0) * 256.0) as u32;
    (steps % 256) as u8
}
