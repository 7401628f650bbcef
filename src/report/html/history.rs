//! The page of an article's whole history: timeline, every edit, and for each paragraph of the newest
//! revision when it appeared and when it last changed.

use std::collections::HashMap;
use std::io::{self, Write};

use super::page::{headline, notices, switch};
use super::rows::{self, Anchors};
use super::{close, escape, open};
use crate::archive::Snapshot;
use crate::block::Document;
use crate::diff::{Blame, Diff, Place, Summary};
use crate::report::diff::Side;
use crate::report::layout::counted;

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

/// Writes the history of one article as one self-contained page. `versions` in order of time.
pub fn history(
    address: &str,
    versions: &[Version<'_>],
    blame: Option<&Blame>,
    out: &mut impl Write,
) -> io::Result<()> {
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
            Some(diff) if diff.class().is_some() => ("", Summary::of(diff).to_string()),
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
    if let Some(blame) = blame {
        paragraphs(versions, blame, out)?;
    }
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
            escape(&Summary::of(diff).to_string())
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

/// The newest version's article, paragraph by paragraph: when it appeared and when it last changed.
fn paragraphs(versions: &[Version<'_>], blame: &Blame, out: &mut impl Write) -> io::Result<()> {
    let moments: HashMap<u64, &Snapshot> = versions
        .iter()
        .map(|version| (version.snapshot.n, version.snapshot))
        .collect();
    writeln!(
        out,
        "<h2>Paragraphs of version {}</h2>\n<table><thead><tr><th>first seen</th><th>last changed</th>\
         <th>text</th></tr></thead><tbody>",
        blame.n
    )?;
    let when = |n: u32| {
        let time = moments
            .get(&u64::from(n))
            .map_or_else(String::new, |snapshot| moment(snapshot));
        format!("<a href=\"#v{n}\">{n}</a> {time}")
    };
    for paragraph in blame
        .paragraphs
        .iter()
        .filter(|paragraph| paragraph.place != Place::Outside)
    {
        let changed = if paragraph.changed == paragraph.first {
            "—".to_owned()
        } else {
            when(paragraph.changed)
        };
        writeln!(
            out,
            "<tr><td class=\"when\">{}</td><td class=\"when\">{changed}</td><td>{}</td></tr>",
            when(paragraph.first),
            escape(&paragraph.text)
        )?;
    }
    writeln!(out, "</tbody></table>")
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
