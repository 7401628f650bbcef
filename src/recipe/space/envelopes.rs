//! What stands around the content in a message.

use super::super::encoding::Encoding;
use super::super::message::{Field, Part, Template};

/// Most values that enter messages two at a time.
const MAX_PAIRED: usize = 10;

/// What stands between a value and the content.
const SEPARATORS: [&str; 18] = [
    "", ":", "|", "-", "_", " ", "\n", ",", "/", ".", ";", "#", "\t", "::", "||", "&", "=", "+",
];

/// What stands between two values and the content.
const PAIR_SEPARATORS: usize = 8;

/// Words tried as salts and keys beside the page's own values.
const WORDS: [&str; 4] = ["salt", "secret", "key", "hash"];

/// What is around the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub message: Template,
    pub key: Option<Template>,
    pub encoding: Encoding,
}

pub(super) fn envelope(parts: impl IntoIterator<Item = Part>) -> Envelope {
    Envelope {
        message: Template::new(parts),
        key: None,
        encoding: Encoding::Utf8,
    }
}

const CONTENT: Part = Part::Field(Field::Content);

/// The content with nothing but an encoding or a line end.
pub(super) fn alone() -> Vec<Envelope> {
    let mut envelopes: Vec<Envelope> = Encoding::ALL
        .into_iter()
        .map(|encoding| Envelope {
            message: Template::content(),
            key: None,
            encoding,
        })
        .collect();
    for end in ["\n", "\r\n", " ", "\0"] {
        envelopes.push(envelope([CONTENT, Part::Literal(end.into())]));
    }
    envelopes
}

/// The content beside one value, or keyed by it.
pub(super) fn single(fields: &[Field], attribute: &str) -> Vec<Envelope> {
    let words = WORDS.into_iter().chain([attribute]);
    let values: Vec<Part> = fields
        .iter()
        .cloned()
        .map(Part::Field)
        .chain(words.map(|word| Part::Literal(word.into())))
        .collect();
    let mut envelopes = Vec::new();
    for value in &values {
        for separator in SEPARATORS {
            let separator = Part::Literal(separator.into());
            envelopes.push(envelope([value.clone(), separator.clone(), CONTENT]));
            envelopes.push(envelope([CONTENT, separator, value.clone()]));
        }
        envelopes.push(envelope([value.clone(), CONTENT, value.clone()]));
        envelopes.push(Envelope {
            key: Some(Template::new([value.clone()])),
            ..envelope([CONTENT])
        });
    }
    envelopes
}

/// The content beside two different values, or beside one and keyed by the other.
pub(super) fn paired(fields: &[Field]) -> Vec<Envelope> {
    let mut envelopes = Vec::new();
    let fields = &fields[..fields.len().min(MAX_PAIRED)];
    for first in fields {
        for second in fields.iter().filter(|second| *second != first) {
            let (first, second) = (Part::Field(first.clone()), Part::Field(second.clone()));
            for separator in &SEPARATORS[..PAIR_SEPARATORS] {
                let between = Part::Literal((*separator).into());
                for order in [
                    [&first, &second, &CONTENT],
                    [&first, &CONTENT, &second],
                    [&CONTENT, &first, &second],
                ] {
                    let [a, b, c] = order.map(Clone::clone);
                    envelopes.push(envelope([a, between.clone(), b, between.clone(), c]));
                }
            }
            for separator in &SEPARATORS[..3] {
                let between = Part::Literal((*separator).into());
                envelopes.push(Envelope {
                    key: Some(Template::new([first.clone()])),
                    ..envelope([second.clone(), between.clone(), CONTENT])
                });
                envelopes.push(Envelope {
                    key: Some(Template::new([first.clone()])),
                    ..envelope([CONTENT, between, second.clone()])
                });
            }
        }
    }
    envelopes
}
