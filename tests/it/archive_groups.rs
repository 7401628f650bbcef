//! Pages that share a frame: read alone and together, taken out one by one, damaged, and bereft of their base.

use std::sync::Arc;

use pressmark::archive::{Archive, ArchiveError, Planned, WriterOptions};
use pressmark::compact;
use pressmark::digest::blake3;
use pressmark::disk::{Disk, LocalDisk, MemoryDisk};
use pressmark::label::{Reader, Rules};
use pressmark::pack::frame::Kind;
use pressmark::pack::scan::{Piece, scan};
use pressmark::pack::{Against, Frame, PackBuilder};
use pressmark::page::{Moment, Page};
use pressmark::scrub::{self, Code, ScrubEvent, ScrubOptions};

use crate::archive_store::{add, open, page, restored, sorted};

/// Every frame of bodies in the archive, with its pack.
fn frames(disk: &dyn Disk) -> Vec<(String, Frame)> {
    let mut found = Vec::new();
    for dir in disk.list("packs").unwrap() {
        for file in disk.list(&format!("packs/{}", dir.name)).unwrap() {
            let path = format!("packs/{}/{}", dir.name, file.name);
            let pack = pressmark::pack::Pack::open(disk.open(&path).unwrap()).unwrap();
            for piece in scan(&pack) {
                if let Piece::Frame(frame) = piece
                    && matches!(frame.kind, Kind::Page | Kind::Group)
                {
                    found.push((path.clone(), frame));
                }
            }
        }
    }
    found
}

fn findings(archive: &Archive) -> Vec<(Code, bool)> {
    let mut found = Vec::new();
    let options = ScrubOptions {
        max_duration: None,
        reader: None,
        now: None,
    };
    scrub::scrub(archive, &options, &mut |event| {
        if let ScrubEvent::Finding(finding) = event {
            found.push((finding.code, finding.lost));
        }
    })
    .unwrap();
    found
}

fn versions(article: u64, versions: std::ops::Range<u64>) -> Vec<Page> {
    versions.map(|version| page(article, version)).collect()
}

/// Versions of a page of another site.
fn elsewhere(range: std::ops::Range<u64>) -> Vec<Page> {
    let page = |version| Page {
        address: "https://quay.example/notice".into(),
        ..page(2, version)
    };
    range.map(page).collect()
}

/// Opens the archive again without the one pack of these pages.
fn without_pack_of(disk: &MemoryDisk, archive: Archive, page: &Page) -> (Archive, String, Vec<u8>) {
    drop(archive);
    let lost = blake3(&page.body);
    let (path, _) = frames(disk)
        .into_iter()
        .find(|(_, frame)| frame.body == Some(lost))
        .unwrap();
    let bytes = disk.files()[&path].clone();
    disk.remove(&path).unwrap();
    (open(disk), path, bytes)
}

fn compacted(archive: &Archive) -> compact::Summary {
    compact::compact(archive, compact::Options::default(), &mut |_| true).unwrap()
}

#[test]
fn pages_planned_together_share_frames_and_rest_on_what_was_stored_before() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    let first: Vec<Page> = (0..3).flat_map(|article| versions(article, 0..5)).collect();
    add(&archive, &first).unwrap();
    let of_first = frames(&disk);
    assert_eq!(of_first.len(), 1, "all are of one site");
    assert_eq!(
        (of_first[0].1.kind, of_first[0].1.lengths.len()),
        (Kind::Group, 15)
    );
    assert_eq!(of_first[0].1.against(), Against::Nothing);
    let second: Vec<Page> = (0..3).flat_map(|article| versions(article, 5..9)).collect();
    add(&archive, &second).unwrap();
    let bases: Vec<_> = frames(&disk)
        .into_iter()
        .filter_map(|(_, frame)| Some((frame.base?, frame.depth)))
        .collect();
    // Each article's group rests on its newest version.
    let newest: Vec<_> = (0..3)
        .map(|article| (blake3(&page(article, 4).body), 1))
        .collect();
    assert_eq!(bases.len(), 3);
    assert!(newest.iter().all(|base| bases.contains(base)));
    // One page alone has a frame of its own, on a body in the midst of a group.
    add(&archive, &[page(1, 9)]).unwrap();
    let alone = frames(&disk);
    let alone = alone.iter().find(|(_, frame)| frame.depth == 2).unwrap();
    assert_eq!(alone.1.kind, Kind::Page);
    let all = sorted([first, second, vec![page(1, 9)]].concat());
    assert_eq!(restored(&archive), all);
    assert_eq!(findings(&archive), []);
    // From the packs alone, in any order.
    drop(archive);
    disk.remove("catalog.sqlite").ok();
    let archive = open(&disk);
    let mut snapshots = archive.all_snapshots().unwrap();
    snapshots.reverse();
    for (snapshot, page) in snapshots.iter().zip(all.iter().rev()) {
        assert_eq!(archive.restore(snapshot).unwrap(), *page);
    }
}

#[test]
fn what_cannot_be_compressed_and_what_is_giant_shares_no_frame() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    let noise = |seed: u64, length: usize| -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut block = blake3(&seed.to_le_bytes());
        while bytes.len() < length {
            bytes.extend_from_slice(&block.0);
            block = blake3(&block.0);
        }
        bytes
    };
    let mut pages = versions(1, 0..3);
    pages[0].body = noise(1, 5000);
    pages[1].body = noise(2, 5000);
    pages[2].body = noise(3, 3 << 20);
    add(&archive, &pages).unwrap();
    assert!(frames(&disk).iter().all(|(_, frame)| frame.kind == Kind::Page));
    assert_eq!(restored(&archive), pages);
}

#[test]
fn a_pack_is_closed_only_when_every_body_has_its_record() {
    let archive = open(&MemoryDisk::new());
    let mut writer = archive.writer(WriterOptions::default()).unwrap();
    let pages = versions(1, 0..3);
    let together = pages.iter().map(|page| (page.clone().into(), None)).collect();
    let mut jobs = writer
        .plan_together(together)
        .into_iter()
        .filter_map(|planned| match planned.unwrap() {
            Planned::Job(job) => Some(job),
            _ => None,
        });
    writer.append(jobs.next().unwrap().encode()).unwrap();
    assert!(!writer.can_seal());
    assert!(matches!(writer.seal(), Err(ArchiveError::OutOfOrder)));
    for job in jobs {
        writer.append(job.encode()).unwrap();
    }
    assert!(writer.can_seal());
    writer.commit().unwrap().unwrap();
    drop(writer);
    assert_eq!(restored(&archive), pages);
}

#[test]
fn a_page_taken_out_of_a_group_leaves_the_others_and_no_byte_of_its_own() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    let secret = "a sentence that nobody else wrote: 옥상 정원의 비밀";
    let mut pages: Vec<Page> = (0..2).flat_map(|article| versions(article, 0..4)).collect();
    pages[2].body.extend_from_slice(secret.as_bytes());
    add(&archive, &pages).unwrap();
    // These rest on the group, one of them on the page that goes.
    let gone = pages.remove(2);
    let later = [versions(0, 4..6), versions(1, 4..6)].concat();
    add(&archive, &later).unwrap();
    let snapshots = archive.snapshots(&gone.address).unwrap();
    let snapshot = snapshots
        .into_iter()
        .find(|snapshot| snapshot.body == blake3(&gone.body))
        .unwrap();
    compact::forget(&archive, &[snapshot], "asked to", Moment(0), &mut |_| ()).unwrap();
    pages.extend(later);
    assert_eq!(restored(&archive), sorted(pages.clone()));
    assert_eq!(findings(&archive), []);
    for (path, frame) in frames(&disk) {
        let pack = pressmark::pack::Pack::open(disk.open(&path).unwrap()).unwrap();
        let (_, payload) = pack.payload(frame.at).unwrap();
        let has = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        let raw = frame.body_at(&payload, 0, None);
        assert!(!has(&payload) && !raw.is_ok_and(|body| has(&body)));
        if frame.kind == Kind::Group && frame.base.is_none() {
            for place in 0..frame.lengths.len() as u32 {
                assert!(!has(&frame.body_at(&payload, place, None).unwrap()));
            }
        }
    }
    // Compacting and merging keep it so.
    compacted(&archive);
    assert_eq!(restored(&archive), sorted(pages));
}

#[test]
fn a_group_whose_base_is_taken_out_meanwhile_is_encoded_anew() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        Archive::create_or_open(Arc::new(LocalDisk::new(folder.path())))
            .unwrap()
            .0
    };
    let archive = open();
    let elsewhere = elsewhere(0..2);
    add(&archive, &versions(1, 0..2)).unwrap();
    add(&archive, &elsewhere[..1]).unwrap();
    let options = WriterOptions {
        base_cache: 0,
        ..WriterOptions::default()
    };
    let mut writer = archive.writer(options).unwrap();
    // The group of the other site keeps its base.
    let later = [versions(1, 2..6), elsewhere[1..].to_vec()].concat();
    let together = later.iter().map(|page| (page.clone().into(), None)).collect();
    for planned in writer.plan_together(together) {
        let Planned::Job(job) = planned.unwrap() else {
            panic!("it is new");
        };
        writer.append(job.encode()).unwrap();
    }
    {
        let other = open();
        let snapshots = other.snapshots(&page(1, 0).address).unwrap();
        compact::forget(&other, &snapshots, "asked to", Moment(0), &mut |_| ()).unwrap();
    }
    writer.commit().unwrap().unwrap();
    drop(writer);
    let later = sorted([later, elsewhere[..1].to_vec()].concat());
    assert_eq!(restored(&archive), later);
    assert_eq!(restored(&open()), later);
    assert_eq!(findings(&open()), []);
}

#[test]
fn groups_whose_base_is_gone_are_told_kept_and_whole_again_when_it_is_back() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    let (first, second) = (versions(1, 0..3), versions(1, 3..8));
    add(&archive, &first).unwrap();
    let base_pack = frames(&disk)[0].0.clone();
    add(&archive, &second).unwrap();
    let elsewhere = elsewhere(0..3);
    add(&archive, &elsewhere).unwrap();
    drop(archive);
    let kept = disk.files()[&base_pack].clone();
    disk.remove(&base_pack).unwrap();
    let archive = open(&disk);
    let told = findings(&archive);
    assert!(told.contains(&(Code::FrameBase, true)), "{told:?}");
    let lost = archive.snapshots(&page(1, 3).address).unwrap();
    assert!(lost.iter().all(|snapshot| archive.restore(snapshot).is_err()));
    // The others can be compacted, and what cannot be read is carried along.
    let summary = compacted(&archive);
    assert_eq!(summary.lost, 5);
    let others = archive.snapshots(&elsewhere[0].address).unwrap();
    assert!(others.iter().all(|snapshot| archive.restore(snapshot).is_ok()));
    disk.put(&base_pack, kept);
    drop(archive);
    let archive = open(&disk);
    let all = [first, second, elsewhere].concat();
    assert_eq!(restored(&archive), sorted(all));
    assert_eq!(findings(&archive), []);
}

#[test]
fn a_takedown_goes_on_where_the_base_of_its_group_is_lost() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    add(&archive, &versions(1, 0..1)).unwrap();
    let base_pack = frames(&disk)[0].0.clone();
    add(&archive, &versions(1, 1..5)).unwrap();
    let other = elsewhere(1..2).remove(0);
    add(&archive, std::slice::from_ref(&other)).unwrap();
    drop(archive);
    disk.remove(&base_pack).unwrap();
    let archive = open(&disk);
    let snapshot = archive.snapshots(&page(1, 2).address).unwrap().remove(1);
    assert_eq!(snapshot.body, blake3(&page(1, 2).body));
    compact::forget(&archive, &[snapshot], "asked to", Moment(0), &mut |_| ()).unwrap();
    // What shared its frame could not be told from it.
    assert!(frames(&disk).iter().all(|(_, frame)| frame.base.is_none()));
    assert_eq!(
        archive
            .restore(&archive.newest(&other.address).unwrap().unwrap())
            .unwrap(),
        other
    );
    compacted(&archive);
    assert_eq!(
        archive
            .restore(&archive.newest(&other.address).unwrap().unwrap())
            .unwrap(),
        other
    );
}

#[test]
fn a_takedown_goes_on_where_a_later_group_rests_on_the_lost_one() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    for range in [0..1, 1..5, 5..8] {
        add(&archive, &versions(1, range)).unwrap();
    }
    let (archive, path, bytes) = without_pack_of(&disk, archive, &page(1, 0));
    let taken = archive
        .snapshots(&page(1, 2).address)
        .unwrap()
        .into_iter()
        .find(|snapshot| snapshot.body == blake3(&page(1, 2).body))
        .unwrap();
    compact::forget(&archive, &[taken], "asked to", Moment(0), &mut |_| ()).unwrap();
    // The frame that held it is gone, and with it the base of the group after it, whose bytes stay.
    let left = frames(&disk);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].1.lengths.len(), 3);
    disk.put(&path, bytes);
    drop(archive);
    assert_eq!(restored_of(&open(&disk), &page(1, 0).address), [page(1, 0)]);
}

/// The pages of an article that can be restored.
fn restored_of(archive: &Archive, address: &str) -> Vec<Page> {
    let snapshots = archive.snapshots(address).unwrap();
    snapshots
        .iter()
        .filter_map(|snapshot| archive.restore(snapshot).ok())
        .collect()
}

#[test]
fn a_page_of_a_lost_group_that_is_added_again_does_not_hold_up_compaction() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    add(&archive, &versions(1, 0..1)).unwrap();
    add(&archive, &versions(1, 1..5)).unwrap();
    add(&archive, &elsewhere(0..2)).unwrap();
    let (archive, path, bytes) = without_pack_of(&disk, archive, &page(1, 0));
    assert_eq!(
        add(&archive, &versions(1, 2..3)).unwrap(),
        1,
        "its bytes are nowhere"
    );
    assert_eq!(compacted(&archive).lost, 3);
    assert_eq!(restored_of(&archive, &page(1, 0).address), versions(1, 2..3));
    disk.put(&path, bytes);
    drop(archive);
    let archive = open(&disk);
    assert_eq!(restored_of(&archive, &page(1, 0).address), versions(1, 0..5));
    assert_eq!(
        restored_of(&archive, "https://quay.example/notice"),
        elsewhere(0..2)
    );
}

#[test]
fn repair_keeps_a_group_that_nothing_names_before_its_base_is_back() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    add(&archive, &versions(1, 0..1)).unwrap();
    add(&archive, &versions(1, 1..5)).unwrap();
    let (archive, path, bytes) = without_pack_of(&disk, archive, &page(1, 0));
    drop(archive);
    // No page table, and a catalog that was made anew.
    let bare = MemoryDisk::new();
    for (name, mut bytes) in disk.files() {
        if name.starts_with("packs/") {
            let pack = pressmark::pack::Pack::open(disk.open(&name).unwrap()).unwrap();
            let table = pack.directory().unwrap().page_table_at;
            bytes[pack.frame(table).unwrap().payload_at() as usize] ^= 1;
            bare.put(&name, bytes);
        }
    }
    let mut archive = open(&bare);
    let reader = Reader::new(Rules::builtin(), "contents-hash");
    for _ in 0..2 {
        scrub::repair(&mut archive, &reader, &mut |_| ()).unwrap();
        assert!(groups_in(&bare) >= 1, "the group stays");
    }
    drop(archive);
    bare.put(&path, bytes);
    let mut archive = open(&bare);
    scrub::repair(&mut archive, &reader, &mut |_| ()).unwrap();
    assert_eq!(restored_of(&archive, &page(1, 0).address), versions(1, 0..5));
    assert_eq!(findings(&archive), []);
}

/// Groups in all packs, damaged ones too.
fn groups_in(disk: &MemoryDisk) -> usize {
    let files = disk.files();
    let packs = files.keys().filter(|path| path.starts_with("packs/"));
    packs
        .map(|path| {
            let pack = pressmark::pack::Pack::open_damaged(disk.open(path).unwrap()).unwrap();
            scan(&pack)
                .filter(|piece| matches!(piece, Piece::Frame(frame) if frame.kind == Kind::Group))
                .count()
        })
        .sum()
}

#[test]
fn without_page_tables_bodies_are_named_whatever_the_order_of_the_packs() {
    for order in 0..4 {
        let disk = MemoryDisk::new();
        let archive = open(&disk);
        let mut all = Vec::new();
        for round in 0..4 {
            let pages = versions(1 + order, round * 3..round * 3 + 3);
            add(&archive, &pages).unwrap();
            all.extend(pages);
        }
        drop(archive);
        for (path, bytes) in disk.files() {
            if !path.starts_with("packs/") {
                continue;
            }
            let pack = pressmark::pack::Pack::open(disk.open(&path).unwrap()).unwrap();
            let at = pack.directory().unwrap().page_table_at;
            let frame = pack.frame(at).unwrap();
            let mut damaged = bytes;
            damaged[frame.payload_at() as usize] ^= 1;
            disk.put(&path, damaged);
        }
        let bare = MemoryDisk::new();
        for (path, bytes) in disk.files() {
            if path.starts_with("packs/") {
                bare.put(&path, bytes);
            }
        }
        assert_eq!(restored(&open(&bare)), all);
    }
}

#[test]
fn a_body_that_was_taken_out_elsewhere_shares_no_frame() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    let elsewhere = Page {
        address: "https://quay.example/notice".into(),
        ..page(1, 1)
    };
    add(&archive, std::slice::from_ref(&elsewhere)).unwrap();
    let snapshot = archive.newest(&elsewhere.address).unwrap().unwrap();
    compact::forget(&archive, &[snapshot], "asked to", Moment(0), &mut |_| ()).unwrap();
    add(&archive, &versions(1, 0..4)).unwrap();
    let refused = blake3(&elsewhere.body);
    let found = frames(&disk);
    assert!(found.iter().any(|(_, frame)| frame.body == Some(refused)));
    assert!(found.iter().all(|(_, frame)| frame.base != Some(refused)));
    // What comes after it goes on in a group of its own.
    assert!(found.iter().any(|(_, frame)| frame.lengths.len() == 2));
    assert_eq!(restored(&archive), versions(1, 0..4));
}

#[test]
fn many_small_additions_are_merged_with_their_groups() {
    let disk = MemoryDisk::new();
    let archive = open(&disk);
    let mut all = Vec::new();
    for round in 0..20 {
        let pages: Vec<Page> = (0..3)
            .flat_map(|article| versions(article, round * 2..round * 2 + 2))
            .collect();
        add(&archive, &pages).unwrap();
        all.extend(pages);
    }
    assert!(archive.stats().unwrap().packs < 8);
    assert!(frames(&disk).iter().any(|(_, frame)| frame.kind == Kind::Group));
    assert_eq!(restored(&archive), sorted(all));
    assert_eq!(findings(&archive), []);
}

#[test]
fn no_flipped_byte_of_a_group_passes_and_repair_saves_what_stands_before_it() {
    let clean = MemoryDisk::new();
    let pages = versions(1, 0..12);
    add(&open(&clean), &pages[..1]).unwrap();
    add(&open(&clean), &pages[1..]).unwrap();
    let (path, frame) = frames(&clean)
        .into_iter()
        .find(|(_, frame)| frame.kind == Kind::Group)
        .unwrap();
    assert!(frame.base.is_some());
    let bytes = clean.files()[&path].clone();
    let mut saved = 0;
    for at in (frame.at..frame.end()).step_by(13) {
        let disk = MemoryDisk::new();
        for (name, _) in frames(&clean) {
            disk.put(&name, clean.files()[&name].clone());
        }
        let mut flipped = bytes.clone();
        flipped[at as usize] ^= 0x10;
        disk.put(&path, flipped);
        let mut archive = open(&disk);
        assert!(!findings(&archive).is_empty(), "byte {at}");
        for snapshot in archive.all_snapshots().unwrap() {
            if let Ok(back) = archive.restore(&snapshot) {
                assert!(pages.contains(&back), "byte {at}");
            }
        }
        let reader = Reader::new(Rules::builtin(), "contents-hash");
        scrub::repair(&mut archive, &reader, &mut |_| ()).unwrap();
        let whole = archive.all_snapshots().unwrap();
        let whole = whole
            .iter()
            .filter(|snapshot| archive.restore(snapshot).is_ok())
            .count();
        assert!(whole >= 1, "the page in the other pack");
        saved += whole - 1;
    }
    assert!(saved > 0, "pages before the damage are saved");
}

#[test]
fn pages_asked_for_together_come_up_to_the_one_that_is_lost() {
    let disk = MemoryDisk::new();
    add(&open(&disk), &versions(1, 0..8)).unwrap();
    let (path, frame) = frames(&disk).remove(0);
    add(&open(&disk), &elsewhere(0..8)).unwrap();
    let mut bytes = disk.files()[&path].clone();
    bytes[frame.end() as usize - 9] ^= 0x10;
    disk.put(&path, bytes);
    let archive = open(&disk);
    let mut asked = archive.all_snapshots().unwrap();
    asked.sort_by_key(|snapshot| snapshot.body);
    let whole = |snapshot: &&pressmark::archive::Snapshot| archive.restore(snapshot).is_ok();
    let before: Vec<_> = asked
        .iter()
        .take_while(whole)
        .map(|snapshot| snapshot.body)
        .collect();
    assert!(before.len() < asked.len());
    let mut got = Vec::new();
    let stopped = archive.restore_each(&asked, &mut |snapshot, page| {
        assert_eq!(blake3(&page.body), snapshot.body);
        got.push(snapshot.body);
        Ok::<(), ArchiveError>(())
    });
    let lost = asked[before.len()].body;
    assert!(matches!(stopped, Err(ArchiveError::Lost { body, .. }) if body == lost));
    assert_eq!(got, before);
}

#[test]
fn a_group_that_rests_on_itself_is_refused() {
    let body = vec![b'x'; 4000];
    let hash = blake3(&body);
    let payload = pressmark::pack::codec::compress(&[&body[..], &body[..]].concat(), None, 3).payload;
    let mut builder = PackBuilder::new(Vec::new(), false).unwrap();
    builder
        .group(&[(hash, 4000), (hash, 4000)], Against::Base(&hash, 3), &payload)
        .unwrap();
    let finished = builder.finish().unwrap();
    let disk = MemoryDisk::new();
    disk.create_dir("packs").unwrap();
    disk.put(
        &pressmark::archive::layout::pack_path(&finished.name),
        finished.out,
    );
    let archive = Archive::open(Arc::new(disk)).unwrap();
    assert_eq!(archive.packs().unwrap().len(), 1);
    assert!(!findings(&archive).is_empty());
}
