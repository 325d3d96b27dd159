//! Bytes to a small picture, within limits on bytes, pixels and memory, so that time is bounded too.

use std::fmt;
use std::io::Cursor;

use image::error::{ImageError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage, RgbaImage};

use super::jpeg::{self, Means};
use super::planes::Planes;

/// The largest picture file, in bytes: 16 MiB.
pub const MAX_BYTES: usize = 16 << 20;
/// The most pixels decoded. Decoding takes some 15 ns a pixel, so that a picture takes well under a second.
const MAX_PIXELS: u64 = 40_000_000;
/// The longest side.
const MAX_SIDE: u32 = 16_384;
/// The shortest side that shows something.
const MIN_SIDE: u32 = 16;
/// A picture longer than this many times its width is a ruler and not a photo.
const MAX_ASPECT: u32 = 12;
/// Blocks of a JPEG's longer side from which their means show enough.
const LEAST_BLOCKS: u32 = 80;
/// The most memory that a decoder may take: 16-bit colour with transparency at the most pixels.
const MAX_ALLOC: u64 = MAX_PIXELS * 8;

/// Why a picture could not be looked at; `as_str` is the reason that events and metrics carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PictureFault {
    /// More bytes than [`MAX_BYTES`].
    TooManyBytes,
    /// More pixels, or a longer side, than is decoded.
    TooManyPixels,
    /// Too small or too narrow to show anything.
    TooSmall,
    /// Not a JPEG, PNG, WebP or GIF.
    NotAPicture,
    /// Broken or cut off.
    Broken,
    /// Nearly one colour: its hash would mean nothing.
    LowDetail,
    /// No bytes were given, and none are known by its hash.
    Absent,
    /// The text is not base64.
    NotBase64,
    /// The path leads out of the listings' folder, or to nothing.
    NoFile,
    /// The bytes have another SHA-256 than was declared.
    OtherSha256,
    /// One of more pictures than a listing is looked at.
    TooMany,
    /// The decoder failed on it in a way of its own.
    Panic,
    /// It could not be fetched, for the reason given.
    NotFetched(&'static str),
    /// The same, for a reason that may pass.
    NotFetchedYet(&'static str),
    /// It was still on its way when its listing was scanned.
    Late,
}

impl PictureFault {
    /// The reason that events and metrics carry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooManyBytes => "too_many_bytes",
            Self::TooManyPixels => "too_many_pixels",
            Self::TooSmall => "too_small",
            Self::NotAPicture => "not_a_picture",
            Self::Broken => "broken",
            Self::LowDetail => "low_detail",
            Self::Absent => "absent",
            Self::NotBase64 => "not_base64",
            Self::NoFile => "no_file",
            Self::OtherSha256 => "other_sha256",
            Self::TooMany => "too_many",
            Self::Panic => "panic",
            Self::NotFetched(reason) | Self::NotFetchedYet(reason) => reason,
            Self::Late => "late",
        }
    }

    /// Whether the picture may come yet.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::Late | Self::NotFetchedYet(_))
    }
}

impl fmt::Display for PictureFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<ImageError> for PictureFault {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Unsupported(_) => Self::NotAPicture,
            ImageError::Limits(e) if matches!(e.kind(), LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory) => {
                Self::TooManyPixels
            }
            _ => Self::Broken,
        }
    }
}

/// Decodes a picture as people see it: the first frame, turned as its EXIF says, on white where it is transparent.
pub(super) fn decode(bytes: &[u8]) -> Result<Planes, PictureFault> {
    image(bytes).map(|image| Planes::of(&on_white(image)))
}

/// Decodes as little of a picture as its hash needs: of a large JPEG the means of its blocks.
pub(super) fn glance(bytes: &[u8]) -> Result<Planes, PictureFault> {
    if bytes.len() > MAX_BYTES {
        return Err(PictureFault::TooManyBytes);
    }
    match jpeg::size(bytes) {
        Some((width, height)) if width.max(height) >= LEAST_BLOCKS * 8 => {
            within_limits(width, height)?;
            jpeg::means(bytes).map(turned).map_or_else(|| decode(bytes), |means| Ok(Planes::of_blocks(&means)))
        }
        _ => decode(bytes),
    }
}

/// Turns the blocks of a picture as its Exif says.
fn turned(mut means: Means) -> Means {
    let Some(orientation) = means.exif.as_deref().and_then(Orientation::from_exif_chunk) else { return means };
    // Sides are at most MAX_SIDE.
    let (width, height) = (means.width as u32, means.height as u32);
    for plane in &mut means.planes {
        let Some(image) = GrayImage::from_raw(width, height, std::mem::take(plane)) else { continue };
        let mut image = DynamicImage::ImageLuma8(image);
        image.apply_orientation(orientation);
        (means.width, means.height) = (image.width() as usize, image.height() as usize);
        *plane = image.into_bytes();
    }
    means
}

fn within_limits(width: u32, height: u32) -> Result<(), PictureFault> {
    let (short, long) = (width.min(height), width.max(height));
    if u64::from(width) * u64::from(height) > MAX_PIXELS || long > MAX_SIDE {
        return Err(PictureFault::TooManyPixels);
    }
    if short < MIN_SIDE || long > short.saturating_mul(MAX_ASPECT) {
        return Err(PictureFault::TooSmall);
    }
    Ok(())
}

/// Decodes a picture within the limits.
pub(super) fn image(bytes: &[u8]) -> Result<DynamicImage, PictureFault> {
    if bytes.len() > MAX_BYTES {
        return Err(PictureFault::TooManyBytes);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| PictureFault::NotAPicture)?;
    let Some(format) = reader.format() else { return Err(PictureFault::NotAPicture) };
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    within_limits(width, height)?;
    let orientation = decoder.orientation().ok();
    let of_libwebp = if format == ImageFormat::WebP { webp(bytes) } else { None };
    let mut image = of_libwebp.map_or_else(|| DynamicImage::from_decoder(decoder), Ok)?;
    if format == ImageFormat::Jpeg && is_cut_off(bytes, &image) {
        return Err(PictureFault::Broken);
    }
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Ok(image)
}

/// A still WebP by libwebp, which is more than twice as fast; nothing where it decodes none, so that another may say why.
fn webp(bytes: &[u8]) -> Option<DynamicImage> {
    let image = webp::Decoder::new(bytes).decode()?;
    let (width, height, pixels) = (image.width(), image.height(), image.to_vec());
    if image.is_alpha() {
        RgbaImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8)
    } else {
        RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8)
    }
}

/// A JPEG that ends too early is decoded as far as it goes, and the rest is one colour. What lacks a few rows only is
/// shown by every browser, and looked at here.
fn is_cut_off(bytes: &[u8], image: &DynamicImage) -> bool {
    const TAIL: usize = 64;
    const END: [u8; 2] = [0xff, 0xd9];
    if bytes[bytes.len().saturating_sub(TAIL)..].windows(2).any(|pair| pair == END) {
        return false;
    }
    let stride = image.width() as usize * usize::from(image.color().bytes_per_pixel());
    let Some(last) = image.as_bytes().last_chunk::<1>() else { return true };
    let empty = image.as_bytes().rchunks(stride).take_while(|row| row.iter().all(|b| b.abs_diff(last[0]) <= 1)).count();
    empty * 20 > image.height() as usize
}

/// Colour, blended onto white where the picture is transparent.
fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let pixels = image.into_rgba8();
    let blend = |colour: u8, alpha: u8| {
        let (colour, alpha) = (u32::from(colour), u32::from(alpha));
        // At most 255, since both are.
        ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [red, green, blue, alpha] = pixels.get_pixel(x, y).0;
        image::Rgb([blend(red, alpha), blend(green, alpha), blend(blue, alpha)])
    })
}

/// A small JPEG of a picture, for people to look at; its longer side has at most `side` pixels.
///
/// # Errors
/// Why it cannot be looked at.
pub fn thumbnail(bytes: &[u8], side: u32) -> Result<Vec<u8>, PictureFault> {
    const QUALITY: u8 = 70;
    let small = on_white(image(bytes)?.thumbnail(side, side));
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&small)?;
    Ok(jpeg)
}
