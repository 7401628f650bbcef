//! Packs nobody honest would write: refused, within fixed memory.

use std::sync::Arc;

use pressmark::archive::{Archive, Planned, Snapshot, WriterOptions, layout};
use pressmark::digest::{Hash, blake3};
use pressmark::disk::{Disk, MemoryDisk};
use pressmark::pack::codec::{Codec, compress, compress_group};
use pressmark::pack::frame::{Head, Kind, MAGIC, check, put_before_payload};
use pressmark::pack::scan::{Piece, scan};
use pressmark::pack::{
    Against, MAX_ALIKE_RECORDS, MAX_GROUP_PAGES, MAX_PAGE_BYTES, Pack, PackBuilder, Record, SnapshotRecord,
};
use pressmark::page::Page;

fn record(name: &str, body: Hash) -> Record {
    Record::Snapshot(SnapshotRecord {
        address: format!("https://hostile.example/{name}"),
        body,
        length: 1,
        ..SnapshotRecord::default()
    })
}

fn archive_of(builder: PackBuilder<Vec<u8>>) -> (Archive, Vec<Snapshot>) {
    let finished = builder.finish().unwrap();
    let disk = MemoryDisk::new();
    disk.create_dir("packs").unwrap();
    let hex = finished.name.to_string();
    let dir = format!("packs/{}", &hex[..2]);
    disk.create_dir(&dir).unwrap();
    disk.put(&format!("{dir}/{hex}.pack"), finished.out);
    let archive = Archive::open(Arc::new(disk)).unwrap();
    let snapshots = archive.all_snapshots().unwrap();
    (archive, snapshots)
}

#[test]
fn bombs_do_not_go_off() {
    let zeros = vec![0; 32 << 20];
    let bomb = compress(&zeros, None, 3);
    let mut builder = PackBuilder::new(Vec::new(), false).unwrap();
    // Says 100 bytes, holds 32 MiB.
    let body = blake3(&zeros);
    builder
        .page(&body, 100, None, Codec::Zstd, &bomb.payload)
        .unwrap();
    builder.record(record("bomb", body));
    // Says more than a page may have.
    builder
        .page(
            &Hash([1; 32]),
            MAX_PAGE_BYTES + 1,
            None,
            Codec::Zstd,
            &bomb.payload,
        )
        .unwrap();
    builder.record(record("giant", Hash([1; 32])));
    let (archive, snapshots) = archive_of(builder);
    assert_eq!(snapshots.len(), 2);
    assert!(
        snapshots
            .iter()
            .all(|snapshot| archive.restore(snapshot).is_err())
    );
}

#[test]
fn circles_and_deep_deltas_are_refused() {
    let mut builder = PackBuilder::new(Vec::new(), false).unwrap();
    let hash = |n: u32| blake3(&n.to_le_bytes());
    let payload = compress(&[7; 500], None, 3).payload;
    // A circle of two, one that rests on itself, and a chain of a thousand.
    builder
        .page(&hash(1), 500, Some((&hash(2), 2)), Codec::Zstd, &payload)
        .unwrap();
    builder
        .page(&hash(2), 500, Some((&hash(1), 2)), Codec::Zstd, &payload)
        .unwrap();
    builder
        .page(&hash(3), 500, Some((&hash(3), 1)), Codec::Zstd, &payload)
        .unwrap();
    for n in 10..1010 {
        builder
            .page(&hash(n), 500, Some((&hash(n - 1), n)), Codec::Zstd, &payload)
            .unwrap();
    }
    for n in [1, 2, 3, 50, 90, 1009] {
        builder.record(record(&n.to_string(), hash(n)));
    }
    let (archive, snapshots) = archive_of(builder);
    assert_eq!(snapshots.len(), 6);
    assert!(
        snapshots
            .iter()
            .all(|snapshot| archive.restore(snapshot).is_err())
    );
}

#[test]
fn many_copies_at_every_step_end_soon() {
    let mut builder = PackBuilder::new(Vec::new(), false).unwrap();
    let hash = |n: u32| blake3(&n.to_le_bytes());
    let payload = compress(&[7; 500], None, 3).payload;
    for n in 1..60 {
        for _ in 0..20 {
            builder
                .page(&hash(n), 500, Some((&hash(n - 1), n)), Codec::Zstd, &payload)
                .unwrap();
        }
    }
    builder.record(record("wide", hash(59)));
    let (archive, snapshots) = archive_of(builder);
    assert!(archive.restore(&snapshots[0]).is_err());
    // The page itself is offered: that nothing leads to its bytes must be seen soon, too.
    let mut writer = archive.writer(WriterOptions::default()).unwrap();
    let page = Page {
        address: "https://hostile.example/wide".to_owned(),
        body: 59_u32.to_le_bytes().to_vec(),
        ..Page::default()
    };
    assert!(matches!(writer.plan(page, None).unwrap(), Planned::Job(_)));
}

/// A thousand records that are all the same take 60 bytes, and more than 200,000 in memory.
#[test]
fn frames_of_equal_records_do_not_fill_the_memory() {
    let mut bytes = PackBuilder::new(Vec::new(), false).unwrap().out().clone();
    let mut alike = Vec::new();
    record("alike", Hash([7; 32])).put(&mut alike).unwrap();
    let count = 30_000;
    let alike = alike.repeat(count);
    let made = compress(&alike, None, 3);
    let head = Head::entries(alike.len() as u64, count as u64);
    let check = check(&made.payload);
    for number in 0..40 {
        put_before_payload(
            &mut bytes,
            Kind::Records,
            made.codec,
            number,
            &head,
            check,
            made.payload.len(),
        )
        .unwrap();
        bytes.extend_from_slice(&made.payload);
    }
    let name = blake3(&bytes);
    let disk = MemoryDisk::new();
    disk.create_dir("packs").unwrap();
    disk.put(&layout::pack_path(&name), bytes);
    let archive = Archive::open(Arc::new(disk)).unwrap();
    let pack = archive.packs().unwrap().remove(0);
    assert!(pack.damaged);
    assert!(pack.records <= MAX_ALIKE_RECORDS, "{} records", pack.records);
    assert_eq!(archive.all_snapshots().unwrap().len(), 1);
}

#[test]
fn groups_that_lie_are_refused() {
    let content = vec![b'x'; 4000];
    let payload = compress_group(&content, 0, 3).unwrap();
    let mut builder = PackBuilder::new(Vec::new(), true).unwrap();
    let honest = blake3(&content[..2000]);
    builder
        .group(&[(honest, 2000), (honest, 2000)], Against::Nothing, &payload)
        .unwrap();
    // Longer than it is, and with a prefix that is no page.
    builder
        .group(&[(Hash([2; 32]), 60 << 20)], Against::Nothing, &payload)
        .unwrap();
    builder
        .group(&[(Hash([3; 32]), 4000)], Against::Prefix(32), &payload)
        .unwrap();
    let many = vec![(Hash([4; 32]), 1); MAX_GROUP_PAGES + 1];
    builder.group(&many, Against::Nothing, &payload).unwrap();
    for (name, body) in [
        ("a", honest),
        ("b", Hash([2; 32])),
        ("c", Hash([3; 32])),
        ("d", Hash([4; 32])),
    ] {
        builder.record(record(name, body));
    }
    let (archive, snapshots) = archive_of(builder);
    let fine: Vec<bool> = snapshots
        .iter()
        .map(|snapshot| archive.restore(snapshot).is_ok())
        .collect();
    assert_eq!(fine, [true, false, false, false]);
}

#[test]
fn the_scanner_finds_every_whole_frame_between_rubbish() {
    let mut builder = PackBuilder::new(Vec::new(), false).unwrap();
    for n in 0..5_u8 {
        let body = vec![n; 3000];
        builder
            .page(&blake3(&body), 3000, None, Codec::Stored, &body)
            .unwrap();
    }
    let whole = builder.finish().unwrap();
    let at: Vec<usize> = whole.pages.iter().map(|page| page.at as usize).collect();
    let mut bytes = whole.out[..at[2]].to_vec();
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&vec![0xf5; 2_000_000]);
    bytes.extend_from_slice(&whole.out[at[3]..]);
    let disk = MemoryDisk::new();
    disk.put("p", bytes);
    let pack = Pack::open(disk.open("p").unwrap()).unwrap();
    let mut kinds = Vec::new();
    let mut damaged = 0;
    for piece in scan(&pack) {
        match piece {
            Piece::Frame(frame) => kinds.push(frame.kind),
            Piece::Damage { from, to, .. } => damaged += to - from,
        }
    }
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Page).count(), 4);
    // The footer tells another length now, so it is damage, too.
    assert_eq!(damaged, 2_000_004 + 40);
}
