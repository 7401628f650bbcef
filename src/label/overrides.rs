//! What a site rule says about headline, author and time.

use super::SiteRule;
use super::home::nearest;
use super::outline::Outline;
use super::selector::Selector;
use crate::block::Document;

/// Longest headline, byline or time taken over, in characters: a selector that selects more selects
/// the wrong element.
const MAX_CHARACTERS: usize = 1000;

/// What a site rule selects on a page in place of what the page declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Which selector of the key's list selected it.
    pub selector: usize,
    /// The text of the element.
    pub text: String,
}

/// Headline, byline and time of publication, as far as the rule selects them.
#[must_use]
pub fn overrides(document: &Document, rule: &SiteRule) -> [Option<Override>; 3] {
    let keys = [&rule.title, &rule.byline, &rule.published];
    if keys.iter().all(|key| key.is_empty()) {
        return [None, None, None];
    }
    let outline = Outline::new(document);
    keys.map(|selectors| text(document, &outline, selectors))
}

/// Lets the rule override headline, byline and published; what it does not find stays.
pub(super) fn apply(document: &mut Document, rule: &SiteRule) {
    let texts = overrides(document, rule).map(|found| found.map(|found| found.text));
    let [headline, byline, published] = texts;
    document.headline = headline.or(document.headline.take());
    document.byline = byline.or(document.byline.take());
    document.published = published.or(document.published.take());
}

/// Text of the first element that has any, by the first selector that selects one.
fn text(document: &Document, outline: &Outline, selectors: &[Selector]) -> Option<Override> {
    selectors.iter().enumerate().find_map(|(at, selector)| {
        let selected = selector.select(outline);
        let around = nearest(outline, |id| selected[id]);
        let mut texts: Vec<String> = Vec::new();
        // Where the text of each element stands, for a page may have as many of them as blocks.
        let mut places: Vec<Option<usize>> = vec![None; selected.len()];
        for (block, &node) in document.blocks.iter().zip(&outline.of_block) {
            let Some(top) = around[node as usize] else {
                continue;
            };
            if let Some(text) = places[top as usize].and_then(|place| texts.get_mut(place)) {
                text.push(' ');
                text.push_str(&block.text);
            } else {
                places[top as usize] = Some(texts.len());
                texts.push(block.text.clone());
            }
        }
        texts
            .into_iter()
            .map(|text| text.trim().to_owned())
            .find(|text| !text.is_empty() && text.chars().count() <= MAX_CHARACTERS)
            .map(|text| Override { selector: at, text })
    })
}
