//! Writing declared hashes into a page: the attribute in the start tags, every other byte as it was.

use super::RecipeError;
use super::content::PageInput;
use super::hash::Hasher;
use super::markup::{self, StartTag};
use super::message::Field;
use super::rule::Recipe;
use crate::block::{Block, Document};

/// A stamped page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stamped {
    /// The page's bytes with the attribute written; all else is as it was.
    pub bytes: Vec<u8>,
    /// Blocks that carry a hash by the recipe now.
    pub stamped: usize,
    /// Blocks that were asked for and have no start tag to write into (kind `text`).
    pub left_out: usize,
    /// Blocks that lie in a stamped one and belong to it now: a declared element owns what is inside.
    pub absorbed: usize,
}

/// Writes a block's hash by `recipe` into the start tag of each block of `page` for which `wanted`
/// holds, as the value of `page.attribute`; a value that stands there is replaced. `read` reads the
/// stamped bytes the way `page.document` was read.
///
/// Afterwards every stamped block is reproduced by the recipe, which is checked before the bytes are
/// handed out.
pub fn stamp(
    page: PageInput<'_>,
    recipe: &Recipe,
    wanted: impl Fn(usize, &Block) -> bool,
    read: impl Fn(&[u8]) -> Document,
) -> Result<Stamped, RecipeError> {
    let is_name = !page.attribute.is_empty()
        && page
            .attribute
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.'));
    if !is_name {
        return Err(RecipeError::AttributeName(page.attribute.to_owned()));
    }
    let mut result = Stamped::default();
    let units = Units::of(page.document.charset.name);
    // A place holder of the final length goes in first: the blocks are cut anew, because a declared
    // element owns what is inside, and no range moves when the hashes replace it.
    let blank = recipe
        .spelling
        .spell(&vec![0; recipe.digest.output_len()], recipe.digest.algorithm());
    let mut starts = Vec::new();
    let mut kept = 0;
    for (index, block) in page.document.blocks.iter().enumerate() {
        if !wanted(index, block) {
            continue;
        }
        let source = page.raw.get(block.range.clone()).unwrap_or_default();
        let Some(tag) = units.start_tag(source) else {
            result.left_out += 1;
            continue;
        };
        let at = block.range.start;
        starts.push(result.bytes.len() + at - kept);
        let edit = units.edit(source, &tag, page.attribute, &blank);
        result.bytes.extend_from_slice(&page.raw[kept..at + edit.from]);
        result.bytes.extend_from_slice(&edit.text);
        kept = at + edit.to;
    }
    result.bytes.extend_from_slice(&page.raw[kept..]);

    let document = read(&result.bytes);
    let chosen = chosen(&document, &starts);
    result.absorbed = starts.len() - chosen.len();
    result.stamped = chosen.len();
    let chained = recipe.message.uses(&Field::PreviousHash)
        || recipe
            .key
            .as_ref()
            .is_some_and(|key| key.uses(&Field::PreviousHash));
    let mut document = document;
    for level in levels(&document, &chosen, chained) {
        let mut written = Vec::new();
        {
            let page = PageInput {
                raw: &result.bytes,
                document: &document,
                ..page
            };
            let hasher = Hasher::new(recipe, page);
            for &index in &level {
                if let Some(hash) = hasher.hash(index) {
                    written.push((index, hash.to_string()));
                }
            }
        }
        for (index, hash) in written {
            let block = &mut document.blocks[index];
            block.declared = Some(hash.as_str().into());
            for attribute in &mut block.attributes {
                if &*attribute.name == page.attribute {
                    attribute.value = hash.as_str().into();
                    break;
                }
            }
            let source = &result.bytes[block.range.clone()];
            let Some(tag) = units.start_tag(source) else {
                continue;
            };
            let edit = units.edit(source, &tag, page.attribute, &hash);
            let place = block.range.start + edit.from..block.range.start + edit.to;
            result.bytes.splice(place, edit.text);
        }
    }
    confirm(page, recipe, &result.bytes, &chosen, &read)?;
    Ok(result)
}

/// Indices of the blocks that open at the stamped start tags.
fn chosen(document: &Document, starts: &[usize]) -> Vec<usize> {
    let mut starts = starts.iter().copied().peekable();
    let mut chosen = Vec::new();
    for (index, block) in document.blocks.iter().enumerate() {
        while starts.next_if(|&start| start < block.range.start).is_some() {}
        if starts.next_if(|&start| start == block.range.start).is_some() {
            chosen.push(index);
        }
    }
    chosen
}

/// The chosen blocks in the order in which they must be hashed: what is inside before what is
/// around it, or one after the other where each hash enters the next.
fn levels(document: &Document, chosen: &[usize], chained: bool) -> Vec<Vec<usize>> {
    if chained {
        return chosen.iter().map(|&index| vec![index]).collect();
    }
    let mut by_depth: Vec<Vec<usize>> = Vec::new();
    let mut open: Vec<usize> = Vec::new(); // ends of the chosen blocks around the current one
    for &index in chosen {
        let range = &document.blocks[index].range;
        while open.last().is_some_and(|&end| end <= range.start) {
            open.pop();
        }
        if by_depth.len() <= open.len() {
            by_depth.resize_with(open.len() + 1, Vec::new);
        }
        by_depth[open.len()].push(index);
        open.push(range.end);
    }
    by_depth.into_iter().rev().collect()
}

/// Reads the stamped bytes again and holds every declared hash against the recipe.
fn confirm(
    page: PageInput<'_>,
    recipe: &Recipe,
    bytes: &[u8],
    chosen: &[usize],
    read: impl Fn(&[u8]) -> Document,
) -> Result<(), RecipeError> {
    let document = read(bytes);
    let page = PageInput {
        raw: bytes,
        document: &document,
        ..page
    };
    let hasher = Hasher::new(recipe, page);
    for &index in chosen {
        let block = document.blocks.get(index);
        let declared = block.and_then(|block| block.declared.as_deref());
        let hash = hasher.hash(index).map(|hash| hash.to_string());
        if declared.is_none() || declared != hash.as_deref() {
            return Err(RecipeError::NotStampable {
                recipe: recipe.label(),
                at: block.map_or(0, |block| block.range.start),
            });
        }
    }
    Ok(())
}

/// Bytes that replace `from..to`, relative to the `<` of a start tag.
struct Edit {
    from: usize,
    to: usize,
    text: Vec<u8>,
}

/// How ASCII stands in the page's bytes.
#[derive(Clone, Copy)]
enum Units {
    /// One byte a character, as in UTF-8, EUC-KR and most others.
    Bytes,
    /// Two bytes a character, little-endian.
    Utf16Le,
    /// Two bytes a character, big-endian.
    Utf16Be,
    /// ISO-2022-JP: bytes between escape sequences may look like ASCII and are not.
    Escaped,
}

impl Units {
    fn of(charset: &str) -> Self {
        match charset {
            "UTF-16LE" => Self::Utf16Le,
            "UTF-16BE" => Self::Utf16Be,
            "ISO-2022-JP" => Self::Escaped,
            _ => Self::Bytes,
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Bytes | Self::Escaped => 1,
            Self::Utf16Le | Self::Utf16Be => 2,
        }
    }

    /// The start tag that opens `source`, its ranges counted in characters of this width.
    fn start_tag(self, source: &[u8]) -> Option<StartTag> {
        match self {
            Self::Bytes => markup::start_tag(source),
            Self::Utf16Le => markup::start_tag(&narrow(source, u16::from_le_bytes)),
            Self::Utf16Be => markup::start_tag(&narrow(source, u16::from_be_bytes)),
            Self::Escaped => markup::start_tag(&masked(source)),
        }
    }

    fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Bytes | Self::Escaped => text.as_bytes().to_vec(),
            Self::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }

    /// The edit that gives the attribute this value: in place of the value it has, else as the
    /// first attribute.
    fn edit(self, source: &[u8], tag: &StartTag, attribute: &str, value: &str) -> Edit {
        let width = self.width();
        let name = self.encode(attribute);
        let found = tag.attributes.iter().find(|found| {
            source
                .get(found.name.start * width..found.name.end * width)
                .is_some_and(|written| written.eq_ignore_ascii_case(&name))
        });
        let (from, to, text) = match found {
            Some(found) => (found.name.end, found.whole.end, format!("=\"{value}\"")),
            None => (tag.name.end, tag.name.end, format!(" {attribute}=\"{value}\"")),
        };
        // Without the equal sign's white space the page would change beyond the value.
        let text = match found.and_then(|found| found.value.as_ref().map(|value| (found, value))) {
            Some((found, old)) => {
                let quoted = found.whole.end > old.end;
                let from = if quoted { old.start - 1 } else { old.start };
                return Edit {
                    from: from * width,
                    to: found.whole.end * width,
                    text: self.encode(&format!("\"{value}\"")),
                };
            }
            None => text,
        };
        Edit {
            from: from * width,
            to: to * width,
            text: self.encode(&text),
        }
    }
}

/// Two-byte units as bytes, everything beyond ASCII as one that is no markup.
fn narrow(source: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Vec<u8> {
    source
        .chunks_exact(2)
        .map(|pair| {
            u8::try_from(unit([pair[0], pair[1]]))
                .ok()
                .filter(u8::is_ascii)
                .unwrap_or(0x80)
        })
        .collect()
}

/// ISO-2022-JP with everything outside its ASCII and Roman states masked.
fn masked(source: &[u8]) -> Vec<u8> {
    let mut ascii = true;
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    while let Some(&byte) = source.get(at) {
        if byte == 0x1b {
            let sequence = source.get(at + 1..at + 3).unwrap_or_default();
            ascii = matches!(sequence, b"(B" | b"(J");
            let length = 3.min(source.len() - at);
            out.resize(out.len() + length, 0x80);
            at += length;
            continue;
        }
        out.push(if ascii { byte } else { 0x80 });
        at += 1;
    }
    out
}
