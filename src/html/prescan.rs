//! The encoding a page declares in its first bytes: the HTML Standard's prescan.

use encoding_rs::Encoding;
use memchr::{memchr, memmem};

/// Bytes of the page that may hold the declaration.
const PRESCAN_BYTES: usize = 1024;

/// The encoding of the first usable `meta` in the first 1024 bytes, else of the XML declaration the
/// page begins with. A label of UTF-16 means UTF-8, for the label itself was read as ASCII;
/// `x-user-defined` in a `meta` means windows-1252.
pub(super) fn prescan(raw: &[u8]) -> Option<&'static Encoding> {
    // An XML declaration in UTF-16 without a byte order mark: there the label is true.
    if raw.starts_with(b"<\0?\0x\0") {
        return Some(encoding_rs::UTF_16LE);
    }
    if raw.starts_with(b"\0<\0?\0x") {
        return Some(encoding_rs::UTF_16BE);
    }
    let bytes = raw.get(..PRESCAN_BYTES).unwrap_or(raw);
    first_meta(bytes).or_else(|| xml_declaration(bytes))
}

/// The Standard's "get an XML encoding": pages written as XHTML often say it nowhere else.
fn xml_declaration(bytes: &[u8]) -> Option<&'static Encoding> {
    const NAME: &[u8] = b"encoding";
    let blank = |bytes: &[u8]| bytes.iter().take_while(|&&byte| byte <= b' ').count();
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..memchr(b'>', declaration)?];
    let rest = &declaration[memmem::find(declaration, NAME)? + NAME.len()..];
    let rest = rest[blank(rest)..].strip_prefix(b"=")?;
    let rest = &rest[blank(rest)..];
    let quote = *rest.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let label = &rest[1..];
    let label = &label[..memchr(quote, label)?];
    if label.iter().any(|&byte| byte <= b' ') {
        return None;
    }
    let encoding = Encoding::for_label(label)?;
    if encoding == encoding_rs::UTF_16BE || encoding == encoding_rs::UTF_16LE {
        return Some(encoding_rs::UTF_8);
    }
    Some(encoding)
}

fn first_meta(bytes: &[u8]) -> Option<&'static Encoding> {
    let mut at = 0;
    while at < bytes.len() {
        at += memchr(b'<', &bytes[at..])?;
        let rest = &bytes[at..];
        if rest.starts_with(b"<!--") {
            // The two dashes that open the comment may also close it.
            at += memmem::find(&rest[2..], b"-->")? + 5;
        } else if is_meta(rest) {
            let (encoding, length) = meta(&rest[5..]);
            if encoding.is_some() {
                return encoding;
            }
            at += 5 + length;
        } else if is_tag(rest) {
            let name = rest
                .iter()
                .position(|&b| is_space(b) || b == b'>')
                .unwrap_or(rest.len());
            at += name;
            // At the end of the bytes the prescan is over: what stands in a value is no tag.
            loop {
                let (found, length) = attribute(&bytes[at..]);
                at += length;
                if found.is_none() {
                    break;
                }
            }
            at += 1;
        } else if matches!(rest.get(1), Some(b'!' | b'/' | b'?')) {
            at += memchr(b'>', rest)? + 1;
        } else {
            at += 1;
        }
    }
    None
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

fn is_meta(rest: &[u8]) -> bool {
    rest.len() > 5 && rest[1..5].eq_ignore_ascii_case(b"meta") && (is_space(rest[5]) || rest[5] == b'/')
}

fn is_tag(rest: &[u8]) -> bool {
    let letter = if rest.get(1) == Some(&b'/') {
        rest.get(2)
    } else {
        rest.get(1)
    };
    letter.is_some_and(u8::is_ascii_alphabetic)
}

/// Reads the attributes of a `meta` behind its name: the encoding it declares, and the bytes read.
fn meta(bytes: &[u8]) -> (Option<&'static Encoding>, usize) {
    let mut at = 0;
    let (mut http_equiv, mut charset, mut content) = (None, None, None);
    while let (Some((name, value)), length) = attribute(&bytes[at..]) {
        at += length;
        match name.as_slice() {
            b"http-equiv" => http_equiv = http_equiv.or(Some(value)),
            b"charset" => charset = charset.or(Some(value)),
            b"content" => content = content.or(Some(value)),
            _ => {}
        }
    }
    let label = charset.or_else(|| {
        let is_content_type = http_equiv.is_some_and(|value| value == b"content-type");
        let content = content.filter(|_| is_content_type)?;
        charset_of(&content)
    });
    let encoding = label.and_then(|label| Encoding::for_label(&label)).map(|found| {
        if found == encoding_rs::UTF_16LE || found == encoding_rs::UTF_16BE {
            encoding_rs::UTF_8
        } else if found == encoding_rs::X_USER_DEFINED {
            encoding_rs::WINDOWS_1252
        } else {
            found
        }
    });
    (encoding, at)
}

/// The label behind `charset=` in a `content` value.
fn charset_of(content: &[u8]) -> Option<Vec<u8>> {
    let mut rest = content;
    loop {
        rest = &rest[memmem::find(rest, b"charset")? + 7..];
        let value = rest.trim_ascii_start();
        let Some(value) = value.strip_prefix(b"=") else {
            continue;
        };
        let value = value.trim_ascii_start();
        let quoted = value.first().filter(|byte| matches!(byte, b'"' | b'\''));
        return if let Some(&quote) = quoted {
            let value = &value[1..];
            Some(value[..memchr(quote, value)?].to_vec())
        } else {
            let end = value.iter().position(|&b| is_space(b) || b == b';');
            Some(value[..end.unwrap_or(value.len())].to_vec())
        };
    }
}

/// Name and value in lower case.
type Attribute = (Vec<u8>, Vec<u8>);

/// "Get an attribute" of the Standard: the attribute and the bytes read; `None` at the end of the
/// tag, whose `>` is not read.
fn attribute(bytes: &[u8]) -> (Option<Attribute>, usize) {
    let mut at = bytes
        .iter()
        .position(|&b| !is_space(b) && b != b'/')
        .unwrap_or(bytes.len());
    let mut name = Vec::new();
    loop {
        match bytes.get(at) {
            None => return (None, at),
            Some(b'>') if name.is_empty() => return (None, at),
            Some(b'=') if !name.is_empty() => break,
            Some(b'/' | b'>') => return (Some((name, Vec::new())), at),
            Some(&b) if is_space(b) => break,
            Some(b) => name.push(b.to_ascii_lowercase()),
        }
        at += 1;
    }
    let skip = |at: usize| {
        at + bytes[at..]
            .iter()
            .position(|&b| !is_space(b))
            .unwrap_or(bytes.len() - at)
    };
    at = skip(at);
    if bytes.get(at) != Some(&b'=') {
        return (Some((name, Vec::new())), at);
    }
    at = skip(at + 1);
    if let Some(&quote @ (b'"' | b'\'')) = bytes.get(at) {
        let Some(length) = memchr(quote, &bytes[at + 1..]) else {
            return (None, bytes.len());
        };
        let value = bytes[at + 1..at + 1 + length].to_ascii_lowercase();
        return (Some((name, value)), at + length + 2);
    }
    let end = bytes[at..]
        .iter()
        .position(|&b| is_space(b) || b == b'>')
        .map_or(bytes.len(), |length| at + length);
    (Some((name, bytes[at..end].to_ascii_lowercase())), end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(page: &str) -> Option<&'static str> {
        prescan(page.as_bytes()).map(Encoding::name)
    }

    #[test]
    fn meta_declarations_are_found() {
        assert_eq!(name("<meta charset=euc-kr>"), Some("EUC-KR"));
        assert_eq!(name("<META a='>' CharSet = \"Shift_JIS\" />"), Some("Shift_JIS"));
        assert_eq!(
            name("<html><meta http-equiv=Content-Type content='text/html; charset =\"ks_c_5601-1987\"; x'>"),
            Some("EUC-KR")
        );
        assert_eq!(name("<meta content='text/html; charset=euc-kr'>"), None);
        assert_eq!(name("<meta charset=nonsense><meta charset=big5>"), Some("Big5"));
    }

    #[test]
    fn utf_16_and_user_defined_labels_mean_something_else() {
        assert_eq!(name("<meta charset=utf-16le>"), Some("UTF-8"));
        assert_eq!(name("<meta charset=x-user-defined>"), Some("windows-1252"));
        assert_eq!(name("<\0?\0x\0m\0l\0 \0"), Some("UTF-16LE"));
        assert_eq!(name("\0<\0?\0x\0m\0l\0 "), Some("UTF-16BE"));
    }

    #[test]
    fn xml_declarations_count_where_no_meta_does() {
        assert_eq!(name("<?xml version='1.0' encoding='EUC-KR'?><p>"), Some("EUC-KR"));
        assert_eq!(
            name("<?xml version=\"1.0\" encoding = \"iso-8859-2\" ?>"),
            Some("ISO-8859-2")
        );
        assert_eq!(name("<?xml encoding='utf-16'?>"), Some("UTF-8"));
        assert_eq!(
            name("<?xml encoding='big5'?><meta charset=euc-kr>"),
            Some("EUC-KR")
        );
        assert_eq!(name(" <?xml encoding='big5'?>"), None);
        for broken in [
            "<?xml encoding='big5'",
            "<?xml encoding>",
            "<?xml encoding='big5>",
            "<?xml ?>",
            "<?xml",
        ] {
            assert_eq!(name(broken), None, "{broken}");
        }
        assert_eq!(name("<?xml encoding='bi g5'?>"), None);
    }

    #[test]
    fn comments_other_tags_and_distance_hide_declarations() {
        assert_eq!(
            name("<!-- <meta charset=big5> --><meta charset=euc-jp>"),
            Some("EUC-JP")
        );
        assert_eq!(name("<!--><meta charset=euc-jp>"), Some("EUC-JP"));
        assert_eq!(name("<a title='<meta charset=big5>'>"), None);
        assert_eq!(name("<a title='<meta charset=big5>"), None);
        assert_eq!(name("<a title=b / ><meta charset=big5>"), Some("Big5"));
        assert_eq!(name(&format!("{}<meta charset=big5>", " ".repeat(1020))), None);
        assert_eq!(name("<"), None);
        assert_eq!(name("<meta charset='big5"), None);
    }
}
