//! The page of an article's whole history: timeline, every edit, and for each paragraph of the newest
//! revision when it appeared and when it last changed.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use super::page::{headline, notices, switch};
use super::rows::{self, Anchors};
use super::{close, escape, open};
use crate::archive::Snapshot;
use crate::diff::Place;
use crate::history::{Blame, Entry, Step, StepKind};
use crate::report::diff::Side;
use crate::report::layout::counted;

/// Writes the history of one article as one self-contained page, from its
/// [`entries`](crate::history::entries).
pub fn history(
    address: &str,
    entries: &[Entry],
    blame: Option<&Blame>,
    out: &mut impl Write,
) -> io::Result<()> {
    let documents = || {
        entries
            .iter()
            .filter_map(|entry| Some((entry, entry.step.as_ref()?.document.as_deref()?)))
    };
    let (Some(first), Some((newest, document))) = (entries.first(), documents().next_back()) else {
        return Ok(());
    };
    let last = entries.last().unwrap_or(first);
    let side = Side {
        name: address,
        moment: newest.snapshot.moment,
        document,
    };
    let title = headline(side).unwrap_or(address);
    open(title, document.language.as_deref(), out)?;
    writeln!(
        out,
        "<header>\n<h1 dir=\"auto\">{}</h1>\n<p class=\"faint\">{}</p>",
        escape(title),
        escape(address)
    )?;
    let forms = |entry: &&Entry| {
        entry
            .step
            .as_ref()
            .is_some_and(|step| step.kind == StepKind::Form)
    };
    writeln!(
        out,
        "<p>{} between {} and {}: {}, {}</p>\n</header>",
        counted(entries.len() as u64, "snapshot"),
        moment(&first.snapshot),
        moment(&last.snapshot),
        counted(
            entries.iter().filter(|entry| entry.is_revision()).count() as u64,
            "revision"
        ),
        counted(entries.iter().filter(forms).count() as u64, "form change"),
    )?;
    switch(out)?;
    writeln!(out, "<main>")?;
    timeline(entries, out)?;
    if let Some(blame) = blame {
        paragraphs(entries, blame, out)?;
    }
    writeln!(out, "<h2 id=\"edits\">Every edit, newest first</h2>")?;
    for entry in entries.iter().rev() {
        if let Some(step) = entry.step.as_ref().filter(|step| step.shows()) {
            edit(address, entry, step, out)?;
        }
    }
    writeln!(out, "</main>")?;
    close(out)
}

fn timeline(entries: &[Entry], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "<h2 id=\"timeline\">Timeline</h2>\n<ol class=\"timeline\">")?;
    let mut quiet: Vec<&Snapshot> = Vec::new();
    for entry in entries {
        let Some(step) = &entry.step else { continue };
        if let Some(previous) = step.previous.filter(|_| entry.is_way_back() && !step.shows()) {
            unchanged(&mut quiet, out)?;
            let (n, moment) = (entry.snapshot.n, moment(&entry.snapshot));
            writeln!(out, "<li class=\"same\">{n} {moment} — as {previous} was</li>")?;
            continue;
        }
        if step.kind != StepKind::First && !step.shows() {
            quiet.push(&entry.snapshot);
            continue;
        }
        unchanged(&mut quiet, out)?;
        let n = entry.snapshot.n;
        let (link, text) = match step.summary() {
            Some(text) => (format!("<a href=\"#v{n}\">{n}</a>"), text),
            None => (n.to_string(), "first snapshot".to_owned()),
        };
        writeln!(
            out,
            "<li class=\"{}\">{link} {} — {}</li>",
            step.kind.as_str(),
            moment(&entry.snapshot),
            escape(&text)
        )?;
    }
    unchanged(&mut quiet, out)?;
    writeln!(out, "</ol>")
}

/// One line for a run of snapshots that say the same.
fn unchanged(run: &mut Vec<&Snapshot>, out: &mut impl Write) -> io::Result<()> {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return Ok(());
    };
    let numbers = if first.n == last.n {
        format!("{} {}", first.n, moment(first))
    } else {
        format!("{}–{} until {}", first.n, last.n, moment(last))
    };
    writeln!(out, "<li class=\"same\">{numbers} — unchanged</li>")?;
    run.clear();
    Ok(())
}

/// What one snapshot changed.
fn edit(address: &str, entry: &Entry, step: &Step, out: &mut impl Write) -> io::Result<()> {
    let (Some(diff), Some(old), Some(new)) = (&step.diff, &step.old, &step.document) else {
        return Ok(());
    };
    let n = entry.snapshot.n;
    writeln!(
        out,
        "<details id=\"v{n}\"{}><summary>{n}, {} — {}</summary>",
        if step.kind == StepKind::Suspect {
            ""
        } else {
            " open"
        },
        moment(&entry.snapshot),
        escape(&step.summary().unwrap_or_default())
    )?;
    notices(diff, out)?;
    let names = [step.previous.unwrap_or(n), n].map(|n| format!("{address}@{n}"));
    let [old, new] = [(&names[0], old), (&names[1], new)].map(|(name, document)| Side {
        name,
        moment: None,
        document,
    });
    let prefix = format!("v{n}-");
    let anchors = Anchors {
        prefix: &prefix,
        unchanged: false,
    };
    rows::changes(old, new, diff, anchors, out)?;
    rows::outside(old, new, diff, anchors, out)?;
    writeln!(out, "</details>")
}

/// The newest version's article, paragraph by paragraph: when it appeared and when it last changed.
fn paragraphs(entries: &[Entry], blame: &Blame, out: &mut impl Write) -> io::Result<()> {
    let snapshots: HashMap<u64, &Snapshot> = entries
        .iter()
        .map(|entry| (entry.snapshot.n, &entry.snapshot))
        .collect();
    writeln!(
        out,
        "<h2 id=\"paragraphs\">Paragraphs of snapshot {}</h2>\n<table><thead><tr><th scope=\"col\">first \
         seen</th><th scope=\"col\">last changed</th><th scope=\"col\">edits</th><th scope=\"col\">text</th></tr>\
         </thead><tbody>",
        blame.n
    )?;
    // Where nothing is told of an edit, because it was ignored or lies outside the article, no link leads.
    let told: HashSet<u64> = entries
        .iter()
        .filter(|entry| entry.step.as_ref().is_some_and(Step::shows))
        .map(|entry| entry.snapshot.n)
        .collect();
    let when = |n: u64| {
        let time = snapshots
            .get(&n)
            .map_or_else(String::new, |snapshot| moment(snapshot));
        if told.contains(&n) {
            format!("<a href=\"#v{n}\">{n}</a> {time}")
        } else {
            format!("{n} {time}")
        }
    };
    for paragraph in blame
        .paragraphs
        .iter()
        .filter(|paragraph| paragraph.place != Place::Outside && !paragraph.text.is_empty())
    {
        let changed = if paragraph.changed == paragraph.first {
            "—".to_owned()
        } else {
            when(paragraph.changed)
        };
        writeln!(
            out,
            "<tr><td class=\"when\">{}</td><td class=\"when\">{changed}</td><td class=\"when\">{}</td><td dir=\"auto\">{}</td></tr>",
            when(paragraph.first),
            paragraph.edits,
            escape(&paragraph.text)
        )?;
    }
    writeln!(out, "</tbody></table>")
}

fn moment(snapshot: &Snapshot) -> String {
    snapshot.moment.map_or_else(
        || format!("snapshot {}", snapshot.n),
        |moment| format!("<time datetime=\"{moment}\">{moment}</time>"),
    )
}
