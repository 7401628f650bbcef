//! The HTML tokenizer of the WHATWG Standard, as spans: it says where text, tags and comments lie
//! and copies nothing. Which names switch it to raw text is the tree's business.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2, memchr3, memmem};

/// Attributes of one start tag beyond this number are not read.
pub(super) const MAX_ATTRIBUTES: usize = 512;

/// What the tokenizer found; ranges are bytes of the text, half-open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Characters in which references are still to be resolved.
    Text(Range<usize>),
    /// Characters that stand for themselves: a CDATA section.
    Literal(Range<usize>),
    /// A start tag; its attributes are in [`Tokenizer::attributes`].
    Start {
        range: Range<usize>,
        name: Range<usize>,
        self_closing: bool,
    },
    /// An end tag.
    End { range: Range<usize>, name: Range<usize> },
    /// What stands between `<!doctype` and `>`.
    Doctype(Range<usize>),
    /// A comment, or markup that is taken for one.
    Comment,
    /// The end of the text.
    Eof,
}

/// Where the name and the value of an attribute stand. No value: empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AttributeSpan {
    pub name: (usize, usize),
    pub value: (usize, usize),
}

/// Cuts a text into tokens.
#[derive(Debug)]
pub(super) struct Tokenizer<'a> {
    text: &'a str,
    at: usize,
    attributes: Vec<AttributeSpan>,
    /// Whether `<![CDATA[` opens a section: the current element is foreign.
    pub foreign: bool,
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

impl<'a> Tokenizer<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            attributes: Vec::new(),
            foreign: false,
        }
    }

    /// The attributes of the last start tag, in source order, repeated names included.
    pub fn attributes(&self) -> &[AttributeSpan] {
        &self.attributes
    }

    pub fn next(&mut self) -> Token {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut from = start;
        // Text goes on over every `<` that opens nothing.
        while let Some(found) = memchr(b'<', &bytes[from..]) {
            let open = from + found;
            let opens = match bytes.get(open + 1) {
                Some(b'!' | b'?') => true,
                Some(b'/') => bytes.len() > open + 2,
                Some(byte) => byte.is_ascii_alphabetic(),
                None => false,
            };
            if opens {
                if open > start {
                    self.at = open;
                    return Token::Text(start..open);
                }
                return self.markup(open);
            }
            from = open + 1;
        }
        self.at = bytes.len();
        if start < bytes.len() {
            Token::Text(start..bytes.len())
        } else {
            Token::Eof
        }
    }

    /// Reads what the `<` at `open` opens.
    fn markup(&mut self, open: usize) -> Token {
        let bytes = self.text.as_bytes();
        match bytes[open + 1] {
            b'!' => self.declaration(open),
            b'?' => self.bogus_comment(open + 1),
            b'/' if bytes[open + 2].is_ascii_alphabetic() => self.tag(open, open + 2),
            // `</>` is nothing at all.
            b'/' => self.bogus_comment(open + 2),
            _ => self.tag(open, open + 1),
        }
    }

    fn bogus_comment(&mut self, from: usize) -> Token {
        let end = memchr(b'>', &self.text.as_bytes()[from..]);
        self.at = end.map_or(self.text.len(), |found| from + found + 1);
        Token::Comment
    }

    fn declaration(&mut self, open: usize) -> Token {
        let bytes = self.text.as_bytes();
        let rest = &bytes[open + 2..];
        if rest.starts_with(b"--") {
            self.at = comment_end(bytes, open).unwrap_or(bytes.len());
            return Token::Comment;
        }
        if rest.len() >= 7 && rest[..7].eq_ignore_ascii_case(b"doctype") {
            let end = memchr(b'>', rest).unwrap_or(rest.len());
            self.at = (open + 2 + end + 1).min(bytes.len());
            return Token::Doctype(open + 9..open + 2 + end);
        }
        if self.foreign && rest.starts_with(b"[CDATA[") {
            let start = open + 9;
            let end = memmem::find(&bytes[start..], b"]]>");
            self.at = end.map_or(bytes.len(), |found| start + found + 3);
            return Token::Literal(start..end.map_or(bytes.len(), |found| start + found));
        }
        self.bogus_comment(open + 2)
    }

    /// Reads a tag whose name starts at `name`. A tag that the text ends in is dropped.
    fn tag(&mut self, open: usize, name: usize) -> Token {
        let bytes = self.text.as_bytes();
        self.attributes.clear();
        let ends = |&byte: &u8| is_space(byte) || byte == b'/' || byte == b'>';
        let at = bytes[name..]
            .iter()
            .position(ends)
            .map_or(bytes.len(), |length| name + length);
        let name = name..at;
        let Some((end, self_closing)) = self.read_attributes(at) else {
            self.at = bytes.len();
            self.attributes.clear();
            return Token::Eof;
        };
        self.at = end;
        if bytes[open + 1] == b'/' {
            Token::End {
                range: open..end,
                name,
            }
        } else {
            Token::Start {
                range: open..end,
                name,
                self_closing,
            }
        }
    }

    /// Reads attributes up to and with the `>`: where the tag ends and whether it closes itself.
    /// `None` if the text ends first.
    fn read_attributes(&mut self, mut at: usize) -> Option<(usize, bool)> {
        let bytes = self.text.as_bytes();
        loop {
            // "Before attribute name".
            let byte = *bytes.get(at)?;
            if is_space(byte) {
                at += 1;
                continue;
            }
            if byte == b'>' {
                return Some((at + 1, false));
            }
            if byte == b'/' {
                // "Self-closing start tag": only `/>` closes, any other `/` is as good as a space.
                at += 1;
                if *bytes.get(at)? == b'>' {
                    return Some((at + 1, true));
                }
                continue;
            }
            // "Attribute name"; a `=` in front belongs to the name.
            let ends = |&byte: &u8| is_space(byte) || matches!(byte, b'/' | b'>' | b'=');
            let length = bytes[at + 1..].iter().position(ends)?;
            let name = (at, at + 1 + length);
            at = name.1;
            while is_space(*bytes.get(at)?) {
                at += 1;
            }
            let mut value = (at, at);
            if bytes[at] == b'=' {
                at += 1;
                while is_space(*bytes.get(at)?) {
                    at += 1;
                }
                match bytes[at] {
                    quote @ (b'"' | b'\'') => {
                        let length = memchr(quote, &bytes[at + 1..])?;
                        value = (at + 1, at + 1 + length);
                        at += length + 2;
                    }
                    b'>' => value = (at, at),
                    _ => {
                        let start = at;
                        while !is_space(*bytes.get(at)?) && bytes[at] != b'>' {
                            at += 1;
                        }
                        value = (start, at);
                    }
                }
            }
            if self.attributes.len() < MAX_ATTRIBUTES {
                self.attributes.push(AttributeSpan { name, value });
            }
        }
    }

    /// Reads raw text up to the end tag of `name` (lower case), which is not read; up to the end of
    /// the text if there is none.
    pub fn raw_text(&mut self, name: &str) -> Range<usize> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at = if name == "script" {
            script_end(bytes, start)
        } else {
            let mut from = start;
            loop {
                let Some(found) = memmem::find(&bytes[from..], b"</") else {
                    break bytes.len();
                };
                let open = from + found;
                if names(&bytes[open + 2..], name.as_bytes()) {
                    break open;
                }
                from = open + 2;
            }
        };
        start..self.at
    }

    /// Reads all the rest as raw text: `plaintext`.
    pub fn rest(&mut self) -> Range<usize> {
        let start = self.at;
        self.at = self.text.len();
        start..self.at
    }
}

/// Whether `rest` starts with the name and the name ends there.
fn names(rest: &[u8], name: &[u8]) -> bool {
    rest.len() > name.len()
        && rest[..name.len()].eq_ignore_ascii_case(name)
        && (is_space(rest[name.len()]) || matches!(rest[name.len()], b'/' | b'>'))
}

/// One past the comment that `<!--` at `open` starts, if it ends. `<!-->` and `<!--->` are whole comments.
pub(crate) fn comment_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut from = open + 2;
    loop {
        let at = from + memmem::find(&bytes[from..], b"--")?;
        let end = match (bytes.get(at + 2), bytes.get(at + 3)) {
            // The opening dashes may close with `-->`, but not with `--!>`.
            (Some(b'>'), _) => Some(at + 3),
            (Some(b'!'), Some(b'>')) if at >= open + 4 => Some(at + 4),
            _ => None,
        };
        if end.is_some() {
            return end;
        }
        from = at + 1;
    }
}

/// Where the `</script` that ends the script text starting at `start` stands. Inside `<!--` a
/// `<script` hides the next `</script`.
fn script_end(bytes: &[u8], start: usize) -> usize {
    let mut from = start;
    let mut escaped = false;
    let mut doubly = false;
    loop {
        let found = if escaped {
            memchr2(b'<', b'-', &bytes[from..])
        } else {
            memchr(b'<', &bytes[from..])
        };
        let Some(found) = found else {
            return bytes.len();
        };
        let at = from + found;
        let rest = &bytes[at..];
        from = at + 1;
        if rest[0] == b'-' {
            if rest.starts_with(b"-->") {
                (escaped, doubly) = (false, false);
                from = at + 3;
            }
        } else if !escaped && rest.starts_with(b"<!--") {
            escaped = true;
            // The dashes may close at once: `<!-->`.
            from = at + 2;
        } else if rest.starts_with(b"</") && names(&rest[2..], b"script") {
            if !doubly {
                return at;
            }
            doubly = false;
        } else if escaped && !doubly && names(&rest[1..], b"script") {
            doubly = true;
        }
    }
}

/// The value of an attribute: references resolved, newlines as the tokenizer sees them, U+0000 as
/// U+FFFD.
pub(super) fn attribute_value(raw: &str) -> Cow<'_, str> {
    if memchr3(b'&', b'\r', 0, raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let input: Cow<'_, str> = if memchr2(b'\r', 0, raw.as_bytes()).is_some() {
        Cow::Owned(
            raw.replace("\r\n", "\n")
                .replace('\r', "\n")
                .replace('\0', "\u{fffd}"),
        )
    } else {
        Cow::Borrowed(raw)
    };
    htmlize::unescape_attribute(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens as a line each, attributes after the name.
    fn lines(text: &str) -> Vec<String> {
        let mut tokenizer = Tokenizer::new(text);
        let mut lines = Vec::new();
        loop {
            match tokenizer.next() {
                Token::Eof => return lines,
                Token::Text(range) => lines.push(text[range].to_owned()),
                Token::Literal(range) => lines.push(format!("literal {}", &text[range])),
                Token::Comment => lines.push("<!>".to_owned()),
                Token::Doctype(range) => lines.push(format!("doctype{}", &text[range])),
                Token::End { name, .. } => lines.push(format!("</{}>", &text[name])),
                Token::Start {
                    name, self_closing, ..
                } => {
                    let mut attributes = String::new();
                    for a in tokenizer.attributes() {
                        let value = attribute_value(&text[a.value.0..a.value.1]);
                        attributes.extend([" ", &text[a.name.0..a.name.1], "=", &value]);
                    }
                    let close = if self_closing { "/" } else { "" };
                    lines.push(format!("<{}{attributes}{close}>", &text[name]));
                }
            }
        }
    }

    #[test]
    fn tags_and_attributes_are_read_as_the_standard_says() {
        assert_eq!(lines("a<b>c</b>"), ["a", "<b>", "c", "</b>"]);
        assert_eq!(lines("<a href=x/y/>"), ["<a href=x/y/>"]);
        assert_eq!(
            lines("<a href='x'title=\"y\"/ c =d  e = >"),
            ["<a href=x title=y c=d e=>"]
        );
        assert_eq!(lines("<br/><br / >"), ["<br/>", "<br>"]);
        assert_eq!(lines("<p =x=y a\">"), ["<p =x=y a\"=>"]);
        assert_eq!(lines("<p t='&lt;&copy=&amp;1&copy'>"), ["<p t=<&copy=&1\u{a9}>"]);
        assert_eq!(lines("x<p a='>"), ["x"]);
    }

    #[test]
    fn stray_angle_brackets_are_text() {
        assert_eq!(lines("1 < 2 <3 << <b>x<"), ["1 < 2 <3 << ", "<b>", "x<"]);
        assert_eq!(lines("a</"), ["a</"]);
        assert_eq!(
            lines("a</>b</ c>d<?e>f"),
            ["a", "<!>", "b", "<!>", "d", "<!>", "f"]
        );
    }

    #[test]
    fn comments_end_where_the_standard_ends_them() {
        for whole in [
            "<!-->",
            "<!--->",
            "<!---->",
            "<!--a-->",
            "<!--a--!>",
            "<!-- <!-->",
            "<!--->-->x",
            "<!x>",
            "<!--a--->",
            "<![CDATA[x]]>",
            "<!----!>",
        ] {
            assert_eq!(lines(whole)[0], "<!>", "{whole}");
        }
        assert_eq!(lines("<!--!>-->x"), ["<!>", "x"]);
        assert_eq!(lines("<!---!>-->x"), ["<!>", "x"]);
        assert_eq!(lines("<!-- a -- > b"), ["<!>"]);
        assert_eq!(lines("<!DOCtype html>x"), ["doctype html", "x"]);
    }

    #[test]
    fn raw_text_ends_at_its_own_end_tag() {
        let raw = |text: &'static str, name| {
            let mut tokenizer = Tokenizer::new(text);
            tokenizer.next();
            &text[tokenizer.raw_text(name)]
        };
        assert_eq!(raw("<style>a</stylex></style >b", "style"), "a</stylex>");
        assert_eq!(raw("<title>a</b></TITLE/>b", "title"), "a</b>");
        assert_eq!(raw("<title>a", "title"), "a");
        assert_eq!(
            raw("<script><!-- <script></script> --> </script>x", "script"),
            "<!-- <script></script> --> "
        );
        assert_eq!(raw("<script><!-- </script>x", "script"), "<!-- ");
        assert_eq!(raw("<script><!--><script></script>x", "script"), "<!--><script>");
        assert_eq!(
            raw("<script><!-- <script> --></script>x", "script"),
            "<!-- <script> -->"
        );
    }

    #[test]
    fn cdata_is_text_in_foreign_content_only() {
        let mut tokenizer = Tokenizer::new("<![CDATA[a&amp;]]>b");
        tokenizer.foreign = true;
        assert_eq!(tokenizer.next(), Token::Literal(9..15));
        assert_eq!(lines("<![CDATA[a>b]]>"), ["<!>", "b]]>"]);
    }
}
