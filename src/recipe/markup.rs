//! Markup as written: start tags with the ranges of their attributes, and fragments cut into pieces.
//!
//! Follows the HTML tokenizer where it reads tags, and keeps every byte: the pieces of a fragment
//! joined again are the fragment.

use std::ops::Range;

use crate::html::comment_end;

/// A start tag with byte ranges, relative to its `<`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StartTag {
    /// The name as written.
    pub name: Range<usize>,
    /// The attributes in source order, duplicates included.
    pub attributes: Vec<AttributeRange>,
    /// One past the `>`.
    pub end: usize,
    /// Whether a `/` stands before the `>`.
    pub self_closing: bool,
}

/// Byte ranges of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttributeRange {
    /// The white space (or `/`) before the name.
    pub gap: Range<usize>,
    /// The name as written.
    pub name: Range<usize>,
    /// The value without its quotes; `None` if there is no `=`.
    pub value: Option<Range<usize>>,
    /// From the first byte of the name to the last of the value, quotes included.
    pub whole: Range<usize>,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

/// Reads the start tag that opens `source`; `None` if none stands there or it never ends.
pub(crate) fn start_tag(source: &[u8]) -> Option<StartTag> {
    if source.first() != Some(&b'<') || !source.get(1)?.is_ascii_alphabetic() {
        return None;
    }
    let skip = |from: usize, stop: &dyn Fn(u8) -> bool| {
        source
            .get(from..)
            .and_then(|rest| rest.iter().position(|&byte| stop(byte)))
            .map(|length| from + length)
    };
    let name_end = skip(1, &|byte| is_space(byte) || matches!(byte, b'/' | b'>'))?;
    let mut attributes = Vec::new();
    let mut at = name_end;
    loop {
        let gap = at..skip(at, &|byte| !is_space(byte) && byte != b'/')?;
        let start = gap.end;
        if source.get(start) == Some(&b'>') {
            return Some(StartTag {
                name: 1..name_end,
                attributes,
                end: start + 1,
                self_closing: source.get(start.wrapping_sub(1)) == Some(&b'/'),
            });
        }
        // A `=` in first place belongs to the name.
        let end = skip(start + 1, &|byte| {
            is_space(byte) || matches!(byte, b'/' | b'>' | b'=')
        })?;
        let after = skip(end, &|byte| !is_space(byte))?;
        let (value, whole_end) = if source.get(after) == Some(&b'=') {
            let open = skip(after + 1, &|byte| !is_space(byte))?;
            if let quote @ (b'"' | b'\'') = source.get(open)? {
                let close = skip(open + 1, &|byte| byte == *quote)?;
                (Some(open + 1..close), close + 1)
            } else {
                let close = skip(open, &|byte| is_space(byte) || byte == b'>')?;
                (Some(open..close), close)
            }
        } else {
            (None, end)
        };
        attributes.push(AttributeRange {
            gap,
            name: start..end,
            value,
            whole: start..whole_end,
        });
        at = whole_end;
    }
}

/// One piece of a fragment, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Characters, references unresolved.
    Text(&'a str),
    /// The contents of an element the tokenizer does not look into (`script`, `style` ...).
    Raw(&'a str),
    /// A start tag.
    Start(&'a str, StartTag),
    /// An end tag.
    End(&'a str),
    /// A comment or anything else that opens with `<!` or `<?`.
    Comment(&'a str),
}

/// Most places of a fragment where markup opens that never ends. Each is looked for to the end of the
/// fragment; what opens behind the last of them is text.
const MAX_UNENDED: usize = 64;

/// Cuts a fragment into pieces that, joined, give it again.
pub(crate) fn pieces(fragment: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = fragment;
    let mut text = 0; // length of the text collected at the front of `rest`
    let mut unended = 0;
    while let Some(open) = rest.get(text..).and_then(|tail| tail.find('<')) {
        let at = text + open;
        let Some((markup, length)) = markup_at(&rest[at..]) else {
            unended += usize::from(opens_markup(&rest.as_bytes()[at..]));
            if unended == MAX_UNENDED {
                break;
            }
            text = at + 1;
            continue;
        };
        if at > 0 {
            found.push(Piece::Text(&rest[..at]));
        }
        rest = &rest[at + length..];
        text = 0;
        let raw = match &markup {
            Piece::Start(source, tag) if !tag.self_closing => raw_text_end(&source[tag.name.clone()], rest),
            _ => None,
        };
        found.push(markup);
        if let Some(end) = raw.filter(|&end| end > 0) {
            found.push(Piece::Raw(&rest[..end]));
            rest = &rest[end..];
        }
    }
    if !rest.is_empty() {
        found.push(Piece::Text(rest));
    }
    found
}

/// Whether a tag, a comment or the like opens `source`, be it that it ends or not.
fn opens_markup(source: &[u8]) -> bool {
    match source.get(1) {
        Some(b'!' | b'?') => true,
        Some(b'/') => source.get(2).is_some_and(u8::is_ascii_alphabetic),
        Some(first) => first.is_ascii_alphabetic(),
        None => false,
    }
}

/// The piece of markup that opens `source` and its length; `None` if its `<` is only a character.
fn markup_at(source: &str) -> Option<(Piece<'_>, usize)> {
    if let Some(tag) = start_tag(source.as_bytes()) {
        let end = tag.end;
        return Some((Piece::Start(&source[..end], tag), end));
    }
    let end = match source.as_bytes().get(1)? {
        b'/' => {
            // An end tag may carry attributes, which the tokenizer drops.
            let name = source.get(2..)?;
            if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
                return None;
            }
            let end = source.find('>')? + 1;
            return Some((Piece::End(&source[..end]), end));
        }
        b'!' if source.starts_with("<!--") => comment_end(source.as_bytes(), 0)?,
        b'!' | b'?' => source.find('>')? + 1,
        _ => return None,
    };
    Some((Piece::Comment(&source[..end]), end))
}

/// The name of an end tag, as written.
pub(crate) fn end_name(end_tag: &str) -> &str {
    let name = end_tag.trim_start_matches("</");
    let end = name.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>');
    &name[..end.unwrap_or(name.len())]
}

/// Where the contents of a raw-text element end in `rest`.
fn raw_text_end(name: &str, rest: &str) -> Option<usize> {
    const RAW: [&str; 8] = [
        "script", "style", "textarea", "title", "iframe", "xmp", "noembed", "noframes",
    ];
    RAW.iter().find(|raw| raw.eq_ignore_ascii_case(name))?;
    // Only what stands before the end tag is read: a fragment may hold thousands of such elements.
    let ends = |at: &usize| {
        let written = rest.as_bytes().get(at + 2..at + 2 + name.len());
        written.is_some_and(|written| written.eq_ignore_ascii_case(name.as_bytes()))
    };
    let end = rest.match_indices("</").map(|(at, _)| at).find(ends);
    Some(end.unwrap_or(rest.len()))
}

/// Character references resolved as the tokenizer resolves them in text.
pub(crate) fn resolve(text: &str) -> String {
    htmlize::unescape(text).into_owned()
}

/// The same in the value of an attribute, where `&copy=` and `&region` are no references.
pub(crate) fn resolve_attribute(value: &str) -> String {
    htmlize::unescape_attribute(value).into_owned()
}

/// `&`, `<` and `>` as references; with `quotes` also `"`, with `nbsp` also U+00A0.
pub(crate) fn escape(text: &str, quotes: bool, angles: bool, nbsp: bool) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' if angles => escaped.push_str("&lt;"),
            '>' if angles => escaped.push_str("&gt;"),
            '"' if quotes => escaped.push_str("&quot;"),
            '\u{a0}' if nbsp => escaped.push_str("&nbsp;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<'a>(source: &'a str, tag: &StartTag) -> Vec<(&'a str, Option<&'a str>)> {
        tag.attributes
            .iter()
            .map(|attribute| {
                (
                    &source[attribute.name.clone()],
                    attribute.value.clone().map(|value| &source[value]),
                )
            })
            .collect()
    }

    #[test]
    fn start_tags_give_their_attributes_as_written() {
        let source = "<P a=1 B = 'two > 2'\n c d=\"\"/e=f/>rest";
        let tag = start_tag(source.as_bytes()).unwrap();
        assert_eq!(&source[tag.name.clone()], "P");
        assert_eq!(
            names(source, &tag),
            [
                ("a", Some("1")),
                ("B", Some("two > 2")),
                ("c", None),
                ("d", Some("")),
                ("e", Some("f/"))
            ]
        );
        assert_eq!(&source[tag.end..], "rest");
        let closing = start_tag(b"<br />").unwrap();
        assert!(closing.self_closing && closing.attributes.is_empty());
        for none in ["", "<", "<1>", "</p>", "<p", "<p a='", "text"] {
            assert_eq!(start_tag(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn pieces_joined_are_the_fragment() {
        for fragment in [
            "a <b class=\"x\">c</b> 1 < 2 <!-- d > e --> f<br/>&lt;",
            "<script>if (a<b) '</p>'</script>x",
            "<style>unclosed",
            "<<p>>",
            "</>x</ y>",
            "<!doctype html><?php ?>",
            "가<i>나</i>다",
            "<Title>a</b></tITLE>b<script></script",
            &"<a".repeat(100),
            &format!("{}<b>", "<!-- ".repeat(100)),
        ] {
            let joined: String = pieces(fragment)
                .iter()
                .map(|piece| match piece {
                    Piece::Text(s)
                    | Piece::Raw(s)
                    | Piece::Start(s, _)
                    | Piece::End(s)
                    | Piece::Comment(s) => *s,
                })
                .collect();
            assert_eq!(joined, fragment);
        }
    }

    #[test]
    fn comments_end_where_the_tokenizer_ends_them() {
        for whole in [
            "<!-->",
            "<!--->",
            "<!---->",
            "<!--a-->",
            "<!--a--!>",
            "<!-- > -->",
        ] {
            let source = format!("{whole}b-->");
            assert_eq!(pieces(&source), [Piece::Comment(whole), Piece::Text("b-->")]);
        }
        assert_eq!(pieces("<!--!>-->"), [Piece::Comment("<!--!>-->")]);
    }

    #[test]
    fn hostile_fragments_are_cut_in_linear_time() {
        let begun = std::time::Instant::now();
        for hostile in [
            "<a",
            "<a b='\"",
            "</a",
            "<!--",
            "<?",
            "<title></title>",
            "<xmp></",
        ] {
            pieces(&hostile.repeat(200_000));
        }
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }

    #[test]
    fn references_resolve_as_in_text() {
        assert_eq!(
            resolve("a &amp; b &lt;c&gt; &#xAC00; &nbsp;&notit; <p title='&quot;'>"),
            "a & b <c> 가 \u{a0}¬it; <p title='\"'>"
        );
        assert_eq!(resolve("no reference"), "no reference");
        assert_eq!(
            resolve_attribute("?a=1&region=2&copy=3&amp;b=&lt;&eacute"),
            "?a=1&region=2&copy=3&b=<\u{e9}"
        );
    }
}
