//! Recipes, stamping and the finder over whole pages.

use std::collections::HashSet;

use pressmark::block::{Block, Document, Kind};
use pressmark::html::{ReadOptions, read};
use pressmark::recipe::{
    Algorithm, Chain, DEFAULT_ATTRIBUTE, FindOptions, Hasher, PageInput, Recipe, RecipeError, Space,
    Spelling, Stamped, Target, builtin, builtins, find, stamp,
};
use proptest::prelude::*;

const PAGE: &str = r#"<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>갯벌 학교</title>
<meta name="author" content="서해든"></head><body>
<section dmcf-sid="Qw8vTn"><p dmcf-pid="aB1" dmcf-ptype="general" class="lead">갯벌 학교가 &quot;여름 반&quot;을 연다.
  모집 인원은 <b>24명</b>이다.</p><h3 id=x dmcf-pid="aB2" dmcf-ptype="h3">What to bring</h3>
<p dmcf-pid="aB3" dmcf-ptype="general">장화, 모자,&nbsp;물 1리터.<br/>Bring a spare pair of socks!</p>
<figure dmcf-pid="aB4" dmcf-ptype="figure"><img data-org-src="https://img.example/mud.jpg" src="/t/mud.jpg" alt="갯벌">
<figcaption> 지난해 여름 반 </figcaption></figure>
<p dmcf-pid="aB5" dmcf-ptype="general">Fee: 12,000 won &amp; lunch.</p></section>
</body></html>"#;

const ADDRESS: &str = "https://news.example/2026/07/mudflat";

fn read_as(raw: &[u8], attribute: &str) -> Document {
    read(
        raw,
        &ReadOptions {
            declared_attribute: attribute,
            ..ReadOptions::default()
        },
    )
}

fn input<'a>(raw: &'a [u8], document: &'a Document, attribute: &'a str) -> PageInput<'a> {
    PageInput {
        address: Some(ADDRESS),
        attribute,
        ..PageInput::new(raw, document)
    }
}

fn stamped_where(
    raw: &[u8],
    recipe: &Recipe,
    wanted: impl Fn(usize, &Block) -> bool,
) -> Result<Stamped, RecipeError> {
    let document = read_as(raw, DEFAULT_ATTRIBUTE);
    stamp(
        input(raw, &document, DEFAULT_ATTRIBUTE),
        recipe,
        wanted,
        |bytes| read_as(bytes, DEFAULT_ATTRIBUTE),
    )
}

fn stamped(raw: &[u8], recipe: &Recipe) -> Vec<u8> {
    stamped_where(raw, recipe, |_, block| block.kind != Kind::Figcaption)
        .unwrap()
        .bytes
}

/// Blocks with a declared hash, and how many of these the recipe gives.
fn reproduced(raw: &[u8], recipe: &Recipe) -> (usize, usize) {
    let document = read_as(raw, DEFAULT_ATTRIBUTE);
    let hasher = Hasher::new(recipe, input(raw, &document, DEFAULT_ATTRIBUTE));
    let declared = document
        .blocks
        .iter()
        .enumerate()
        .filter_map(|(at, block)| Some((at, block.declared.as_deref()?)));
    let (mut all, mut equal) = (0, 0);
    for (at, declared) in declared {
        all += 1;
        equal += usize::from(hasher.hash(at).unwrap().to_string() == declared);
    }
    (all, equal)
}

/// The page without every `contents-hash` in it.
fn without_hashes(raw: &str) -> String {
    let mut rest = raw;
    let mut out = String::new();
    while let Some(at) = rest.find(" contents-hash=\"") {
        out.push_str(&rest[..at]);
        let value = &rest[at + " contents-hash=\"".len()..];
        rest = &value[value.find('"').unwrap() + 1..];
    }
    out + rest
}

#[test]
fn every_builtin_stamps_and_nothing_else_changes() {
    for recipe in builtins() {
        let bytes = stamped(PAGE.as_bytes(), recipe);
        let (declared, equal) = reproduced(&bytes, recipe);
        assert_eq!((declared, equal), (5, 5), "{}", recipe.label());
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(without_hashes(&text), PAGE, "{}", recipe.label());
    }
}

#[test]
fn published_rules_never_change() {
    // To be extended when a recipe is added, never to be edited.
    let identities: Vec<(String, String)> = builtins()
        .iter()
        .map(|recipe| (recipe.label(), recipe.identity().to_string()[..16].to_owned()))
        .collect();
    let published = include_str!("recipe_rules/published.txt");
    let expected: Vec<(String, String)> = published
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(label, identity)| (label.to_owned(), identity.to_owned()))
        .collect();
    assert_eq!(identities, expected);
    let labels: HashSet<&String> = identities.iter().map(|(label, _)| label).collect();
    let rules: HashSet<&String> = identities.iter().map(|(_, identity)| identity).collect();
    assert_eq!((labels.len(), rules.len()), (identities.len(), identities.len()));
}

#[test]
fn text_v1_by_its_steps_is_the_canonical_text() {
    let recipe = builtin("text-v1").unwrap();
    let form = builtin("form-v1").unwrap();
    let mut blocks = 0;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("archive/pages");
    let mut pages = vec![PAGE.as_bytes().to_vec()];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            for page in std::fs::read_dir(path).unwrap() {
                pages.push(std::fs::read(page.unwrap().path()).unwrap());
            }
        }
    }
    for raw in &pages {
        let document = read_as(raw, DEFAULT_ATTRIBUTE);
        let page = input(raw, &document, DEFAULT_ATTRIBUTE);
        let (text, form) = (Hasher::new(recipe, page), Hasher::new(form, page));
        for (at, block) in document.blocks.iter().enumerate() {
            assert_eq!(text.content(at), block.text);
            let by_content = pressmark::digest::sha256(form.content(at).as_bytes());
            assert_eq!(by_content, block.form_hash);
            blocks += 1;
        }
    }
    assert!(blocks > 100, "{blocks}");
}

#[test]
fn korean_bytes_and_wide_bytes_are_stamped() {
    let text = PAGE.replace("utf-8", "euc-kr");
    let korean = encoding_rs_bytes(&text);
    let recipe = builtin("text-v1").unwrap();
    let bytes = stamped(&korean, recipe);
    assert_eq!(read_as(&bytes, DEFAULT_ATTRIBUTE).charset.name, "EUC-KR");
    assert_eq!(reproduced(&bytes, recipe), (5, 5));
    assert_eq!(bytes.len(), korean.len() + 5 * (" contents-hash=\"\"".len() + 64));
    for wide in [u16::to_le_bytes, u16::to_be_bytes] {
        let mark = wide(0xfeff);
        let raw: Vec<u8> = mark
            .into_iter()
            .chain(PAGE.encode_utf16().flat_map(wide))
            .collect();
        for recipe in ["text-v1", "outer-html-v1"].map(|label| builtin(label).unwrap()) {
            let bytes = stamped(&raw, recipe);
            assert_eq!(reproduced(&bytes, recipe), (5, 5));
            let added = 5 * (" contents-hash=\"\"".len() + 64) * 2;
            assert_eq!(bytes.len(), raw.len() + added);
        }
    }
}

/// EUC-KR by hand: the test must not use the encoder of the code it tests, and the page's own
/// Korean words are few.
fn encoding_rs_bytes(text: &str) -> Vec<u8> {
    let (bytes, _, lossy) = encoding_rs::EUC_KR.encode(text);
    assert!(!lossy);
    bytes.into_owned()
}

#[test]
fn tags_of_every_shape_are_stamped() {
    let recipe = builtin("text-v1").unwrap();
    for (before, after) in [
        ("<p>one</p>", "<p contents-hash=\"H\">one</p>"),
        (
            "<P CONTENTS-HASH='old' id=a>one",
            "<P CONTENTS-HASH=\"H\" id=a>one",
        ),
        ("<p contents-hash=old>one</p>", "<p contents-hash=\"H\">one</p>"),
        ("<p contents-hash>one</p>", "<p contents-hash=\"H\">one</p>"),
        (
            "<p contents-hash = \"old\" >one</p>",
            "<p contents-hash = \"H\" >one</p>",
        ),
        (
            "<p contents-hash=\"a\" contents-hash=\"b\">one</p>",
            "<p contents-hash=\"H\" contents-hash=\"b\">one</p>",
        ),
        ("<p/>one", "<p contents-hash=\"H\"/>one"),
        (
            "<p\n title='a > b'>one</p>",
            "<p contents-hash=\"H\"\n title='a > b'>one</p>",
        ),
    ] {
        let bytes = stamped(before.as_bytes(), recipe);
        let hash = pressmark::digest::sha256(b"one").to_string();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            after
                .replace('H', &hash)
                .replace(&format!("CONTENTS-{hash}AS{hash}"), "CONTENTS-HASH"),
            "{before}"
        );
    }
}

#[test]
fn the_first_image_is_none_that_stands_in_noscript() {
    let recipe = Recipe::from_toml("name = \"source\"\nscope = \"image-source\"").unwrap();
    let raw = "<figure><noscript><img src=/a.jpg></noscript foo><img data-src=/c.jpg src=/b.jpg></figure>";
    let document = read_as(raw.as_bytes(), DEFAULT_ATTRIBUTE);
    let hasher = Hasher::new(&recipe, input(raw.as_bytes(), &document, DEFAULT_ATTRIBUTE));
    assert_eq!(hasher.content(0), "/b.jpg");
}

#[test]
fn loose_text_is_left_out_and_counted_and_what_is_inside_is_absorbed() {
    let recipe = builtin("inner-html-v1").unwrap();
    let result = stamped_where(
        b"loose<p>one</p><blockquote>a<p>b</p>c</blockquote>",
        recipe,
        |_, _| true,
    )
    .unwrap();
    assert_eq!((result.stamped, result.left_out, result.absorbed), (3, 1, 0));
    assert_eq!(reproduced(&result.bytes, recipe), (3, 3));
    let outside = stamped_where(b"<blockquote>a<p>b</p>c</blockquote>", recipe, |_, block| {
        block.kind == Kind::Blockquote
    })
    .unwrap();
    assert_eq!((outside.stamped, outside.left_out), (1, 0));
    assert_eq!(reproduced(&outside.bytes, recipe), (1, 1));
}

#[test]
fn a_hash_that_would_hold_itself_is_refused() {
    let whole = Recipe::from_toml("name = \"whole\"\nscope = \"outer-html\"").unwrap();
    let error = stamped_where(PAGE.as_bytes(), &whole, |_, _| true).unwrap_err();
    assert!(matches!(error, RecipeError::NotStampable { .. }), "{error}");
    assert!(error.to_string().contains("whole-v1"));
}

/// A number of recipes of the space is stamped and looked for.
fn look_for(number: u64, algorithm: Algorithm, spelling: Spelling) {
    // The space depends on the declared blocks, so the page is stamped by some rule first.
    let first = Recipe {
        digest: Chain::single(algorithm),
        spelling,
        ..builtin("text-v1").unwrap().clone()
    };
    let raw = stamped(PAGE.as_bytes(), &first);
    let document = read_as(&raw, DEFAULT_ATTRIBUTE);
    let target = Target {
        len: algorithm.output_len(),
        spelling,
        algorithm: (spelling == Spelling::Integrity).then_some(algorithm),
    };
    let space = Space::new(&[input(&raw, &document, DEFAULT_ATTRIBUTE)], target);
    let number = number % space.len();
    let recipe = space.recipe(number).unwrap();
    assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe);

    let raw = stamped(&raw, &recipe);
    let document = read_as(&raw, DEFAULT_ATTRIBUTE);
    let declared: HashSet<&str> = document
        .blocks
        .iter()
        .filter_map(|block| block.declared.as_deref())
        .collect();
    let page = input(&raw, &document, DEFAULT_ATTRIBUTE);
    let hasher = Hasher::new(&recipe, page);
    let mut blocks = document.blocks.iter().enumerate();
    let on_nothing =
        blocks.any(|(index, block)| block.declared.is_some() && hasher.content(index).is_empty());
    // The same hash on every block proves nothing, nor does that of one picture beside the hash of nothing:
    // neither is called found.
    if declared.len() < 2 || (declared.len() == 2 && on_nothing) {
        return;
    }
    let report = find(&[page], &FindOptions::default(), &|_| {});
    let found = report
        .found
        .first()
        .unwrap_or_else(|| panic!("not found: number {number}\n{}", recipe.to_toml()));
    assert!(
        found.fits_all(),
        "number {number}\n{}\nfound only\n{}",
        recipe.to_toml(),
        found.recipe.to_toml()
    );
}

#[test]
fn a_rule_that_one_block_of_a_hundred_tells_apart_is_found() {
    // The rule folds quotation marks, and one paragraph alone has any: on the blocks that the finder
    // compares recipes on, rules with and without that step are the same.
    let mut raw = String::from("<!doctype html><meta charset=utf-8>");
    for number in 0..100 {
        let paragraph = match number {
            50 => "<p>They call it “the fiftieth paragraph”, and it is longer than others.</p>\n".to_owned(),
            _ => format!("<p>This is paragraph {}.</p>\n", number * number),
        };
        raw.push_str(&paragraph);
    }
    let toml = "name = \"folded\"\nscope = \"text\"\nsteps = [\"fold-quotes\"]\ndigest = \"md5\"\n";
    let recipe = Recipe::from_toml(toml).unwrap();
    let document = read_as(raw.as_bytes(), DEFAULT_ATTRIBUTE);
    let page = input(raw.as_bytes(), &document, DEFAULT_ATTRIBUTE);
    let reread = |raw: &[u8]| read_as(raw, DEFAULT_ATTRIBUTE);
    let stamped = stamp(page, &recipe, |_, _| true, reread).unwrap();
    assert_eq!(stamped.stamped, 100);

    let document = reread(&stamped.bytes);
    let page = input(&stamped.bytes, &document, DEFAULT_ATTRIBUTE);
    let report = find(&[page], &FindOptions::default(), &|_| {});
    let found = report.found.first().unwrap();
    assert!(
        found.fits_all(),
        "misses {:?} by\n{}",
        found.missed,
        found.recipe.to_toml()
    );
}

/// Rounds of the property test: few by default, `PRESSMARK_RECIPE_ROUNDS` for more.
fn rounds() -> u32 {
    std::env::var("PRESSMARK_RECIPE_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_recipe_of_the_space_is_found(number in any::<u64>(), kind in 0..4_usize) {
        let (algorithm, spelling) = [
            (Algorithm::Sha256, Spelling::Hex),
            (Algorithm::Md5, Spelling::UpperHex),
            (Algorithm::Sha512, Spelling::Base64),
            (Algorithm::Sha384, Spelling::Integrity),
        ][kind];
        look_for(number, algorithm, spelling);
    }
}

#[test]
fn a_rule_of_a_late_base_is_found_behind_single_words() {
    // The three probes are single words, the same under more than 40,000 forms; the long block alone tells
    // how tags are printed.
    let recipe = Recipe::from_toml(
        "name = \"late\"\nscope = \"inner-html\"\nsteps = [\"serialize-xhtml\", \"collapse-white-space\", \"trim\"]",
    )
    .unwrap();
    let long = "타파하 ".repeat(120);
    let raw = format!(
        "<p>서울</p><p>부산시</p><p>대구광역</p><p>가나  다<br>라마 &nbsp;<img src=x>사아자 {long}</p>"
    );
    let raw = stamped(raw.as_bytes(), &recipe);
    let document = read_as(&raw, DEFAULT_ATTRIBUTE);
    let page = input(&raw, &document, DEFAULT_ATTRIBUTE);
    let report = find(&[page], &FindOptions::default(), &|_| {});
    let found = &report.found[0];
    assert!(found.fits_all(), "{}", found.recipe.to_toml());
}

#[test]
fn a_recipe_that_fits_some_blocks_names_those_it_misses() {
    let raw = String::from_utf8(stamped(PAGE.as_bytes(), builtin("text-dense-v1").unwrap())).unwrap();
    // The shortest block is tampered with, and two hashes change places.
    let raw = raw.replace("What to bring", "What to brung");
    let document = read_as(raw.as_bytes(), DEFAULT_ATTRIBUTE);
    let page = input(raw.as_bytes(), &document, DEFAULT_ATTRIBUTE);
    let report = find(&[page], &FindOptions::default(), &|_| {});
    let found = &report.found[0];
    assert_eq!(found.recipe.label(), "text-dense-v1");
    let missed: Vec<&str> = found
        .missed
        .iter()
        .map(|place| &*document.blocks[place.block].text)
        .collect();
    assert_eq!(missed, ["What to brung"]);
    assert!(!found.fits_all());
}

#[test]
fn values_of_the_elements_around_are_found_beside_a_layout_full_of_others() {
    let recipe =
        Recipe::from_toml("name = \"keyed\"\nscope = \"text\"\nmessage = \"{ancestor:data-key}{content}\"")
            .unwrap();
    let menu = "<div data-a=1 data-b=2 data-c=3 data-d=4 id=m>menu</div>".repeat(8);
    let raw =
        format!("{menu}<div data-key=K7><p>First paragraph.</p><p>Second paragraph.</p><p>Third</p></div>");
    let raw = stamped_where(raw.as_bytes(), &recipe, |_, block| block.kind == Kind::P)
        .unwrap()
        .bytes;
    let document = read_as(&raw, DEFAULT_ATTRIBUTE);
    let page = input(&raw, &document, DEFAULT_ATTRIBUTE);
    let report = find(&[page], &FindOptions::default(), &|_| {});
    assert!(
        report
            .found
            .first()
            .is_some_and(pressmark::recipe::Found::fits_all)
    );
}

#[test]
fn several_pages_are_searched_together() {
    // One block a page: no page alone is a proof.
    let recipe = Recipe::from_toml(
        "name = \"salted\"\nscope = \"text\"\nsteps = [\"drop-white-space\"]\nmessage = \"{attribute:id}#{content}\"",
    )
    .unwrap();
    let pages: Vec<Vec<u8>> = ["첫째 날의 기록", "On the second day", "셋째 날, 비가 왔다"]
        .iter()
        .enumerate()
        .map(|(at, text)| stamped(format!("<p id=d{at}>{text}</p>").as_bytes(), &recipe))
        .collect();
    let documents: Vec<Document> = pages.iter().map(|raw| read_as(raw, DEFAULT_ATTRIBUTE)).collect();
    let inputs: Vec<PageInput<'_>> = pages
        .iter()
        .zip(&documents)
        .map(|(raw, document)| input(raw, document, DEFAULT_ATTRIBUTE))
        .collect();
    let together = find(&inputs, &FindOptions::default(), &|_| {});
    assert!(together.found[0].fits_all());
    assert_eq!(together.found[0].reproduced.len(), 3);
    assert!(
        find(&inputs[..1], &FindOptions::default(), &|_| {})
            .found
            .is_empty()
    );
}

#[test]
fn the_nearest_element_around_gives_the_value() {
    let recipe =
        Recipe::from_toml("name = \"keyed\"\nscope = \"text\"\nmessage = \"{ancestor:data-key}{content}\"")
            .unwrap();
    // A container in a block, and a block in a container.
    for raw in [
        "<blockquote data-key=out>Quoted.<div data-key=in><p>Text</p></div></blockquote>",
        "<div data-key=out><blockquote data-key=in>Quoted.<div><p>Text</p></div></blockquote></div>",
    ] {
        let document = read_as(raw.as_bytes(), DEFAULT_ATTRIBUTE);
        let hasher = Hasher::new(&recipe, input(raw.as_bytes(), &document, DEFAULT_ATTRIBUTE));
        let at = document
            .blocks
            .iter()
            .position(|block| block.kind == Kind::P)
            .unwrap();
        assert_eq!(
            hasher.hash(at).unwrap().to_string(),
            pressmark::digest::sha256(b"inText").to_string()
        );
    }
}

#[test]
fn hashes_of_no_rule_are_not_found_and_the_count_is_told() {
    let noise = |block: &str, seed: u8| {
        let hash = pressmark::digest::blake3(&[seed; 9]).to_string();
        format!("<p contents-hash=\"{hash}\" id=a{seed}>{block}</p>")
    };
    let raw =
        noise("가나다", 1) + &noise("abc def", 2) + &noise("긴 문단 하나", 3) + "<p contents-hash=x>y</p>";
    let document = read_as(raw.as_bytes(), DEFAULT_ATTRIBUTE);
    let page = input(raw.as_bytes(), &document, DEFAULT_ATTRIBUTE);
    let last = std::cell::Cell::new(0);
    let report = find(&[page], &FindOptions::default(), &|tried| {
        assert!(tried >= last.get());
        last.set(tried);
    });
    assert!(report.found.is_empty());
    assert_eq!((report.declared.len(), report.malformed.len()), (3, 1));
    assert_eq!(report.recipes, report.space + builtins().len() as u64);
    assert!(
        report.recipes > 1_000_000 && report.digests > 100_000,
        "{report:?}"
    );
    assert_eq!(last.get(), report.recipes);
}

#[test]
fn declared_elements_nested_a_thousand_deep_do_not_multiply_the_page() {
    let raw = format!(
        "{}{}",
        "<div contents-hash=1>a".repeat(1_000),
        "<p contents-hash=2>b</p>".repeat(5_000)
    );
    let document = read_as(raw.as_bytes(), DEFAULT_ATTRIBUTE);
    let page = input(raw.as_bytes(), &document, DEFAULT_ATTRIBUTE);
    let hashed = |label: &str| {
        let hasher = Hasher::new(builtin(label).unwrap(), page);
        (0..document.blocks.len())
            .filter(|&index| hasher.hash(index).is_some())
            .count()
    };
    assert_eq!(hashed("text-v1"), 6_000);
    assert_eq!(hashed("text-raw-v1"), 6_000);
    assert!((32..40).contains(&hashed("outer-html-v1")));
}

#[test]
fn the_documented_size_of_the_space_is_what_the_code_says() {
    let hash = |seed: u8| pressmark::digest::blake3(&[seed]).to_string();
    let raw = format!(
        "<div id=layer style=x></div><div class=view data-a=1 data-b=2 data-c=3><section dmcf-sid=s>\
         <p dmcf-pid=a dmcf-ptype=general contents-hash={}>One<figure class=f dmcf-pid=b dmcf-ptype=figure \
         contents-hash={}>Two</figure></section></div>",
        hash(1),
        hash(2)
    );
    let document = read_as(raw.as_bytes(), DEFAULT_ATTRIBUTE);
    let target = Target {
        len: 32,
        spelling: Spelling::Hex,
        algorithm: None,
    };
    let space = Space::new(&[input(raw.as_bytes(), &document, DEFAULT_ATTRIBUTE)], target);
    let docs = include_str!("../../docs/recipes.md");
    let start = docs.find("| layer | forms").unwrap();
    let number = |cell: &str| cell.trim().trim_matches('*').replace(',', "").parse::<u64>().ok();
    let rows: Vec<Vec<u64>> = docs[start..]
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').filter_map(number).collect())
        .filter(|row: &Vec<u64>| !row.is_empty())
        .collect();
    let (sum, layers) = rows.split_last().unwrap();
    let coded: Vec<Vec<u64>> = space
        .layers()
        .map(|(_, forms, messages, digests)| {
            let [forms, messages, digests] = [forms, messages, digests].map(|count| count as u64);
            vec![forms, messages, digests, forms * messages * digests]
        })
        .collect();
    assert_eq!(layers, coded);
    assert_eq!(sum, &[space.len()]);
}
