//! Where a picture has which colours: tells one photo from the same photo of goods in another colour, which a hash of
//! brightness cannot.

use super::planes::{Plane, Planes, Region, Turn};

/// Cells a side.
const SIDE: usize = 4;
const CELLS: usize = SIDE * SIDE;
/// How far from gray a cell must be to have a colour.
const COLOURED: f64 = 6.0;
/// How far apart a cell's colours may be in two copies of a picture.
const APART: f64 = 9.0;
/// How much paler, and how much richer, a copy may be.
const GAIN: (f64, f64) = (0.45, 2.2);
/// Share of the coloured cells that must agree: bands and stickers cover the others.
const AGREE: (usize, usize) = (6, 10);

/// The same around places that were found to agree: nothing covers those.
const AGREE_PLACES: (usize, usize) = (7, 10);
/// The same of all cells.
const AGREE_WHOLE: (usize, usize) = (75, 100);

/// Blue and red, from -128 to 127, of a grid of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colours([[i8; 2]; CELLS]);

impl Colours {
    pub(super) fn of(picture: &Planes, region: Region) -> Self {
        let mut cells = [[0; 2]; CELLS];
        cells.copy_from_slice(&grid(picture, region, SIDE));
        Self(cells)
    }

    pub(super) fn turned(&self, turn: Turn) -> Self {
        let mut cells = [[0; 2]; CELLS];
        cells.copy_from_slice(&turn.turn(&self.0, SIDE, SIDE));
        Self(cells)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.0.iter().flatten().map(|v| v.cast_unsigned()));
    }

    /// The colours that bytes begin with, and the rest.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (own, rest) = bytes.split_at_checked(CELLS * 2)?;
        let mut cells = [[0; 2]; CELLS];
        for (cell, pair) in cells.iter_mut().zip(own.as_chunks::<2>().0) {
            *cell = pair.map(u8::cast_signed);
        }
        Some((Self(cells), rest))
    }

    /// Whether this may be a copy of a picture with the other's colours: as it was, paler, richer, without colour, or in
    /// one tone all over.
    pub(crate) fn may_copy(&self, other: &Self) -> bool {
        let pairs: Vec<([i8; 2], [i8; 2])> = self.0.into_iter().zip(other.0).collect();
        may_copy(&pairs, AGREE)
    }
}

/// The mean colours of a grid of cells over a region.
fn grid(picture: &Planes, region: Region, side: usize) -> Vec<[i8; 2]> {
    let signed = |v: u8| i8::try_from(i16::from(v) - 128).unwrap_or(0);
    let cells = |plane: &Plane| plane.grid(region, side, side);
    cells(&picture.blue).into_iter().zip(cells(&picture.red)).map(|(b, r)| [signed(b), signed(r)]).collect()
}

/// Whether the first of each pair of cells may be a copy of the second.
fn may_copy(pairs: &[([i8; 2], [i8; 2])], least: (usize, usize)) -> bool {
    let length = |v: [f64; 2]| (v[0] * v[0] + v[1] * v[1]).sqrt();
    let cells = || pairs.iter().map(|(a, b)| (a.map(f64::from), b.map(f64::from)));
    if is_toned(pairs) {
        return true;
    }
    let (dot, energy) =
        cells().fold((0.0, 0.0), |(dot, energy), (a, b)| (dot + a[0] * b[0] + a[1] * b[1], energy + b[0] * b[0] + b[1] * b[1]));
    let gain = if energy > 0.0 { (dot / energy).clamp(GAIN.0, GAIN.1) } else { 1.0 };
    let (mut coloured, mut agree) = (0, 0);
    for (a, b) in cells() {
        let b = [b[0] * gain, b[1] * gain];
        if length(a) > COLOURED || length(b) > COLOURED {
            coloured += 1;
            agree += usize::from(length([a[0] - b[0], a[1] - b[1]]) <= APART);
        }
    }
    agree * least.1 >= coloured * least.0
}

/// Whether the first of each pair is nearly one colour, or none, all over.
fn is_toned(pairs: &[([i8; 2], [i8; 2])]) -> bool {
    const SPREAD: i32 = 6;
    (0..2).all(|axis| {
        let values = || pairs.iter().map(|(own, _)| i32::from(own[axis]));
        let (low, high) = (values().min().unwrap_or(0), values().max().unwrap_or(0));
        high - low <= SPREAD
    })
}

/// Cells a side of a reference's chart.
const REFERENCE: usize = 6;
/// Cells a side of a listing's picture's chart: finer, so that a frame or a band does not run into what it stands beside.
const LISTING: usize = 48;

/// The colours of a whole picture in a grid, looked up by place.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    side: usize,
    cells: Vec<[i8; 2]>,
}

impl Chart {
    /// Of a listing's picture.
    pub(super) fn of(picture: &Planes) -> Self {
        Self { side: LISTING, cells: grid(picture, picture.blue.whole(), LISTING) }
    }

    /// As a reference keeps it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for row in 0..REFERENCE {
            for column in 0..REFERENCE {
                let mean = self.mean(column, row, |x, y| (x, y)).unwrap_or_default();
                out.extend(mean.map(i8::cast_unsigned));
            }
        }
    }

    /// The chart of a reference that bytes begin with, and the rest.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (own, rest) = bytes.split_at_checked(REFERENCE * REFERENCE * 2)?;
        let cells = own.as_chunks::<2>().0.iter().map(|pair| pair.map(u8::cast_signed)).collect();
        Some((Self { side: REFERENCE, cells }, rest))
    }

    /// The colour at a place, from 0 to 1 both ways; nothing outside.
    fn at(&self, x: f64, y: f64) -> Option<[i8; 2]> {
        if !((0.0..1.0).contains(&x) && (0.0..1.0).contains(&y)) {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let cell = |v: f64| (v * self.side as f64) as usize;
        Some(self.cells[cell(y) * self.side + cell(x)])
    }

    /// The mean colour of a reference's cell, mapped into this picture; nothing where most of it lies outside.
    fn mean(&self, column: usize, row: usize, map: impl Fn(f64, f64) -> (f64, f64)) -> Option<[i8; 2]> {
        const POINTS: usize = 4;
        // Half of the points.
        const MOST: i32 = 8;
        let (mut sum, mut count) = ([0_i32; 2], 0_i32);
        for i in 0..POINTS * POINTS {
            #[allow(clippy::cast_precision_loss)]
            let place = |cell: usize, point: usize| (cell as f64 + (point as f64 + 0.5) / POINTS as f64) / REFERENCE as f64;
            let (x, y) = map(place(column, i % POINTS), place(row, i / POINTS));
            if let Some([blue, red]) = self.at(x, y) {
                sum = [sum[0] + i32::from(blue), sum[1] + i32::from(red)];
                count += 1;
            }
        }
        // A mean of bytes is a byte.
        (count >= MOST).then(|| sum.map(|s| i8::try_from(s / count).unwrap_or(0)))
    }

    /// Whether this picture may show a copy of a reference, by the colours around the places that agree; what a band or a
    /// sticker covers has none. Where few of those agree that could (`few`), the colours of all that is seen must agree, too: goods of
    /// another colour before the same background. Places are of the reference, from 0 to 1 both ways, and are mapped into
    /// this picture.
    pub(crate) fn may_show(&self, reference: &Self, places: &[(f64, f64)], few: bool, map: impl Fn(f64, f64) -> (f64, f64)) -> bool {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let cell = |v: f64| ((v * REFERENCE as f64) as usize).min(REFERENCE - 1);
        let pair = |column: usize, row: usize| Some((self.mean(column, row, &map)?, reference.cells[row * REFERENCE + column]));
        let near: Vec<_> = places.iter().filter_map(|(x, y)| pair(cell(*x), cell(*y))).collect();
        let all = || (0..REFERENCE * REFERENCE).filter_map(|i| pair(i % REFERENCE, i / REFERENCE)).collect::<Vec<_>>();
        may_copy(&near, AGREE_PLACES) && (!few || may_copy(&all(), AGREE_WHOLE))
    }
}
