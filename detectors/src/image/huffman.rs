//! Huffman codes of a JPEG, read several symbols at once where their coefficients are of no interest.

/// Bits that a table is asked with.
const LOOK: u32 = 12;
/// The longest code.
const LONGEST: u32 = 16;
/// Coefficients of a block but the first.
const REST: u32 = 63;

/// One class of codes, as a DHT segment gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Codes {
    /// How many codes there are of each length.
    pub(super) counts: [u8; 16],
    pub(super) symbols: Vec<u8>,
}

/// Codes ready to be looked up.
pub(super) struct Table {
    codes: Codes,
    /// By the next [`LOOK`] bits: length of the code and symbol; a length of 0 for a longer code.
    short: Vec<(u8, u8)>,
    /// By length: the first code that is longer, aligned to 16 bits, and where the symbols of the length begin.
    ends: [(u32, i32); LONGEST as usize + 1],
    /// By the next [`LOOK`] bits: what all coefficients that lie in them whole come to.
    several: Vec<Several>,
}

/// Some coefficients in a row, in two bytes, so that the tables stay near the processor: how many bits they take, how many
/// coefficients they pass, zeros included, and whether the last of them ends the block.
#[derive(Debug, Clone, Copy, Default)]
struct Several(u16);

impl Several {
    fn of(bits: u32, passed: u32, ends: bool) -> Self {
        // At most 12 bits and 63 coefficients.
        Self((bits | passed << 4 | u32::from(ends) << 10) as u16)
    }

    fn bits(self) -> u32 {
        u32::from(self.0 & 15)
    }

    fn passed(self) -> u32 {
        u32::from(self.0 >> 4 & 63)
    }

    fn ends(self) -> u32 {
        u32::from(self.0 >> 10)
    }
}

impl Table {
    /// Nothing for codes that are no prefix code.
    pub(super) fn of(codes: Codes) -> Option<Self> {
        let mut short = vec![(0, 0); 1 << LOOK];
        let mut ends = [(0, 0); LONGEST as usize + 1];
        let (mut code, mut taken) = (0_u32, 0_usize);
        for length in 1..=LONGEST {
            let count = usize::from(codes.counts[length as usize - 1]);
            // A symbol's place is its code less the first code of its length, plus the symbols before.
            ends[length as usize].1 = i32::try_from(taken).ok()? - i32::try_from(code).ok()?;
            for symbol in codes.symbols.get(taken..taken + count)? {
                if code >> length != 0 {
                    return None;
                }
                if length <= LOOK {
                    let from = (code << (LOOK - length)) as usize;
                    short.get_mut(from..from + (1 << (LOOK - length)))?.fill((length as u8, *symbol));
                }
                code += 1;
            }
            taken += count;
            ends[length as usize].0 = code << (LONGEST - length);
            code <<= 1;
        }
        if taken != codes.symbols.len() {
            return None;
        }
        let several = (0..1_u32 << LOOK).map(|bits| several(&short, bits)).collect();
        Some(Self { codes, short, ends, several })
    }

    pub(super) fn is_of(&self, codes: &Codes) -> bool {
        self.codes == *codes
    }

    /// The next symbol.
    fn symbol(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let look = bits.peek(LONGEST);
        let (length, symbol) = self.short[(look >> (LONGEST - LOOK)) as usize];
        if length > 0 {
            bits.skip(u32::from(length));
            return Some(symbol);
        }
        let length = (LOOK + 1..=LONGEST).find(|length| look < self.ends[*length as usize].0)?;
        bits.skip(length);
        let place = i32::try_from(look >> (LONGEST - length)).ok()? + self.ends[length as usize].1;
        self.codes.symbols.get(usize::try_from(place).ok()?).copied()
    }

    /// The next difference of a first coefficient.
    pub(super) fn difference(&self, bits: &mut Bits<'_>) -> Option<i32> {
        bits.fill();
        let size = u32::from(self.symbol(bits)?);
        if size == 0 {
            return Some(0);
        }
        if size > 15 {
            return None;
        }
        let value = bits.peek(size).cast_signed();
        bits.skip(size);
        // The upper half of the values is positive.
        Some(if value >> (size - 1) == 0 { value - (1 << size) + 1 } else { value })
    }

    /// Passes over all coefficients of a block but the first.
    pub(super) fn pass(&self, bits: &mut Bits<'_>) -> Option<()> {
        let mut left = REST;
        // A copy of its own stays in registers.
        let mut own = *bits;
        loop {
            own.fill();
            // Four looks fit into what is filled at once.
            for _ in 0..4 {
                let several = self.several[own.peek(LOOK) as usize];
                // The block may end before all of these, and a full block has no sign of its end: then one after the other.
                if several.bits() == 0 || several.passed() + several.ends() > left {
                    own.fill();
                    left = left.checked_sub(self.coefficient(&mut own, left)?)?;
                    if left == 0 {
                        *bits = own;
                        return Some(());
                    }
                    break;
                }
                own.skip(several.bits());
                left -= several.passed();
                if several.ends() > 0 || left == 0 {
                    *bits = own;
                    return Some(());
                }
            }
        }
    }

    /// Passes over one coefficient with the zeros before it: how many these are of those that are left.
    fn coefficient(&self, bits: &mut Bits<'_>, left: u32) -> Option<u32> {
        let symbol = self.symbol(bits)?;
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        bits.skip(size);
        Some(match (run, size) {
            (15, 0) => 16,
            (_, 0) => left,
            _ => run + 1,
        })
    }
}

fn several(short: &[(u8, u8)], bits: u32) -> Several {
    let (mut used, mut passed) = (0, 0);
    loop {
        let (length, symbol) = short[(bits << used & ((1 << LOOK) - 1)) as usize];
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        let takes = u32::from(length) + size;
        let passes = if (run, size) == (15, 0) { 16 } else { run + 1 };
        let ends = size == 0 && run != 15;
        if length == 0 || used + takes > LOOK || (!ends && passed + passes > REST) {
            return Several::of(used, passed, false);
        }
        used += takes;
        if ends {
            return Several::of(used, passed, true);
        }
        passed += passes;
    }
}

/// Bits of a scan whose stuffing was taken out. Behind the end are zeros, and it is told how far one went.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// Bytes taken into `window`.
    taken: usize,
    /// The next bits, the highest first.
    window: u64,
    /// Bits of `window` that hold something.
    held: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, taken: 0, window: 0, held: 0 }
    }

    /// At least 56 bits are held afterwards.
    fn fill(&mut self) {
        if let Some(next) = self.bytes.get(self.taken..self.taken + 8).and_then(|next| next.first_chunk::<8>()) {
            self.window |= u64::from_be_bytes(*next) >> self.held;
            let bytes = (63 - self.held) / 8;
            self.taken += bytes as usize;
            self.held += bytes * 8;
            return;
        }
        while self.held <= 56 {
            let byte = self.bytes.get(self.taken).copied().unwrap_or(0);
            self.window |= u64::from(byte) << (56 - self.held);
            self.taken += 1;
            self.held += 8;
        }
    }

    fn peek(&self, bits: u32) -> u32 {
        (self.window >> (64 - bits)) as u32
    }

    fn skip(&mut self, bits: u32) {
        self.window <<= bits;
        self.held = self.held.saturating_sub(bits);
    }

    /// Whether more was read than there is.
    pub(super) fn is_over(&self) -> bool {
        self.taken > self.bytes.len() + (self.held / 8) as usize
    }
}
