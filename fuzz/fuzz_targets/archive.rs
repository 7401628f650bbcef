//! Any bytes as a pack: it opens or is refused, without a panic and within limits, and what is restored
//! has the hash its record says.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use pressmark::archive::Archive;
use pressmark::digest::blake3;
use pressmark::disk::{Disk, MemoryDisk};
use pressmark::pack::Pack;
use pressmark::pack::frame::{FIXED, Frame, MAGIC, check};
use pressmark::pack::scan::scan;

/// Makes the checks of the frames right, so that the fuzzer gets behind them.
fn with_checks(input: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    if bytes.len() < 32 {
        return bytes;
    }
    bytes[..12].copy_from_slice(b"\x8aPMPACK\n\x01\x00\x20\x00");
    let header: [u8; 8] = check(&bytes[..24]);
    bytes[24..32].copy_from_slice(&header);
    let mut at = 32;
    while let Some(needed) = Frame::needed(&bytes[at..]) {
        let Some(head_end) = at.checked_add(needed - 4).filter(|end| end + 4 <= bytes.len()) else { break };
        let stored = u32::from_le_bytes([bytes[at + 12], bytes[at + 13], bytes[at + 14], bytes[at + 15]]) as usize;
        let end = (head_end + 4 + stored).min(bytes.len());
        let payload: [u8; 8] = check(&bytes[head_end + 4..end]);
        bytes[at + 16..at + FIXED].copy_from_slice(&payload);
        let head: [u8; 4] = check(&bytes[at..head_end]);
        bytes[head_end..head_end + 4].copy_from_slice(&head);
        if end + MAGIC.len() > bytes.len() {
            break;
        }
        at = end;
    }
    bytes
}

fuzz_target!(|input: &[u8]| {
    for bytes in [input.to_vec(), with_checks(input)] {
        let disk = MemoryDisk::new();
        let name = blake3(&bytes).to_string();
        let dir = format!("packs/{}", &name[..2]);
        let path = format!("{dir}/{name}.pack");
        disk.create_dir(&dir).unwrap();
        disk.put(&path, bytes);
        if let Ok(pack) = Pack::open(disk.open(&path).unwrap()) {
            let _ = scan(&pack).count();
            if let Ok(directory) = pack.directory() {
                let _ = pack.page_table(directory.page_table_at);
            }
        }
        let Ok(archive) = Archive::open(Arc::new(disk)) else { continue };
        for snapshot in archive.all_snapshots().unwrap() {
            if let Ok(page) = archive.restore(&snapshot) {
                assert_eq!(blake3(&page.body), snapshot.body);
            }
        }
    }
});
