//! What it costs to keep pages and to give them back: bytes of raw HTML or pages a second, one thread.
//! Versions of a few articles, made for the purpose, in an archive in memory: no disk is timed.

use std::sync::{Arc, LazyLock};

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use pressmark::archive::{Archive, Planned, Snapshot, WriterOptions};
use pressmark::catalog::Catalog;
use pressmark::catalog::blocks::{Finder, Outline, Prefix, Space, record};
use pressmark::compact::{self, Options};
use pressmark::digest::{blake3, sha256};
use pressmark::disk::MemoryDisk;
use pressmark::html::{self, ReadOptions};
use pressmark::label::article_hash;
use pressmark::pack::codec::{compress, decompress};
use pressmark::page::{Moment, Page};

const ARTICLES: usize = 8;
const VERSIONS: usize = 25;
/// zstd level of `add`.
const LEVEL: i32 = 3;

/// Versions of articles of about 100 kB; each version changes a few paragraphs.
static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| {
    let page = |article, version: usize| Page {
        address: format!("https://harbour.example/{article}"),
        moment: Some(Moment(
            1_700_000_000_000_000_000 + i64::try_from(version).unwrap() * 60_000_000_000,
        )),
        status: Some(200),
        body: super::html::version(article, version),
        ..Page::default()
    };
    (0..VERSIONS)
        .flat_map(|version| (0..ARTICLES).map(move |article| page(article, version)))
        .collect()
});

static OUTLINES: LazyLock<Vec<Outline>> = LazyLock::new(|| {
    let outline = |page: &Page| {
        let document = html::read(&page.body, &ReadOptions::default());
        let hash = article_hash(&document);
        Outline::of(&document, hash)
    };
    PAGES.iter().map(outline).collect()
});

fn total() -> BytesCount {
    BytesCount::new(PAGES.iter().map(|page| page.body.len()).sum::<usize>())
}

fn filled(disk: &MemoryDisk) -> Archive {
    let archive = Archive::create_or_open(Arc::new(disk.clone())).unwrap().0;
    let mut writer = archive.writer(WriterOptions::default()).unwrap();
    let pages = PAGES.iter().zip(OUTLINES.iter());
    let pages = pages.map(|(page, outline)| (page.clone().into(), Some(outline.clone())));
    for planned in writer.plan_together(pages.collect()) {
        if let Planned::Job(job) = planned.unwrap() {
            writer.append(job.encode()).unwrap();
        }
    }
    writer.commit().unwrap();
    drop(writer);
    archive
}

/// SHA-256 of whole pages.
#[divan::bench]
fn sha256_of_pages(bencher: Bencher<'_, '_>) {
    bencher
        .counter(total())
        .bench(|| PAGES.iter().for_each(|page| _ = black_box(sha256(&page.body))));
}

/// BLAKE3 of whole pages.
#[divan::bench]
fn blake3_of_pages(bencher: Bencher<'_, '_>) {
    bencher
        .counter(total())
        .bench(|| PAGES.iter().for_each(|page| _ = black_box(blake3(&page.body))));
}

/// Pages compressed alone, as `add` does.
#[divan::bench]
fn compress_alone(bencher: Bencher<'_, '_>) {
    bencher.counter(total()).bench(|| {
        for page in PAGES.iter() {
            black_box(compress(&page.body, None, LEVEL));
        }
    });
}

/// Pages compressed against the version before, as `add` does.
#[divan::bench]
fn compress_against_base(bencher: Bencher<'_, '_>) {
    bencher.counter(total()).bench(|| {
        for (index, page) in PAGES.iter().enumerate() {
            let base = index.checked_sub(ARTICLES).map(|base| &PAGES[base].body[..]);
            black_box(compress(&page.body, base, LEVEL));
        }
    });
}

/// Pages decompressed against the version before, without looking anything up.
#[divan::bench]
fn decompress_against_base(bencher: Bencher<'_, '_>) {
    let made: Vec<_> = (ARTICLES..PAGES.len())
        .map(|index| {
            let base = &PAGES[index - ARTICLES].body[..];
            let page = &PAGES[index].body;
            (compress(page, Some(base), LEVEL), base, page.len())
        })
        .collect();
    let bytes = BytesCount::new(made.iter().map(|(_, _, raw)| *raw).sum::<usize>());
    bencher.counter(bytes).bench(|| {
        for (made, base, raw) in &made {
            let base = made.uses_base.then_some(*base);
            black_box(decompress(made.codec, &made.payload, base, *raw).unwrap());
        }
    });
}

/// Everything `add` does after parsing: bases chosen, compressed, verified, packed, catalog told.
#[divan::bench(sample_count = 20)]
fn add(bencher: Bencher<'_, '_>) {
    LazyLock::force(&OUTLINES);
    bencher.counter(total()).bench(|| filled(&MemoryDisk::new()));
}

/// Restores from an archive that was just opened: nothing is decoded yet.
fn restore(bencher: Bencher<'_, '_>, disk: &MemoryDisk) {
    let open = || {
        let archive = Archive::open(Arc::new(disk.clone())).unwrap();
        let snapshots: Vec<Snapshot> = archive.all_snapshots().unwrap();
        (archive, snapshots)
    };
    bencher
        .with_inputs(open)
        .counter(total())
        .bench_refs(|(archive, snapshots)| {
            for snapshot in snapshots {
                black_box(archive.restore(snapshot).unwrap());
            }
        });
}

/// Every page given back in order, from the packs of `add`.
#[divan::bench(sample_count = 20)]
fn restore_hot(bencher: Bencher<'_, '_>) {
    let disk = MemoryDisk::new();
    filled(&disk);
    restore(bencher, &disk);
}

/// Every page given back in order, after `compact`.
#[divan::bench(sample_count = 20)]
fn restore_cold(bencher: Bencher<'_, '_>) {
    let disk = MemoryDisk::new();
    let archive = filled(&disk);
    let quick = Options {
        level: 9,
        ..Options::default()
    };
    compact::compact(&archive, quick, &mut |_| true).unwrap();
    drop(archive);
    restore(bencher, &disk);
}

/// Blocks of the pages told to an empty catalog, in one transaction.
#[divan::bench(sample_count = 20)]
fn catalog_insert(bencher: Bencher<'_, '_>) {
    let blocks: usize = OUTLINES.iter().map(|outline| outline.blocks.len()).sum();
    bencher.counter(ItemsCount::new(blocks)).bench(|| {
        let mut catalog = Catalog::in_memory().unwrap();
        let tx = catalog.write().unwrap();
        record(&tx, |recorder| {
            OUTLINES.iter().enumerate().try_for_each(|(index, outline)| {
                let number = |index: usize| i64::try_from(index).unwrap();
                recorder.insert(&tx, number(index % ARTICLES), number(index), outline)
            })
        })
        .unwrap();
        tx.commit().unwrap();
    });
}

/// Articles that hold a block, by its content hash.
#[divan::bench]
fn catalog_lookup(bencher: Bencher<'_, '_>) {
    let archive = filled(&MemoryDisk::new());
    let document = html::read(&PAGES[0].body, &ReadOptions::default());
    let wanted: Vec<Prefix> = document
        .blocks
        .iter()
        .map(|block| Prefix::exact(block.text_hash.prefix()))
        .collect();
    archive.with_catalog(|conn| {
        let mut finder = Finder::open(conn).unwrap();
        bencher.counter(ItemsCount::new(wanted.len())).bench_local(|| {
            for prefix in &wanted {
                black_box(finder.articles(conn, Space::Content, *prefix).unwrap());
            }
        });
    });
}
