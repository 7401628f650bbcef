//! The forms of one block, each different text made and kept once.

use rustc_hash::FxHashMap;

use super::content::{Around, PageInput};
use super::encoding::Encoding;
use super::hash::steps;
use super::message::{Field, Part, Template};
use super::space::{AXES, Envelope, Form, Space};

/// The texts a block takes on under the forms of a space. Forms that agree on a text share it.
pub(crate) struct Texts<'a> {
    page: PageInput<'a>,
    block: usize,
    strings: Vec<String>,
    ids: FxHashMap<String, u32>,
    /// By text, axis and choice: the text after.
    after: FxHashMap<(u32, u8, u8), u32>,
    bases: FxHashMap<u16, u32>,
}

impl<'a> Texts<'a> {
    pub fn new(page: PageInput<'a>, block: usize) -> Self {
        Self {
            page,
            block,
            strings: Vec::new(),
            ids: FxHashMap::default(),
            after: FxHashMap::default(),
            bases: FxHashMap::default(),
        }
    }

    /// The text with this id.
    pub fn text(&self, id: u32) -> &str {
        &self.strings[id as usize]
    }

    /// The id of the block's text under a form.
    pub fn id(&mut self, space: &Space, form: Form) -> u32 {
        let mut id = self.base(space, form.base);
        for (axis, &choice) in form.choices.iter().enumerate() {
            if choice != 0 {
                id = self.step(id, axis, choice);
            }
        }
        id
    }

    fn base(&mut self, space: &Space, at: u16) -> u32 {
        if let Some(&id) = self.bases.get(&at) {
            return id;
        }
        let base = &space.bases[usize::from(at)];
        let content = self.page.content(self.block, base.scope);
        let id = self.keep(steps(content, &base.steps, self.page.attribute));
        self.bases.insert(at, id);
        id
    }

    fn step(&mut self, id: u32, axis: usize, choice: u8) -> u32 {
        let key = (id, axis as u8, choice);
        if let Some(&after) = self.after.get(&key) {
            return after;
        }
        let choice = AXES[axis][usize::from(choice)];
        let text = steps(self.strings[id as usize].clone(), choice, self.page.attribute);
        let after = self.keep(text);
        self.after.insert(key, after);
        after
    }

    fn keep(&mut self, text: String) -> u32 {
        if let Some(&id) = self.ids.get(&text) {
            return id;
        }
        let id = u32::try_from(self.strings.len()).unwrap_or(u32::MAX);
        self.strings.push(text.clone());
        self.ids.insert(text, id);
        id
    }
}

/// A part of a message once block and page are known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Bit {
    Fixed(Box<str>),
    Content,
    Length,
    Bytes,
}

/// An envelope once block and page are known: equal ones give equal messages for every content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Filled {
    bits: Vec<Bit>,
    key: Option<Vec<u8>>,
    encoding: Encoding,
}

impl Filled {
    /// The key, where the first digest is an HMAC.
    pub fn key(&self) -> Option<&[u8]> {
        self.key.as_deref()
    }

    /// Writes the message around this content.
    pub fn message(&self, content: &str, charset: &str, text: &mut String, message: &mut Vec<u8>) {
        text.clear();
        message.clear();
        for bit in &self.bits {
            match bit {
                Bit::Fixed(fixed) => text.push_str(fixed),
                Bit::Content => text.push_str(content),
                Bit::Length => text.push_str(&content.chars().count().to_string()),
                Bit::Bytes => text.push_str(&content.len().to_string()),
            }
        }
        if self.encoding == Encoding::Utf8 {
            message.extend_from_slice(text.as_bytes());
        } else {
            message.extend(self.encoding.encode(text.clone(), charset));
        }
    }
}

/// The values of one block, each looked up once.
pub(crate) struct Values<'a> {
    page: PageInput<'a>,
    block: usize,
    place: (usize, &'a str),
    known: FxHashMap<Field, String>,
}

impl<'a> Values<'a> {
    /// `place` is the block's place among the declared blocks and the declared hash before it.
    pub fn new(page: PageInput<'a>, block: usize, place: (usize, &'a str)) -> Self {
        Self {
            page,
            block,
            place,
            known: FxHashMap::default(),
        }
    }

    pub fn fill(&mut self, envelope: &Envelope) -> Filled {
        // A key of the space holds values alone, so its bytes are known without the content.
        let key = envelope.key.as_ref().map(|key| {
            let text = key.fill(|field| self.value(field).to_owned());
            envelope.encoding.encode(text, self.page.document.charset.name)
        });
        // Encodings that give the same bytes are one.
        let encoding = match envelope.encoding {
            Encoding::Page if self.page.document.charset.name == "UTF-8" => Encoding::Utf8,
            Encoding::Page if self.page.document.charset.name == "EUC-KR" => Encoding::EucKr,
            encoding => encoding,
        };
        Filled {
            bits: self.bits(&envelope.message),
            key,
            encoding,
        }
    }

    fn bits(&mut self, template: &Template) -> Vec<Bit> {
        let mut bits: Vec<Bit> = Vec::with_capacity(template.parts().len());
        for part in template.parts() {
            let fixed = match part {
                Part::Field(Field::Content) => {
                    bits.push(Bit::Content);
                    continue;
                }
                Part::Field(Field::Length) => {
                    bits.push(Bit::Length);
                    continue;
                }
                Part::Field(Field::Bytes) => {
                    bits.push(Bit::Bytes);
                    continue;
                }
                Part::Field(field) => self.value(field),
                Part::Literal(text) => text,
            };
            if let Some(Bit::Fixed(before)) = bits.last_mut() {
                *before = format!("{before}{fixed}").into();
            } else if !fixed.is_empty() {
                bits.push(Bit::Fixed(fixed.into()));
            }
        }
        bits
    }

    fn value(&mut self, field: &Field) -> &str {
        let Self {
            page,
            block,
            place,
            known,
        } = self;
        known.entry(field.clone()).or_insert_with(|| {
            let around = Around {
                content: "",
                ordinal: place.0,
                previous: place.1,
            };
            page.document
                .blocks
                .get(*block)
                .map(|block| page.value(field, block, &around))
                .unwrap_or_default()
        })
    }
}
