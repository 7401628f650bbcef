//! Transfer and content codings of HTTP bodies, taken off within a limit.

use std::io::{self, Read};

/// What became of a body with `Transfer-Encoding: chunked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunks {
    /// Every chunk, the last one included.
    Complete,
    /// The body ends before the last chunk.
    Cut,
    /// A chunk's size is unreadable; what stands there is taken as it is.
    Broken,
    /// It is not chunked at all.
    None,
}

/// Joins the chunks of a chunked body. Never longer than the body.
#[must_use]
pub fn dechunk(body: &[u8]) -> (Vec<u8>, Chunks) {
    let mut joined = Vec::with_capacity(body.len());
    let mut rest = body;
    loop {
        let Some((size, behind)) = chunk_size(rest) else {
            if joined.is_empty() && rest.len() == body.len() {
                return (body.to_vec(), Chunks::None);
            }
            if rest.trim_ascii().is_empty() {
                return (joined, Chunks::Cut);
            }
            joined.extend_from_slice(rest);
            return (joined, Chunks::Broken);
        };
        if size == 0 {
            return (joined, Chunks::Complete);
        }
        if behind.len() < size {
            joined.extend_from_slice(behind);
            return (joined, Chunks::Cut);
        }
        joined.extend_from_slice(&behind[..size]);
        rest = &behind[size..];
        rest = rest
            .strip_prefix(b"\r\n")
            .or_else(|| rest.strip_prefix(b"\n"))
            .unwrap_or(rest);
    }
}

/// The size at the start of a chunk and what stands behind its line.
fn chunk_size(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let sight = &bytes[..bytes.len().min(1024)];
    let end = memchr::memchr(b'\n', sight)?;
    let line = sight[..end].trim_ascii();
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii_end();
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let size = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some((size, &bytes[end + 1..]))
}

/// A content coding could not be taken off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodingError {
    /// The decoded body is over the limit.
    #[error("the decoded body is larger than the limit of {0} bytes")]
    TooLarge(usize),
    /// A coding we do not know.
    #[error("the content coding {0:?} is not known")]
    Unknown(String),
    /// The bytes are not what the header says.
    #[error("the body is not {coding}: {message}")]
    Broken {
        /// The coding as written.
        coding: String,
        /// What the decoder said.
        message: String,
    },
}

/// Most codings one header may name, one around the other.
const MAX_CODINGS: usize = 4;

/// Takes off the codings a `Content-Encoding` value names, the last one first. `None` if it names
/// none, so that nothing needs to be copied.
pub fn decode(value: &str, body: &[u8], limit: usize) -> Result<Option<Vec<u8>>, CodingError> {
    let mut codings: Vec<String> = value
        .split(',')
        .map(|coding| coding.trim().to_ascii_lowercase())
        .filter(|coding| !matches!(coding.as_str(), "" | "identity" | "none"))
        .collect();
    if codings.len() > MAX_CODINGS {
        return Err(CodingError::Unknown(value.chars().take(60).collect()));
    }
    let mut decoded: Option<Vec<u8>> = None;
    while let Some(coding) = codings.pop() {
        let bytes = decoded.as_deref().unwrap_or(body);
        decoded = Some(decode_one(&coding, bytes, limit)?);
    }
    Ok(decoded)
}

fn decode_one(coding: &str, body: &[u8], limit: usize) -> Result<Vec<u8>, CodingError> {
    let outcome = match coding {
        "gzip" | "x-gzip" => gzip(body, limit),
        "deflate" | "x-deflate" => bounded(flate2::bufread::ZlibDecoder::new(body), limit)
            .or_else(|_| bounded(flate2::bufread::DeflateDecoder::new(body), limit)),
        "br" | "brotli" => bounded(brotli::Decompressor::new(body, 4096), limit),
        "zstd" => zstd::Decoder::with_buffer(body).and_then(|decoder| bounded(decoder, limit)),
        _ => return Err(CodingError::Unknown(coding.chars().take(60).collect())),
    };
    match outcome {
        Ok(decoded) if decoded.len() > limit => Err(CodingError::TooLarge(limit)),
        Ok(decoded) => Ok(decoded),
        Err(error) => Err(CodingError::Broken {
            coding: coding.to_owned(),
            message: error.to_string(),
        }),
    }
}

/// Gzip members one after the other. Bytes behind a complete member that begin no other one are
/// dropped, as browsers do.
fn gzip(body: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut rest = body;
    let mut decoded = Vec::with_capacity(body.len().saturating_mul(4).min(limit));
    loop {
        let mut member = flate2::bufread::GzDecoder::new(rest);
        let room = (limit - decoded.len()) as u64 + 1;
        (&mut member).take(room).read_to_end(&mut decoded)?;
        rest = member.into_inner();
        if decoded.len() > limit || !rest.starts_with(b"\x1f\x8b") {
            return Ok(decoded);
        }
    }
}

fn bounded(from: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut decoded = Vec::new();
    from.take(limit as u64 + 1).read_to_end(&mut decoded)?;
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn chunks_are_joined_and_faults_told() {
        for (body, joined, outcome) in [
            (
                &b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"[..],
                &b"abcde"[..],
                Chunks::Complete,
            ),
            (b"3\nabc\n0\n\n", b"abc", Chunks::Complete),
            (b"3\r\nabc\r\n", b"abc", Chunks::Cut),
            (b"ff\r\nabc", b"abc", Chunks::Cut),
            (b"3\r\nabc\r\nzz\r\nrest", b"abczz\r\nrest", Chunks::Broken),
            (b"<html>\n", b"<html>\n", Chunks::None),
            (b"", b"", Chunks::None),
            (b"ffffffff\r\nabc", b"abc", Chunks::Cut),
            (b"fffffffff\r\nabc", b"fffffffff\r\nabc", Chunks::None),
        ] {
            assert_eq!(dechunk(body), (joined.to_vec(), outcome), "{body:?}");
        }
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn brotlied(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        brotli::CompressorWriter::new(&mut out, 4096, 5, 20)
            .write_all(bytes)
            .unwrap();
        out
    }

    #[test]
    fn every_coding_is_taken_off() {
        let page = "<p>눈</p>".repeat(50).into_bytes();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(&page).unwrap();
        let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        deflate.write_all(&page).unwrap();
        for (coding, body) in [
            ("GZIP", gzipped(&page)),
            (
                "x-gzip, identity",
                [gzipped(&page[..70]), gzipped(&page[70..])].concat(),
            ),
            ("gzip", [gzipped(&page), b"trailing".to_vec()].concat()),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", deflate.finish().unwrap()),
            ("br", brotlied(&page)),
            ("zstd", zstd::encode_all(page.as_slice(), 3).unwrap()),
            ("br, gzip", gzipped(&brotlied(&page))),
        ] {
            assert_eq!(
                decode(coding, &body, 1 << 20).unwrap().as_deref(),
                Some(&*page),
                "{coding}"
            );
        }
        assert_eq!(decode("identity", &page, 10), Ok(None));
    }

    #[test]
    fn bombs_lies_and_unknown_codings_are_refused() {
        let bomb = gzipped(&vec![0; 5 << 20]);
        for coding in ["gzip", "gzip,gzip"] {
            let body = if coding == "gzip" {
                bomb.clone()
            } else {
                gzipped(&bomb)
            };
            assert_eq!(
                decode(coding, &body, 1 << 20),
                Err(CodingError::TooLarge(1 << 20))
            );
        }
        assert!(matches!(
            decode("gzip", b"<p>", 100),
            Err(CodingError::Broken { .. })
        ));
        assert!(matches!(
            decode("br", b"<p>no brotli</p>", 100),
            Err(CodingError::Broken { .. })
        ));
        assert!(matches!(
            decode("compress", b"", 100),
            Err(CodingError::Unknown(_))
        ));
        assert!(matches!(
            decode("br,br,br,br,br", b"", 100),
            Err(CodingError::Unknown(_))
        ));
    }
}
