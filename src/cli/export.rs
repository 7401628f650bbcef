//! `export`: snapshots out, in the formats of other tools.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::arguments::Reading;
use super::failure::Failure;
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome, opened, progress};
use crate::archive::{Archive, ArchiveError, Snapshot};
use crate::export::{
    self, ExportError, FilesExport, NdjsonContent, NdjsonExport, Outgoing, PackedSnapshot, Planned,
    Selection, WaczExport, WaczOptions, WarcExport, WarcOptions, WarcPlan,
};
use crate::page::Moment;
use crate::pool;
use crate::report::layout::{bytes, counted};
use crate::warc::Compression;

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One WARC file, a record for each snapshot
    Warc,
    /// One WACZ file: the WARC with its index and list of pages
    Wacz,
    /// A directory of pages by address and time, with an index.ndjson
    Files,
    /// A line for each snapshot: blocks with hashes and labels
    Ndjson,
    /// The index of what `export warc` writes
    Cdxj,
    /// A directory with the tables snapshots.parquet and blocks.parquet
    #[cfg(feature = "parquet")]
    Parquet,
}

/// Compression of WARC records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Packing {
    /// A gzip member for each record
    Gzip,
    /// A zstd frame for each record
    Zstd,
    /// None
    None,
}

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What to write
    #[arg(value_enum)]
    format: Format,
    /// File or directory to write; `-` is standard output
    #[arg(short, long, value_name = "PATH", default_value = "-")]
    output: PathBuf,
    /// Only addresses that fit a pattern; * and ? stand for anything
    #[arg(long, value_name = "GLOB")]
    address: Vec<String>,
    /// Only this host and its subdomains
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
    /// Only snapshots from this time on
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Only snapshots before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// Only snapshots whose text changed
    #[arg(long)]
    only_revisions: bool,
    /// Only blocks of the article's body (ndjson, parquet)
    #[arg(long)]
    body_only: bool,
    /// Only the text, for corpus builders (ndjson)
    #[arg(long, conflicts_with = "pages")]
    text: bool,
    /// Whole pages that `add` reads back (ndjson)
    #[arg(long)]
    pages: bool,
    /// Write a body that was written before as a revisit record (warc, wacz, cdxj)
    #[arg(long)]
    revisit: bool,
    /// Compression of each record (warc, cdxj) [default: zstd if the WARC is called *.zst, else gzip]
    #[arg(long, value_enum)]
    compression: Option<Packing>,
    /// Level of the compression [default: 6 for gzip, 3 for zstd]
    #[arg(long, value_name = "N")]
    level: Option<u8>,
    /// Name of the WARC in its first record and in the index [default: that of the output]
    #[arg(long, value_name = "NAME")]
    warc_name: Option<String>,
    /// Title of the collection (wacz)
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    #[command(flatten)]
    reading: Reading,
    /// Print the summary as JSON; on standard error if the export goes to standard output
    #[arg(long)]
    json: bool,
}

impl Arguments {
    fn selection(&self) -> Result<Selection, Failure> {
        let selection = Selection {
            hosts: self.host.clone(),
            from: self.from,
            until: self.until,
            only_revisions: self.only_revisions,
            body_only: self.body_only,
            ..Selection::default()
        };
        Ok(selection.with_addresses(self.address.iter().map(String::as_str))?)
    }

    /// The compression asked for, else that which the WARC's name promises.
    fn packing(&self) -> Packing {
        let name = match (&self.warc_name, self.format) {
            (_, Format::Warc) => Some(self.output.as_path()),
            (Some(name), _) => Some(Path::new(name)),
            (None, _) => None,
        };
        let promised = name.and_then(Path::extension).is_some_and(|end| end == "zst");
        let default = if promised { Packing::Zstd } else { Packing::Gzip };
        self.compression.unwrap_or(default)
    }

    fn warc(&self) -> WarcOptions {
        let (compression, suffix) = match self.packing() {
            Packing::Gzip => (Compression::Gzip(u32::from(self.level.unwrap_or(6))), ".gz"),
            Packing::Zstd => (Compression::Zstd(i32::from(self.level.unwrap_or(3))), ".zst"),
            Packing::None => (Compression::None, ""),
        };
        let of_output = || {
            let name = self.output.file_name()?.to_str()?;
            (self.format == Format::Warc && name != "-").then(|| name.to_owned())
        };
        let name = self.warc_name.clone().or_else(of_output);
        WarcOptions {
            compression,
            revisit: self.revisit,
            filename: name.unwrap_or_else(|| format!("pressmark.warc{suffix}")),
        }
    }

    /// Refuses options that the format would silently ignore.
    fn fit(&self) -> Result<(), Failure> {
        use Format::{Cdxj, Ndjson, Wacz, Warc};
        #[cfg(feature = "parquet")]
        let with_blocks = [Ndjson, Format::Parquet];
        #[cfg(not(feature = "parquet"))]
        let with_blocks = [Ndjson];
        let options: [(&str, bool, &[Format]); 8] = [
            ("--body-only", self.body_only, &with_blocks),
            ("--text", self.text, &[Ndjson]),
            ("--pages", self.pages, &[Ndjson]),
            ("--revisit", self.revisit, &[Warc, Wacz, Cdxj]),
            ("--compression", self.compression.is_some(), &[Warc, Cdxj]),
            ("--level", self.level.is_some(), &[Warc, Cdxj]),
            ("--warc-name", self.warc_name.is_some(), &[Warc, Cdxj]),
            ("--title", self.title.is_some(), &[Wacz]),
        ];
        let name = |format: &Format| {
            let value = clap::ValueEnum::to_possible_value(format);
            value.map(|value| value.get_name().to_owned()).unwrap_or_default()
        };
        for (option, given, formats) in options {
            if given && !formats.contains(&self.format) {
                let formats: Vec<String> = formats.iter().map(name).collect();
                return Err(Failure::new(format!(
                    "{option} has no meaning for {}; it goes with {}",
                    name(&self.format),
                    formats.join(", ")
                )));
            }
        }
        let highest = match self.packing() {
            Packing::Gzip => 9,
            Packing::Zstd => 22,
            Packing::None => 0,
        };
        match self.level {
            Some(level) if level == 0 || level > highest => Err(Failure::new(if highest == 0 {
                "--level has no meaning without compression".to_owned()
            } else {
                format!("--level {level} is not from 1 to {highest}")
            })),
            _ => Ok(()),
        }
    }

    fn to_standard_output(&self) -> bool {
        self.output == Path::new("-")
    }

    /// The output's path, for formats that cannot go to standard output.
    fn path(&self, what: &str) -> Result<&Path, Failure> {
        if self.to_standard_output() {
            return Err(Failure::new(format!(
                "this format needs a {what}; name it with --output"
            )));
        }
        Ok(&self.output)
    }
}

/// What was written.
#[derive(Default)]
struct Tally {
    snapshots: u64,
    lost: u64,
    raw_bytes: u64,
}

impl Tally {
    fn count(&mut self, outgoing: &Outgoing, bar: &indicatif::ProgressBar) {
        self.snapshots += 1;
        self.raw_bytes += outgoing.page.body.len() as u64;
        if self.snapshots.is_multiple_of(16) {
            bar.set_message(bytes(self.raw_bytes));
        }
    }

    /// Counts and tells a snapshot that cannot be restored; any other failure ends the export.
    fn lose(&mut self, error: ArchiveError, bar: &indicatif::ProgressBar) -> Result<(), Failure> {
        let ArchiveError::Lost { .. } = error else {
            return Err(Failure::from(error));
        };
        self.lost += 1;
        bar.suspend(|| tell_user(&Failure::from(error).to_string()));
        Ok(())
    }
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let started = Instant::now();
    arguments.fit()?;
    let selection = arguments.selection()?;
    let archive = opened::open(global)?;
    let snapshots = export::chosen(&archive, &selection)?;
    if snapshots.is_empty() {
        tell_user(
            "no snapshot fits the selection, so nothing was written; `pressmark list` shows what there is",
        );
        return Ok(Outcome::Found);
    }
    let tally = write(global, arguments, &archive, &snapshots, terminal)?;
    let seconds = started.elapsed().as_secs_f64();
    if arguments.json {
        let summary = json!({
            "type": "summary",
            "snapshots": tally.snapshots,
            "lost": tally.lost,
            "raw_bytes": tally.raw_bytes,
            "seconds": seconds,
        });
        if arguments.to_standard_output() {
            let _ = writeln!(io::stderr(), "{summary}");
        } else {
            terminal.json(&summary)?;
        }
    } else if !arguments.to_standard_output() {
        terminal.line(&format!(
            "{}, {} of pages, to {}; {seconds:.2} s",
            counted(tally.snapshots, "snapshot"),
            bytes(tally.raw_bytes),
            arguments.output.display()
        ))?;
    }
    Ok(Outcome::found_if(tally.lost > 0))
}

fn write(
    global: &Global,
    arguments: &Arguments,
    archive: &Archive,
    snapshots: &[Snapshot],
    terminal: &mut Terminal,
) -> Result<Tally, Failure> {
    let reader = arguments.reading.reader(global)?;
    let no_blocks = || each(archive, snapshots, None);
    let blocks = || each(archive, snapshots, Some(&reader));
    match arguments.format {
        Format::Warc => {
            let (mut export, plan) = WarcExport::new(stream(arguments, terminal)?, arguments.warc());
            let tally = each_packed(archive, snapshots, None, plan, &mut |packed| export.put(packed))?;
            export.finish().map_err(failed)?;
            Ok(tally)
        }
        Format::Cdxj => {
            let (mut export, plan) = WarcExport::new(io::sink(), arguments.warc());
            let tally = each_packed(archive, snapshots, None, plan, &mut |packed| export.put(packed))?;
            let (_, lines) = export.finish()?;
            export::write_cdxj(&lines, stream(arguments, terminal)?)
                .map_err(|error| super::failure::writing(&error))?;
            Ok(tally)
        }
        Format::Wacz => {
            let options = WaczOptions {
                title: arguments.title.clone(),
                created: None,
                revisit: arguments.revisit,
            };
            let (mut export, plan) = WaczExport::new(file(arguments.path("file")?)?, options)?;
            let put = &mut |packed: &PackedSnapshot| export.put(packed);
            let tally = each_packed(archive, snapshots, Some(&reader), plan, put)?;
            export.finish()?;
            Ok(tally)
        }
        Format::Files => {
            let path = arguments.path("directory")?;
            let mut export = FilesExport::new(path).map_err(|error| Failure::at(path.display(), error))?;
            let tally = no_blocks()(&mut |outgoing| Ok(export.add(outgoing)?))?;
            export.finish()?;
            Ok(tally)
        }
        Format::Ndjson => {
            let content = if arguments.text {
                NdjsonContent::Text
            } else if arguments.pages {
                NdjsonContent::Pages
            } else {
                NdjsonContent::Blocks
            };
            let mut export = NdjsonExport::new(stream(arguments, terminal)?, content, arguments.body_only);
            let add = &mut |outgoing: &Outgoing| Ok(export.add(outgoing)?);
            let tally = if arguments.pages {
                no_blocks()(add)?
            } else {
                blocks()(add)?
            };
            export.finish()?;
            Ok(tally)
        }
        #[cfg(feature = "parquet")]
        Format::Parquet => {
            let folder = arguments.path("directory")?;
            std::fs::create_dir_all(folder).map_err(|error| Failure::at(folder.display(), error))?;
            let mut export = export::parquet::ParquetExport::new(
                file(&folder.join("snapshots.parquet"))?,
                file(&folder.join("blocks.parquet"))?,
                arguments.body_only,
            )?;
            let tally = blocks()(&mut |outgoing| export.add(outgoing))?;
            export.finish()?;
            Ok(tally)
        }
    }
}

fn file(path: &Path) -> Result<BufWriter<File>, Failure> {
    File::create(path)
        .map(BufWriter::new)
        .map_err(|error| Failure::at(path.display(), error))
}

/// The output of formats that are one stream.
fn stream<'t>(arguments: &Arguments, terminal: &'t mut Terminal) -> Result<Box<dyn Write + 't>, Failure> {
    Ok(if arguments.to_standard_output() {
        Box::new(StandardOutput(terminal))
    } else {
        Box::new(file(&arguments.output)?)
    })
}

/// Where an export puts one snapshot.
type Add<'a> = &'a mut dyn FnMut(&Outgoing) -> Result<(), ExportError>;

/// Restores the snapshots on all cores and hands them on in order.
fn each<'a>(
    archive: &'a Archive,
    snapshots: &'a [Snapshot],
    reader: Option<&'a crate::label::Reader>,
) -> impl FnOnce(Add<'_>) -> Result<Tally, Failure> + 'a {
    move |add| {
        let bar = progress::count(Some(snapshots.len() as u64));
        let result = std::thread::scope(|scope| {
            let restored = pool::ordered(scope, pool::cores(), snapshots.iter(), |snapshot| {
                export::restored(archive, snapshot, reader)
            });
            hand_on(restored, &bar, |outgoing| {
                add(&outgoing)?;
                Ok(outgoing)
            })
        });
        bar.finish_and_clear();
        result
    }
}

/// The same for formats of WARC records, which are made and compressed on all cores too.
fn each_packed(
    archive: &Archive,
    snapshots: &[Snapshot],
    reader: Option<&crate::label::Reader>,
    mut plan: WarcPlan,
    put: &mut dyn FnMut(&PackedSnapshot) -> Result<(), ExportError>,
) -> Result<Tally, Failure> {
    let bar = progress::count(Some(snapshots.len() as u64));
    let result = std::thread::scope(|scope| {
        let restored = pool::ordered(scope, pool::cores(), snapshots.iter(), |snapshot| {
            export::restored(archive, snapshot, reader)
        });
        let planned = restored.map(move |outgoing| outgoing.map(|outgoing| plan.plan(outgoing)));
        let packed = pool::ordered(scope, pool::cores(), planned, |planned| {
            planned.map(Planned::pack)
        });
        hand_on(packed, &bar, |packed| {
            let packed = packed?;
            put(&packed)?;
            Ok(packed.outgoing)
        })
    });
    bar.finish_and_clear();
    result
}

/// Writes what was made of each snapshot and counts it. One that cannot be restored is told and
/// counted, and the rest goes on.
fn hand_on<T>(
    made: impl Iterator<Item = Result<T, ArchiveError>>,
    bar: &indicatif::ProgressBar,
    mut write: impl FnMut(T) -> Result<Outgoing, ExportError>,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    for made in made {
        bar.inc(1);
        match made {
            Ok(made) => tally.count(&write(made).map_err(failed)?, bar),
            Err(error) => tally.lose(error, bar)?,
        }
    }
    Ok(tally)
}

/// A closed pipe stays one.
fn failed(error: ExportError) -> Failure {
    match error {
        ExportError::Write(error) if error.kind() == io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
        other => Failure::from(other),
    }
}

/// The terminal's buffered standard output as a writer.
struct StandardOutput<'t>(&'t mut Terminal);

impl Write for StandardOutput<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.writer().write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.writer().flush()
    }
}
