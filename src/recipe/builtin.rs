//! The recipes that come with pressmark. A published one never changes: the test at the end holds
//! every rule against its identity.

use std::sync::LazyLock;

use super::algorithm::Algorithm;
use super::chain::Chain;
use super::declared::Spelling;
use super::encoding::Encoding;
use super::message::Template;
use super::rule::Recipe;
use super::scope::Scope;
use super::step::Step;

fn recipe(name: &str, note: &str, scope: Scope, steps: &[Step]) -> Recipe {
    Recipe {
        name: name.to_owned(),
        version: 1,
        note: note.to_owned(),
        scope,
        steps: steps.to_vec(),
        message: Template::content(),
        encoding: Encoding::Utf8,
        key: None,
        digest: Chain::single(Algorithm::Sha256),
        spelling: Spelling::Hex,
    }
}

static BUILTINS: LazyLock<Vec<Recipe>> = LazyLock::new(|| {
    use Step::{
        CollapseWhiteSpace, DropAttributes, DropHash, DropOwnAttributes, DropWhiteSpace, EmptyHash,
        LettersDigits, LowerCase, Nfc, Nfkc, ResolveReferences, Serialize, StripTags, Trim, TrimUnicode,
    };
    vec![
        recipe(
            "text",
            "The canonical text: characters, white space collapsed and trimmed, NFC.",
            Scope::Text,
            &[CollapseWhiteSpace, Trim, Nfc],
        ),
        recipe(
            "form",
            "The canonical form: kind, canonical text, links, images, emphasis.",
            Scope::Form,
            &[],
        ),
        recipe(
            "inner-html",
            "The source between start tag and end tag, as written.",
            Scope::InnerHtml,
            &[],
        ),
        recipe(
            "inner-html-trimmed",
            "The source between start tag and end tag, white space at both ends removed.",
            Scope::InnerHtml,
            &[TrimUnicode],
        ),
        recipe(
            "inner-html-serialized",
            "The inside as a browser's innerHTML prints it.",
            Scope::InnerHtml,
            &[Serialize],
        ),
        recipe(
            "outer-html",
            "The element's source without the declared hash's attribute.",
            Scope::OuterHtml,
            &[DropHash],
        ),
        recipe(
            "outer-html-emptied",
            "The element's source, the declared hash's attribute being empty.",
            Scope::OuterHtml,
            &[EmptyHash],
        ),
        recipe(
            "outer-html-serialized",
            "The element as a browser's outerHTML prints it, without the declared hash's attribute.",
            Scope::OuterHtml,
            &[DropHash, Serialize],
        ),
        recipe(
            "outer-html-bare",
            "The element's source, its own start tag without attributes.",
            Scope::OuterHtml,
            &[DropOwnAttributes],
        ),
        recipe(
            "markup-bare",
            "The element's source, no tag having attributes.",
            Scope::OuterHtml,
            &[DropAttributes(None)],
        ),
        recipe(
            "text-raw",
            "The DOM's textContent, nothing collapsed, nothing normalised.",
            Scope::TextJoined,
            &[],
        ),
        recipe(
            "text-trimmed",
            "The DOM's textContent, white space at both ends removed.",
            Scope::TextJoined,
            &[TrimUnicode],
        ),
        recipe(
            "text-joined",
            "As text, but br and boundaries are nothing.",
            Scope::TextJoined,
            &[CollapseWhiteSpace, Trim, Nfc],
        ),
        recipe(
            "text-lines",
            "The text with a line feed for each br and boundary, lines trimmed, empty ones removed.",
            Scope::TextLines,
            &[Step::TrimLines, Nfc],
        ),
        recipe(
            "text-dense",
            "The text without any white space, NFC.",
            Scope::Text,
            &[DropWhiteSpace, Nfc],
        ),
        recipe(
            "text-loose",
            "Letters and digits alone, lower case, NFKC: equal for texts that read alike.",
            Scope::Text,
            &[Nfkc, LowerCase, LettersDigits],
        ),
        recipe(
            "stripped",
            "The source with every tag removed, references as written, white space trimmed.",
            Scope::InnerHtml,
            &[StripTags, TrimUnicode],
        ),
        recipe(
            "stripped-resolved",
            "The source with every tag removed and references resolved, white space trimmed.",
            Scope::InnerHtml,
            &[StripTags, ResolveReferences, TrimUnicode],
        ),
        recipe(
            "image",
            "The address of the block's first image.",
            Scope::Image,
            &[],
        ),
    ]
});

/// The recipes that come with pressmark, `text-v1` first.
#[must_use]
pub fn builtins() -> &'static [Recipe] {
    &BUILTINS
}

/// The built-in recipe of this label (`text-v1`).
#[must_use]
pub fn builtin(label: &str) -> Option<&'static Recipe> {
    BUILTINS.iter().find(|recipe| recipe.label() == label)
}

/// `text-v1`.
pub(crate) fn text_v1() -> &'static Recipe {
    &BUILTINS[0]
}

/// `form-v1`.
pub(crate) fn form_v1() -> &'static Recipe {
    &BUILTINS[1]
}
