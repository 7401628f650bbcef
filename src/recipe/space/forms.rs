//! What a recipe of the space does to a block: a base, and a choice on every axis behind it.

use super::super::algorithm::Algorithm;
use super::super::scope::Scope;
use super::super::step::Step;

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
pub(super) const WRAP_DIGESTS: usize = 12;

/// How many choices of an axis a layer takes: the first so many.
pub(super) type Widths = [usize; AXES.len()];

pub(super) const ALL_BUT_WRAP: Widths = [5, 3, 4, 2, 14, 1];
pub(super) const WRAPPED: Widths = [5, 1, 1, 1, 14, WRAP_DIGESTS];
pub(super) const PLAIN: Widths = [5, 1, 1, 1, 14, 1];
pub(super) const DIGESTED: Widths = [2, 1, 1, 1, 6, WRAP.len()];
pub(super) const CORE: Widths = [2, 1, 1, 1, 6, 1];

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

/// Every combination of these bases with the first so many choices of each axis.
pub(super) fn forms(bases: &[u16], widths: Widths) -> Vec<Form> {
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

pub(super) fn bases(prefixes: &[String]) -> Vec<Base> {
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
pub(super) fn core_bases(bases: &[Base]) -> Vec<u16> {
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
