//! A diff inline: one paragraph per change, deleted and inserted words marked in it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use unicode_segmentation::UnicodeSegmentation as _;

use super::{Side, spans};
use crate::diff::{Change, Diff, Ignored, Op, Place};
use crate::report::flow::wrap;
use crate::report::layout::{Accent, Look, columns, counted, number, printable};

/// What of a diff is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct DisplayOptions {
    /// Changes outside the article as well, not only their number.
    pub all: bool,
    /// Whole paragraphs, without eliding equal text far from a change.
    pub whole: bool,
}

/// Writes the diff inline.
pub fn terminal(
    old: Side<'_>,
    new: Side<'_>,
    diff: &Diff,
    options: DisplayOptions,
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    head(old, new, diff, look, out)?;
    for change in shown(diff, options) {
        writeln!(out)?;
        writeln!(out, "{}", title(change, old, new, look))?;
        let text = spans::inline(
            change,
            &old.document.blocks,
            &new.document.blocks,
            look,
            options.whole,
        );
        for line in wrap(&text, look.width.saturating_sub(4), look) {
            writeln!(out, "    {}", line.text)?;
        }
    }
    foot(diff, options, look, out)
}

/// The changes that are displayed, in order.
pub(super) fn shown(diff: &Diff, options: DisplayOptions) -> impl Iterator<Item = &Change> {
    diff.edits()
        .filter(move |change| options.all || change.place != Place::Outside)
}

/// Names and moments of both sides and a one-line summary.
pub(super) fn head(
    old: Side<'_>,
    new: Side<'_>,
    diff: &Diff,
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    for (sign, side, accent) in [("---", old, Accent::Bad), ("+++", new, Accent::Good)] {
        let moment = side
            .moment
            .map_or_else(String::new, |moment| format!("  {moment}"));
        let room = look.width.saturating_sub(4 + moment.len());
        writeln!(
            out,
            "{} {}{moment}",
            look.paint(accent, sign),
            tail(side.name, room.max(10))
        )?;
    }
    if let Some(warning) = warning(diff) {
        writeln!(out, "{}", look.paint(Accent::Notice, warning))?;
    }
    let inside: Vec<&Change> = diff
        .edits()
        .filter(|change| change.place != Place::Outside)
        .collect();
    if inside.is_empty() {
        let besides = if diff.ignored.changes > 0 {
            " besides what was ignored"
        } else {
            ""
        };
        return writeln!(out, "no change in the article{besides}");
    }
    let mut classes: BTreeMap<_, u64> = BTreeMap::new();
    for change in &inside {
        *classes.entry(change.class).or_default() += 1;
    }
    let kinds: Vec<String> = classes
        .iter()
        .rev()
        .map(|(class, count)| format!("{count} {}", class.as_str()))
        .collect();
    writeln!(
        out,
        "{} in the article: {}",
        counted(inside.len() as u64, "change"),
        kinds.join(", ")
    )
}

/// A name cut at its beginning, for its end and the snapshot's number tell more.
fn tail(name: &str, width: usize) -> String {
    let shown = printable(name);
    if columns(&shown) <= width {
        return shown;
    }
    let mut kept = Vec::new();
    let mut used = 1;
    for cluster in shown.graphemes(true).rev() {
        used += columns(cluster);
        if used > width {
            break;
        }
        kept.push(cluster);
    }
    kept.push("…");
    kept.into_iter().rev().collect()
}

/// What a reader must know before a suspect diff.
pub(super) fn warning(diff: &Diff) -> Option<String> {
    let suspect = diff.suspect.as_ref()?;
    Some(format!(
        "suspect: the extraction was {} ({} characters of body before, {} now); what follows is probably no edit",
        suspect.reason.as_str(),
        number(u64::from(suspect.old_characters)),
        number(u64::from(suspect.new_characters)),
    ))
}

/// What was left out, and where corners were cut.
pub(super) fn notes(diff: &Diff, options: DisplayOptions) -> Vec<String> {
    let outside = diff
        .edits()
        .filter(|change| change.place == Place::Outside)
        .count();
    let mut notes = Vec::new();
    if outside > 0 && !options.all {
        notes.push(format!(
            "{} outside the article; --all shows them",
            counted(outside as u64, "change")
        ));
    }
    notes.extend(ignored_text(&diff.ignored).map(|text| format!("ignored {text}")));
    for limit in &diff.limits {
        notes.push(format!("cut short: {}", limit_text(limit)));
    }
    notes
}

/// What was left out, and where corners were cut, below the changes.
pub(super) fn foot(diff: &Diff, options: DisplayOptions, look: Look, out: &mut impl Write) -> io::Result<()> {
    let notes = notes(diff, options);
    if !notes.is_empty() {
        writeln!(out)?;
    }
    for note in notes {
        writeln!(out, "{}", look.paint(Accent::Faint, note))?;
    }
    Ok(())
}

/// How many changes were left out and what took them out; `None` if none were.
pub(in crate::report) fn ignored_text(ignored: &Ignored) -> Option<String> {
    let reasons: Vec<String> = ignored
        .reasons
        .iter()
        .map(|(reason, count)| format!("{reason} {count}"))
        .collect();
    (ignored.changes > 0).then(|| {
        format!(
            "{}: {}",
            counted(u64::from(ignored.changes), "change"),
            reasons.join(", ")
        )
    })
}

pub(in crate::report) fn limit_text(limit: &crate::diff::Limit) -> String {
    use crate::diff::Limit;
    match limit {
        Limit::Pairs { skipped } => format!("{} of blocks were not compared", counted(*skipped, "pair")),
        Limit::Repeats { blocks } => format!(
            "{} repeated blocks were aligned by their order only",
            number(*blocks)
        ),
        Limit::Sampled { blocks } => format!(
            "{} compared by a sample of their text",
            counted(*blocks, "long block")
        ),
        Limit::Words { changes } => format!("{} shown as replaced whole", counted(*changes, "long change")),
    }
}

/// `~ p 12 → 13  body, numeric, 2 characters`.
pub(super) fn title(change: &Change, old: Side<'_>, new: Side<'_>, look: Look) -> String {
    let (sign, accent) = match change.op {
        Op::Insert => ('+', Accent::Good),
        Op::Delete => ('-', Accent::Bad),
        Op::Move => ('>', Accent::Notice),
        Op::Split | Op::Merge => ('%', Accent::Notice),
        Op::Edit | Op::Equal => ('~', Accent::Notice),
    };
    let kind = change
        .new
        .first()
        .and_then(|&index| new.document.blocks.get(index as usize))
        .or_else(|| {
            change
                .old
                .first()
                .and_then(|&index| old.document.blocks.get(index as usize))
        })
        .map_or("", |block| block.kind.as_str());
    let indices = |list: &[u32]| list.iter().map(u32::to_string).collect::<Vec<_>>().join("+");
    let blocks = match (change.old.is_empty(), change.new.is_empty()) {
        (true, _) => format!("#{}", indices(&change.new)),
        (_, true) => format!("#{}", indices(&change.old)),
        _ if change.old == change.new => format!("#{}", indices(&change.new)),
        _ => format!("#{} → #{}", indices(&change.old), indices(&change.new)),
    };
    let mut facts = vec![change.op.as_str().to_owned()];
    if change.moved && change.op != Op::Move {
        facts.push("moved".to_owned());
    }
    if change.op == Op::Move && !change.words.is_empty() {
        facts.push("edited".to_owned());
    }
    facts.push(change.place.as_str().to_owned());
    facts.push(change.class.as_str().to_owned());
    facts.extend(super::characters(change));
    format!(
        "{} {kind} {blocks}  {}",
        look.paint(accent, sign),
        look.paint(Accent::Faint, facts.join(", "))
    )
}
