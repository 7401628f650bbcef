use proptest::prelude::*;

use super::*;

fn block(key: u64) -> OutlineBlock {
    OutlineBlock {
        kind: Kind::ALL[(key % 22) as usize],
        body: key.is_multiple_of(3),
        empty: key.is_multiple_of(7),
        length: (key % 300) as u32,
        key,
        near: (key.is_multiple_of(3) && key % 300 >= u64::from(NEAR_MINIMUM)).then_some(!key),
        form: (key.is_multiple_of(5)).then_some(key as u16),
        declared: (key.is_multiple_of(11)).then_some(key << 7),
        id: (key.is_multiple_of(13)).then_some(key as u32 ^ 0xffff),
    }
}

fn blocks(keys: &[u64]) -> Vec<OutlineBlock> {
    keys.iter().copied().map(block).collect()
}

proptest! {
    #[test]
    fn outlines_round_trip_against_any_base(
        base in prop::collection::vec(0_u64..40, 0..60),
        keys in prop::collection::vec(0_u64..60, 0..60),
    ) {
        let (base, blocks) = (blocks(&base), blocks(&keys));
        let encoded = encode(&base, &blocks);
        prop_assert_eq!(decode(&base, encoded.pieces()), Ok(blocks.clone()));
        let mut seen = Vec::new();
        literals(encoded.pieces(), |position, block| seen.push((position, *block))).unwrap();
        let expected: Vec<_> = encoded
            .literals
            .iter()
            .map(|&position| (position, blocks[position as usize]))
            .collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        lanes in [(); LANES].map(|()| prop::collection::vec(any::<u8>(), 0..40)),
        base in prop::collection::vec(0_u64..40, 0..20),
    ) {
        let pieces = lanes.each_ref().map(Vec::as_slice);
        let _ = decode(&blocks(&base), pieces);
        let _ = literals(pieces, |_, _| ());
    }

    #[test]
    fn varints_round_trip(value in any::<u64>(), signed in any::<i64>()) {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, value);
        prop_assert_eq!(take_varint(&bytes), Some((value, &[][..])));
        prop_assert_eq!(unzigzag(zigzag(signed)), signed);
    }
}

#[test]
fn one_edit_costs_one_block() {
    let old: Vec<u64> = (1000..1300).collect();
    let mut new = old.clone();
    new[150] = 77;
    let encoded = encode(&blocks(&old), &blocks(&new));
    assert_eq!(encoded.literals, [150]);
    assert!(encoded.bytes() < 48, "{} bytes", encoded.bytes());
}

#[test]
fn repeated_blocks_are_spelled_once() {
    let encoded = encode(&[], &blocks(&[1001; 500]));
    assert_eq!(encoded.literals, [0]);
}

#[test]
fn one_text_under_many_declared_hashes_is_told_apart_by_them() {
    // So many that they must not all lie in one place of a hash table.
    let numbered = |from: u64| -> Vec<OutlineBlock> {
        let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (from..from + (1 << 17))
            .map(|n| OutlineBlock {
                declared: Some(hash(n)),
                ..block(1001)
            })
            .collect()
    };
    let (old, new) = (numbered(1), numbered(2));
    let encoded = encode(&old, &new);
    assert_eq!(encoded.literals, [(1 << 17) - 1]);
    assert_eq!(decode(&old, encoded.pieces()), Ok(new));
}

#[test]
fn declared_prefixes_follow_the_digits_of_any_case() {
    let lower = "4d0c216a09018144215331804680db0c";
    assert_eq!(declared_prefix(lower), 0x4d0c_216a_0901_8144);
    assert_eq!(declared_prefix(&lower.to_uppercase()), declared_prefix(lower));
    assert_ne!(declared_prefix("none"), declared_prefix("nine"));
    assert_ne!(declared_prefix("가나다라마바사"), 0);
}

#[test]
fn what_only_begins_with_sixteen_digits_has_a_key_of_all_of_it() {
    assert_ne!(
        declared_prefix("2026071106451234-p1"),
        declared_prefix("2026071106451234-p2")
    );
    assert_ne!(declared_prefix("2026071106451234-p1"), 0x2026_0711_0645_1234);
    assert_ne!(
        declared_prefix("2026071106451234AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        declared_prefix("2026071106451234AAAAAAAAAAAAAAAAAAAAAAAAAAB="),
    );
    // Hex of an odd length is hex all the same, fifteen digits are too few.
    assert_eq!(declared_prefix(" 20260711064512345 "), 0x2026_0711_0645_1234);
    assert_ne!(declared_prefix("202607110645123"), 0x0202_6071_1064_5123);
}
