//! What a site rule says about headline, author and time.

use super::SiteRule;
use super::outline::Outline;
use super::selector::Selector;
use crate::block::Document;

/// Longest headline, byline or time taken over, in characters: a selector that selects more selects
/// the wrong element.
const MAX_CHARACTERS: usize = 1000;

/// Lets the rule override headline, byline and published; what it does not find stays.
pub fn apply(document: &mut Document, rule: &SiteRule) {
    if rule.title.is_empty() && rule.byline.is_empty() && rule.published.is_empty() {
        return;
    }
    let outline = Outline::new(document);
    let [headline, byline, published] =
        [&rule.title, &rule.byline, &rule.published].map(|selectors| text(document, &outline, selectors));
    document.headline = headline.or(document.headline.take());
    document.byline = byline.or(document.byline.take());
    document.published = published.or(document.published.take());
}

/// Text of the first element that has any, by the first selector that selects one.
fn text(document: &Document, outline: &Outline, selectors: &[Selector]) -> Option<String> {
    selectors.iter().find_map(|selector| {
        let selected = selector.select(outline);
        let mut texts: Vec<(u32, String)> = Vec::new();
        for (block, &node) in document.blocks.iter().zip(&outline.of_block) {
            let Some((top, _)) = outline.path(node).find(|&(id, _)| selected[id as usize]) else {
                continue;
            };
            match texts.iter_mut().find(|(id, _)| *id == top) {
                Some((_, text)) => {
                    text.push(' ');
                    text.push_str(&block.text);
                }
                None => texts.push((top, block.text.clone())),
            }
        }
        texts
            .into_iter()
            .map(|(_, text)| text.trim().to_owned())
            .find(|text| !text.is_empty() && text.chars().count() <= MAX_CHARACTERS)
    })
}
