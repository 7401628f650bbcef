//! The diff over consecutive revisions of real pages. Runs where the corpus is; a sample of the pairs,
//! or all of them with `PRESSMARK_ALL_PAIRS=1`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pressmark::block::Document;
use pressmark::diff::{Op, Options, apply, diff};
use pressmark::history::{self, Compared, History, StepKind};
use pressmark::html::{ReadOptions, read};
use pressmark::label::{Rules, label};

use crate::corpus;
use crate::diff::texts;

/// Of this many consecutive pages two are compared by default.
const SAMPLE: usize = 40;

fn document(raw: &[u8], rules: &Rules) -> Document {
    let mut document = read(raw, &ReadOptions::default());
    label(&mut document, rules.for_host(None));
    document
}

#[test]
fn consecutive_revisions_are_told_completely() {
    let rules = Rules::builtin();
    let all = std::env::var_os("PRESSMARK_ALL_PAIRS").is_some();
    let mut last: Option<(String, Arc<Document>)> = None;
    let mut at = 0;
    let mut pairs = 0;
    let mut slowest = (Duration::ZERO, String::new());
    let mut limited = Vec::new();
    let mut history = History::new();
    let mut kinds = std::collections::BTreeMap::new();
    let done = corpus::pages("revisions", 1, |name, raw| {
        at += 1;
        if !all && at % SAMPLE > 1 {
            return;
        }
        let new = Arc::new(document(&raw, &rules));
        let mut compared = None;
        let folder = |name: &str| name.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        if let Some((old_name, old)) = last.take()
            && folder(&old_name) == folder(name)
        {
            let start = Instant::now();
            let found = diff(&old, &new, &Options::default());
            let took = start.elapsed();
            assert_eq!(
                apply(&found, &texts(&old)).as_deref(),
                Ok(texts(&new)
                    .iter()
                    .map(|text| (*text).to_owned())
                    .collect::<Vec<_>>()
                    .as_slice()),
                "{old_name} {name}"
            );
            let again = std::thread::scope(|scope| {
                scope
                    .spawn(|| diff(&old, &new, &Options::default()))
                    .join()
                    .unwrap()
            });
            assert_eq!(found, again, "{old_name} {name}");
            assert!(!diff(&new, &new, &Options::default()).differs(), "{name}");
            for change in found.edits() {
                // A block can move past others and still bear the same number.
                let numbered = matches!(change.op, Op::Edit | Op::Move);
                let telling = !change.words.is_empty() || change.old != change.new || numbered;
                assert!(telling, "{old_name} {name}: {change:?}");
            }
            if !found.limits.is_empty() {
                limited.push(format!("{old_name} {name}: {:?}", found.limits));
            }
            if took > slowest.0 {
                slowest = (took, format!("{old_name} {name}"));
            }
            pairs += 1;
            compared = Some(Compared { old, diff: found });
        } else {
            history = History::new();
        }
        let told = history.push(
            at as u64,
            Arc::clone(&new),
            compared,
            &history::Options::default(),
        );
        let step = told.step;
        *kinds.entry(step.kind.as_str()).or_insert(0) += 1;
        if step.kind != StepKind::Suspect {
            let blame = history.blame().unwrap();
            assert_eq!(blame.paragraphs.len(), new.blocks.len());
            assert!(
                blame
                    .paragraphs
                    .iter()
                    .all(|one| one.first <= one.changed && one.changed <= at as u64)
            );
        }
        last = Some((name.to_owned(), new));
    });
    if done.is_some() {
        println!("{pairs} pairs; steps {kinds:?}; slowest {slowest:?}; limits met: {limited:#?}");
        assert!(pairs > 100);
    }
}
