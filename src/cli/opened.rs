//! The archive a command works on, and the snapshots and files that arguments name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Global;
use super::arguments::Reading;
use super::failure::Failure;
use super::terminal::tell_user;
use crate::archive::{Archive, Snapshot};
use crate::disk::LocalDisk;
use crate::label::{Reader, Rules, with_attribute};
use crate::page::{Moment, Page};
use crate::recipe::DEFAULT_ATTRIBUTE;
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
        return Err(no_archive(&path));
    }
    let archive =
        Archive::open(Arc::new(LocalDisk::new(&path))).map_err(|error| Failure::from(error).inside(&path))?;
    tell_of_lost_packs(&archive, &path)?;
    Ok(archive)
}

/// What vanished is told by every command until it is back, or until `repair` accepts it.
fn tell_of_lost_packs(archive: &Archive, path: &Path) -> Result<(), Failure> {
    let lost = archive.lost_packs()?;
    if !lost.is_empty() {
        let snapshots = lost.iter().map(|pack| pack.snapshots).sum();
        tell_user(&format!(
            "{}: {} missing, with {} that no other pack holds; `pressmark scrub` tells more",
            path.display(),
            counted(lost.len() as u64, "pack"),
            counted(snapshots, "snapshot"),
        ));
    }
    Ok(())
}

fn no_archive(path: &Path) -> Failure {
    Failure::at(
        path.display(),
        "there is no archive; `pressmark add` makes one, -A names another",
    )
}

/// Opens the archive for reading with every snapshot's blocks in the catalog, so that the answers of
/// `log`, `find` and `check` are complete. The reader has declared hashes from where the catalog has
/// them: another attribute is refused.
pub(super) fn open_complete(global: &Global, reading: &Reading) -> Result<(Archive, Reader), Failure> {
    let mut archive = open(global)?;
    let reader = reading.reader(global)?;
    let inside = |failure: Failure| failure.inside(&archive_path(global));
    archive
        .declare_attribute(reader.declared_attribute())
        .map_err(|error| inside(error.into()))?;
    if archive.unindexed()? > 0 {
        super::reindex::rebuild(&mut archive, &reader)?;
    }
    Ok((archive, reader))
}

/// Opens the archive for adding, made if there is none; whether it was made.
pub(super) fn create_or_open(global: &Global) -> Result<(Archive, bool), Failure> {
    let path = archive_path(global);
    let (archive, made) = Archive::create_or_open(Arc::new(LocalDisk::new(&path)))
        .map_err(|error| Failure::from(error).inside(&path))?;
    tell_of_lost_packs(&archive, &path)?;
    Ok((archive, made))
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

/// Puts an entry behind the user's site rules.
pub(super) fn add_rule(global: &Global, entry: &str) -> Result<(), Failure> {
    edit_rules(global, |mut toml| {
        if !toml.is_empty() {
            toml.push_str(if toml.ends_with('\n') { "\n" } else { "\n\n" });
        }
        toml.push_str(entry);
        toml
    })
}

/// Has declared hashes read from this attribute from now on, unless they are already.
pub(super) fn keep_attribute(global: &Global, attribute: &str) -> Result<(), Failure> {
    if rules(global)?.attribute().unwrap_or(DEFAULT_ATTRIBUTE) == attribute {
        return Ok(());
    }
    edit_rules(global, |toml| with_attribute(&toml, attribute))
}

/// Changes the user's site rules. The file is replaced as a whole, and only by one that can be read.
fn edit_rules(global: &Global, edit: impl FnOnce(String) -> String) -> Result<(), Failure> {
    let path = sites_path(global);
    let at = |error: &dyn std::fmt::Display| Failure::at(path.display(), error);
    if !archive_path(global).is_dir() {
        return Err(at(
            &"there is no archive to keep site rules in; `pressmark add` makes one, -A names another",
        ));
    }
    let toml = match std::fs::read_to_string(&path) {
        Ok(toml) => edit(toml),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => edit(String::new()),
        Err(error) => return Err(at(&error)),
    };
    Rules::builtin().with_toml(&toml).map_err(|error| at(&error))?;
    let new = path.with_extension("toml.new");
    std::fs::write(&new, toml)
        .and_then(|()| std::fs::rename(&new, &path))
        .map_err(|error| at(&error))
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

/// The first name that is no file's, and so must be a snapshot's.
pub(super) fn snapshot_among<'n>(names: impl IntoIterator<Item = &'n String>) -> Option<&'n String> {
    names.into_iter().find(|name| !is_file(name))
}

/// Whether an archive is needed because of `snapshot`, a name that is no file's, and is there or was
/// named.
pub(super) fn has_shelf(global: &Global, snapshot: Option<&String>) -> bool {
    snapshot.is_some() && (global.archive.is_some() || archive_path(global).is_dir())
}

/// The archive in which `snapshot`, a name that is no file's, must stand. Where there is none and none
/// was named, [`page`] tells so of each such name.
pub(super) fn shelf(global: &Global, snapshot: Option<&String>) -> Result<Option<Archive>, Failure> {
    has_shelf(global, snapshot).then(|| open(global)).transpose()
}

/// The page that `name` stands for: a file, standard input, or a snapshot of the archive.
pub(super) fn page(archive: Option<&Archive>, name: &str) -> Result<NamedPage, Failure> {
    match archive {
        _ if is_file(name) => file(name),
        Some(archive) => restored(archive, &snapshot(archive, name)?),
        None => Err(Failure::new(format!(
            "{name:?} is no file here, and to look for a snapshot of that name: {}",
            no_archive(Path::new(DEFAULT_ARCHIVE))
        ))),
    }
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
    let mut found = None;
    for item in crate::source::open(name, &SourceOptions::default())? {
        match item {
            Item::Page(page, _) if found.is_none() => found = Some(page),
            Item::Page(..) => {
                return Err(Failure::at(
                    name,
                    "there are several pages in it; `pressmark add` it, and name one by its address",
                ));
            }
            Item::Skipped(fault) if found.is_none() => return Err(Failure::new(fault)),
            Item::Noted(fault) => super::terminal::tell_user(&fault.to_string()),
            Item::Skipped(_) | Item::LeftOut(_) => {}
        }
    }
    let page = found.ok_or_else(|| Failure::at(name, "there is no page in it"))?;
    Ok(NamedPage {
        name: name.to_owned(),
        page: *page,
        snapshot: None,
    })
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
        Which::Time { to, .. } => snapshots
            .into_iter()
            .rev()
            .find(|snapshot| snapshot.moment.is_some_and(|moment| moment <= to)),
    };
    found.ok_or_else(|| {
        Failure::new(format!(
            "{name}: the article has {}, none of them fits; `pressmark log` lists them",
            counted(count, "snapshot")
        ))
    })
}

/// The same for what cannot be undone: a time must be that of the snapshot. Otherwise the same words said
/// twice would mean the snapshot before it the second time.
pub(super) fn exact_snapshot(archive: &Archive, name: &str) -> Result<Snapshot, Failure> {
    let found = snapshot(archive, name)?;
    match split(archive, name)?.1 {
        Which::Time { from, .. } if found.moment.is_none_or(|moment| moment < from) => Err(Failure::new(
            format!("{name}: no snapshot is of this time; `pressmark log` lists them"),
        )),
        _ => Ok(found),
    }
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
    /// The earliest and the latest moment that may be meant.
    Time {
        from: Moment,
        to: Moment,
    },
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
    let to = Moment(time.0.saturating_add(slack(suffix)));
    Ok((snapshots, Which::Time { from: time, to }))
}

/// Nanoseconds by which a time may still be later and be what the spelling says: the rest of the
/// second, minute, hour or day that is not spelled out.
fn slack(spelled: &str) -> i64 {
    const SECOND: i64 = 1_000_000_000;
    let clock = spelled
        .trim()
        .split_once(['T', 't', ' '])
        .map_or("", |(_, clock)| clock);
    let clock = clock.split(['Z', 'z', '+', '-']).next().unwrap_or_default();
    if clock.contains(['.', ',']) {
        return 0;
    }
    // Two digits each, with colons between them or without.
    match clock.bytes().filter(u8::is_ascii_digit).count() {
        0 => 86_400 * SECOND - 1,
        1 | 2 => 3_600 * SECOND - 1,
        3 | 4 => 60 * SECOND - 1,
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
        assert_eq!(slack("2025-08-31T06"), 3_599_999_999_999);
        assert_eq!(slack("20250831T0601Z"), 59_999_999_999);
        assert_eq!(slack("20250831T060139Z"), 999_999_999);
        assert_eq!(slack("2025-08-31T06:01:39,5"), 0);
    }
}
