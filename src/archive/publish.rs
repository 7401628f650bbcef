//! Files in `tmp/`, and their way to a name among the packs: written, synced, renamed, directory synced.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Error, ErrorKind, Write};
use std::sync::Arc;
use std::time::Duration;

use super::{Archive, ArchiveError, Maintenance, layout};
use crate::digest::Hash;
use crate::disk::{Disk, WriteFile};
use crate::pack::{PackBuilder, Record};

/// After this long nobody is writing to a file in `tmp/` any more, whether locks can tell or not.
const TMP_AGE: Duration = Duration::from_hours(24);

/// A name in `tmp/` that nobody else uses. The number of the process alone would not do: in containers
/// that share an archive it may be the same.
fn tmp_name() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("{}/{}-{random:016x}.pack", layout::TMP, std::process::id())
}

/// A file in `tmp/`, removed unless it was published.
#[derive(Debug)]
pub(crate) struct TmpFile {
    disk: Arc<dyn Disk>,
    path: String,
    file: Box<dyn WriteFile>,
    published: bool,
}

impl TmpFile {
    /// Syncs the file and gives it its name among the packs.
    pub fn publish(mut self, archive: &Archive, name: &Hash) -> Result<(), ArchiveError> {
        self.file
            .sync()
            .map_err(|error| ArchiveError::io(&self.path, error))?;
        archive.publish_tmp(&self.path, name)?;
        self.published = true;
        Ok(())
    }
}

impl Write for TmpFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Drop for TmpFile {
    fn drop(&mut self) {
        if !self.published {
            // What is left over in tmp/ is no part of the archive.
            let _ = self.disk.remove(&self.path);
        }
    }
}

impl Archive {
    /// A new file in `tmp/`.
    pub(crate) fn tmp_file(&self) -> Result<TmpFile, ArchiveError> {
        self.make_dir(layout::TMP)?;
        loop {
            let path = tmp_name();
            let mut file = self
                .disk
                .create(&path)
                .map_err(|error| ArchiveError::io(&path, error))?;
            // Whoever clears up was quicker and takes it for a dead one's, or took it away already. Where the
            // medium knows no locks its age will tell.
            let lost = matches!(file.try_lock(), Ok(false));
            let gone = |error: Error| error.kind() == ErrorKind::NotFound;
            if lost || self.disk.open(&path).is_err_and(gone) {
                continue;
            }
            return Ok(TmpFile {
                disk: self.disk.clone(),
                path,
                file,
                published: false,
            });
        }
    }

    /// Commits a pack of nothing but records and reads it in. Where another process holds the catalog, the
    /// pack is there and the catalog does not know it: [`ArchiveError::Unfinished`].
    pub(crate) fn publish_records(&self, records: Vec<Record>) -> Result<(), ArchiveError> {
        let mut pack = PackBuilder::new(Vec::new(), false)?;
        for record in records {
            pack.record(record);
        }
        let finished = pack.finish()?;
        self.publish(&finished.name, &finished.out)?;
        match self.catch_up(None) {
            Err(ArchiveError::Catalog(error)) if error.is_busy() => Err(ArchiveError::Unfinished),
            other => other.map(drop),
        }
    }

    /// Removes what dead processes left in `tmp/`: files that nobody holds, or, where the medium knows no
    /// locks, that nobody wrote to for a day. They are pages as well as the packs are.
    pub(crate) fn clear_tmp(&self, _lock: &Maintenance) -> Result<(), ArchiveError> {
        let entries = self.disk.list(layout::TMP).unwrap_or_default();
        for entry in entries.into_iter().filter(|entry| !entry.is_dir) {
            let path = format!("{}/{}", layout::TMP, entry.name);
            // Held until the file is gone: nobody can begin to write to it.
            let held = self.disk.try_lock(&path);
            let age = entry.modified.and_then(|time| time.elapsed().ok());
            let is_left = match &held {
                Ok(free) => free.is_some(),
                Err(_) => age.is_some_and(|age| age > TMP_AGE),
            };
            if is_left {
                match self.disk.remove(&path) {
                    // Whoever wrote to it was done with it meanwhile.
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(ArchiveError::io(&path, error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Writes a finished pack that is in memory to its place.
    pub(crate) fn publish(&self, name: &Hash, bytes: &[u8]) -> Result<(), ArchiveError> {
        let mut file = self.tmp_file()?;
        file.write_all(bytes)
            .map_err(|error| ArchiveError::io(&file.path, error))?;
        file.publish(self, name)
    }

    /// Gives a complete and synced file in `tmp/` its name among the packs.
    fn publish_tmp(&self, tmp: &str, name: &Hash) -> Result<(), ArchiveError> {
        let dir = layout::pack_dir(name);
        self.make_dir(&dir)?;
        let path = layout::pack_path(name);
        self.disk
            .rename(tmp, &path)
            .map_err(|error| ArchiveError::io(&path, error))?;
        self.sync_name(name)
    }

    /// Makes the name of a pack durable, whoever gave it: only then may anything rest on the pack.
    pub(super) fn sync_name(&self, name: &Hash) -> Result<(), ArchiveError> {
        for dir in [layout::pack_dir(name).as_str(), layout::PACKS] {
            self.disk
                .sync_dir(dir)
                .map_err(|error| ArchiveError::io(dir, error))?;
        }
        Ok(())
    }

    fn make_dir(&self, dir: &str) -> Result<(), ArchiveError> {
        if self.disk.list(dir).is_ok() {
            return Ok(());
        }
        self.disk
            .create_dir(dir)
            .map_err(|error| ArchiveError::io(dir, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemoryDisk;

    #[test]
    fn a_file_being_written_is_nobody_elses() {
        let (archive, _) = Archive::create_or_open(Arc::new(MemoryDisk::new())).unwrap();
        let mut files: Vec<TmpFile> = (0..3).map(|_| archive.tmp_file().unwrap()).collect();
        let mut names: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 3);
        for file in &mut files {
            file.write_all(b"a part").unwrap();
        }
        assert_eq!(archive.disk.list(layout::TMP).unwrap().len(), 3);
        let lock = archive.maintain().unwrap().unwrap();
        archive.clear_tmp(&lock).unwrap();
        assert_eq!(archive.disk.list(layout::TMP).unwrap().len(), 3);
        drop(files);
        assert!(archive.disk.list(layout::TMP).unwrap().is_empty());
    }
}
