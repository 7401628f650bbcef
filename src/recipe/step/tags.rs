//! Steps on markup: tags are edited, dropped or printed anew, text is left as it is.

use rustc_hash::FxHashSet;

use super::super::markup::{self, Piece, StartTag};

pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    match pattern.strip_suffix('*') {
        Some(stem) => name.starts_with(stem),
        None => name == pattern,
    }
}

/// The fragment with every start tag rewritten: `edit` gets its source, its ranges, whether it is
/// the fragment's first, and where to write.
pub(super) fn edit_tags(text: &str, mut edit: impl FnMut(&str, &StartTag, bool, &mut String)) -> String {
    if !text.contains('<') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut first = true;
    for piece in markup::pieces(text) {
        match piece {
            Piece::Start(source, tag) => {
                edit(source, &tag, first, &mut out);
                first = false;
            }
            Piece::Text(source) | Piece::Raw(source) | Piece::End(source) | Piece::Comment(source) => {
                out.push_str(source);
            }
        }
    }
    out
}

pub(super) fn filtered(text: &str, keep: impl Fn(&Piece<'_>) -> bool) -> String {
    if !text.contains('<') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for piece in markup::pieces(text).iter().filter(|piece| keep(piece)) {
        match piece {
            Piece::Text(source)
            | Piece::Raw(source)
            | Piece::Start(source, _)
            | Piece::End(source)
            | Piece::Comment(source) => out.push_str(source),
        }
    }
    out
}

pub(super) fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in markup::pieces(text) {
        match piece {
            Piece::Text(source) | Piece::Raw(source) => out.push_str(source),
            Piece::Start(..) | Piece::End(_) => out.push(' '),
            Piece::Comment(_) => {}
        }
    }
    out
}

/// Writes the tag without the attributes that `leaves` names, each with the white space before it.
pub(super) fn without(source: &str, tag: &StartTag, out: &mut String, leaves: impl Fn(&str) -> bool) {
    let mut kept = 0;
    for attribute in &tag.attributes {
        if !leaves(&source[attribute.name.clone()]) {
            continue;
        }
        out.push_str(&source[kept..attribute.gap.start]);
        kept = attribute.whole.end;
        // Where no space stands behind it (`a="1"b="2"`), the one before must stay.
        let next = source.as_bytes().get(kept).copied().unwrap_or(b'>');
        if !matches!(next, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>') {
            out.push_str(&source[attribute.gap.clone()]);
        }
    }
    out.push_str(&source[kept..]);
}

pub(super) fn empty_values(source: &str, tag: &StartTag, out: &mut String, attribute: &str) {
    let mut kept = 0;
    for found in &tag.attributes {
        if source[found.name.clone()].eq_ignore_ascii_case(attribute) {
            out.push_str(&source[kept..found.name.end]);
            out.push_str("=\"\"");
            kept = found.whole.end;
        }
    }
    out.push_str(&source[kept..]);
}

pub(super) fn reordered(text: &str, reorder: impl Fn(&str, &mut StartTag)) -> String {
    edit_tags(text, |source, tag, _, out| {
        let mut ordered = tag.clone();
        reorder(source, &mut ordered);
        out.push_str(&source[..tag.name.end]);
        for attribute in &ordered.attributes {
            out.push(' ');
            out.push_str(&source[attribute.whole.clone()]);
        }
        let tail = tag.attributes.last().map_or(tag.name.end, |last| last.whole.end);
        out.push_str(&source[tail..]);
    })
}

/// The fragment as the HTML fragment serialisation prints it, void elements ended by `void_end`.
pub(super) fn serialized(text: &str, void_end: &str) -> String {
    const VOID: [&str; 13] = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
    ];
    // A browser's tree holds LF alone; a carriage return that is written as a reference stays.
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(text.len());
    for piece in markup::pieces(&lines) {
        match piece {
            Piece::Text(source) => {
                out.push_str(&markup::escape(&markup::resolve(source), false, true, true));
            }
            Piece::Raw(source) | Piece::Comment(source) => out.push_str(source),
            Piece::End(source) => {
                out.push_str("</");
                out.push_str(&markup::end_name(source).to_ascii_lowercase());
                out.push('>');
            }
            Piece::Start(source, tag) => {
                let name = source[tag.name.clone()].to_ascii_lowercase();
                out.push('<');
                out.push_str(&name);
                let mut seen: FxHashSet<String> = FxHashSet::default();
                for attribute in &tag.attributes {
                    let key = source[attribute.name.clone()].to_ascii_lowercase();
                    if seen.contains(&key) {
                        continue;
                    }
                    let value = attribute
                        .value
                        .clone()
                        .map(|value| markup::resolve_attribute(&source[value]))
                        .unwrap_or_default();
                    out.push(' ');
                    out.push_str(&key);
                    out.push_str("=\"");
                    out.push_str(&markup::escape(&value, true, false, true));
                    out.push('"');
                    seen.insert(key);
                }
                out.push_str(if VOID.contains(&name.as_str()) {
                    void_end
                } else {
                    ">"
                });
            }
        }
    }
    out
}
