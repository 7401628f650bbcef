use std::collections::HashSet;

use super::*;
use crate::block::{Attribute, Block, Document};

fn document() -> Document {
    let attribute = |name: &'static str| Attribute {
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
