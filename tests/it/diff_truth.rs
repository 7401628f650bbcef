//! Alignment against known truth: the generator of the `alignment` benchmark, fewer pairs.

#[path = "../../benches/alignment/edits.rs"]
mod edits;
#[path = "../../benches/alignment/score.rs"]
mod score;
#[path = "../../benches/alignment/text.rs"]
mod text;

use edits::{Chance, Done};
use pressmark::diff::{Op, Options, apply, diff};
use score::Score;

use crate::diff::{paragraphs, texts};

#[test]
fn links_are_found_in_every_language() {
    let mut all = Score::default();
    for (seed, language) in text::LANGUAGES.iter().enumerate() {
        let mut score = Score::default();
        let mut chance = Chance::new(100 + seed as u64);
        for _ in 0..40 {
            let pair = edits::pair(language, &mut chance);
            let sides = [&pair.old, &pair.new]
                .map(|side| paragraphs(&side.iter().map(String::as_str).collect::<Vec<_>>()));
            let found = diff(&sides[0], &sides[1], &Options::default());
            assert_eq!(apply(&found, &texts(&sides[0])).unwrap(), pair.new);
            let mut links = Vec::new();
            for change in &found.changes {
                if change.op == Op::Equal {
                    links.extend(change.old.iter().copied().zip(change.new.iter().copied()));
                } else {
                    for &i in &change.old {
                        links.extend(change.new.iter().map(|&j| (i, j)));
                    }
                }
            }
            score.count(&pair, &links);
        }
        all.add(&score);
        let code = language.code;
        assert!(score.f() >= 0.975, "{code}: F {:.3}", score.f());
        assert!(
            score.f_changed() >= 0.95,
            "{code}: F of edits {:.3}",
            score.f_changed()
        );
        for done in [
            Done::Edited,
            Done::Split,
            Done::Merged,
            Done::Moved,
            Done::MovedEdited,
        ] {
            assert!(
                score.share(done) >= 0.9,
                "{code}: {done:?} {:.3}",
                score.share(done)
            );
        }
    }
    assert!(all.f() >= 0.985, "F of all: {:.3}", all.f());
}
