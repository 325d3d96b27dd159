//! When a fetch is tried again, and how long it waits before.

use std::time::Duration;

use super::{FetchFault, Key};

/// Tries after the first.
const RETRIES: usize = 2;

/// How long to wait before trying again, after so many retries; nothing where it is not worth it. Twice as long each time, less
/// up to a half by the digest of the URL: pictures that failed together do not come back together, and nothing depends on chance.
pub(super) fn pause(fault: FetchFault, retries: usize, key: &Key, first: Duration) -> Option<Duration> {
    let digit = key.get(retries).filter(|_| retries < RETRIES && fault.may_pass())?;
    let longest = first.saturating_mul(1u32 << retries);
    Some(longest - longest / 512 * u32::from(*digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ_by_url() {
        let first = Duration::from_millis(512);
        let table = [
            (FetchFault::TimedOut, 0, 0, Some(512)),
            (FetchFault::TimedOut, 0, 255, Some(257)),
            (FetchFault::TimedOut, 1, 0, Some(1_024)),
            (FetchFault::Status(503), 1, 128, Some(768)),
            (FetchFault::Unreachable, 2, 0, None),
            (FetchFault::Status(404), 0, 0, None),
            (FetchFault::CircuitOpen, 0, 0, None),
        ];
        for (fault, retries, digit, expected) in table {
            assert_eq!(pause(fault, retries, &[digit; 32], first), expected.map(Duration::from_millis), "{fault:?} {retries} {digit}");
        }
    }
}
