//! A JPEG's mean brightness and colours of every 8 x 8 pixels, without decoding the rest of it.
//!
//! The first coefficient of a block is its mean. A baseline JPEG is parsed and all other coefficients passed over; of a
//! progressive one only the first scan is read. The plane is that of libjpeg at an eighth of the size. Whatever is unusual
//! (arithmetic codes, 12 bits, CMYK, a picture that ends early) is left to the library that decodes pictures whole.

use std::cell::RefCell;
use std::rc::Rc;

use super::huffman::{Bits, Codes, Table};

/// Most components read: brightness and two colours.
const COMPONENTS: usize = 3;
/// Where the end of a whole file is looked for.
const TAIL: usize = 64;
/// Tables remembered a thread: most pictures have the same four.
const REMEMBERED: usize = 8;

/// The means of a picture's blocks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Means {
    /// Blocks across and down.
    pub(super) width: usize,
    pub(super) height: usize,
    /// Brightness, blue and red of each block, row by row.
    pub(super) planes: [Vec<u8>; COMPONENTS],
    /// The Exif segment, where there is one.
    pub(super) exif: Option<Vec<u8>>,
}

/// What a frame says of one component.
#[derive(Debug, Clone, Copy, Default)]
struct Component {
    id: u8,
    /// Blocks of it in a unit of all components.
    across: usize,
    down: usize,
    quantiser: usize,
}

/// What the segments before a scan say.
#[derive(Default)]
struct Frame {
    width: usize,
    height: usize,
    progressive: bool,
    components: Vec<Component>,
    quantisers: [Option<i32>; 4],
    first: [Option<Rc<Table>>; 4],
    rest: [Option<Rc<Table>>; 4],
    restart: usize,
    exif: Option<Vec<u8>>,
}

thread_local! {
    static TABLES: RefCell<Vec<Rc<Table>>> = const { RefCell::new(Vec::new()) };
}

/// Width and height of a JPEG; nothing for other bytes.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let frame = segments(bytes).find(|(marker, _, _)| matches!(marker, 0xC0..=0xC2))?.1;
    Some((u32::from(word(frame, 3)?), u32::from(word(frame, 1)?)))
}

/// The means of a JPEG's blocks; nothing where the library must decode it.
pub(super) fn means(bytes: &[u8]) -> Option<Means> {
    // What ends early must be looked at whole, to see how much is missing.
    if !bytes[bytes.len().saturating_sub(TAIL)..].windows(2).any(|pair| pair == [0xFF, 0xD9]) {
        return None;
    }
    let mut frame = Frame::default();
    let mut planes: Vec<Option<Vec<u8>>> = Vec::new();
    for (marker, body, behind) in segments(bytes) {
        match marker {
            0xC0..=0xC2 => {
                frame.read(marker, body)?;
                planes = vec![None; frame.components.len()];
            }
            0xC4 => frame.read_codes(body)?,
            0xDB => frame.read_quantisers(body)?,
            0xDD => frame.restart = usize::from(word(body, 0)?),
            // Arithmetic codes, and frames that refine others.
            0xC3 | 0xC5..=0xCF => return None,
            0xE1 if body.starts_with(b"Exif\0\0") => frame.exif = Some(body[6..].to_vec()),
            // Adobe's other colours: only what is YCbCr is read.
            0xEE if body.starts_with(b"Adobe") && body.get(11) != Some(&1) => return None,
            0xDA => {
                frame.scan(body, &bytes[behind..], &mut planes)?;
                if planes.iter().all(Option::is_some) {
                    return frame.means(planes);
                }
            }
            _ => {}
        }
    }
    None
}

/// Width, height and mean brightness of a JPEG's blocks of 8 x 8 pixels, row by row: what its hash is made of. Nothing for
/// what is no JPEG, and for what is left to a library that decodes pictures whole.
pub fn blocks(bytes: &[u8]) -> Option<(usize, usize, Vec<u8>)> {
    means(bytes).map(|Means { width, height, planes: [luma, _, _], .. }| (width, height, luma))
}

/// The segments of a file in order: marker, body, and where what follows it begins. The data of scans is passed over.
fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8], usize)> {
    let mut at = if bytes.starts_with(&[0xFF, 0xD8]) { 2 } else { bytes.len() };
    std::iter::from_fn(move || {
        loop {
            // To the next marker: data of a scan has only stuffing and restarts.
            at += bytes.get(at..)?.iter().position(|b| *b == 0xFF)?;
            let marker = *bytes.get(at + 1)?;
            match marker {
                0xFF => at += 1,
                0x00 | 0x01 | 0xD0..=0xD8 => at += 2,
                0xD9 => return None,
                _ => break,
            }
        }
        let marker = bytes[at + 1];
        let length = usize::from(word(bytes, at + 2)?);
        let body = bytes.get(at + 4..at + 2 + length)?;
        at += 2 + length;
        Some((marker, body, at))
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.first_chunk().map(|pair| u16::from_be_bytes(*pair))
}

impl Frame {
    fn read(&mut self, marker: u8, body: &[u8]) -> Option<()> {
        let count = usize::from(*body.get(5)?);
        if body[0] != 8 || !matches!(count, 1 | COMPONENTS) || !self.components.is_empty() {
            return None;
        }
        self.progressive = marker == 0xC2;
        (self.height, self.width) = (usize::from(word(body, 1)?), usize::from(word(body, 3)?));
        for part in body.get(6..6 + 3 * count)?.as_chunks::<3>().0 {
            let [id, sampling, quantiser] = *part;
            let (across, down) = (usize::from(sampling >> 4), usize::from(sampling & 15));
            if !(1..=4).contains(&across) || !(1..=4).contains(&down) || quantiser > 3 {
                return None;
            }
            self.components.push(Component { id, across, down, quantiser: usize::from(quantiser) });
        }
        // The letters R, G and B are the names of other colours.
        let ids: Vec<u8> = self.components.iter().map(|c| c.id).collect();
        (self.width > 0 && self.height > 0 && ids != *b"RGB").then_some(())
    }

    fn read_quantisers(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((head, rest)) = body.split_first() {
            let (wide, number) = (head >> 4 != 0, usize::from(head & 15));
            let first = if wide { i32::from(word(rest, 0)?) } else { i32::from(*rest.first()?) };
            *self.quantisers.get_mut(number)? = Some(first);
            body = rest.get(if wide { 128 } else { 64 }..)?;
        }
        Some(())
    }

    fn read_codes(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((head, rest)) = body.split_first() {
            let counts: [u8; 16] = *rest.first_chunk()?;
            let symbols = rest.get(16..16 + counts.iter().map(|c| usize::from(*c)).sum::<usize>())?;
            let table = remembered(&Codes { counts, symbols: symbols.to_vec() })?;
            let tables = if head >> 4 == 0 { &mut self.first } else { &mut self.rest };
            *tables.get_mut(usize::from(head & 15))? = Some(table);
            body = &rest[16 + symbols.len()..];
        }
        Some(())
    }

    /// Sampling of all components together.
    fn unit(&self) -> (usize, usize) {
        let most = |of: fn(&Component) -> usize| self.components.iter().map(of).max().unwrap_or(1);
        (most(|c| c.across), most(|c| c.down))
    }

    /// Blocks across and down of a component.
    fn blocks(&self, component: &Component) -> (usize, usize) {
        let (across, down) = self.unit();
        ((self.width * component.across).div_ceil(across * 8), (self.height * component.down).div_ceil(down * 8))
    }

    /// Reads the first coefficients of a scan, where it holds them.
    fn scan(&self, head: &[u8], data: &[u8], planes: &mut [Option<Vec<u8>>]) -> Option<()> {
        let count = usize::from(*head.first()?);
        let selectors = head.get(1..1 + 2 * count)?.as_chunks::<2>().0;
        let [from, _, precision] = *head.get(1 + 2 * count..)?.first_chunk::<3>()?;
        if self.progressive && (from > 0 || precision >> 4 > 0) {
            return Some(());
        }
        let shift = if self.progressive { u32::from(precision & 15) } else { 0 };
        let mut parts = Vec::with_capacity(count);
        for [id, tables] in selectors {
            let index = self.components.iter().position(|c| c.id == *id)?;
            let first = self.first.get(usize::from(tables >> 4))?.clone()?;
            let rest = if self.progressive { None } else { Some(self.rest.get(usize::from(tables & 15))?.clone()?) };
            let quantiser = self.quantisers[self.components[index].quantiser]?;
            let (width, height) = self.blocks(&self.components[index]);
            parts.push(Part {
                index,
                component: self.components[index],
                first,
                rest,
                quantiser,
                width,
                plane: vec![0; width * height],
                before: 0,
            });
        }
        // A scan of one component has its blocks in rows; one of several has them in units.
        let (unit_across, unit_down) = self.unit();
        let single = parts.len() == 1;
        let (across, down) = match parts.as_mut_slice() {
            [part] => {
                (part.component.across, part.component.down) = (1, 1);
                (part.width, part.plane.len() / part.width)
            }
            _ => (self.width.div_ceil(unit_across * 8), self.height.div_ceil(unit_down * 8)),
        };
        if !single && parts.len() != self.components.len() {
            return None;
        }
        let (clean, intervals) = without_stuffing(data);
        let each = if self.restart > 0 { self.restart } else { across * down };
        let mut unit = 0;
        for interval in intervals {
            let mut bits = Bits::of(&clean[interval]);
            parts.iter_mut().for_each(|part| part.before = 0);
            let end = (unit + each).min(across * down);
            while unit < end {
                for part in &mut parts {
                    part.read(&mut bits, unit % across, unit / across, shift)?;
                }
                unit += 1;
            }
            if bits.is_over() {
                return None;
            }
        }
        if unit < across * down {
            return None;
        }
        parts.into_iter().for_each(|part| planes[part.index] = Some(part.plane));
        Some(())
    }

    /// The planes in the size of the brightness.
    fn means(self, planes: Vec<Option<Vec<u8>>>) -> Option<Means> {
        let (width, height) = self.blocks(&self.components[0]);
        // Blocks of the brightness must be the smallest, as they always are.
        if self.unit() != (self.components[0].across, self.components[0].down) {
            return None;
        }
        let spread = |component: &Component, plane: Vec<u8>| {
            let (columns, rows) = self.blocks(component);
            if (columns, rows) == (width, height) {
                return plane;
            }
            let column_of: Vec<usize> = (0..width).map(|x| x * columns / width).collect();
            let mut spread = Vec::with_capacity(width * height);
            for y in 0..height {
                let row = &plane[y * rows / height * columns..][..columns];
                spread.extend(column_of.iter().map(|x| row[*x]));
            }
            spread
        };
        let mut planes = self.components.iter().zip(planes).map(|(c, plane)| plane.map(|plane| spread(c, plane)));
        let luma = planes.next()??;
        let gray = || vec![128; width * height];
        let (blue, red) = (planes.next().unwrap_or_else(|| Some(gray()))?, planes.next().unwrap_or_else(|| Some(gray()))?);
        Some(Means { width, height, planes: [luma, blue, red], exif: self.exif.clone() })
    }
}

/// A component on its way through a scan.
struct Part {
    index: usize,
    component: Component,
    first: Rc<Table>,
    /// Nothing where the scan has first coefficients only.
    rest: Option<Rc<Table>>,
    quantiser: i32,
    /// Blocks across.
    width: usize,
    plane: Vec<u8>,
    /// The coefficient of the block before.
    before: i32,
}

impl Part {
    /// Reads the blocks of one unit.
    fn read(&mut self, bits: &mut Bits<'_>, column: usize, row: usize, shift: u32) -> Option<()> {
        for down in 0..self.component.down {
            for across in 0..self.component.across {
                self.before = self.before.wrapping_add(self.first.difference(bits)?);
                if let Some(rest) = &self.rest {
                    rest.pass(bits)?;
                }
                let (x, y) = (column * self.component.across + across, row * self.component.down + down);
                // Units may reach over the edge.
                if x < self.width
                    && let Some(mean) = self.plane.get_mut(y * self.width + x)
                {
                    let value = self.before.wrapping_shl(shift).wrapping_mul(self.quantiser);
                    // A mean is an eighth of its coefficient, from the middle of the range.
                    *mean = u8::try_from(((value.wrapping_add(4) >> 3) + 128).clamp(0, 255)).unwrap_or(u8::MAX);
                }
            }
        }
        Some(())
    }
}

/// The data of a scan without the zeros behind bytes of ones, and where its parts between restarts lie.
fn without_stuffing(data: &[u8]) -> (Vec<u8>, Vec<std::ops::Range<usize>>) {
    let mut clean = Vec::with_capacity(data.len());
    let mut intervals = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = memchr::memchr(0xFF, &data[at..]) {
        clean.extend_from_slice(&data[at..at + found]);
        at += found;
        match data.get(at + 1) {
            Some(0x00) => {
                clean.push(0xFF);
                at += 2;
            }
            Some(0xFF) => at += 1,
            Some(0xD0..=0xD7) => {
                intervals.push(from..clean.len());
                from = clean.len();
                at += 2;
            }
            _ => {
                at = data.len();
                break;
            }
        }
    }
    clean.extend_from_slice(&data[at..]);
    intervals.push(from..clean.len());
    (clean, intervals)
}

/// The table of some codes, which the pictures before may have had.
fn remembered(codes: &Codes) -> Option<Rc<Table>> {
    TABLES.with_borrow_mut(|tables| {
        if let Some(i) = tables.iter().position(|table| table.is_of(codes)) {
            tables[..=i].rotate_right(1);
        } else {
            tables.insert(0, Rc::new(Table::of(codes.clone())?));
            tables.truncate(REMEMBERED);
        }
        tables.first().cloned()
    })
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::{GrayImage, RgbImage};
    use proptest::prelude::*;

    use super::*;

    #[allow(clippy::cast_sign_loss, reason = "shades are made to be positive")]
    fn picture(width: u32, height: u32, seed: u32) -> RgbImage {
        let shade = |x: u32, y: u32, a: u32| (f64::from(x * (a + seed % 7) + y * (3 + seed % 5)) / 37.0).sin().mul_add(110.0, 128.0) as u8;
        let noise = |x: u32, y: u32| (x.wrapping_mul(2_654_435_761).wrapping_add(y.wrapping_mul(40_503 + seed)) >> 24) as u8 / 8;
        RgbImage::from_fn(width, height, |x, y| image::Rgb([shade(x, y, 2), shade(x, y, 5), shade(x, y, 9).saturating_add(noise(x, y))]))
    }

    /// The greatest difference between the means and those of the picture decoded whole.
    fn greatest_difference(jpeg: &[u8]) -> u8 {
        let means = means(jpeg).expect("a plain JPEG");
        let whole = image::load_from_memory(jpeg).expect("a JPEG").into_rgb8();
        let luma = |[red, green, blue]: [u8; 3]| (u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114) / 1000;
        let mut greatest = 0;
        // Blocks at the edge reach over it.
        for (x, y) in (0..whole.height() / 8).flat_map(|y| (0..whole.width() / 8).map(move |x| (x, y))) {
            let sum: u32 = (0..64).map(|i| luma(whole.get_pixel(x * 8 + i % 8, y * 8 + i / 8).0)).sum();
            let mean = means.planes[0][y as usize * means.width + x as usize];
            greatest = greatest.max(mean.abs_diff((sum / 64) as u8));
        }
        greatest
    }

    #[test]
    fn the_means_are_those_of_the_picture() {
        for (width, height, quality) in [(64, 64, 90), (650, 800, 85), (801, 333, 30), (97, 203, 100), (16, 700, 5)] {
            let mut jpeg = Vec::new();
            picture(width, height, quality).write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, quality as u8)).expect("memory");
            // Of bright pixels the library clamps each, and a block's coefficient does not.
            assert!(greatest_difference(&jpeg) <= 6, "{width} x {height} at {quality}: {}", greatest_difference(&jpeg));
            let means = means(&jpeg).expect("a plain JPEG");
            assert_eq!((means.width, means.height), (width.div_ceil(8) as usize, height.div_ceil(8) as usize));
        }
        let mut gray = Vec::new();
        GrayImage::from_fn(120, 90, |x, y| image::Luma([(x + y) as u8])).write_with_encoder(JpegEncoder::new(&mut gray)).expect("memory");
        assert_eq!(means(&gray).map(|m| m.planes[1].clone()), Some(vec![128; 15 * 12]));
    }

    #[test]
    fn what_is_unusual_is_left_to_the_library() {
        let mut jpeg = Vec::new();
        picture(200, 200, 1).write_with_encoder(JpegEncoder::new(&mut jpeg)).expect("memory");
        assert_eq!(means(&jpeg[..jpeg.len() / 2]), None);
        assert_eq!(means(b"\xFF\xD8\xFF\xD9"), None);
        assert_eq!(means(b"no picture"), None);
    }

    proptest! {
        #[test]
        fn nothing_panics_on_a_damaged_file(damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
            let mut jpeg = Vec::new();
            picture(160, 120, 3).write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, 60)).expect("memory");
            for (place, byte) in damage {
                let place = place.index(jpeg.len());
                jpeg[place] = byte;
            }
            let _ = (size(&jpeg), means(&jpeg));
        }
    }
}
