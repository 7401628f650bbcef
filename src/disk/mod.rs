//! The only door to the archive's files: write whole, sync, rename, list, lock.
//!
//! Never: knows a format.

mod local;
mod memory;

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use local::LocalDisk;
pub use memory::{Crash, Fault, MemoryDisk};

/// Where an archive's files live. Paths are relative to the archive's root, parts joined by `/`.
///
/// It is a trait so that tests can make every operation fail, tear, or lose what was not synced.
pub trait Disk: Debug + Send + Sync {
    /// Opens a file for reading at any position.
    fn open(&self, path: &str) -> io::Result<Arc<dyn ReadAt>>;

    /// Creates a new file for writing from its start; an existing file of that name is an error.
    fn create(&self, path: &str) -> io::Result<Box<dyn WriteFile>>;

    /// Gives a file another name, replacing what bears that name. Durable after [`Disk::sync_dir`]
    /// of both directories.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// The files and directories in a directory, in no particular order.
    fn list(&self, dir: &str) -> io::Result<Vec<Entry>>;

    /// Makes a directory and those above it; one that exists already is fine.
    fn create_dir(&self, dir: &str) -> io::Result<()>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;

    /// Takes the exclusive lock on a file, making the file if need be; `None` if another holds it.
    /// The lock is gone with the value or with the process.
    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn Lock>>>;

    /// Whether nothing can be written here.
    fn is_read_only(&self) -> bool;

    /// The root in the local file system, if there is one: the catalog's library opens files itself.
    fn local_root(&self) -> Option<&Path>;
}

/// A file open for reading. It stays readable after its name is gone.
pub trait ReadAt: Debug + Send + Sync {
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file holds no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `buffer` from the bytes at `offset`; `UnexpectedEof` if the file ends before.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

/// A file being written from its start to its end.
pub trait WriteFile: io::Write + Debug + Send {
    /// Makes everything written so far durable.
    fn sync(&mut self) -> io::Result<()>;

    /// Takes the exclusive lock on the file, for others to see that somebody writes to it; whether it was
    /// free. It is gone when the file is closed.
    fn try_lock(&mut self) -> io::Result<bool>;
}

/// A held lock.
pub trait Lock: Debug + Send {}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, without the directory.
    pub name: String,
    /// Length in bytes; 0 for directories.
    pub length: u64,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// When it was last written, where known.
    pub modified: Option<std::time::SystemTime>,
}

/// Reads `length` bytes at `offset`.
pub fn read_at(file: &dyn ReadAt, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; length];
    file.read_exact_at(&mut buffer, offset)?;
    Ok(buffer)
}
