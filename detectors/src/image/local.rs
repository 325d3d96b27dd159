//! References found by their local features: candidates from an index, then a check that their places agree.

use std::collections::HashMap;

use super::keypoints::{BITS, Feature, SIZES};

/// Descriptors are found by any of their parts that is the same in both.
const PARTS: usize = 6;
const PART_BITS: usize = BITS as usize / PARTS;
/// Bits of 96 within which two descriptors may be of one corner.
const NEAR: u32 = 25;
/// The same for a vote.
const VOTES_NEAR: u32 = 22;
/// The second nearest must be farther than the nearest by this share.
const RATIO: (u32, u32) = (9, 10);
/// Features up to which parts that differ by a bit are looked up, too: with more, chance finds too many.
const FLIPPED: usize = 200_000;
/// Candidates that are checked.
const CANDIDATES: usize = 100;
/// Votes that make a candidate.
const FEWEST_VOTES: u32 = 2;
/// Features that must agree.
const FEWEST: usize = 6;
/// Share of the reference's features within the picture that must agree.
const SEEN: (usize, usize) = (17, 100);
/// Under this share the colours of all that is seen are looked at, too.
const FEW: (usize, usize) = (37, 100);
/// How far a feature may be from where it should be, in pixels of the picture as it is kept.
const SLACK: f64 = 5.0;
/// The same before more than one pair says where: an orientation is kept in steps of 11 degrees.
const ROUGH: f64 = 12.0;

/// The local features of all references.
#[derive(Debug, Default)]
pub(super) struct LocalIndex {
    features: Vec<Feature>,
    /// Of each feature, whose it is.
    owners: Vec<u32>,
    /// Of each reference, by its number: where its features begin and end.
    ranges: HashMap<u32, (u32, u32)>,
    /// By part and its value, the features that have it.
    tables: Vec<Vec<u32>>,
    /// Which of `tables` are not empty, a bit each: most are, and are passed over without a look.
    filled: Vec<u64>,
}

/// A reference that a picture shows.
pub(super) struct Shown {
    pub(super) reference: u32,
    /// Places of the reference's features that agree, in its pixels.
    pub(super) places: Vec<(f64, f64)>,
    /// From the reference's pixels to the picture's.
    pub(super) map: Similarity,
    /// Fewer features agree than of a copy that nothing covers.
    pub(super) few: bool,
}

/// A turn, a scale and a shift.
#[derive(Debug, Clone, Copy)]
pub(super) struct Similarity {
    a: f64,
    b: f64,
    dx: f64,
    dy: f64,
}

impl Similarity {
    pub(super) fn apply(&self, x: f64, y: f64) -> (f64, f64) {
        (self.a * x - self.b * y + self.dx, self.b * x + self.a * y + self.dy)
    }

    /// How many times larger the picture shows it.
    pub(super) fn scale(&self) -> f64 {
        (self.a * self.a + self.b * self.b).sqrt()
    }

    /// As one pair of features has it, by their places, sizes and orientations.
    fn of(reference: &Feature, picture: &Feature) -> Self {
        let scale = picture.size() / reference.size();
        let turn = f64::from(picture.angle.wrapping_sub(reference.angle)) / 256.0 * std::f64::consts::TAU;
        Self::through(reference, picture, scale * libm::cos(turn), scale * libm::sin(turn))
    }

    fn through(reference: &Feature, picture: &Feature, a: f64, b: f64) -> Self {
        let (x, y) = (f64::from(reference.x), f64::from(reference.y));
        Self { a, b, dx: f64::from(picture.x) - (a * x - b * y), dy: f64::from(picture.y) - (b * x + a * y) }
    }

    /// How far it turns, in 1/256 of a turn.
    fn turn(&self) -> u8 {
        let turn = libm::atan2(self.b, self.a) / std::f64::consts::TAU;
        // A share of a turn.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let steps = (turn.rem_euclid(1.0) * 256.0) as u32 % 256;
        steps as u8
    }

    /// Whether a feature of the reference is that of the picture: by place, and roughly by size and orientation. `turn` and
    /// `scale` are the map's own.
    fn holds(&self, reference: &Feature, picture: &Feature, turn: u8, scale: f64, slack: f64) -> bool {
        const TURNED: u8 = 26;
        const SIZED: f64 = 1.75;
        let apart = picture.angle.wrapping_sub(reference.angle).wrapping_sub(turn);
        let size = picture.size() / (reference.size() * scale);
        if apart.min(apart.wrapping_neg()) > TURNED || !(1.0 / SIZED..SIZED).contains(&size) {
            return false;
        }
        let (x, y) = self.apply(f64::from(reference.x), f64::from(reference.y));
        let (dx, dy) = (x - f64::from(picture.x), y - f64::from(picture.y));
        dx * dx + dy * dy <= slack * slack
    }

    /// Whether a feature of the reference lies within a picture of that size, at a scale that is looked at there.
    fn shows(&self, reference: &Feature, size: (f64, f64)) -> bool {
        let (x, y) = self.apply(f64::from(reference.x), f64::from(reference.y));
        let patch = reference.size() * self.scale();
        (0.0..size.0).contains(&x) && (0.0..size.1).contains(&y) && (0.7..SIZES[SIZES.len() - 1] * 1.3).contains(&patch)
    }

    /// The one that fits pairs best, by least squares.
    fn fit(pairs: &[(Feature, Feature)]) -> Option<Self> {
        #[allow(clippy::cast_precision_loss)]
        let n = pairs.len() as f64;
        let mean = |f: &dyn Fn(&(Feature, Feature)) -> f32| pairs.iter().map(|p| f64::from(f(p))).sum::<f64>() / n;
        let (rx, ry, px, py) = (mean(&|p| p.0.x), mean(&|p| p.0.y), mean(&|p| p.1.x), mean(&|p| p.1.y));
        let (mut a, mut b, mut norm) = (0.0, 0.0, 0.0);
        for (r, p) in pairs {
            let (x, y, u, v) = (f64::from(r.x) - rx, f64::from(r.y) - ry, f64::from(p.x) - px, f64::from(p.y) - py);
            a += x * u + y * v;
            b += x * v - y * u;
            norm += x * x + y * y;
        }
        let (a, b) = (a / norm, b / norm);
        (norm > 0.0).then_some(Self { a, b, dx: px - (a * rx - b * ry), dy: py - (b * rx + a * ry) })
    }
}

fn part(bits: u128, index: usize) -> u16 {
    // The low bits of a shift.
    (bits >> (index * PART_BITS)) as u16
}

impl LocalIndex {
    pub(super) fn add(&mut self, reference: u32, features: &[Feature]) {
        self.tables.resize(PARTS << PART_BITS, Vec::new());
        self.filled.resize((PARTS << PART_BITS) / 64, 0);
        let from = self.features.len() as u32;
        for (feature, number) in features.iter().zip(from..) {
            for p in 0..PARTS {
                let at = p << PART_BITS | usize::from(part(feature.bits, p));
                self.tables[at].push(number);
                self.filled[at / 64] |= 1 << (at % 64);
            }
        }
        self.features.extend(features);
        self.owners.resize(self.features.len(), reference);
        self.ranges.insert(reference, (from, self.features.len() as u32));
    }

    /// The references that a picture with these features shows, by number.
    pub(super) fn find(&self, picture: &[Feature], size: (f64, f64)) -> Vec<Shown> {
        if self.features.is_empty() {
            return Vec::new();
        }
        // Features of one copy agree in turn and scale: votes are counted by both, and those of half a step on once more. A vote
        // is one number, reference first, so that sorting brings together what is counted together.
        let mut votes: Vec<u64> = Vec::new();
        for (i, feature) in picture.iter().enumerate() {
            for other in self.near(feature.bits) {
                let own = &self.features[other as usize];
                if (own.bits ^ feature.bits).count_ones() > VOTES_NEAR {
                    continue;
                }
                let turn = feature.angle.wrapping_sub(own.angle);
                let scale = 16 + feature.scale.cast_signed() - own.scale.cast_signed();
                for (turn, scale) in [(turn / 32, scale / 2), (turn.wrapping_add(16) / 32 + 8, (scale + 1) / 2)] {
                    let of = u64::from(self.owners[other as usize]) << 32;
                    votes.push(of | u64::from(turn) << 24 | u64::from(scale.cast_unsigned()) << 16 | i as u64);
                }
            }
        }
        votes.sort_unstable();
        // A feature of the picture votes once.
        votes.dedup();
        let mut best: Vec<(u32, u32)> = Vec::new();
        for alike in votes.chunk_by(|a, b| a >> 16 == b >> 16) {
            let (reference, count) = ((alike[0] >> 32) as u32, alike.len() as u32);
            match best.last_mut().filter(|(last, _)| *last == reference) {
                Some((_, most)) => *most = count.max(*most),
                None => best.push((reference, count)),
            }
        }
        let mut candidates: Vec<(u32, u32)> = best.into_iter().filter(|(_, n)| *n >= FEWEST_VOTES).map(|(r, n)| (n, r)).collect();
        candidates.sort_by_key(|(votes, reference)| (std::cmp::Reverse(*votes), *reference));
        candidates.truncate(CANDIDATES);
        let mut shown: Vec<Shown> = candidates.into_iter().filter_map(|(_, reference)| self.check(reference, picture, size)).collect();
        shown.sort_by_key(|s| s.reference);
        shown
    }

    /// Features of which some part is the same, or, where the index is small enough for it, but for one bit. A part that very
    /// many share tells nothing.
    fn near(&self, bits: u128) -> impl Iterator<Item = u32> + '_ {
        let common = 64 + self.features.len() / 12000;
        let first = if self.features.len() <= FLIPPED { 0 } else { PART_BITS };
        let probes = (0..PARTS).flat_map(move |p| {
            let own = usize::from(part(bits, p));
            (first..=PART_BITS).map(move |flip| p << PART_BITS | if flip == PART_BITS { own } else { own ^ (1 << flip) })
        });
        let probes = probes.filter(|at| self.filled[at / 64] >> (at % 64) & 1 == 1);
        probes.map(|at| &self.tables[at]).filter(move |found| found.len() <= common).flatten().copied()
    }

    /// Whether enough features of a reference stand in a picture where one turn, scale and shift puts them.
    fn check(&self, reference: u32, picture: &[Feature], size: (f64, f64)) -> Option<Shown> {
        let (from, to) = self.ranges[&reference];
        let own = &self.features[from as usize..to as usize];
        let pairs: Vec<(Feature, Feature)> = own.iter().filter_map(|r| nearest(r, picture).map(|p| (*r, p))).collect();
        let agreeing = |map: &Similarity, slack: f64| -> Vec<(Feature, Feature)> {
            let (turn, scale) = (map.turn(), map.scale());
            let slack = slack * scale.clamp(0.5, 2.0);
            let mut agree: Vec<(Feature, Feature)> = pairs.iter().filter(|(r, p)| map.holds(r, p, turn, scale, slack)).copied().collect();
            // One corner of the picture stands for one of the reference.
            agree.sort_by(|a, b| a.1.x.total_cmp(&b.1.x).then(a.1.y.total_cmp(&b.1.y)));
            agree.dedup_by(|b, a| (a.1.x - b.1.x).abs() < 1.0 && (a.1.y - b.1.y).abs() < 1.0);
            agree
        };
        // Each pair alone says a whole turn, scale and shift: no chance is needed.
        let sensible = |map: &Similarity| (0.2..5.0).contains(&map.scale());
        let first =
            pairs.iter().map(|(r, p)| Similarity::of(r, p)).filter(sensible).map(|map| agreeing(&map, ROUGH)).max_by_key(Vec::len)?;
        let map = Similarity::fit(&first).filter(sensible)?;
        let second = agreeing(&map, SLACK);
        let map = Similarity::fit(&second).filter(sensible)?;
        let places: Vec<(f64, f64)> = agreeing(&map, SLACK).iter().map(|(r, _)| (f64::from(r.x), f64::from(r.y))).collect();
        // Of a copy, many of those that should be seen are; of a shared hook, hanger or face, few.
        let seen = own.iter().filter(|r| map.shows(r, size)).count();
        let few = places.len() * FEW.1 < seen * FEW.0;
        (places.len() >= FEWEST && places.len() * SEEN.1 >= seen * SEEN.0).then_some(Shown { reference, places, map, few })
    }
}

/// The picture's feature that is a reference's, where one is clearly the nearest.
fn nearest(own: &Feature, picture: &[Feature]) -> Option<Feature> {
    let (mut best, mut second, mut found) = (u32::MAX, u32::MAX, None);
    for feature in picture {
        let distance = (own.bits ^ feature.bits).count_ones();
        if distance < best {
            // A corner found at two scales is no rival of itself.
            let rival = found.is_none_or(|f: Feature| (f.x - feature.x).abs() + (f.y - feature.y).abs() > 6.0);
            second = if rival { best } else { second };
            (best, found) = (distance, Some(*feature));
        } else if distance < second && found.is_none_or(|f| (f.x - feature.x).abs() + (f.y - feature.y).abs() > 6.0) {
            second = distance;
        }
    }
    found.filter(|_| best <= NEAR && best * RATIO.1 <= second.saturating_mul(RATIO.0))
}
