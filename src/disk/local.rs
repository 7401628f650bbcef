//! An archive in a directory of the local file system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Disk, Entry, Lock, ReadAt, WriteFile};

/// The directory of an archive.
#[derive(Debug, Clone)]
pub struct LocalDisk {
    root: PathBuf,
    read_only: bool,
}

impl LocalDisk {
    /// A disk over the directory `root`, which need not exist yet.
    ///
    /// The lock file tells whether the archive can be written to: permission bits alone do not (a
    /// read-only mount, root).
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let lock = OpenOptions::new().write(true).open(root.join("lock"));
        let read_only = lock.is_err_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
            )
        });
        Self { root, read_only }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

impl Disk for LocalDisk {
    fn open(&self, path: &str) -> io::Result<Arc<dyn ReadAt>> {
        Ok(Arc::new(LocalFile {
            file: File::open(self.path(path))?,
        }))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn WriteFile>> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(self.path(path))?;
        Ok(Box::new(LocalWrite { file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.path(path))
    }

    fn list(&self, dir: &str) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.path(dir))? {
            let entry = entry?;
            // A file removed while the directory is read is simply not there any more.
            let meta = match entry.metadata() {
                Ok(meta) => meta,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            entries.push(Entry {
                name,
                length: if meta.is_dir() { 0 } else { meta.len() },
                is_dir: meta.is_dir(),
                modified: meta.modified().ok(),
            });
        }
        Ok(entries)
    }

    fn create_dir(&self, dir: &str) -> io::Result<()> {
        fs::create_dir_all(self.path(dir))
    }

    /// A file system that knows nothing of syncing directories says so: those of read-only media, and some
    /// of the network. There is nothing to be made durable then, or no way to.
    #[cfg(unix)]
    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        match File::open(self.path(dir))?.sync_all() {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput
                        | io::ErrorKind::Unsupported
                        | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Ok(())
            }
            synced => synced,
        }
    }

    /// Elsewhere a directory cannot be opened as a file, and renames are durable by themselves.
    #[cfg(not(unix))]
    fn sync_dir(&self, _dir: &str) -> io::Result<()> {
        Ok(())
    }

    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn Lock>>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.path(path))?;
        let free = try_lock(&file)?;
        Ok(free.then(|| -> Box<dyn Lock> { Box::new(LocalLock { _file: file }) }))
    }

    fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn local_root(&self) -> Option<&Path> {
        Some(&self.root)
    }
}

#[derive(Debug)]
struct LocalFile {
    file: File,
}

impl ReadAt for LocalFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    #[cfg(unix)]
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            let read = std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer = &mut buffer[read..];
            offset += read as u64;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct LocalWrite {
    file: File,
}

impl Write for LocalWrite {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl WriteFile for LocalWrite {
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn try_lock(&mut self) -> io::Result<bool> {
        try_lock(&self.file)
    }
}

/// Takes the operating system's lock on an open file; whether it was free.
fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// The operating system's lock on an open file; it goes when the file is closed.
#[derive(Debug)]
struct LocalLock {
    _file: File,
}

impl Lock for LocalLock {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::read_at;

    #[test]
    fn files_are_written_renamed_listed_and_read() {
        let dir = tempfile::tempdir().unwrap();
        let disk = LocalDisk::new(dir.path());
        assert!(!disk.is_read_only());
        disk.create_dir("packs/ab").unwrap();
        let mut file = disk.create("packs/ab/x").unwrap();
        file.write_all(b"hello world").unwrap();
        file.sync().unwrap();
        assert!(disk.create("packs/ab/x").is_err(), "create never overwrites");
        disk.rename("packs/ab/x", "packs/y").unwrap();
        disk.sync_dir("packs").unwrap();
        let open = disk.open("packs/y").unwrap();
        assert_eq!(open.len().unwrap(), 11);
        disk.remove("packs/y").unwrap();
        assert_eq!(read_at(&*open, 6, 5).unwrap(), b"world");
        assert!(read_at(&*open, 7, 5).is_err());
        let names: Vec<_> = disk.list("packs").unwrap().into_iter().map(|e| e.name).collect();
        assert_eq!(names, ["ab"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_system_that_cannot_sync_directories_can_be_read() {
        // `/proc` is one: the system refuses, as for an archive on a disc or in a squashfs image.
        assert!(File::open("/proc/self").unwrap().sync_all().is_err());
        LocalDisk::new("/proc").sync_dir("self").unwrap();
        assert!(LocalDisk::new("/proc").sync_dir("no such directory").is_err());
    }

    #[test]
    fn a_file_being_written_can_be_locked() {
        let dir = tempfile::tempdir().unwrap();
        let disk = LocalDisk::new(dir.path());
        let mut file = disk.create("x").unwrap();
        assert!(file.try_lock().unwrap());
        assert!(disk.try_lock("x").unwrap().is_none());
        drop(file);
        assert!(disk.try_lock("x").unwrap().is_some());
    }

    #[test]
    fn one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let disk = LocalDisk::new(dir.path());
        let held = disk.try_lock("lock").unwrap();
        assert!(held.is_some());
        assert!(disk.try_lock("lock").unwrap().is_none());
        drop(held);
        assert!(disk.try_lock("lock").unwrap().is_some());
    }
}
