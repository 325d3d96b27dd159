//! How urgent a case is.

/// What the rank follows from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) confirmed: usize,
    pub(super) listings: usize,
    pub(super) sellers: usize,
    pub(super) markets: usize,
}

/// `3 log2(1 + confirmed) + log2(1 + listings) + log2(sellers) + log2(markets)`, to 4 decimals: twice as much of anything is one more,
/// and of confirmed fakes three, since brands vouch for them.
pub(super) fn rank(size: Size) -> f64 {
    let log = |n: usize| libm::log2(f64::from(u32::try_from(n).unwrap_or(u32::MAX)));
    let sum = 3.0 * log(size.confirmed + 1) + log(size.listings + 1) + log(size.sellers.max(1)) + log(size.markets.max(1));
    (sum * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confirmed_fakes_weigh_most_and_everything_adds() {
        for ((confirmed, listings, sellers, markets), expected) in [
            ((0, 0, 0, 0), 0.0),
            ((0, 1, 1, 1), 1.0),
            ((1, 1, 1, 1), 4.0),
            ((0, 7, 4, 2), 6.0),
            ((3, 15, 8, 4), 15.0),
            ((0, 2, 1, 1), 1.585),
        ] {
            assert_eq!(rank(Size { confirmed, listings, sellers, markets }), expected, "{confirmed} {listings} {sellers} {markets}");
        }
    }
}
