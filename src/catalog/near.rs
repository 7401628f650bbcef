//! `SimHash`: 64 bits in which similar texts differ little. A hint for near-duplicate paragraphs,
//! always confirmed against the texts.

/// Texts shorter than this many code points get no `SimHash`: one changed word changes too much
/// of them.
pub const NEAR_MINIMUM: u32 = 24;

/// Code points of a text that are looked at; what follows does not count.
pub const NEAR_MAXIMUM: usize = 1 << 14;

/// `SimHash`es of paragraphs with one word or number changed differ in at most this many bits.
pub const NEAR_DISTANCE: u32 = 12;

/// The `SimHash` over the character 3-grams of a canonical text, letters compared without case.
#[must_use]
pub fn simhash(text: &str) -> u64 {
    let mut counters = Counters::default();
    let mut window = [' '; 3];
    let mut filled = 0;
    for c in text.chars().take(NEAR_MAXIMUM) {
        let c = if c.is_ascii() {
            c.to_ascii_lowercase()
        } else {
            c.to_lowercase().next().unwrap_or(c)
        };
        window = [window[1], window[2], c];
        filled += 1;
        if filled >= 3 {
            counters.add(mix(window));
        }
    }
    if filled < 3 {
        counters.add(mix(window));
    }
    counters.majority()
}

/// Bits in which two `SimHash`es differ.
#[must_use]
pub fn distance(a: u64, b: u64) -> u32 {
    (a ^ b).count_ones()
}

/// A 64-bit hash of three characters (the finalizer of `SplitMix64`).
fn mix([a, b, c]: [char; 3]) -> u64 {
    let mut hash = u64::from(u32::from(a)) << 42 ^ u64::from(u32::from(b)) << 21 ^ u64::from(u32::from(c));
    hash = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// How often each of 64 bits was set. Eight counters of eight bits share a word, and are emptied
/// into wide ones before they can overflow.
struct Counters {
    narrow: [u64; 8],
    wide: [u32; 64],
    pending: u8,
    total: u32,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            narrow: [0; 8],
            wide: [0; 64],
            pending: 0,
            total: 0,
        }
    }
}

impl Counters {
    fn add(&mut self, hash: u64) {
        // Bit i of every byte of the hash counts in byte `byte` of word i.
        for (bit, word) in self.narrow.iter_mut().enumerate() {
            *word += (hash >> bit) & 0x0101_0101_0101_0101;
        }
        self.pending += 1;
        self.total += 1;
        if self.pending == u8::MAX {
            self.empty();
        }
    }

    fn empty(&mut self) {
        for (bit, word) in self.narrow.iter_mut().enumerate() {
            for (byte, count) in word.to_le_bytes().into_iter().enumerate() {
                self.wide[byte * 8 + bit] += u32::from(count);
            }
            *word = 0;
        }
        self.pending = 0;
    }

    fn majority(mut self) -> u64 {
        self.empty();
        self.wide
            .iter()
            .enumerate()
            .filter(|(_, count)| **count * 2 > self.total)
            .fold(0, |hash, (bit, _)| hash | 1 << bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_agree_with_a_plain_count() {
        let hashes: Vec<u64> = (0..1000_u32)
            .map(|n| mix([char::from_u32(n + 32).unwrap(), 'a', 'b']))
            .collect();
        let mut counters = Counters::default();
        for hash in &hashes {
            counters.add(*hash);
        }
        let plain = (0..64)
            .filter(|bit| hashes.iter().filter(|hash| **hash >> bit & 1 == 1).count() > 500)
            .fold(0_u64, |all, bit| all | 1 << bit);
        assert_eq!(counters.majority(), plain);
    }

    #[test]
    fn one_changed_number_is_near_and_another_text_is_far() {
        let old = "시는 내년 예산 3천 200억 원 가운데 절반을 하천 정비와 다리 보수에 쓰기로 했다고 밝혔다.";
        let new = old.replace("200", "450");
        let other = "어제 저녁 도서관 앞 광장에서는 스무 명 남짓한 주민이 모여 작은 음악회를 열었다고 한다.";
        assert!(distance(simhash(old), simhash(&new)) <= NEAR_DISTANCE);
        assert!(distance(simhash(old), simhash(other)) > NEAR_DISTANCE);
        assert_eq!(simhash("ABCDEF"), simhash("abcdef"));
        assert_eq!(simhash(""), simhash(""));
    }
}
