//! The values of the pages that may stand beside the content.

use std::collections::BTreeMap;

use super::super::content::PageInput;
use super::super::message::{Field, PageValue};
use super::super::step::Step;

/// Most attributes of the blocks themselves that enter messages.
const MAX_ATTRIBUTES: usize = 6;

/// Most attributes of enclosing elements that enter messages.
const MAX_ANCESTORS: usize = 4;

fn declared_blocks<'a>(pages: &'a [PageInput<'a>]) -> impl Iterator<Item = &'a crate::block::Block> {
    pages
        .iter()
        .flat_map(|page| page.document.blocks.iter())
        .filter(|block| block.declared.is_some())
}

/// Patterns `data-*` for the prefixes of attribute names on declared blocks, and the names that have
/// none.
pub(super) fn prefixes(pages: &[PageInput<'_>]) -> Vec<String> {
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
pub(super) fn fields(pages: &[PageInput<'_>]) -> Vec<Field> {
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
        let containers = &page.document.containers;
        // What stands around no declared block is layout, whose `data-` names are legion.
        let mut around = vec![false; containers.len()];
        for block in page
            .document
            .blocks
            .iter()
            .filter(|block| block.declared.is_some())
        {
            let mut at = block.container;
            while let Some(index) = at.map(|at| at as usize)
                && around.get(index) == Some(&false)
            {
                around[index] = true;
                at = containers[index].parent;
            }
        }
        for (container, _) in containers.iter().zip(&around).filter(|(_, around)| **around) {
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
