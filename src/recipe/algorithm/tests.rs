use super::*;
use crate::digest::to_hex;

#[test]
fn digests_of_abc_are_the_published_ones() {
    for (algorithm, hex) in [
        (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
        (Algorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            Algorithm::Sha224,
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
        ),
        (
            Algorithm::Sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            Algorithm::Sha512_256,
            "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
        ),
        (
            Algorithm::Sha3_256,
            "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
        ),
        (
            Algorithm::Keccak256,
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
        ),
        (
            Algorithm::Blake2s256,
            "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
        ),
        (
            Algorithm::Blake3,
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
        ),
    ] {
        assert_eq!(to_hex(algorithm.digest(b"abc").as_bytes()), hex, "{algorithm}");
    }
}

#[test]
fn lengths_and_names_agree_with_the_digests() {
    for algorithm in Algorithm::ALL {
        assert_eq!(algorithm.digest(b"").as_bytes().len(), algorithm.output_len());
        assert_eq!(algorithm.as_str().parse::<Algorithm>().unwrap(), algorithm);
    }
}

#[test]
fn hmac_gives_the_vectors_of_rfc_4231_and_2202() {
    let hex = |output: Output| to_hex(output.as_bytes());
    assert_eq!(
        hex(Algorithm::Sha256.hmac(b"Jefe", b"what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert_eq!(
        hex(Algorithm::Md5.hmac(b"Jefe", b"what do ya want for nothing?")),
        "750c783e6ab0b503eaa86e310a5db738"
    );
    assert_eq!(
        hex(Algorithm::Sha256.hmac(
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First"
        )),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    );
}
