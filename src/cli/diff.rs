//! `diff`: what changed between two snapshots or files.

use std::io::Write as _;

use super::arguments::Reading;
use super::failure::{Failure, writing};
use super::opened::{self, NamedPage};
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome};
use crate::archive::{Archive, Snapshot};
use crate::block::Document;
use crate::diff::{Class, Filter, Ignore, Place};
use crate::history::{Step, Wanted, before_newest_change, compare, entries};
use crate::label::Reader;
use crate::report::diff::{self as report, DisplayOptions, Side};
use crate::report::html;
use crate::report::layout::printable;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Two snapshots or files; or one snapshot, compared with the revision before it
    #[arg(required = true, num_args = 1..=2, value_name = "PAGE")]
    pages: Vec<String>,
    #[command(flatten)]
    selection: Selection,
    /// Show changes outside the article as well
    #[arg(long)]
    all: bool,
    /// Show whole paragraphs, not only the surroundings of a change
    #[arg(long)]
    whole: bool,
    /// Old page left, new page right
    #[arg(long, short = 'y')]
    side_by_side: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Terminal, value_name = "FORM")]
    format: Format,
    /// Print one JSON object; the same as --format json
    #[arg(long)]
    json: bool,
    /// Print one self-contained HTML page; of a single ADDRESS its whole history
    #[arg(long)]
    html: bool,
    #[command(flatten)]
    reading: Reading,
}

/// Which changes count at all.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Leave out changes below this class: markup, cosmetic, image, link, text, numeric
    #[arg(long, value_name = "CLASS")]
    min_class: Option<Class>,
    /// Only changes at these places: headline, caption, byline, quotation, correction, body, outside
    #[arg(long, value_name = "PLACE", value_delimiter = ',')]
    place: Vec<Place>,
    /// Leave out a class, a place, an operation, or text=PATTERN
    #[arg(long, value_name = "WHAT")]
    ignore: Vec<Ignore>,
}

impl Selection {
    pub(super) fn filter(&self) -> Filter {
        Filter {
            min_class: self.min_class,
            places: self.place.clone(),
            ignore: self.ignore.clone(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For reading, inline or side by side
    Terminal,
    /// One JSON object
    Json,
    /// Unified text, one block a line, for tools
    Unified,
    /// One self-contained HTML page
    Html,
}

impl Arguments {
    fn format(&self) -> Format {
        match (self.json, self.html) {
            (true, _) => Format::Json,
            (_, true) => Format::Html,
            _ => self.format,
        }
    }
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let archive = opened::shelf(global, opened::snapshot_among(&arguments.pages))?;
    let reader = arguments.reading.reader(global)?;
    let filter = arguments.selection.filter();
    let (old, new) = match (arguments.pages.as_slice(), &archive) {
        // A name without number or time stands for the article as a whole.
        ([one], Some(archive))
            if arguments.format() == Format::Html && !archive.snapshots(one)?.is_empty() =>
        {
            let wanted = Wanted::new(&filter, arguments.all);
            return history(global, one, &arguments.reading, wanted, terminal);
        }
        // Which revision is the one before is told by the texts.
        ([one], Some(_)) => {
            let (archive, _) = opened::open_complete(global, &arguments.reading)?;
            with_previous(&archive, &reader, one)?
        }
        ([one], None) if opened::is_file(one) => {
            return Err(Failure::at(one, "name a second page to compare this file with"));
        }
        // Neither a file nor an archive it could stand in: that is told.
        ([one], None) => {
            let named = opened::page(None, one)?;
            return Err(Failure::at(named.name, "name a second page"));
        }
        ([old, new], archive) => (
            opened::page(archive.as_ref(), old)?,
            opened::page(archive.as_ref(), new)?,
        ),
        _ => return Err(Failure::new("name one or two pages")),
    };
    let (old_document, new_document) = (reader.read(&old.page), reader.read(&new.page));
    let diff = compare(
        &old_document,
        &new_document,
        &new.page.address,
        &reader,
        Some(&filter),
    );
    let (left, right) = (side(&old, &old_document), side(&new, &new_document));
    let display = DisplayOptions {
        all: arguments.all || filter.places.contains(&Place::Outside),
        whole: arguments.whole,
    };
    let look = terminal.look();
    if arguments.format() == Format::Terminal {
        terminal.page()?;
    }
    // Tools get a unified diff to the byte, but a page must not steer the terminal of a reader.
    let interactive = terminal.interactive;
    let out = terminal.writer();
    match arguments.format() {
        Format::Json => report::json(left, right, &diff, arguments.all, out),
        Format::Html => html::diff(left, right, &diff, out),
        Format::Unified if interactive => {
            let mut text = Vec::new();
            report::unified(left, right, &diff, display, &mut text).and_then(|()| {
                let text = String::from_utf8_lossy(&text);
                text.lines()
                    .try_for_each(|line| writeln!(out, "{}", printable(line)))
            })
        }
        Format::Unified => report::unified(left, right, &diff, display, out),
        Format::Terminal if arguments.side_by_side => {
            report::side_by_side(left, right, &diff, display, look, out)
        }
        Format::Terminal => report::terminal(left, right, &diff, display, look, out),
    }
    .map_err(|error| writing(&error))?;
    Ok(Outcome::found_if(diff.differs()))
}

fn side<'a>(page: &'a NamedPage, document: &'a Document) -> Side<'a> {
    Side {
        name: &page.name,
        moment: page.page.moment,
        document,
    }
}

/// A snapshot and the newest revision before it whose text differs. One that can be no revision itself (an
/// error page) is held against the last that can.
fn with_previous(archive: &Archive, reader: &Reader, name: &str) -> Result<(NamedPage, NamedPage), Failure> {
    let new = opened::snapshot(archive, name)?;
    let mut snapshots = archive.snapshots(&new.address)?;
    snapshots.retain(|snapshot| snapshot.counts_as_revision() || snapshot.id == new.id);
    let at = snapshots
        .iter()
        .position(|snapshot| snapshot.id == new.id)
        .unwrap_or(0);
    snapshots.truncate(at + 1);
    let before = if new.counts_as_revision() {
        before_newest_change(archive, reader, &snapshots)?
    } else {
        at.checked_sub(1)
            .and_then(|before| snapshots.get(before))
            .cloned()
    };
    let Some(old) = before else {
        return Err(Failure::at(
            name,
            "this is the first revision; there is none before it to compare with",
        ));
    };
    Ok((opened::restored(archive, &old)?, opened::restored(archive, &new)?))
}

/// The whole history of an article as one HTML page.
fn history(
    global: &Global,
    name: &str,
    reading: &Reading,
    wanted: Wanted,
    terminal: &mut Terminal,
) -> CommandResult {
    let (archive, reader) = opened::open_complete(global, reading)?;
    let mut snapshots = opened::article(&archive, name)?;
    snapshots.retain(Snapshot::counts_as_revision);
    if snapshots.is_empty() {
        return Err(Failure::at(
            name,
            "no snapshot with status 200; there is nothing to show",
        ));
    }
    let (entries, course) = entries(&archive, snapshots, &reader, wanted.with_documents())?;
    let lost: Vec<&String> = entries.iter().filter_map(|entry| entry.lost.as_ref()).collect();
    for why in &lost {
        tell_user(why);
    }
    html::history(name, &entries, course.blame().as_ref(), terminal.writer())
        .map_err(|error| writing(&error))?;
    let mut steps = entries.iter().filter_map(|entry| entry.step.as_ref());
    Ok(Outcome::found_if(!lost.is_empty() || steps.any(Step::differs)))
}
