//! A small picture whose mean over any rectangle is had at once.

use image::RgbImage;

use super::jpeg::Means;

/// The longest side that is kept: hashes look at far less.
const KEPT: usize = 256;

/// A rectangle of a picture, in pixels; fractions of a pixel count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Region {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// One of the eight ways to turn and mirror a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Turn {
    /// Quarter turns, clockwise.
    pub(crate) quarters: u8,
    /// Mirrored left to right, before it is turned.
    pub(crate) mirrored: bool,
}

impl Turn {
    pub(crate) const UPRIGHT: Self = Self { quarters: 0, mirrored: false };
    pub(crate) const MIRRORED: Self = Self { quarters: 0, mirrored: true };
    pub(crate) const ALL: [Self; 8] = {
        let mut all = [Self::UPRIGHT; 8];
        let mut i = 0;
        while i < 8 {
            all[i] = Self { quarters: i as u8 % 4, mirrored: i >= 4 };
            i += 1;
        }
        all
    };

    /// The cells of a grid, turned; `columns` and `rows` are the turned grid's.
    pub(super) fn turn<T: Copy>(self, cells: &[T], columns: usize, rows: usize) -> Vec<T> {
        let width = if self.quarters.is_multiple_of(2) { columns } else { rows };
        let place = |column: usize, row: usize| {
            let (column, row) = self.source((column, row), (columns, rows));
            (row * width + column).cast_signed()
        };
        // Along a row of the turned grid the places in the other are evenly spaced.
        let step = if columns > 1 { place(1, 0) - place(0, 0) } else { 0 };
        let mut turned = Vec::with_capacity(cells.len());
        for row in 0..rows {
            let mut at = place(0, row);
            for _ in 0..columns {
                turned.push(cells[at.cast_unsigned()]);
                at += step;
            }
        }
        turned
    }

    /// Where the cell (column, row) of the turned grid stands in the grid as it was; `columns` and `rows` are the turned grid's.
    fn source(self, (column, row): (usize, usize), (columns, rows): (usize, usize)) -> (usize, usize) {
        let (width, (c, r)) = match self.quarters {
            0 => (columns, (column, row)),
            1 => (rows, (row, columns - 1 - column)),
            2 => (columns, (columns - 1 - column, rows - 1 - row)),
            _ => (rows, (rows - 1 - row, column)),
        };
        if self.mirrored { (width - 1 - c, r) } else { (c, r) }
    }
}

/// A picture as sums over all rectangles from its corner, of one of its planes.
#[derive(Debug)]
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) height: usize,
    /// (width + 1) x (height + 1); 256² pixels of 255 fit.
    sums: Vec<u32>,
}

/// A picture in brightness and colour: luma, and how blue and how red it is.
#[derive(Debug)]
pub(super) struct Planes {
    pub(super) luma: Plane,
    pub(super) blue: Plane,
    pub(super) red: Plane,
}

impl Planes {
    /// Shrinks the picture to what is kept: the mean of the pixels that fall into each cell.
    pub(super) fn of(image: &RgbImage) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let (columns, rows) = kept(width, height);
        let column_of: Vec<usize> = (0..width).map(|x| x * columns / width).collect();
        let mut sums = vec![[0_u32; 4]; columns * rows];
        for (y, line) in image.as_raw().chunks_exact(width * 3).enumerate() {
            let row = &mut sums[y * rows / height * columns..][..columns];
            for (pixel, column) in line.chunks_exact(3).zip(&column_of) {
                let sum = &mut row[*column];
                sum[0] += u32::from(pixel[0]);
                sum[1] += u32::from(pixel[1]);
                sum[2] += u32::from(pixel[2]);
                sum[3] += 1;
            }
        }
        // ITU-R BT.601, as JPEG has it; in 1/65,536, and never out of a byte.
        let plane = |weights: [i64; 3], zero: i64| {
            let weigh = |sum: &[u32; 4]| {
                let weighed: i64 = sum.iter().zip(weights).map(|(c, w)| i64::from(*c) * w).sum();
                let count = i64::from(sum[3]) << 16;
                u8::try_from(((weighed + count / 2).div_euclid(count) + zero).clamp(0, 255)).unwrap_or(u8::MAX)
            };
            Plane::from_pixels(columns, &sums.iter().map(weigh).collect::<Vec<u8>>())
        };
        Self {
            luma: plane([19_595, 38_470, 7_471], 0),
            blue: plane([-11_059, -21_709, 32_768], 128),
            red: plane([32_768, -27_439, -5_329], 128),
        }
    }

    /// The means of a JPEG's blocks, shrunk where they are more than is kept.
    pub(super) fn of_blocks(means: &Means) -> Self {
        let [luma, blue, red] = means.planes.each_ref().map(|plane| shrunk(means.width, means.height, plane));
        Self { luma, blue, red }
    }
}

/// Columns and rows that are kept of a picture.
fn kept(width: usize, height: usize) -> (usize, usize) {
    let long = width.max(height).max(KEPT);
    ((width * KEPT / long).max(1), (height * KEPT / long).max(1))
}

/// The mean of the pixels that fall into each cell, as [`Planes::of`] has them.
fn shrunk(width: usize, height: usize, pixels: &[u8]) -> Plane {
    let (columns, rows) = kept(width, height);
    if (columns, rows) == (width, height) {
        return Plane::from_pixels(width, pixels);
    }
    let mut sums = vec![(0_u32, 0_u32); columns * rows];
    for (i, pixel) in pixels.iter().enumerate() {
        let (x, y) = (i % width, i / width);
        let sum = &mut sums[y * rows / height * columns + x * columns / width];
        *sum = (sum.0 + u32::from(*pixel), sum.1 + 1);
    }
    // A mean of bytes is a byte.
    Plane::from_pixels(columns, &sums.iter().map(|(sum, count)| ((sum + count / 2) / count) as u8).collect::<Vec<u8>>())
}

impl Plane {
    pub(super) fn from_pixels(width: usize, pixels: &[u8]) -> Self {
        let height = pixels.len() / width;
        let stride = width + 1;
        let mut sums = vec![0; stride * (height + 1)];
        for (y, row) in pixels.chunks_exact(width).enumerate() {
            let mut of_row = 0;
            for (x, pixel) in row.iter().enumerate() {
                of_row += u32::from(*pixel);
                sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + of_row;
            }
        }
        Self { width, height, sums }
    }

    /// The whole of it.
    pub(super) fn whole(&self) -> Region {
        // Sides are at most KEPT.
        #[allow(clippy::cast_precision_loss)]
        Region { x: 0.0, y: 0.0, width: self.width as f64, height: self.height as f64 }
    }

    /// One pixel.
    pub(super) fn pixel(&self, x: usize, y: usize) -> u8 {
        let stride = self.width + 1;
        let at = |x: usize, y: usize| self.sums[y * stride + x];
        // A pixel is a byte; the additions come first, so that nothing falls under zero.
        (at(x + 1, y + 1) + at(x, y) - at(x, y + 1) - at(x + 1, y)) as u8
    }

    /// The sum of the 5 x 5 pixels around one, which lies at least two from every edge.
    pub(super) fn around(&self, x: usize, y: usize) -> u32 {
        let stride = self.width + 1;
        let at = |x: usize, y: usize| self.sums[y * stride + x];
        at(x + 3, y + 3) + at(x - 2, y - 2) - at(x - 2, y + 3) - at(x + 3, y - 2)
    }

    /// The sum over the rectangle from the corner to a point; between pixels in proportion.
    fn sum_to(&self, x: f64, y: f64) -> f64 {
        let stride = self.width + 1;
        // Within the picture, by `mean`.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let (x0, y0) = ((x as usize).min(self.width - 1), (y as usize).min(self.height - 1));
        #[allow(clippy::cast_precision_loss)]
        let (fx, fy) = (x - x0 as f64, y - y0 as f64);
        let at = |x: usize, y: usize| f64::from(self.sums[y * stride + x]);
        let upper = at(x0, y0) * (1.0 - fx) + at(x0 + 1, y0) * fx;
        let lower = at(x0, y0 + 1) * (1.0 - fx) + at(x0 + 1, y0 + 1) * fx;
        upper * (1.0 - fy) + lower * fy
    }

    /// The means of a grid of cells over a region, row by row.
    pub(super) fn grid(&self, region: Region, columns: usize, rows: usize) -> Vec<u8> {
        // Grids have a few dozen cells a side.
        #[allow(clippy::cast_precision_loss)]
        let (cell_width, cell_height) = (region.width / columns as f64, region.height / rows as f64);
        // The sums to all corners, each of which several cells share.
        #[allow(clippy::cast_precision_loss)]
        let corner = |column: usize, row: usize| self.sum_to(region.x + cell_width * column as f64, region.y + cell_height * row as f64);
        let mut above: Vec<f64> = (0..=columns).map(|column| corner(column, 0)).collect();
        let mut cells = Vec::with_capacity(columns * rows);
        for row in 1..=rows {
            let below: Vec<f64> = (0..=columns).map(|column| corner(column, row)).collect();
            for column in 0..columns {
                let sum = below[column + 1] - below[column] - above[column + 1] + above[column];
                // A mean of bytes is a byte.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                cells.push((sum / (cell_width * cell_height)).round().clamp(0.0, 255.0) as u8);
            }
            above = below;
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_holds_the_means_of_its_cells_and_pixels_are_had_back() {
        let picture = Plane::from_pixels(4, &[10, 20, 30, 40, 50, 60, 70, 80]);
        assert_eq!(picture.grid(picture.whole(), 2, 1), [35, 55]);
        assert_eq!((picture.pixel(0, 0), picture.pixel(3, 1), picture.pixel(1, 1)), (10, 80, 60));
    }

    #[test]
    fn turns_are_what_they_say() {
        let picture = Plane::from_pixels(3, &[1, 2, 3, 4, 5, 6]);
        let turned =
            |quarters, mirrored, columns, rows| Turn { quarters, mirrored }.turn(&picture.grid(picture.whole(), 3, 2), columns, rows);
        assert_eq!(turned(0, false, 3, 2), [1, 2, 3, 4, 5, 6]);
        assert_eq!(turned(1, false, 2, 3), [4, 1, 5, 2, 6, 3]);
        assert_eq!(turned(2, false, 3, 2), [6, 5, 4, 3, 2, 1]);
        assert_eq!(turned(3, false, 2, 3), [3, 6, 2, 5, 1, 4]);
        assert_eq!(turned(0, true, 3, 2), [3, 2, 1, 6, 5, 4]);
        assert_eq!(turned(1, true, 2, 3), [6, 3, 5, 2, 4, 1]);
    }
}
