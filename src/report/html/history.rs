//! The page of an article's whole history: timeline, every edit, and for each paragraph of the newest
//! revision when it appeared and when it last changed.

use std::collections::HashMap;
use std::io::{self, Write};

use super::page::{headline, notices, switch};
use super::rows::{self, Anchors};
use super::{close, escape, open};
use crate::archive::Snapshot;
use crate::block::Document;
use crate::diff::{Diff, Op};
use crate::report::diff::Side;
use crate::report::layout::counted;
use crate::report::log::kind_of_edit;

/// A snapshot in which something changed, with the diff from the one before it.
#[derive(Debug)]
pub struct Version<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// Its blocks.
    pub document: &'a Document,
    /// What changed since the version before; `None` for the first.
    pub diff: Option<&'a Diff>,
}

/// Where a paragraph of the newest version comes from: numbers of snapshots, as `log` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Origin {
    first: u64,
    last: u64,
}

/// Writes the history of one article as one self-contained page. `versions` in order of time.
pub fn history(address: &str, versions: &[Version<'_>], out: &mut impl Write) -> io::Result<()> {
    let Some(newest) = versions.last() else {
        return Ok(());
    };
    let newest_side = side(address, newest);
    let title = headline(newest_side).unwrap_or(address);
    open(title, newest.document.language.as_deref(), out)?;
    writeln!(
        out,
        "<header>\n<h1>{}</h1>\n<p class=\"faint\">{}</p>",
        escape(title),
        escape(address)
    )?;
    writeln!(
        out,
        "<p>{} between {} and {}</p>\n</header>",
        counted(versions.len() as u64, "version"),
        moment(versions.first().map_or(newest.snapshot, |first| first.snapshot)),
        moment(newest.snapshot)
    )?;
    switch(out)?;
    writeln!(
        out,
        "<main>\n<h2 id=\"timeline\">Timeline</h2>\n<ol class=\"timeline\">"
    )?;
    for version in versions {
        let n = version.snapshot.n;
        let (class, text) = match version.diff {
            Some(diff) if diff.class().is_some() => ("", kind_of_edit(diff)),
            Some(_) => ("quiet", "nothing in the article".to_owned()),
            None => ("", "first version".to_owned()),
        };
        writeln!(
            out,
            "<li class=\"{class}\"><a href=\"#v{n}\">{n}</a> {} — {}</li>",
            moment(version.snapshot),
            escape(&text)
        )?;
    }
    writeln!(out, "</ol>")?;
    paragraphs(versions, newest, out)?;
    writeln!(out, "<h2>Every edit</h2>")?;
    for pair in versions.windows(2).rev() {
        let [before, after] = pair else { continue };
        let Some(diff) = after.diff else { continue };
        let n = after.snapshot.n;
        writeln!(
            out,
            "<details id=\"v{n}\"{}><summary>{n}, {} — {}</summary>",
            if diff.class().is_some() { " open" } else { "" },
            moment(after.snapshot),
            escape(&kind_of_edit(diff))
        )?;
        notices(diff, out)?;
        let prefix = format!("v{n}-");
        rows::changes(
            side(address, before),
            side(address, after),
            diff,
            Anchors { prefix: &prefix },
            out,
        )?;
        writeln!(out, "</details>")?;
    }
    writeln!(out, "</main>")?;
    close(out)
}

/// The newest version's article, paragraph by paragraph, with its origin.
fn paragraphs(versions: &[Version<'_>], newest: &Version<'_>, out: &mut impl Write) -> io::Result<()> {
    let origins = origins(versions);
    let moments: HashMap<u64, &Snapshot> = versions
        .iter()
        .map(|version| (version.snapshot.n, version.snapshot))
        .collect();
    writeln!(
        out,
        "<h2>Paragraphs of the newest version</h2>\n<table><thead><tr><th>first seen</th><th>last changed</th>\
         <th>text</th></tr></thead><tbody>"
    )?;
    let when = |n: u64| {
        moments
            .get(&n)
            .map_or_else(String::new, |snapshot| moment(snapshot))
    };
    for (block, origin) in newest.document.blocks.iter().zip(&origins) {
        if !block.body {
            continue;
        }
        let changed = if origin.last == origin.first {
            "—".to_owned()
        } else {
            format!("<a href=\"#v{0}\">{0}</a>, {1}", origin.last, when(origin.last))
        };
        writeln!(
            out,
            "<tr><td class=\"when\"><a href=\"#v{0}\">{0}</a>, {1}</td><td class=\"when\">{changed}</td>\
             <td class=\"{2}\">{3}</td></tr>",
            origin.first,
            when(origin.first),
            rows::weight(block),
            escape(&rows::shown(block))
        )?;
    }
    writeln!(out, "</tbody></table>")
}

/// Follows every block of the newest version back through the diffs.
fn origins(versions: &[Version<'_>]) -> Vec<Origin> {
    let mut origins: Vec<Origin> = Vec::new();
    for version in versions {
        let n = version.snapshot.n;
        let fresh = Origin { first: n, last: n };
        let mut next = vec![fresh; version.document.blocks.len()];
        for change in version.diff.iter().flat_map(|diff| &diff.changes) {
            let same = change.op == Op::Equal || (change.op == Op::Move && change.words.is_empty());
            for (i, &new) in change.new.iter().enumerate() {
                // Equal runs go one to one; of a split or merge the first old block tells.
                let from = change.old.get(if same {
                    i
                } else {
                    i.min(change.old.len().saturating_sub(1))
                });
                let before = from.and_then(|&old| origins.get(old as usize)).copied();
                if let (Some(before), Some(slot)) = (before, next.get_mut(new as usize)) {
                    *slot = Origin {
                        first: before.first,
                        last: if same { before.last } else { n },
                    };
                }
            }
        }
        origins = next;
    }
    origins
}

fn side<'a>(address: &'a str, version: &'a Version<'_>) -> Side<'a> {
    Side {
        name: address,
        moment: version.snapshot.moment,
        document: version.document,
    }
}

fn moment(snapshot: &Snapshot) -> String {
    snapshot.moment.map_or_else(
        || format!("snapshot {}", snapshot.n),
        |moment| format!("<time datetime=\"{moment}\">{moment}</time>"),
    )
}
