//! Uniform borders found, so that a frame or padding changes no hash.

use super::planes::{Plane, Region};

/// How far a pixel may be from its border's colour: JPEG noise and soft edges.
const TOLERANCE: i32 = 14;
/// Share of a line that must be of the border's colour.
const SHARE: (usize, usize) = (97, 100);
/// What must remain of either side.
const REMAINS: f64 = 0.3;

/// The part of a region within its uniform borders; the region itself where little would remain.
pub(super) fn trim(picture: &Plane, region: Region) -> Region {
    // Regions lie within the picture, whose sides are a few hundred pixels.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let round = |v: f64| v.round() as usize;
    let (mut left, mut top) = (round(region.x), round(region.y));
    let (mut right, mut bottom) = (round(region.x + region.width).min(picture.width), round(region.y + region.height).min(picture.height));
    // Frames within frames: each round may open up the next.
    loop {
        let before = (left, top, right, bottom);
        let colour = |x, y| i32::from(picture.pixel(x, y));
        let uniform = |line: &mut dyn Iterator<Item = i32>, of: i32| {
            let (mut all, mut like) = (0, 0);
            line.for_each(|c| {
                all += 1;
                like += usize::from((c - of).abs() <= TOLERANCE);
            });
            like * SHARE.1 >= all * SHARE.0
        };
        let row = |y: usize, of: i32| uniform(&mut (left..right).map(|x| colour(x, y)), of);
        let column = |x: usize, of: i32, top: usize, bottom: usize| uniform(&mut (top..bottom).map(|y| colour(x, y)), of);
        let middle = |a: usize, b: usize| usize::midpoint(a, b);
        if right - left < 4 || bottom - top < 4 {
            break;
        }
        let (over, under) = (colour(middle(left, right), top), colour(middle(left, right), bottom - 1));
        let new_top = (top..bottom).find(|y| !row(*y, over)).unwrap_or(bottom);
        let new_bottom = (new_top..bottom).rev().find(|y| !row(*y, under)).map_or(new_top, |y| y + 1);
        if new_bottom <= new_top {
            return region;
        }
        let (before_it, after_it) = (colour(left, middle(new_top, new_bottom)), colour(right - 1, middle(new_top, new_bottom)));
        let new_left = (left..right).find(|x| !column(*x, before_it, new_top, new_bottom)).unwrap_or(right);
        let new_right = (new_left..right).rev().find(|x| !column(*x, after_it, new_top, new_bottom)).map_or(new_left, |x| x + 1);
        if new_right <= new_left {
            return region;
        }
        (left, top, right, bottom) = (new_left, new_top, new_right, new_bottom);
        if (left, top, right, bottom) == before {
            break;
        }
    }
    #[allow(clippy::cast_precision_loss)]
    let trimmed = Region { x: left as f64, y: top as f64, width: (right - left) as f64, height: (bottom - top) as f64 };
    if trimmed.width < region.width * REMAINS || trimmed.height < region.height * REMAINS { region } else { trimmed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_trimmed_and_pictures_are_not() {
        let framed = |frame: u32, colour: u8| {
            let pixel = |x: u32, y: u32| {
                let inside = x >= frame && y >= frame && x < 100 - frame && y < 80 - frame;
                if inside { (x * 7 + y * 13) as u8 } else { colour }
            };
            Plane::from_pixels(100, &(0..80).flat_map(|y| (0..100).map(move |x| pixel(x, y))).collect::<Vec<u8>>())
        };
        for (frame, colour) in [(0, 0), (5, 255), (12, 30)] {
            let picture = framed(frame, colour);
            let found = trim(&picture, picture.whole());
            let expected =
                Region { x: f64::from(frame), y: f64::from(frame), width: f64::from(100 - 2 * frame), height: f64::from(80 - 2 * frame) };
            assert_eq!(found, expected, "{frame}");
        }
        let blank = Plane::from_pixels(50, &[200; 2500]);
        assert_eq!(trim(&blank, blank.whole()), blank.whole());
    }
}
