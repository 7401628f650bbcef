//! A disk in memory that can be made to fail, tear, or lose what was not synced.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, Entry, Lock, ReadAt, WriteFile};

/// What happens at the chosen operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The operation fails once; later ones work again.
    Error,
    /// A write keeps half of its bytes and fails, and so does everything after it. Other operations
    /// fail without effect.
    Tear,
    /// The operation and everything after it fails: the process is dead.
    Dead,
}

/// What the medium holds after the power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Everything written, synced or not.
    KeepAll,
    /// Only synced content under synced names.
    LoseUnsynced,
    /// Names are kept, unsynced content is gone: the file is there but short.
    LoseContent,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    bytes: Vec<u8>,
    synced: usize,
}

type Node = Arc<Mutex<Inode>>;

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Node>,
    /// The names as they were when their directory was last synced.
    durable: BTreeMap<String, Node>,
    dirs: BTreeSet<String>,
    locks: HashSet<String>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    dead: bool,
    read_only: bool,
}

/// Files in memory. Clones share the same files.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn injected() -> io::Error {
    io::Error::other("injected fault")
}

fn missing(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{path} not found"))
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

impl MemoryDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `fault` strike at the operation numbered `at`, counted from 0 from now on.
    pub fn fail_at(&self, at: u64, fault: Fault) {
        let mut state = held(&self.state);
        state.operations = 0;
        state.fault = Some((at, fault));
    }

    /// Operations since the last [`MemoryDisk::fail_at`] or the beginning.
    #[must_use]
    pub fn operations(&self) -> u64 {
        held(&self.state).operations
    }

    /// Whether the fault has struck.
    #[must_use]
    pub fn struck(&self) -> bool {
        let state = held(&self.state);
        state.fault.is_some_and(|(at, _)| state.operations > at)
    }

    /// Makes the disk refuse every write from now on.
    pub fn set_read_only(&self, read_only: bool) {
        held(&self.state).read_only = read_only;
    }

    /// What is found after the machine comes up again: a new disk, without faults or locks.
    #[must_use]
    pub fn after(&self, crash: Crash) -> Self {
        let state = held(&self.state);
        let source = match crash {
            Crash::KeepAll | Crash::LoseContent => &state.files,
            Crash::LoseUnsynced => &state.durable,
        };
        let files: BTreeMap<String, Node> = source
            .iter()
            .map(|(name, node)| {
                let mut copy = held(node).clone();
                if crash != Crash::KeepAll {
                    copy.bytes.truncate(copy.synced);
                }
                copy.synced = copy.bytes.len();
                (name.clone(), Arc::new(Mutex::new(copy)))
            })
            .collect();
        let survived = State {
            durable: files.clone(),
            files,
            dirs: state.dirs.clone(),
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(survived)),
        }
    }

    /// Every file with its bytes, by path.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        held(&self.state)
            .files
            .iter()
            .map(|(name, node)| (name.clone(), held(node).bytes.clone()))
            .collect()
    }

    /// Puts a file there, synced, outside all counting: for tests that damage files.
    pub fn put(&self, path: &str, bytes: Vec<u8>) {
        let synced = bytes.len();
        let node = Arc::new(Mutex::new(Inode { bytes, synced }));
        let mut state = held(&self.state);
        state.files.insert(path.to_owned(), node.clone());
        state.durable.insert(path.to_owned(), node);
        state.dirs.insert(parent(path).to_owned());
    }

    /// Counts one operation; the fault it meets, if any.
    fn step(&self, writes: bool) -> io::Result<MutexGuard<'_, State>> {
        let mut state = held(&self.state);
        let fault = state.count();
        match fault {
            Some(_) => Err(injected()),
            None if state.dead => Err(injected()),
            None if writes && state.read_only => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            None => Ok(state),
        }
    }
}

impl State {
    fn count(&mut self) -> Option<Fault> {
        let now = self.operations;
        self.operations += 1;
        let (at, fault) = self.fault?;
        if now != at {
            return None;
        }
        self.dead |= fault != Fault::Error;
        Some(fault)
    }
}

impl Disk for MemoryDisk {
    fn open(&self, path: &str) -> io::Result<Arc<dyn ReadAt>> {
        let state = self.step(false)?;
        let node = state.files.get(path).ok_or_else(|| missing(path))?.clone();
        drop(state);
        Ok(Arc::new(MemoryFile {
            node,
            disk: self.clone(),
        }))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn WriteFile>> {
        let mut state = self.step(true)?;
        if !state.dirs.contains(parent(path)) && !parent(path).is_empty() {
            return Err(missing(parent(path)));
        }
        if state.files.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let node = Node::default();
        state.files.insert(path.to_owned(), node.clone());
        drop(state);
        Ok(Box::new(MemoryWrite {
            node,
            path: path.to_owned(),
            lock: None,
            disk: self.clone(),
        }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.step(true)?;
        if !state.dirs.contains(parent(to)) && !parent(to).is_empty() {
            return Err(missing(parent(to)));
        }
        let node = state.files.remove(from).ok_or_else(|| missing(from))?;
        state.files.insert(to.to_owned(), node);
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut state = self.step(true)?;
        state.files.remove(path).map(drop).ok_or_else(|| missing(path))
    }

    fn list(&self, dir: &str) -> io::Result<Vec<Entry>> {
        let state = self.step(false)?;
        if !dir.is_empty() && !state.dirs.contains(dir) {
            return Err(missing(dir));
        }
        let files = state
            .files
            .iter()
            .filter(|(path, _)| parent(path) == dir)
            .map(|(path, node)| Entry {
                name: path[dir.len()..].trim_start_matches('/').to_owned(),
                length: held(node).bytes.len() as u64,
                is_dir: false,
                modified: None,
            });
        let dirs = state
            .dirs
            .iter()
            .filter(|path| !path.is_empty() && parent(path) == dir && *path != dir)
            .map(|path| Entry {
                name: path[dir.len()..].trim_start_matches('/').to_owned(),
                length: 0,
                is_dir: true,
                modified: None,
            });
        Ok(files.chain(dirs).collect())
    }

    fn create_dir(&self, dir: &str) -> io::Result<()> {
        let mut state = self.step(true)?;
        let mut path = dir;
        while !path.is_empty() {
            state.dirs.insert(path.to_owned());
            path = parent(path);
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        let mut state = self.step(true)?;
        state.durable.retain(|path, _| parent(path) != dir);
        let now: Vec<(String, Node)> = state
            .files
            .iter()
            .filter(|(path, _)| parent(path) == dir)
            .map(|(path, node)| (path.clone(), node.clone()))
            .collect();
        state.durable.extend(now);
        Ok(())
    }

    fn try_lock(&self, path: &str) -> io::Result<Option<Box<dyn Lock>>> {
        let mut state = self.step(true)?;
        if !state.locks.insert(path.to_owned()) {
            return Ok(None);
        }
        drop(state);
        Ok(Some(Box::new(MemoryLock {
            path: path.to_owned(),
            disk: self.clone(),
        })))
    }

    fn is_read_only(&self) -> bool {
        held(&self.state).read_only
    }

    fn local_root(&self) -> Option<&Path> {
        None
    }
}

#[derive(Debug)]
struct MemoryFile {
    node: Node,
    disk: MemoryDisk,
}

impl ReadAt for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(held(&self.node).bytes.len() as u64)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        drop(self.disk.step(false)?);
        let node = held(&self.node);
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = start
            .checked_add(buffer.len())
            .and_then(|end| node.bytes.get(start..end))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

#[derive(Debug)]
struct MemoryWrite {
    node: Node,
    path: String,
    lock: Option<Box<dyn Lock>>,
    disk: MemoryDisk,
}

impl Write for MemoryWrite {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (fault, refused) = {
            let mut state = held(&self.disk.state);
            let fault = state.count();
            (fault, state.dead || state.read_only)
        };
        let mut node = held(&self.node);
        match fault {
            Some(Fault::Tear) => {
                node.bytes.extend_from_slice(&bytes[..bytes.len() / 2]);
                Err(injected())
            }
            Some(_) => Err(injected()),
            None if refused => Err(injected()),
            None => {
                node.bytes.extend_from_slice(bytes);
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteFile for MemoryWrite {
    fn sync(&mut self) -> io::Result<()> {
        drop(self.disk.step(true)?);
        let mut node = held(&self.node);
        node.synced = node.bytes.len();
        Ok(())
    }

    fn try_lock(&mut self) -> io::Result<bool> {
        if self.lock.is_none() {
            self.lock = self.disk.try_lock(&self.path)?;
        }
        Ok(self.lock.is_some())
    }
}

#[derive(Debug)]
struct MemoryLock {
    path: String,
    disk: MemoryDisk,
}

impl Lock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        held(&self.disk.state).locks.remove(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(disk: &MemoryDisk, path: &str, bytes: &[u8], sync: bool) -> io::Result<()> {
        let mut file = disk.create(path)?;
        file.write_all(bytes)?;
        if sync {
            file.sync()?;
        }
        Ok(())
    }

    #[test]
    fn unsynced_content_and_names_are_lost() {
        let disk = MemoryDisk::new();
        disk.create_dir("d").unwrap();
        write(&disk, "d/synced", b"abc", true).unwrap();
        write(&disk, "d/loose", b"abc", false).unwrap();
        disk.sync_dir("d").unwrap();
        write(&disk, "d/unnamed", b"abc", true).unwrap();
        let lost = disk.after(Crash::LoseUnsynced).files();
        assert_eq!(lost["d/synced"], b"abc");
        assert_eq!(lost["d/loose"], b"");
        assert!(!lost.contains_key("d/unnamed"));
        let short = disk.after(Crash::LoseContent).files();
        assert_eq!(short["d/unnamed"], b"abc");
        assert_eq!(short["d/loose"], b"");
        assert_eq!(disk.after(Crash::KeepAll).files()["d/loose"], b"abc");
    }

    #[test]
    fn a_fault_strikes_at_its_operation() {
        let disk = MemoryDisk::new();
        disk.create_dir("d").unwrap();
        disk.fail_at(1, Fault::Tear);
        assert!(write(&disk, "d/a", b"abcd", true).is_err());
        assert!(disk.struck());
        assert_eq!(disk.files()["d/a"], b"ab");
        assert!(disk.list("d").is_err(), "the process is dead");
        assert!(disk.after(Crash::KeepAll).list("d").is_ok());
        disk.fail_at(0, Fault::Error);
        let disk = disk.after(Crash::KeepAll);
        disk.fail_at(0, Fault::Error);
        assert!(disk.list("d").is_err());
        assert!(disk.list("d").is_ok(), "an error passes");
    }
}
