//! Bytes to text by the Encoding Standard: which encoding, and who said so.

use std::borrow::Cow;

use encoding_rs::Encoding;
use memchr::memchr;

use super::offsets::Offsets;
use super::prescan::prescan;
use crate::block::{Charset, CharsetSource};

/// The last resort looks at this many bytes of the page at most: a guess does not get better by
/// reading more, and the detector is slow.
const GUESS_BYTES: usize = 16 * 1024;

/// Bytes before the first byte that is not ASCII that are looked at as well.
const GUESS_CONTEXT: usize = 256;

/// Checkpoints of a multi-byte encoding are at least this many raw bytes apart.
const PIECE: usize = 32;

/// A page's text, and the way back from places in it to raw bytes.
#[derive(Debug, Clone)]
pub struct Decoded<'a> {
    /// The text; malformed bytes are U+FFFD, the byte order mark is gone. Borrowed where the page
    /// is valid UTF-8.
    pub text: Cow<'a, str>,
    /// How the bytes were decoded.
    pub charset: Charset,
    raw: &'a [u8],
    encoding: &'static Encoding,
    offsets: Offsets,
}

impl Decoded<'_> {
    /// The raw byte at which the character at byte `at` of the text starts. `at` is a character
    /// boundary of the text or its end; the end is the length of the raw page.
    #[must_use]
    pub fn raw_offset(&self, at: usize) -> usize {
        if at >= self.text.len() {
            return self.raw.len();
        }
        self.offsets.raw(at, self.raw, &self.text, self.encoding)
    }

    /// Whether [`Decoded::raw_offset`] is the place in the text itself.
    pub(super) fn is_raw(&self) -> bool {
        self.offsets.are_equal()
    }

    /// Whether [`Decoded::raw_offset`] decodes anew from the checkpoint before: its time grows with the
    /// text since the last `<`.
    pub(super) fn is_walked(&self) -> bool {
        matches!(self.offsets, Offsets::Restartable(_))
    }

    /// The byte of the text that stands for the raw byte at `at`: the inverse of
    /// [`Decoded::raw_offset`] wherever a character starts at `at`.
    #[must_use]
    pub fn text_offset(&self, at: usize) -> usize {
        if at >= self.raw.len() {
            return self.text.len();
        }
        let text = self.offsets.text(at, self.raw, &self.text, self.encoding);
        (0..=text.min(self.text.len()))
            .rev()
            .find(|&at| self.text.is_char_boundary(at))
            .unwrap_or(0)
    }

    /// The text of a range of raw bytes, such as [`crate::block::Block::inner`]. A range that is not
    /// in order or out of bounds gives what there is of it.
    #[must_use]
    pub fn slice(&self, raw: std::ops::Range<usize>) -> &str {
        let start = self.text_offset(raw.start);
        self.text
            .get(start..self.text_offset(raw.end).max(start))
            .unwrap_or("")
    }
}

/// Decodes a page. Asked in this order: byte order mark, the charset HTTP gave, a `meta` in the
/// first 1024 bytes, valid UTF-8, a guess. Total: any bytes give a text.
#[must_use]
pub fn decode<'a>(raw: &'a [u8], http_charset: Option<&str>) -> Decoded<'a> {
    let (encoding, source, bom) = detect(raw, http_charset);
    let body = &raw[bom..];
    let (text, had_errors, offsets) = if encoding == encoding_rs::UTF_8 {
        decode_utf8(body, bom)
    } else if is_ascii_safe(encoding) {
        decode_pieces(body, bom, encoding)
    } else {
        decode_bytewise(body, bom, encoding)
    };
    Decoded {
        text,
        charset: Charset {
            name: encoding.name(),
            source,
            had_errors,
        },
        raw,
        encoding,
        offsets,
    }
}

/// The encoding, who told it, and the length of the byte order mark.
fn detect(raw: &[u8], http_charset: Option<&str>) -> (&'static Encoding, CharsetSource, usize) {
    if let Some((encoding, length)) = Encoding::for_bom(raw) {
        return (encoding, CharsetSource::Bom, length);
    }
    if let Some(encoding) = http_charset.and_then(|label| Encoding::for_label(label.as_bytes())) {
        return (encoding, CharsetSource::Http, 0);
    }
    if let Some(encoding) = prescan(raw) {
        return (encoding, CharsetSource::Meta, 0);
    }
    if simdutf8::basic::from_utf8(raw).is_ok() {
        return (encoding_rs::UTF_8, CharsetSource::Utf8, 0);
    }
    (guess(raw), CharsetSource::Guess, 0)
}

/// So many characters of UTF-8 outside ASCII must stand beside each malformed sequence. Text in another
/// encoding has more malformed sequences than characters.
const UTF8_FOR_EACH_MALFORMED: usize = 4;

/// Whether the page is UTF-8 but for a few bytes: it was cut inside a character, or something else was
/// pasted into it. The detector takes one malformed byte as proof that none of it is UTF-8.
fn is_nearly_utf8(raw: &[u8]) -> bool {
    let (mut told, mut malformed) = (0_usize, 0_usize);
    for chunk in raw.utf8_chunks() {
        told += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        malformed += usize::from(!chunk.invalid().is_empty());
    }
    told > 0 && told >= malformed * UTF8_FOR_EACH_MALFORMED
}

fn guess(raw: &[u8]) -> &'static Encoding {
    if is_nearly_utf8(raw) {
        return encoding_rs::UTF_8;
    }
    // ASCII tells the detector nothing, and it is slow: the window begins shortly before the first
    // byte that does.
    let telling = raw
        .iter()
        .position(|&byte| byte >= 0x80 || byte == 0x1B)
        .unwrap_or(0);
    let window = &raw[telling.saturating_sub(GUESS_CONTEXT)..];
    let seen = window.get(..GUESS_BYTES);
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    detector.feed(seen.unwrap_or(window), seen.is_none());
    detector.guess(Some(b"kr"), chardetng::Utf8Detection::Allow)
}

/// Whether `<` as a byte always is the character `<` and resets the decoder: every encoding of the
/// Standard but UTF-16, ISO-2022-JP and the replacement encoding.
fn is_ascii_safe(encoding: &'static Encoding) -> bool {
    encoding.is_ascii_compatible()
}

fn decode_utf8(body: &[u8], bom: usize) -> (Cow<'_, str>, bool, Offsets) {
    if let Ok(text) = simdutf8::basic::from_utf8(body) {
        return (Cow::Borrowed(text), false, Offsets::shifted(bom));
    }
    let mut text = String::with_capacity(body.len());
    let mut offsets = Offsets::shifted(bom);
    let mut read = bom;
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        read += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            read += chunk.invalid().len();
            offsets.checkpoint(text.len(), read);
        }
    }
    (Cow::Owned(text), true, offsets)
}

/// Decodes piece by piece, each ending behind a `<`: there the decoder holds nothing back, so that
/// decoding can start anew at that checkpoint.
fn decode_pieces(body: &[u8], bom: usize, encoding: &'static Encoding) -> (Cow<'static, str>, bool, Offsets) {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(body.len() + body.len() / 2);
    let mut offsets = Offsets::restartable(bom);
    let mut had_errors = false;
    let mut at = 0;
    while at < body.len() {
        let from = (at + PIECE).min(body.len());
        let end = memchr(b'<', &body[from..]).map_or(body.len(), |found| from + found + 1);
        had_errors |= feed(&mut decoder, &body[at..end], &mut text, end == body.len());
        at = end;
        offsets.checkpoint(text.len(), bom + at);
    }
    (Cow::Owned(text), had_errors, offsets)
}

/// Decodes byte by byte and notes how many bytes each character took; slow and exact, for the few
/// encodings in which no byte is a safe place to start.
fn decode_bytewise(
    body: &[u8],
    bom: usize,
    encoding: &'static Encoding,
) -> (Cow<'static, str>, bool, Offsets) {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(body.len());
    let mut offsets = Offsets::stepped(bom);
    let mut had_errors = false;
    for (at, byte) in body.iter().enumerate() {
        let before = text.len();
        let last = at + 1 == body.len();
        had_errors |= feed(&mut decoder, std::slice::from_ref(byte), &mut text, last);
        if text.len() > before {
            offsets.step(before, text.len(), bom + at + 1);
        }
    }
    (Cow::Owned(text), had_errors, offsets)
}

/// Feeds `bytes` to the decoder; whether some were malformed.
pub(super) fn feed(
    decoder: &mut encoding_rs::Decoder,
    mut bytes: &[u8],
    text: &mut String,
    last: bool,
) -> bool {
    let mut had_errors = false;
    loop {
        let room = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len());
        text.reserve(room);
        let (result, read, errors) = decoder.decode_to_string(bytes, text, last);
        had_errors |= errors;
        bytes = &bytes[read..];
        if result == encoding_rs::CoderResult::InputEmpty {
            return had_errors;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Maps every character boundary by feeding one decoder byte by byte.
    fn boundaries(decoded: &Decoded<'_>, bom: usize) {
        let mut decoder = decoded.encoding.new_decoder_without_bom_handling();
        let mut text = String::new();
        for at in bom..decoded.raw.len() {
            let before = text.len();
            feed(
                &mut decoder,
                &decoded.raw[at..=at],
                &mut text,
                at + 1 == decoded.raw.len(),
            );
            if text[before..].chars().count() == 1 && text.len() < decoded.text.len() {
                assert_eq!(
                    decoded.raw_offset(text.len()),
                    at + 1,
                    "{} at {}",
                    decoded.charset.name,
                    text.len()
                );
                assert_eq!(
                    decoded.text_offset(at + 1),
                    text.len(),
                    "{}",
                    decoded.charset.name
                );
            }
        }
        assert_eq!(text, decoded.text);
    }

    #[test]
    fn every_character_leads_back_to_its_bytes() {
        let page =
            "<p title='\u{ac00}<'>\u{d55c}\u{ae00} \u{c720}\u{b2c8}\u{cf54}\u{b4dc} abc</p><br>\u{b05d} ";
        let long = page.repeat(9);
        for label in ["euc-kr", "gb18030", "utf-8", "utf-16le", "utf-16be"] {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            let raw = if label.starts_with("utf-16") {
                let big = label.ends_with("be");
                long.encode_utf16()
                    .flat_map(|unit| {
                        if big {
                            unit.to_be_bytes()
                        } else {
                            unit.to_le_bytes()
                        }
                    })
                    .collect()
            } else {
                encoding.encode(&long).0.into_owned()
            };
            let decoded = decode(&raw, Some(label));
            assert_eq!(decoded.text, long);
            assert_eq!(decoded.charset.source, CharsetSource::Http);
            assert!(!decoded.charset.had_errors);
            boundaries(&decoded, 0);
        }
        let japanese = "<p>\u{65e5}\u{672c} <b>\u{304b}\u{306a}</b></p>\u{ff76}\u{ff85}".repeat(5);
        for label in ["shift_jis", "iso-2022-jp", "euc-jp"] {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            let raw = encoding.encode(&japanese).0.into_owned();
            let decoded = decode(&raw, Some(label));
            boundaries(&decoded, 0);
        }
    }

    #[test]
    fn malformed_bytes_become_replacement_characters_and_places_stay_right() {
        let raw = b"<p>a\xff\xe3\x81b\xc3</p>\xed";
        let decoded = decode(raw, Some("utf-8"));
        assert_eq!(decoded.text, "<p>a\u{fffd}\u{fffd}b\u{fffd}</p>\u{fffd}");
        assert!(decoded.charset.had_errors);
        assert_eq!(decoded.raw_offset(decoded.text.find('b').unwrap()), 7);
        assert_eq!(decoded.raw_offset(decoded.text.find("</p>").unwrap()), 9);
        let truncated = b"<p>\xb0\xa1\xb0<i>\xb3";
        let decoded = decode(truncated, Some("ks_c_5601-1987"));
        assert_eq!(decoded.charset.name, "EUC-KR");
        assert_eq!(decoded.text, "<p>\u{ac00}\u{fffd}<i>\u{fffd}");
        assert_eq!(decoded.raw_offset(decoded.text.find("<i>").unwrap()), 6);
    }

    #[test]
    fn characters_that_come_at_once_keep_their_order() {
        let decoded = decode(b"\x1b\x810\xff<", Some("gb18030"));
        assert_eq!(decoded.text, "\x1b\u{fffd}0\u{fffd}<");
        let places: Vec<_> = decoded
            .text
            .char_indices()
            .map(|(at, _)| decoded.raw_offset(at))
            .collect();
        assert_eq!(places, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_order_of_witnesses_holds() {
        let source = |raw: &[u8], http| {
            let decoded = decode(raw, http);
            (decoded.charset.name, decoded.charset.source)
        };
        let meta = b"<meta charset=euc-kr><p>x";
        assert_eq!(source(meta, None), ("EUC-KR", CharsetSource::Meta));
        assert_eq!(
            source(meta, Some("shift_jis")),
            ("Shift_JIS", CharsetSource::Http)
        );
        assert_eq!(source(meta, Some("nonsense")), ("EUC-KR", CharsetSource::Meta));
        assert_eq!(
            source(b"\xef\xbb\xbf<meta charset=euc-kr>", Some("x")),
            ("UTF-8", CharsetSource::Bom)
        );
        assert_eq!(
            source(b"\xff\xfea\0", Some("utf-8")),
            ("UTF-16LE", CharsetSource::Bom)
        );
        assert_eq!(
            source("<p>\u{d55c}".as_bytes(), None),
            ("UTF-8", CharsetSource::Utf8)
        );
        let (cp949, _, _) = encoding_rs::EUC_KR.encode("<p>\u{c548}\u{b155}\u{d558}\u{c138}\u{c694} \u{c5ec}\u{b7ec}\u{bd84}, \u{c624}\u{b298}\u{c740} \u{b0a0}\u{c528}\u{ac00} \u{c88b}\u{c2b5}\u{b2c8}\u{b2e4}</p>");
        assert_eq!(source(&cp949, None), ("EUC-KR", CharsetSource::Guess));
        let cut = "<p>\u{d55c}\u{ad6d}\u{c5b4} \u{bb38}\u{c7a5}".as_bytes();
        assert_eq!(
            source(&cut[..cut.len() - 1], None),
            ("UTF-8", CharsetSource::Guess),
            "cut inside its last character"
        );
        assert_eq!(source(b"<p>caf\xe9 au lait", None).1, CharsetSource::Guess);
        assert_ne!(source(b"<p>caf\xe9 au lait", None).0, "UTF-8");
        assert_eq!(
            decode(b"\xef\xbb\xbfabc", None).raw_offset(1),
            4,
            "the byte order mark counts as raw bytes"
        );
    }
}
