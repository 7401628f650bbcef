//! The archive a command works on, and the snapshots and files that arguments name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Global;
use super::failure::Failure;
use crate::archive::{Archive, Snapshot};
use crate::disk::LocalDisk;
use crate::label::{Reader, Rules};
use crate::page::{Moment, Page};
use crate::report::layout::counted;
use crate::source::{Item, SourceOptions};

/// The archive used where none is named.
const DEFAULT_ARCHIVE: &str = "articles.pressmark";
/// The user's site rules, inside the archive's directory.
const SITES: &str = "sites.toml";

pub(super) fn archive_path(global: &Global) -> PathBuf {
    global
        .archive
        .clone()
        .unwrap_or_else(|| PathBuf::from(DEFAULT_ARCHIVE))
}

/// Opens the archive for reading; there must be one.
pub(super) fn open(global: &Global) -> Result<Archive, Failure> {
    let path = archive_path(global);
    if !path.is_dir() {
        return Err(Failure::at(
            path.display(),
            "there is no archive; `pressmark add` makes one, -A names another",
        ));
    }
    Archive::open(Arc::new(LocalDisk::new(&path))).map_err(|error| Failure::from(error).inside(&path))
}

/// Opens the archive for reading with every snapshot's blocks in the catalog, so that revisions are
/// told by texts.
pub(super) fn open_complete(global: &Global) -> Result<Archive, Failure> {
    let mut archive = open(global)?;
    bring_up_to_date(
        &mut archive,
        &Reader::new(rules(global)?, crate::recipe::DEFAULT_ATTRIBUTE),
    )?;
    Ok(archive)
}

/// Opens the archive for adding, made if there is none; whether it was made.
pub(super) fn create_or_open(global: &Global) -> Result<(Archive, bool), Failure> {
    let path = archive_path(global);
    Archive::create_or_open(Arc::new(LocalDisk::new(&path)))
        .map_err(|error| Failure::from(error).inside(&path))
}

/// The built-in site rules, overridden by those of the archive.
pub(super) fn rules(global: &Global) -> Result<Rules, Failure> {
    let path = sites_path(global);
    match std::fs::read_to_string(&path) {
        Ok(toml) => Rules::builtin()
            .with_toml(&toml)
            .map_err(|error| Failure::at(path.display(), error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Rules::builtin()),
        Err(error) => Err(Failure::at(path.display(), error)),
    }
}

/// The file of the user's site rules.
pub(super) fn sites_path(global: &Global) -> PathBuf {
    archive_path(global).join(SITES)
}

/// Puts an entry behind the user's site rules. The file is replaced as a whole, and only by one that
/// can be read.
pub(super) fn add_rule(global: &Global, entry: &str) -> Result<(), Failure> {
    let path = sites_path(global);
    let at = |error: &dyn std::fmt::Display| Failure::at(path.display(), error);
    if !archive_path(global).is_dir() {
        return Err(at(
            &"there is no archive to keep site rules in; `pressmark add` makes one, -A names another",
        ));
    }
    let mut toml = match std::fs::read_to_string(&path) {
        Ok(toml) => toml,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(at(&error)),
    };
    if !toml.is_empty() {
        toml.push_str(if toml.ends_with('\n') { "\n" } else { "\n\n" });
    }
    toml.push_str(entry);
    Rules::builtin().with_toml(&toml).map_err(|error| at(&error))?;
    let new = path.with_extension("toml.new");
    std::fs::write(&new, toml)
        .and_then(|()| std::fs::rename(&new, &path))
        .map_err(|error| at(&error))
}

/// Builds what the catalog lacks about blocks, so that the answers of `log`, `find` and `check` are
/// complete.
pub(super) fn bring_up_to_date(archive: &mut Archive, reader: &Reader) -> Result<(), Failure> {
    if archive.unindexed()? > 0 {
        super::reindex::rebuild(archive, reader, false)?;
    }
    Ok(())
}

/// A page that an argument named.
pub(super) struct NamedPage {
    /// The name for headings: the file's path, or address and number.
    pub(super) name: String,
    pub(super) page: Page,
    /// The snapshot, if the page is from the archive.
    pub(super) snapshot: Option<Snapshot>,
}

/// Whether an argument names a file on disk rather than a snapshot.
pub(super) fn is_file(name: &str) -> bool {
    name == "-" || Path::new(name).is_file()
}

/// The page that `name` stands for: a file, standard input, or a snapshot of the archive.
pub(super) fn page(global: &Global, name: &str) -> Result<NamedPage, Failure> {
    if is_file(name) {
        return file(name);
    }
    let archive = open(global).map_err(|failure| {
        Failure::new(format!(
            "{name:?} is no file here, and to look for a snapshot of that name: {failure}"
        ))
    })?;
    let snapshot = snapshot(&archive, name)?;
    restored(&archive, &snapshot)
}

pub(super) fn restored(archive: &Archive, snapshot: &Snapshot) -> Result<NamedPage, Failure> {
    let page = archive.restore(snapshot)?;
    Ok(NamedPage {
        name: format!("{}@{}", snapshot.address, snapshot.n),
        page,
        snapshot: Some(snapshot.clone()),
    })
}

fn file(name: &str) -> Result<NamedPage, Failure> {
    let mut items = crate::source::open(name, &SourceOptions::default())?;
    loop {
        match items.next() {
            Some(Item::Page(page, _)) => {
                return Ok(NamedPage {
                    name: name.to_owned(),
                    page: *page,
                    snapshot: None,
                });
            }
            Some(Item::Skipped(fault) | Item::Noted(fault)) => return Err(Failure::new(fault)),
            Some(Item::LeftOut(_)) => {}
            None => return Err(Failure::at(name, "there is no page in it")),
        }
    }
}

/// The snapshot that `name` stands for: `ADDRESS`, `ADDRESS@N` or `ADDRESS@TIME`. An exact match of
/// the address wins, else the name is split at its last `@`.
pub(super) fn snapshot(archive: &Archive, name: &str) -> Result<Snapshot, Failure> {
    let (snapshots, which) = split(archive, name)?;
    let count = snapshots.len() as u64;
    let found = match which {
        Which::Newest => snapshots.into_iter().next_back(),
        Which::Number(n) => {
            let position = if n < 0 {
                i128::from(count) + i128::from(n)
            } else {
                i128::from(n) - 1
            };
            usize::try_from(position)
                .ok()
                .and_then(|position| snapshots.into_iter().nth(position))
        }
        Which::Time(time) => snapshots
            .into_iter()
            .rev()
            .find(|snapshot| snapshot.moment.is_some_and(|moment| moment <= time)),
    };
    found.ok_or_else(|| {
        Failure::new(format!(
            "{name}: the article has {}, none of them fits; `pressmark log` lists them",
            counted(count, "snapshot")
        ))
    })
}

/// All snapshots of the article `name` stands for, without a number or time.
pub(super) fn article(archive: &Archive, name: &str) -> Result<Vec<Snapshot>, Failure> {
    match split(archive, name)? {
        (snapshots, Which::Newest) => Ok(snapshots),
        _ => Err(Failure::new(format!("{name}: name the article without @"))),
    }
}

enum Which {
    Newest,
    Number(i64),
    Time(Moment),
}

fn split(archive: &Archive, name: &str) -> Result<(Vec<Snapshot>, Which), Failure> {
    let exact = archive.snapshots(name)?;
    if !exact.is_empty() {
        return Ok((exact, Which::Newest));
    }
    let unknown = || {
        Failure::new(format!(
            "{name}: not in the archive; `pressmark list` shows what is"
        ))
    };
    let (address, suffix) = name.rsplit_once('@').ok_or_else(unknown)?;
    let snapshots = archive.snapshots(address)?;
    if snapshots.is_empty() {
        return Err(unknown());
    }
    if let Ok(number) = suffix.parse() {
        return Ok((snapshots, Which::Number(number)));
    }
    // A time without seconds means the end of its minute, a day the end of the day.
    let time: Moment = suffix.parse().map_err(|_| {
        Failure::new(format!(
            "{name}: after @ stands a number (1 = oldest, -1 = newest) or a time such as 2025-08-31T06:01"
        ))
    })?;
    Ok((
        snapshots,
        Which::Time(Moment(time.0.saturating_add(slack(suffix)))),
    ))
}

/// Nanoseconds by which a time may still be later and be what the spelling says: the rest of the
/// second, minute or day that is not spelled out.
fn slack(spelled: &str) -> i64 {
    const SECOND: i64 = 1_000_000_000;
    let clock = spelled.split_once(['T', 't', ' ']).map_or("", |(_, clock)| clock);
    let digits: String = clock
        .split(['Z', 'z', '+', '-'])
        .next()
        .unwrap_or_default()
        .to_owned();
    match digits.matches(':').count() {
        _ if digits.contains('.') => 0,
        0 if digits.is_empty() => 86_400 * SECOND - 1,
        0 | 1 => 60 * SECOND - 1,
        _ => SECOND - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_spelled_out_may_be_later() {
        assert_eq!(slack("2025-08-31T06:01:39.5Z"), 0);
        assert_eq!(slack("2025-08-31T06:01:39Z"), 999_999_999);
        assert_eq!(slack("2025-08-31T06:01"), 59_999_999_999);
        assert_eq!(slack("2025-08-31T06:01+09:00"), 59_999_999_999);
        assert_eq!(slack("2025-08-31"), 86_399_999_999_999);
    }
}
