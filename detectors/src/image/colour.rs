//! Where a picture has which colours: tells one photo from the same photo of goods in another colour, which a hash of
//! brightness cannot.

use super::planes::{Planes, Region, Turn};

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

/// Blue and red, from -128 to 127, of a grid of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colours([[i8; 2]; CELLS]);

impl Colours {
    pub(super) fn of(picture: &Planes, region: Region, turn: Turn) -> Self {
        let grid = |plane: &super::planes::Plane| plane.grid(region, SIDE, SIDE, turn);
        let (blue, red) = (grid(&picture.blue), grid(&picture.red));
        let signed = |v: u8| i8::try_from(i16::from(v) - 128).unwrap_or(0);
        let mut cells = [[0; 2]; CELLS];
        for (cell, (b, r)) in cells.iter_mut().zip(blue.into_iter().zip(red)) {
            *cell = [signed(b), signed(r)];
        }
        Self(cells)
    }

    /// As hexadecimal digits.
    pub(super) fn to_text(self) -> String {
        let bytes: Vec<u8> = self.0.iter().flatten().map(|v| v.cast_unsigned()).collect();
        crate::hex(&bytes)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() != CELLS * 4 || !text.is_ascii() {
            return None;
        }
        let byte = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok().map(u8::cast_signed);
        let mut cells = [[0; 2]; CELLS];
        for (i, cell) in cells.iter_mut().enumerate() {
            *cell = [byte(2 * i)?, byte(2 * i + 1)?];
        }
        Some(Self(cells))
    }

    /// Whether this may be a copy of a picture with the other's colours: as it was, paler, richer, without colour, or in
    /// one tone all over.
    pub(crate) fn may_copy(&self, other: &Self) -> bool {
        let of = |colours: &Self, i: usize| colours.0[i].map(f64::from);
        let length = |v: [f64; 2]| (v[0] * v[0] + v[1] * v[1]).sqrt();
        let cells = || (0..CELLS).map(|i| (of(self, i), of(other, i)));
        if self.is_toned() {
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
        agree * AGREE.1 >= coloured * AGREE.0
    }

    /// Nearly one colour, or none, all over.
    fn is_toned(&self) -> bool {
        const SPREAD: i32 = 6;
        (0..2).all(|axis| {
            let values = || self.0.iter().map(|cell| i32::from(cell[axis]));
            let (low, high) = (values().min().unwrap_or(0), values().max().unwrap_or(0));
            high - low <= SPREAD
        })
    }
}
