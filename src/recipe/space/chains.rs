//! The digests of a target's length.

use super::super::algorithm::Algorithm;
use super::super::chain::{Chain, Operation};
use super::Target;

/// The algorithms whose digests have the target's length and that publishers use most.
pub(super) fn main_algorithms(target: Target) -> Vec<Algorithm> {
    use Algorithm::{
        Blake2b256, Blake3, Keccak256, Md5, Sha1, Sha3_256, Sha3_512, Sha224, Sha256, Sha384, Sha512,
    };
    match (target.algorithm, target.len) {
        (Some(algorithm), _) => vec![algorithm],
        (None, 16) => vec![Md5],
        (None, 20) => vec![Sha1],
        (None, 28) => vec![Sha224],
        (None, 32) => vec![Sha256, Sha3_256, Blake3, Keccak256, Blake2b256],
        (None, 48) => vec![Sha384],
        (None, 64) => vec![Sha512, Sha3_512],
        (None, _) => vec![],
    }
}

pub(super) fn main_chains(target: Target) -> Vec<Chain> {
    use Operation::{Digest, Hex};
    let main = main_algorithms(target);
    let mut chains: Vec<Chain> = main.iter().copied().map(Chain::single).collect();
    if target.algorithm.is_none() {
        for &algorithm in &main {
            chains.extend(Chain::new(vec![Digest(algorithm), Hex, Digest(algorithm)]));
        }
        chains.extend(truncated(target.len, &[Algorithm::Sha256, Algorithm::Sha512]));
    }
    chains
}

/// The chains that enter messages with one value: every plain digest, the main one doubled and mixed.
pub(super) fn common_chains(target: Target) -> Vec<Chain> {
    use Operation::{Digest, Hex};
    if target.algorithm.is_some() {
        return chains(target);
    }
    let mut common: Vec<Chain> = Algorithm::ALL
        .into_iter()
        .filter(|algorithm| algorithm.output_len() == target.len)
        .map(Chain::single)
        .collect();
    if let Some(&outer) = main_algorithms(target).first() {
        common.extend(Chain::new(vec![Digest(outer), Digest(outer)]));
        for inner in [outer, Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha512] {
            common.extend(Chain::new(vec![Digest(inner), Hex, Digest(outer)]));
        }
    }
    common.extend(truncated(
        target.len,
        &[Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512],
    ));
    distinct(common)
}

/// The chains, each once.
pub(super) fn distinct(mut chains: Vec<Chain>) -> Vec<Chain> {
    let mut seen = std::collections::HashSet::new();
    chains.retain(|chain| seen.insert(chain.clone()));
    chains
}

pub(super) fn truncated(len: usize, algorithms: &[Algorithm]) -> Vec<Chain> {
    algorithms
        .iter()
        .filter(|algorithm| algorithm.output_len() > len)
        .filter_map(|&algorithm| {
            let take = Operation::Take(u8::try_from(len).ok()?);
            Chain::new(vec![Operation::Digest(algorithm), take]).ok()
        })
        .collect()
}

/// Digests that are longer, cut at their front.
pub(super) fn truncated_in_front(len: usize, algorithms: &[Algorithm]) -> Vec<Chain> {
    let last = |chain: Chain| {
        let operations = chain.operations().iter().map(|&operation| match operation {
            Operation::Take(count) => Operation::TakeLast(count),
            other => other,
        });
        Chain::new(operations.collect()).ok()
    };
    truncated(len, algorithms).into_iter().filter_map(last).collect()
}

/// Every digest chain that yields the target's length: plain, doubled over bytes, hex and base64,
/// mixed, truncated.
pub(super) fn chains(target: Target) -> Vec<Chain> {
    use Algorithm::{Blake2b512, Blake3, Md5, Sha1, Sha3_256, Sha3_512, Sha256, Sha384, Sha512};
    use Operation::{Base64, Digest, Hex, UpperHex};
    if let Some(algorithm) = target.algorithm {
        return vec![Chain::single(algorithm)];
    }
    let mut chains: Vec<Chain> = Algorithm::ALL
        .into_iter()
        .filter(|algorithm| algorithm.output_len() == target.len)
        .map(Chain::single)
        .collect();
    let main = main_algorithms(target);
    for &algorithm in &main {
        for between in [None, Some(Hex), Some(UpperHex), Some(Base64)] {
            let operations = [Some(Digest(algorithm)), between, Some(Digest(algorithm))];
            chains.extend(Chain::new(operations.into_iter().flatten().collect()));
        }
    }
    if let Some(&outer) = main.first() {
        for inner in [Md5, Sha1, Sha256, Sha512]
            .into_iter()
            .filter(|&inner| inner != outer)
        {
            chains.extend(Chain::new(vec![Digest(inner), Hex, Digest(outer)]));
            chains.extend(Chain::new(vec![Digest(inner), Digest(outer)]));
        }
    }
    chains.extend(truncated(
        target.len,
        &[
            Md5, Sha1, Sha256, Sha384, Sha512, Sha3_256, Sha3_512, Blake2b512, Blake3,
        ],
    ));
    chains.extend(truncated_in_front(
        target.len,
        &[Md5, Sha1, Sha256, Sha384, Sha512],
    ));
    chains
}
