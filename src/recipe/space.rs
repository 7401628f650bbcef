//! The finder's space: recipes composed of steps, messages and digests, in layers that are products.
//!
//! A recipe of the space is a number, so that a test can take any of them; `docs/recipes.md` tells
//! the sizes.

use std::collections::BTreeMap;

use super::algorithm::{Algorithm, Chain, Operation};
use super::content::PageInput;
use super::declared::{Declared, Spelling};
use super::message::{Field, PageValue, Part, Template};
use super::rule::{Encoding, Recipe, Scope};
use super::step::Step;

/// Name of a recipe of the space that was not found to fit anything yet.
pub(crate) const NAMELESS: &str = "composed";

/// Most attributes of the blocks themselves that enter messages.
const MAX_ATTRIBUTES: usize = 6;

/// Most attributes of enclosing elements that enter messages.
const MAX_ANCESTORS: usize = 4;

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

/// The steps of one choice on an axis.
type Choice = &'static [Step];

/// The axes behind the base, in the order in which their steps run.
pub(crate) const AXES: [&[Choice]; 6] = [UNICODE, CASE, SIGNS, INVISIBLE, WHITE, WRAP];

const UNICODE: &[Choice] = &[&[], &[Step::Nfc], &[Step::Nfd], &[Step::Nfkc], &[Step::Nfkd]];
const CASE: &[Choice] = &[&[], &[Step::LowerCase], &[Step::UpperCase]];
const SIGNS: &[Choice] = &[
    &[],
    &[Step::FoldQuotes],
    &[Step::DropPunctuation],
    &[Step::LettersDigits],
];
const INVISIBLE: &[Choice] = &[&[], &[Step::DropInvisible]];
const WHITE: &[Choice] = &[
    &[],
    &[Step::Trim],
    &[Step::TrimUnicode],
    &[Step::CollapseWhiteSpace, Step::Trim],
    &[Step::CollapseUnicodeSpace, Step::TrimUnicode],
    &[Step::DropWhiteSpace],
    &[Step::CollapseWhiteSpace],
    &[Step::CollapseUnicodeSpace],
    &[Step::DropLineBreaks],
    &[Step::DropLineBreaks, Step::TrimUnicode],
    &[Step::DropSpaces],
    &[Step::TrimLines],
    &[Step::NbspToSpace, Step::TrimUnicode],
    &[Step::UnixLineBreaks],
];
const WRAP: &[Choice] = &[
    &[],
    &[Step::Json],
    &[Step::JsonAscii],
    &[Step::PercentEncode],
    &[Step::Base64],
    &[Step::Reverse],
    &[Step::First(50)],
    &[Step::First(64)],
    &[Step::First(100)],
    &[Step::First(128)],
    &[Step::First(200)],
    &[Step::First(256)],
    &[Step::HexOf(Algorithm::Sha256)],
    &[Step::HexOf(Algorithm::Md5)],
    &[Step::HexOf(Algorithm::Sha1)],
];

/// Where on the last axis the digests of the content begin.
const WRAP_DIGESTS: usize = 12;

/// How many choices of an axis a layer takes: the first so many.
type Widths = [usize; AXES.len()];

const ALL_BUT_WRAP: Widths = [5, 3, 4, 2, 14, 1];
const WRAPPED: Widths = [5, 1, 1, 1, 14, WRAP_DIGESTS];
const PLAIN: Widths = [5, 1, 1, 1, 14, 1];
const DIGESTED: Widths = [2, 1, 1, 1, 6, WRAP.len()];
const CORE: Widths = [2, 1, 1, 1, 6, 1];

/// A choice on every axis: the base first. What a recipe does to a block before the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Form {
    /// Index into [`Space::bases`].
    pub base: u16,
    /// Index into each of [`AXES`].
    pub choices: [u8; AXES.len()],
}

/// A scope with the steps on its markup and references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    pub scope: Scope,
    pub steps: Vec<Step>,
}

/// What is around the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub message: Template,
    pub key: Option<Template>,
    pub encoding: Encoding,
}

/// One product of forms, messages and digests.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    /// What it adds, for people.
    pub name: &'static str,
    pub forms: Vec<Form>,
    pub envelopes: Vec<Envelope>,
    pub chains: Vec<Chain>,
}

impl Layer {
    /// Recipes in the layer.
    pub fn len(&self) -> u64 {
        self.forms.len() as u64 * self.envelopes.len() as u64 * self.chains.len() as u64
    }
}

/// What a declared hash demands of a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// Digest length in bytes.
    pub len: usize,
    /// How it is spelled.
    pub spelling: Spelling,
    /// The algorithm, where the spelling names it.
    pub algorithm: Option<Algorithm>,
}

impl Target {
    /// What this declared hash demands.
    #[must_use]
    pub fn of(declared: &Declared) -> Self {
        Self {
            len: declared.digest.len(),
            // Only the integrity spelling says more than how the digest is written.
            spelling: declared.spelling,
            algorithm: declared.algorithm,
        }
    }
}

/// All recipes that the finder searches for some pages and one target.
#[derive(Debug, Clone)]
pub struct Space {
    pub(crate) bases: Vec<Base>,
    pub(crate) layers: Vec<Layer>,
    target: Target,
}

impl Space {
    /// The space for these pages: its values are the attributes their declared blocks carry and what
    /// the pages tell about themselves.
    #[must_use]
    pub fn new(pages: &[PageInput<'_>], target: Target) -> Self {
        let fields = fields(pages);
        let bases = bases(&prefixes(pages));
        let core: Vec<u16> = core_bases(&bases);
        let every: Vec<u16> = (0..bases.len() as u16).collect();
        let chains = chains(target);
        let main = main_chains(target);
        let attribute = pages.first().map_or("", |page| page.attribute);
        let layers = vec![
            Layer {
                name: "every form, digested alone",
                forms: forms(&every, ALL_BUT_WRAP),
                envelopes: alone(),
                chains: chains.clone(),
            },
            Layer {
                name: "one value beside the content, or as key",
                forms: forms(&every, PLAIN),
                envelopes: single(&fields, attribute),
                chains: common_chains(target),
            },
            Layer {
                name: "wrapped content, digested alone",
                forms: forms(&every, WRAPPED)
                    .into_iter()
                    .filter(|form| form.choices[5] != 0)
                    .collect(),
                envelopes: alone(),
                chains,
            },
            Layer {
                name: "one value beside a digest of the content",
                forms: forms(&core, DIGESTED)
                    .into_iter()
                    .filter(|form| usize::from(form.choices[5]) >= WRAP_DIGESTS)
                    .collect(),
                envelopes: single(&fields, attribute),
                chains: main.clone(),
            },
            Layer {
                name: "two values beside the content",
                forms: forms(&core, CORE),
                envelopes: paired(&fields),
                chains: main,
            },
        ];
        Self {
            bases,
            layers,
            target,
        }
    }

    /// Recipes in the space.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.layers.iter().map(Layer::len).sum()
    }

    /// Whether there is no recipe for this target: no digest has its length.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What each layer adds and how many forms, messages and digests it multiplies.
    pub fn layers(&self) -> impl Iterator<Item = (&'static str, usize, usize, usize)> {
        self.layers.iter().map(|layer| {
            (
                layer.name,
                layer.forms.len(),
                layer.envelopes.len(),
                layer.chains.len(),
            )
        })
    }

    /// The recipe of this number, below [`Space::len`].
    #[must_use]
    pub fn recipe(&self, number: u64) -> Option<Recipe> {
        let mut rest = number;
        for layer in &self.layers {
            if rest >= layer.len() {
                rest -= layer.len();
                continue;
            }
            let chains = layer.chains.len() as u64;
            let envelopes = layer.envelopes.len() as u64;
            return Some(self.compose(
                layer.forms[(rest / chains / envelopes) as usize],
                &layer.envelopes[(rest / chains % envelopes) as usize],
                &layer.chains[(rest % chains) as usize],
            ));
        }
        None
    }

    /// The recipe made of these parts.
    pub(crate) fn compose(&self, form: Form, envelope: &Envelope, chain: &Chain) -> Recipe {
        let base = &self.bases[usize::from(form.base)];
        let mut steps = base.steps.clone();
        for (axis, &choice) in AXES.iter().zip(&form.choices) {
            steps.extend_from_slice(axis[usize::from(choice)]);
        }
        Recipe {
            name: NAMELESS.into(),
            version: 1,
            note: String::new(),
            scope: base.scope,
            steps,
            message: envelope.message.clone(),
            encoding: envelope.encoding,
            key: envelope.key.clone(),
            digest: chain.clone(),
            spelling: self.target.spelling,
        }
    }
}

/// Every combination of these bases with the first so many choices of each axis.
fn forms(bases: &[u16], widths: Widths) -> Vec<Form> {
    let mut forms: Vec<Form> = bases
        .iter()
        .map(|&base| Form {
            base,
            choices: [0; AXES.len()],
        })
        .collect();
    for (axis, &width) in widths.iter().enumerate() {
        forms = forms
            .iter()
            .flat_map(|form| {
                (0..width as u8).map(move |choice| {
                    let mut form = *form;
                    form.choices[axis] = choice;
                    form
                })
            })
            .collect();
    }
    forms
}

fn bases(prefixes: &[String]) -> Vec<Base> {
    use Step::{
        BreakLines, DropAttributes, DropComments, DropHash, DropOwnAttributes, EmptyHash, Escape,
        EscapeQuotes, ResolveReferences, ReverseAttributes, Serialize, SerializeXhtml, SerializeXhtmlSpace,
        SortAttributes, SpaceTags, StripTags,
    };
    let mut bases = Vec::new();
    for scope in [Scope::Text, Scope::TextJoined, Scope::TextLines] {
        for steps in [vec![], vec![Escape], vec![EscapeQuotes]] {
            bases.push(Base { scope, steps });
        }
    }
    let mut markup: Vec<(Scope, Vec<Step>)> = vec![
        (Scope::InnerHtml, vec![]),
        (Scope::OuterHtml, vec![DropHash]),
        (Scope::InnerHtml, vec![StripTags]),
        (Scope::OuterHtml, vec![EmptyHash]),
        (Scope::OuterHtml, vec![DropOwnAttributes]),
        (Scope::OuterHtml, vec![DropAttributes(None)]),
        (Scope::OuterHtml, vec![DropHash, SortAttributes]),
        (Scope::OuterHtml, vec![DropHash, ReverseAttributes]),
        (Scope::OuterHtml, vec![EmptyHash, SortAttributes]),
        (Scope::InnerHtml, vec![SpaceTags]),
        (Scope::InnerHtml, vec![BreakLines, StripTags]),
        (Scope::InnerHtml, vec![DropHash]),
        (Scope::InnerHtml, vec![DropAttributes(None)]),
        (Scope::InnerHtml, vec![DropComments]),
        (Scope::InnerHtml, vec![Serialize]),
        (Scope::InnerHtml, vec![SerializeXhtml]),
        (Scope::InnerHtml, vec![SerializeXhtmlSpace]),
        (Scope::OuterHtml, vec![DropHash, Serialize]),
        (Scope::OuterHtml, vec![DropHash, SerializeXhtml]),
        (Scope::OuterHtml, vec![EmptyHash, Serialize]),
    ];
    for prefix in prefixes {
        let pattern = DropAttributes(Some(prefix.as_str().into()));
        markup.push((Scope::OuterHtml, vec![DropHash, pattern]));
    }
    for (scope, steps) in markup {
        for references in [vec![], vec![ResolveReferences], vec![ResolveReferences, Escape]] {
            let steps = steps.iter().cloned().chain(references).collect();
            bases.push(Base { scope, steps });
        }
    }
    for scope in [
        Scope::Form,
        Scope::Image,
        Scope::ImageSource,
        Scope::ImageAlt,
        Scope::Nothing,
    ] {
        bases.push(Base { scope, steps: vec![] });
    }
    bases
}

/// The bases that enter messages of two values: the three text scopes, the plain markups, nothing.
fn core_bases(bases: &[Base]) -> Vec<u16> {
    let is_core = |base: &Base| match base.scope {
        Scope::Text
        | Scope::TextJoined
        | Scope::TextLines
        | Scope::InnerHtml
        | Scope::Image
        | Scope::ImageSource
        | Scope::Nothing => base.steps.is_empty(),
        Scope::OuterHtml => base.steps == [Step::DropHash],
        Scope::Form | Scope::ImageAlt => false,
    };
    (0..bases.len() as u16)
        .filter(|&at| is_core(&bases[usize::from(at)]))
        .collect()
}

fn declared_blocks<'a>(pages: &'a [PageInput<'a>]) -> impl Iterator<Item = &'a crate::block::Block> {
    pages
        .iter()
        .flat_map(|page| page.document.blocks.iter())
        .filter(|block| block.declared.is_some())
}

/// Patterns `data-*` for the prefixes of attribute names on declared blocks, and the names that have
/// none.
fn prefixes(pages: &[PageInput<'_>]) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let own = pages.first().map_or("", |page| page.attribute);
    for attribute in declared_blocks(pages).flat_map(|block| &block.attributes) {
        if &*attribute.name == own {
            continue;
        }
        let pattern = match attribute.name.split_once('-') {
            Some((prefix, _)) if !prefix.is_empty() => format!("{prefix}-*"),
            _ => attribute.name.to_string(),
        };
        *counts.entry(pattern).or_default() += 1;
    }
    most_common(counts, MAX_ANCESTORS)
        .into_iter()
        .filter(|pattern| format!("drop-attributes {pattern}").parse::<Step>().is_ok())
        .collect()
}

fn most_common(counts: BTreeMap<String, usize>, keep: usize) -> Vec<String> {
    let mut counted: Vec<(String, usize)> = counts.into_iter().collect();
    counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counted.truncate(keep);
    counted.into_iter().map(|(name, _)| name).collect()
}

/// The values that enter messages, the likeliest first.
fn fields(pages: &[PageInput<'_>]) -> Vec<Field> {
    let own = pages.first().map_or("", |page| page.attribute);
    let mut attributes: BTreeMap<String, usize> = BTreeMap::new();
    let mut ancestors: BTreeMap<String, usize> = BTreeMap::new();
    for block in declared_blocks(pages) {
        for attribute in &block.attributes {
            if &*attribute.name != own && !attribute.name.contains(['{', '}', ':']) {
                *attributes.entry(attribute.name.to_string()).or_default() += 1;
            }
        }
    }
    for page in pages {
        for container in &page.document.containers {
            for attribute in &container.attributes {
                let named = &*attribute.name == "id"
                    || attribute.name.starts_with("dmcf-")
                    || attribute.name.starts_with("data-");
                if named && &*attribute.name != own && !attribute.name.contains(['{', '}', ':']) {
                    // What publishers name after themselves is likelier than a layout's `data-`.
                    let weight = if attribute.name.starts_with("dmcf-") {
                        1000
                    } else {
                        1
                    };
                    *ancestors.entry(attribute.name.to_string()).or_default() += weight;
                }
            }
        }
    }
    let attributes = most_common(attributes, MAX_ATTRIBUTES);
    let ancestors = most_common(ancestors, MAX_ANCESTORS);
    let told = |value: &PageValue| pages.iter().any(|page| !page.page_value(*value).is_empty());
    let mut fields: Vec<Field> = Vec::new();
    fields.extend(attributes.into_iter().map(|name| Field::Attribute(name.into())));
    fields.extend(ancestors.into_iter().map(|name| Field::Ancestor(name.into())));
    fields.extend([Field::Number, Field::Index, Field::Tag]);
    fields.extend(PageValue::ALL.into_iter().filter(told).map(Field::Page));
    fields.extend([Field::PreviousHash, Field::Length, Field::Bytes]);
    fields
}

fn envelope(parts: impl IntoIterator<Item = Part>) -> Envelope {
    Envelope {
        message: Template::new(parts),
        key: None,
        encoding: Encoding::Utf8,
    }
}

const CONTENT: Part = Part::Field(Field::Content);

/// The content with nothing but an encoding or a line end.
fn alone() -> Vec<Envelope> {
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
fn single(fields: &[Field], attribute: &str) -> Vec<Envelope> {
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
fn paired(fields: &[Field]) -> Vec<Envelope> {
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

/// The algorithms whose digests have the target's length and that publishers use most.
fn main_algorithms(target: Target) -> Vec<Algorithm> {
    use Algorithm::{
        Blake2b256, Blake3, Keccak256, Md5, Sha1, Sha3_256, Sha3_512, Sha224, Sha256, Sha384, Sha512,
    };
    match (target.algorithm, target.len) {
        (Some(algorithm), _) => vec![algorithm],
        (None, 16) => vec![Md5],
        (None, 20) => vec![Sha1],
        (None, 28) => vec![Sha224],
        (None, 32) => vec![Sha256, Sha3_256, Blake3, Keccak256, Blake2b256],
        (None, 48) => vec![Sha384],
        (None, 64) => vec![Sha512, Sha3_512],
        (None, _) => vec![],
    }
}

fn main_chains(target: Target) -> Vec<Chain> {
    use Operation::{Digest, Hex};
    let main = main_algorithms(target);
    let mut chains: Vec<Chain> = main.iter().copied().map(Chain::single).collect();
    if target.algorithm.is_none() {
        for &algorithm in &main {
            chains.extend(Chain::new(vec![Digest(algorithm), Hex, Digest(algorithm)]));
        }
        chains.extend(truncated(target.len, &[Algorithm::Sha256, Algorithm::Sha512]));
    }
    chains
}

/// The chains that enter messages with one value: every plain digest, the main one doubled and mixed.
fn common_chains(target: Target) -> Vec<Chain> {
    use Operation::{Digest, Hex};
    if target.algorithm.is_some() {
        return chains(target);
    }
    let mut common: Vec<Chain> = Algorithm::ALL
        .into_iter()
        .filter(|algorithm| algorithm.output_len() == target.len)
        .map(Chain::single)
        .collect();
    if let Some(&outer) = main_algorithms(target).first() {
        common.extend(Chain::new(vec![Digest(outer), Digest(outer)]));
        for inner in [outer, Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha512] {
            common.extend(Chain::new(vec![Digest(inner), Hex, Digest(outer)]));
        }
    }
    common.extend(truncated(
        target.len,
        &[Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512],
    ));
    distinct(common)
}

/// The chains, each once.
fn distinct(mut chains: Vec<Chain>) -> Vec<Chain> {
    let mut seen = std::collections::HashSet::new();
    chains.retain(|chain| seen.insert(chain.clone()));
    chains
}

fn truncated(len: usize, algorithms: &[Algorithm]) -> Vec<Chain> {
    algorithms
        .iter()
        .filter(|algorithm| algorithm.output_len() > len)
        .filter_map(|&algorithm| {
            let take = Operation::Take(u8::try_from(len).ok()?);
            Chain::new(vec![Operation::Digest(algorithm), take]).ok()
        })
        .collect()
}

/// Digests that are longer, cut at their front.
fn truncated_in_front(len: usize, algorithms: &[Algorithm]) -> Vec<Chain> {
    let last = |chain: Chain| {
        let operations = chain.operations().iter().map(|&operation| match operation {
            Operation::Take(count) => Operation::TakeLast(count),
            other => other,
        });
        Chain::new(operations.collect()).ok()
    };
    truncated(len, algorithms).into_iter().filter_map(last).collect()
}

/// Every digest chain that yields the target's length: plain, doubled over bytes, hex and base64,
/// mixed, truncated.
fn chains(target: Target) -> Vec<Chain> {
    use Algorithm::{Blake2b512, Blake3, Md5, Sha1, Sha3_256, Sha3_512, Sha256, Sha384, Sha512};
    use Operation::{Base64, Digest, Hex, UpperHex};
    if let Some(algorithm) = target.algorithm {
        return vec![Chain::single(algorithm)];
    }
    let mut chains: Vec<Chain> = Algorithm::ALL
        .into_iter()
        .filter(|algorithm| algorithm.output_len() == target.len)
        .map(Chain::single)
        .collect();
    let main = main_algorithms(target);
    for &algorithm in &main {
        for between in [None, Some(Hex), Some(UpperHex), Some(Base64)] {
            let operations = [Some(Digest(algorithm)), between, Some(Digest(algorithm))];
            chains.extend(Chain::new(operations.into_iter().flatten().collect()));
        }
    }
    if let Some(&outer) = main.first() {
        for inner in [Md5, Sha1, Sha256, Sha512]
            .into_iter()
            .filter(|&inner| inner != outer)
        {
            chains.extend(Chain::new(vec![Digest(inner), Hex, Digest(outer)]));
            chains.extend(Chain::new(vec![Digest(inner), Digest(outer)]));
        }
    }
    chains.extend(truncated(
        target.len,
        &[
            Md5, Sha1, Sha256, Sha384, Sha512, Sha3_256, Sha3_512, Blake2b512, Blake3,
        ],
    ));
    chains.extend(truncated_in_front(
        target.len,
        &[Md5, Sha1, Sha256, Sha384, Sha512],
    ));
    chains
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::block::{Attribute, Block, Document};

    fn document() -> Document {
        let attribute = |name: &str| Attribute {
            name: name.into(),
            value: "v".into(),
        };
        Document {
            blocks: vec![Block {
                declared: Some("00".repeat(32).into()),
                attributes: vec![attribute("contents-hash"), attribute("dmcf-pid"), attribute("id")],
                ..Block::default()
            }],
            title: Some("A title".into()),
            ..Document::default()
        }
    }

    fn space(len: usize) -> Space {
        let document = document();
        let target = Target {
            len,
            spelling: Spelling::Hex,
            algorithm: None,
        };
        Space::new(&[PageInput::new(b"", &document)], target)
    }

    #[test]
    fn no_recipe_of_the_space_is_counted_twice() {
        for len in [8, 16, 20, 28, 32, 48, 64] {
            let space = space(len);
            for layer in &space.layers {
                let Some(chain) = layer.chains.first() else {
                    continue;
                };
                let forms: HashSet<_> = layer
                    .forms
                    .iter()
                    .map(|&form| {
                        let recipe = space.compose(form, &layer.envelopes[0], chain);
                        (recipe.scope, recipe.steps)
                    })
                    .collect();
                assert_eq!(forms.len(), layer.forms.len(), "{}", layer.name);
                let envelopes: HashSet<_> = layer
                    .envelopes
                    .iter()
                    .map(|one| (one.message.clone(), one.key.clone(), one.encoding))
                    .collect();
                assert_eq!(envelopes.len(), layer.envelopes.len(), "{}", layer.name);
                let chains: HashSet<_> = layer.chains.iter().collect();
                assert_eq!(chains.len(), layer.chains.len(), "{} {len}", layer.name);
                assert!(layer.chains.iter().all(|chain| chain.output_len() == len));
            }
        }
    }

    #[test]
    fn every_number_is_a_recipe_and_none_beyond() {
        let space = space(32);
        assert!(space.len() > 50_000_000, "{}", space.len());
        let step = space.len() / 97;
        for number in (0..space.len()).step_by(step as usize) {
            let recipe = space.recipe(number).unwrap();
            assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe);
        }
        assert!(space.recipe(space.len() - 1).is_some());
        assert_eq!(space.recipe(space.len()), None);
    }
}
