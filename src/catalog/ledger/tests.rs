use super::*;
use crate::block::Block;
use crate::catalog::blocks::tests::{block, declared, page, record, tables, take_out};
use crate::digest::sha256;

const DAILY: &str = "daily.example";

fn nothing() -> Nothing {
    Nothing::from_iter([sha256(b"").prefix()])
}

/// The testimony about a block of a page that is not in the archive.
fn ask(conn: &Connection, article: i64, block: &Block) -> (Testimony, Vec<i64>) {
    let seen = Seen {
        site: Some(DAILY),
        article: Some(article),
        snapshot: None,
    };
    let witness = testimony(conn, seen, std::slice::from_ref(block), 0).unwrap();
    assert_eq!(witness.total, witness.snapshots.len());
    (witness.testimony, witness.snapshots)
}

fn testimony(conn: &Connection, seen: Seen<'_>, page: &[Block], index: usize) -> Option<Witness> {
    let page: Vec<OutlineBlock> = page.iter().map(OutlineBlock::of).collect();
    let nothing = nothing();
    let mut ledger = Ledger::open(conn, &nothing).unwrap();
    ledger.witness(conn, seen, &page, index).unwrap()
}

#[test]
fn testimonies_name_the_snapshots_that_give_them() {
    let catalog = tables();
    let conn = catalog.connection();
    let (h1, h2, h3) = ("11".repeat(32), "22".repeat(32), "33".repeat(32));
    record(
        conn,
        DAILY,
        1,
        1,
        &page(&[declared("one", &h1), declared("two", &h2)]),
    );
    record(
        conn,
        DAILY,
        1,
        2,
        &page(&[declared("one", &h1), declared("two", &h2)]),
    );
    record(conn, "other.example", 9, 9, &page(&[declared("elsewhere", &h3)]));
    assert_eq!(
        ask(conn, 1, &declared("one", &h1)),
        (Testimony::Consistent, vec![1, 2])
    );
    assert_eq!(
        ask(conn, 5, &declared("one", &h1)),
        (Testimony::Consistent, vec![1, 2])
    );
    assert_eq!(
        ask(conn, 1, &declared("One", &h1)),
        (Testimony::Conflict, vec![1, 2])
    );
    assert_eq!(
        ask(conn, 5, &declared("One", &h1)),
        (Testimony::Conflict, vec![1, 2])
    );
    assert_eq!(
        ask(conn, 1, &declared("one", &h3)),
        (Testimony::Rehashed, vec![1, 2])
    );
    assert_eq!(
        ask(conn, 5, &declared("one", &h3)),
        (Testimony::First, vec![]),
        "other article, other site"
    );
    let everywhere = |block: Block| testimony(conn, Seen::default(), &[block], 0);
    assert_eq!(everywhere(block("one")), None);
    let without_a_host = everywhere(declared("elsewhere", &h3)).unwrap();
    assert_eq!(
        (without_a_host.testimony, without_a_host.snapshots),
        (Testimony::Consistent, vec![9]),
        "a page without a host may be of any site"
    );
}

#[test]
fn a_snapshot_is_no_witness_of_its_own() {
    let catalog = tables();
    let conn = catalog.connection();
    let block = declared("one", &"11".repeat(32));
    record(conn, DAILY, 1, 1, &page(std::slice::from_ref(&block)));
    let seen = Seen {
        site: Some(DAILY),
        article: Some(1),
        snapshot: Some(1),
    };
    let witness = |seen| {
        testimony(conn, seen, std::slice::from_ref(&block), 0)
            .unwrap()
            .testimony
    };
    assert_eq!(witness(seen), Testimony::First);
    assert_eq!(
        witness(Seen {
            snapshot: None,
            ..seen
        }),
        Testimony::Consistent
    );
}

#[test]
fn two_paragraphs_of_one_text_may_bear_two_hashes() {
    let catalog = tables();
    let conn = catalog.connection();
    let twice = [
        declared("same", &"11".repeat(32)),
        declared("same", &"22".repeat(32)),
    ];
    record(conn, DAILY, 1, 1, &page(&twice));
    for block in &twice {
        assert_eq!(ask(conn, 1, block).0, Testimony::Consistent);
    }
}

#[test]
fn a_text_repeated_under_another_id_is_no_rehash_but_the_same_id_or_place_is() {
    let catalog = tables();
    let conn = catalog.connection();
    let (h1, h2, h3) = ("11".repeat(32), "22".repeat(32), "33".repeat(32));
    let with_id = |id: &str, hash: &str| Block {
        id: Some(id.into()),
        ..declared("advertisement", hash)
    };
    record(
        conn,
        DAILY,
        1,
        1,
        &page(&[with_id("a", &h1), declared("end", &h2)]),
    );
    let seen = Seen {
        site: Some(DAILY),
        article: Some(1),
        snapshot: None,
    };
    let said = |page: &[Block], index| testimony(conn, seen, page, index).unwrap().testimony;
    // A second one before it, with an id and a hash of its own.
    let twice = [with_id("b", &h3), with_id("a", &h1)];
    assert_eq!(said(&twice, 0), Testimony::First);
    assert_eq!(said(&twice, 1), Testimony::Consistent);
    assert_eq!(said(&[with_id("a", &h3)], 0), Testimony::Rehashed);
    // The publisher made new ids: the place tells.
    assert_eq!(said(&[with_id("c", &h3)], 0), Testimony::Rehashed);
    assert_eq!(said(&[declared("end", &h3)], 0), Testimony::Rehashed);
    assert_eq!(
        said(&[declared("end", &h2), declared("end", &h3)], 1),
        Testimony::First,
        "the first of two is the old one"
    );
}

#[test]
fn the_hash_of_empty_text_is_no_key_and_a_page_is_known_by_most_of_its_hashes() {
    let catalog = tables();
    let conn = catalog.connection();
    let (h1, h2, h3) = ("11".repeat(32), "22".repeat(32), "33".repeat(32));
    let of_nothing = sha256(b"").to_string();
    record(
        conn,
        DAILY,
        1,
        1,
        &page(&[declared("one", &h1), declared("", &of_nothing)]),
    );
    record(
        conn,
        DAILY,
        2,
        2,
        &page(&[declared("two", &h2), declared("x", &of_nothing)]),
    );
    let seen = Seen::default();
    assert_eq!(testimony(conn, seen, &[declared("y", &of_nothing)], 0), None);
    let article = |blocks: &[Block]| {
        let page: Vec<OutlineBlock> = blocks.iter().map(OutlineBlock::of).collect();
        Ledger::open(conn, &nothing())
            .unwrap()
            .article_of(conn, &page)
            .unwrap()
    };
    assert_eq!(
        article(&[declared("uno", &h1), declared("", &of_nothing)]),
        Some(1)
    );
    assert_eq!(article(&[declared("uno", &h1), declared("tres", &h3)]), None);
    assert_eq!(article(&[declared("x", &of_nothing)]), None);
}

#[test]
fn a_page_is_not_of_the_article_that_got_the_number_of_one_that_is_gone() {
    let catalog = tables();
    let conn = catalog.connection();
    let hashes: Vec<String> = (1..6).map(|n| format!("{n:02x}").repeat(32)).collect();
    let of_gone: Vec<Block> = hashes.iter().map(|hash| declared("gone", hash)).collect();
    record(conn, DAILY, 1, 1, &page(&of_gone));
    // What a vanished pack takes along leaves its keys in the postings.
    take_out(conn, 1, &[1]);
    record(conn, DAILY, 1, 2, &page(&[declared("other", &"77".repeat(32))]));
    let outline: Vec<OutlineBlock> = of_gone.iter().map(OutlineBlock::of).collect();
    let nothing = nothing();
    let mut ledger = Ledger::open(conn, &nothing).unwrap();
    assert_eq!(ledger.article_of(conn, &outline).unwrap(), None);
    record(conn, DAILY, 3, 3, &page(&of_gone[..3]));
    let mut ledger = Ledger::open(conn, &nothing).unwrap();
    assert_eq!(ledger.article_of(conn, &outline).unwrap(), Some(3));
}

#[test]
fn figures_without_caption_go_by_their_form_and_conflict_only_within_the_article() {
    let catalog = tables();
    let conn = catalog.connection();
    let hash = "44".repeat(32);
    let figure = |form: &str| Block {
        form_hash: crate::digest::sha256(form.as_bytes()),
        ..declared("", &hash)
    };
    record(conn, DAILY, 1, 1, &page(&[figure("a.jpg")]));
    assert_eq!(ask(conn, 1, &figure("a.jpg")).0, Testimony::Consistent);
    assert_eq!(ask(conn, 1, &figure("b.jpg")).0, Testimony::Conflict);
    assert_eq!(ask(conn, 2, &figure("b.jpg")).0, Testimony::First);
}

#[test]
fn thousands_of_equal_blocks_take_no_longer_than_they_must() {
    const BLOCKS: usize = 60_000;
    let same = "ee".repeat(32);
    let numbered = |first: usize| -> Vec<Block> {
        let hash = |at: usize| format!("{:016x}{}", first + at + 1, "0".repeat(48));
        (0..BLOCKS).map(|at| declared("one text", &hash(at))).collect()
    };
    let equal = vec![declared("one text", &same); BLOCKS];
    for (old, new, expected) in [
        (numbered(0), numbered(BLOCKS), Testimony::Rehashed),
        (equal.clone(), equal, Testimony::Consistent),
    ] {
        let catalog = tables();
        let conn = catalog.connection();
        record(conn, DAILY, 1, 1, &page(&old));
        let new: Vec<OutlineBlock> = new.iter().map(OutlineBlock::of).collect();
        let seen = Seen {
            site: Some(DAILY),
            article: Some(1),
            snapshot: None,
        };
        let nothing = nothing();
        let mut ledger = Ledger::open(conn, &nothing).unwrap();
        let begun = std::time::Instant::now();
        let witnesses = ledger.witnesses(conn, seen, &new).unwrap();
        assert!(begun.elapsed().as_secs() < 30, "{expected:?}");
        assert_eq!(witnesses.len(), BLOCKS);
        for witness in witnesses {
            let witness = witness.unwrap();
            assert_eq!((witness.testimony, witness.snapshots), (expected, vec![1]));
        }
    }
}
