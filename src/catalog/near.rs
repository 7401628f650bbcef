//! `MinHash`: eight bytes of which similar texts share most. A hint for near-duplicate paragraphs,
//! always confirmed against the texts.
//!
//! The hashes of a text's shingles, every five characters of an alphabet, every three of Hangul, Han or
//! Kana, are dealt out into eight shares; each byte comes from the lowest hash of a share. Two texts share a byte with about the
//! probability that a shingle of either is in both: .84 for one word changed among twenty, .7 for one
//! among ten. Four equal bytes of eight find 99 and 94 of 100 such pairs; unlike texts of one language
//! share about one shingle in a hundred, and three of a million of them four bytes.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

/// Texts shorter than this many code points get no `MinHash`: one changed word changes too much of
/// them.
pub const NEAR_MINIMUM: u32 = 32;

/// Code points of a text that are looked at; what follows does not count.
pub const NEAR_MAXIMUM: usize = 1 << 14;

/// Bytes that near texts have in common, at least.
pub const NEAR_SHARED: u32 = 4;

/// Characters of an alphabet in a shingle.
const SHINGLE: usize = 5;

/// The first character that counts as two letters.
const WIDE: u32 = 0x2e80;

/// Signatures a thread remembers; the memory is emptied when it is full.
const REMEMBERED: usize = 1 << 16;

thread_local! {
    /// Signatures by the first eight bytes of the content hash: from one revision to the next nearly
    /// all blocks are the same.
    static KNOWN: RefCell<FxHashMap<u64, u64>> = RefCell::default();
}

/// [`minhash`] of a text whose content hash begins with `key`, computed once while it is remembered.
#[must_use]
pub fn remembered(key: u64, text: &str) -> u64 {
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= REMEMBERED {
            known.clear();
        }
        *known.entry(key).or_insert_with(|| minhash(text))
    })
}

/// The `MinHash` over the shingles of a canonical text, letters compared without case.
#[must_use]
pub fn minhash(text: &str) -> u64 {
    if text.is_ascii() {
        let letters = text.as_bytes()[..text.len().min(NEAR_MAXIMUM)].to_ascii_lowercase();
        let shingles = letters.array_windows::<SHINGLE>();
        return signature(shingles.map(|shingle| mix(shingle.map(u32::from))));
    }
    let mut characters: Vec<u32> = Vec::with_capacity(text.len().min(NEAR_MAXIMUM));
    characters.extend(text.chars().take(NEAR_MAXIMUM).map(lower));
    if characters.iter().all(|c| *c < WIDE) {
        return signature(characters.array_windows::<SHINGLE>().copied().map(mix));
    }
    signature((1..=characters.len()).filter_map(|end| {
        let length = shingle_length(&characters[..end]);
        let shingle = characters.get(end.checked_sub(length)?..end)?;
        Some(mix(shingle.iter().copied()))
    }))
}

/// The signature of a text whose shingles have these hashes.
fn signature(hashes: impl Iterator<Item = u64>) -> u64 {
    let mut least = [u64::MAX; 8];
    for hash in hashes {
        let least = &mut least[(hash & 7) as usize];
        *least = (*least).min(hash);
    }
    // A share into which no shingle fell takes the value of the next that has one.
    let filled = |share: usize| {
        let mut values = (0..8).map(|step| least[(share + step) % 8]);
        values.find(|value| *value != u64::MAX).unwrap_or(u64::MAX)
    };
    // The lowest values have low high bits, so the byte is taken from the middle.
    u64::from_be_bytes(std::array::from_fn(|share| (filled(share) >> 16) as u8))
}

/// A letter without case, as a number.
fn lower(c: char) -> u32 {
    u32::from(if c.is_ascii() {
        c.to_ascii_lowercase()
    } else {
        c.to_lowercase().next().unwrap_or(c)
    })
}

/// Characters of the shingle that ends here: a syllable or ideograph counts as two letters.
fn shingle_length(before: &[u32]) -> usize {
    let mut letters = 0;
    for (length, c) in before.iter().rev().take(SHINGLE).enumerate() {
        if letters >= SHINGLE {
            return length;
        }
        letters += if *c >= WIDE { 2 } else { 1 };
    }
    SHINGLE
}

/// How many of the eight bytes two signatures share.
#[must_use]
pub fn shared_bytes(a: u64, b: u64) -> u32 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let differ = a ^ b;
    // The high bit of every byte that is zero.
    (!(((differ & LOW) + LOW) | differ | LOW)).count_ones()
}

/// A 64-bit hash of some characters, mixed as `SplitMix64` does.
fn mix(characters: impl IntoIterator<Item = u32>) -> u64 {
    let mut hash = characters.into_iter().fold(0_u64, |hash, c| {
        (hash ^ u64::from(c))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_bytes_are_counted() {
        assert_eq!(shared_bytes(0, 0), 8);
        assert_eq!(shared_bytes(0x0102_0304_0506_0708, 0x0102_0304_0506_0708), 8);
        assert_eq!(shared_bytes(0x0102_0304_0506_0708, 0x0182_0004_ff06_0708), 5);
        assert_eq!(shared_bytes(u64::MAX, 0x7f7f_7f7f_7f7f_7f7f), 0);
        assert_eq!(shared_bytes(0x0000_0100, 0x0000_0000), 7);
    }

    #[test]
    fn shingles_are_five_letters_or_three_syllables() {
        let length = |text: &str| {
            let mut window = [0; SHINGLE];
            for (place, c) in window.iter_mut().zip(text.chars()) {
                *place = u32::from(c);
            }
            shingle_length(&window)
        };
        assert_eq!(
            [length("abcde"), length("가나다라마"), length("abc가a")],
            [5, 3, 4]
        );
    }

    /// What the catalogs have does not depend on the way it was computed.
    #[test]
    fn all_letters_give_the_same_numbers() {
        for (text, signature) in [
            (
                "The quick brown fox jumps over the lazy dog",
                0x1ef7_13b5_a918_dcb0,
            ),
            (
                "Straße – a “quoted” naïve phrase, Ünïcödé and more",
                0x3079_692a_ae9a_3c88,
            ),
            (
                "시는 내년 예산 3천 200억 원 가운데 절반을 하천 정비에 쓴다.",
                0xe43e_da5d_77cd_af98,
            ),
        ] {
            assert_eq!(minhash(text), signature, "{text}");
        }
        let ascii = "Pages that are alike, and pages that are not. ".repeat(NEAR_MAXIMUM / 40);
        assert_eq!(minhash(&ascii), minhash(&format!("{ascii}\u{e9}")));
    }

    #[test]
    fn one_changed_number_is_near_and_another_text_is_far() {
        let old = "시는 내년 예산 3천 200억 원 가운데 절반을 하천 정비와 다리 보수에 쓰기로 했다고 밝혔다.";
        let new = old.replace("200", "450");
        let other = "어제 저녁 도서관 앞 광장에서는 스무 명 남짓한 주민이 모여 작은 음악회를 열었다고 한다.";
        assert!(shared_bytes(minhash(old), minhash(&new)) >= NEAR_SHARED);
        assert!(shared_bytes(minhash(old), minhash(other)) < NEAR_SHARED);
        assert_eq!(minhash("ABCDEF"), minhash("abcdef"));
        assert_eq!(minhash(""), minhash("ab"));
    }

    /// One word in a paragraph of words that no other paragraph has, for several lengths.
    #[test]
    fn one_changed_word_is_mostly_found_and_chance_is_rare() {
        let word = |n: u64| {
            let mut hash = mix([n as u32, 7]);
            let length = 3 + hash % 7;
            (0..length)
                .map(|_| {
                    hash = hash.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    char::from(b'a' + (hash >> 40) as u8 % 26)
                })
                .collect::<String>()
        };
        let mut signatures = Vec::new();
        for (words, least) in [(10, 85), (20, 95), (40, 98)] {
            let mut found = 0;
            for paragraph in 0..400_u64 {
                let mut text: Vec<String> = (0..words)
                    .map(|n| word((words * 400 + paragraph) * 40 + n))
                    .collect();
                let old = minhash(&text.join(" "));
                text[(paragraph % words) as usize] = word(10_000_000 + paragraph);
                found += u64::from(shared_bytes(old, minhash(&text.join(" "))) >= NEAR_SHARED);
                signatures.push(old);
            }
            assert!(found * 100 >= least * 400, "{found} of 400 with {words} words");
        }
        let near = |a: &u64| {
            let other = |b: &&u64| *b != a && shared_bytes(*a, **b) >= NEAR_SHARED;
            signatures.iter().filter(other).count()
        };
        let chance: usize = signatures.iter().take(400).map(near).sum();
        assert!(chance < 20, "{chance} of {} unlike pairs", 400 * signatures.len());
    }
}
