//! The oracle: a real tree builder (html5ever) and the block rules written a second time, over its
//! tree. Both must find the same blocks on real pages.

use std::collections::BTreeMap;

use html5ever::tendril::TendrilSink;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use pressmark::html::{ReadOptions, decode, read};
use unicode_normalization::UnicodeNormalization;

use crate::corpus;

const BLOCK_ELEMENTS: &str = " p h1 h2 h3 h4 h5 h6 li dt dd td th caption figcaption summary legend \
                              blockquote pre address figure ";
const BOUNDARIES: &str = " html body div section article aside header footer main nav search hgroup center \
                          details dialog dl ul ol menu dir fieldset form hr listing plaintext xmp table \
                          thead tbody tfoot tr optgroup option ";
const DROPPED: &str = " script style template noscript noembed noframes iframe object audio video canvas \
                       textarea select datalist title ";
const MEDIA: &str = " img picture video audio iframe object embed canvas ";

fn is_in(list: &str, name: &str) -> bool {
    list.split_whitespace().any(|word| word == name)
}

/// One block of the oracle: kind and text, normalized in its own way.
#[derive(Default)]
struct Found {
    kind: String,
    raw: String,
    media: bool,
    declared: bool,
}

#[derive(Clone, Copy, Default)]
struct Around {
    block: Option<usize>,
    declared: bool,
    figure: bool,
}

#[derive(Default)]
struct Oracle {
    found: Vec<Found>,
    loose: Option<usize>,
    breaks: usize,
    /// All visible characters, blocks aside.
    visible: String,
}

impl Oracle {
    fn boundary(&mut self, around: Around) {
        match around.block {
            Some(block) => self.found[block].raw.push(' '),
            None => self.loose = None,
        }
    }

    fn target(&mut self, around: Around) -> usize {
        if let Some(block) = around.block.or(self.loose) {
            return block;
        }
        self.found.push(Found {
            kind: "text".into(),
            ..Found::default()
        });
        self.loose = Some(self.found.len() - 1);
        self.found.len() - 1
    }

    fn children(&mut self, node: &Handle, around: Around, depth: usize) {
        for child in node.children.borrow().iter() {
            self.node(child, around, depth + 1);
        }
    }

    fn node(&mut self, node: &Handle, around: Around, depth: usize) {
        match &node.data {
            NodeData::Text { contents } => {
                let text = contents.borrow().replace('\0', "");
                self.visible.push_str(&text);
                if around.block.is_none() && self.loose.is_none() && text.chars().all(is_space) {
                    return;
                }
                if around.block.is_none() && !text.chars().all(is_space) {
                    self.breaks = 0;
                }
                let target = self.target(around);
                self.found[target].raw.push_str(&text);
            }
            NodeData::Element { name, attrs, .. } => {
                let html = &*name.ns == "http://www.w3.org/1999/xhtml";
                let tag = &*name.local;
                if !html {
                    if tag == "svg" {
                        return;
                    }
                    self.children(node, around, depth);
                    return;
                }
                let declared = attrs
                    .borrow()
                    .iter()
                    .any(|attribute| &*attribute.name.local == "contents-hash");
                self.element(node, tag, declared, around, depth);
            }
            _ => self.children(node, around, depth),
        }
    }

    fn element(&mut self, node: &Handle, tag: &str, declared: bool, around: Around, depth: usize) {
        if tag == "br" && !declared {
            if let Some(block) = around.block {
                self.found[block].raw.push(' ');
            } else if let Some(loose) = self.loose {
                self.found[loose].raw.push(' ');
                self.breaks += 1;
                if self.breaks >= 2 {
                    self.loose = None;
                }
            }
            return;
        }
        let quiet_in_figure =
            tag == "p" || tag == "figcaption" || (tag.len() == 2 && tag.starts_with('h') && tag != "hr");
        let opens = declared
            || (is_in(BLOCK_ELEMENTS, tag) && !around.declared && !(around.figure && quiet_in_figure));
        let divides = is_in(BLOCK_ELEMENTS, tag) || is_in(BOUNDARIES, tag);
        let mut inside = around;
        if opens {
            self.boundary(around);
            self.loose = None;
            self.found.push(Found {
                kind: if is_in(BLOCK_ELEMENTS, tag) { tag } else { "other" }.into(),
                declared,
                ..Found::default()
            });
            inside.block = Some(self.found.len() - 1);
            inside.declared |= declared;
        } else if divides {
            self.boundary(around);
        }
        match tag {
            "figure" => inside.figure = true,
            "table" | "pre" | "blockquote" | "ul" | "ol" => inside.figure = false,
            _ => {}
        }
        if is_in(MEDIA, tag) {
            let target = self.target(inside);
            self.found[target].media = true;
            if inside.block.is_none() {
                self.breaks = 0;
            }
        }
        if !is_in(DROPPED, tag) {
            self.children(node, inside, depth);
        }
        if opens || divides {
            self.boundary(around);
        }
    }

    /// Kind and text of all blocks that are any.
    fn blocks(&self) -> Vec<(String, String)> {
        self.found
            .iter()
            .map(|found| (found, normalize(&found.raw)))
            .filter(|(found, text)| !text.is_empty() || found.media || found.declared)
            .map(|(found, text)| (found.kind.clone(), text))
            .collect()
    }
}

fn is_space(c: char) -> bool {
    "\t\n\u{c}\r \u{a0}".contains(c)
}

fn normalize(raw: &str) -> String {
    let words: Vec<&str> = raw.split(is_space).filter(|word| !word.is_empty()).collect();
    words.join(" ").nfc().collect()
}

/// How often each visible character occurs, decomposed, white space aside.
fn histogram<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeMap<char, usize> {
    let mut counts = BTreeMap::new();
    for c in texts
        .flat_map(unicode_normalization::UnicodeNormalization::nfd)
        .filter(|&c| !is_space(c))
    {
        *counts.entry(c).or_default() += 1;
    }
    counts
}

#[derive(Default, Debug)]
struct Tally {
    pages: usize,
    equal_pages: usize,
    blocks: usize,
    equal_blocks: usize,
    complete_pages: usize,
}

/// Compares one page; `report` gets the first difference.
fn compare(raw: &[u8], tally: &mut Tally, report: &mut dyn FnMut(String)) {
    let ours = read(raw, &ReadOptions::default());
    let decoded = decode(raw, None);
    let dom =
        html5ever::parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(&*decoded.text);
    let mut oracle = Oracle::default();
    oracle.node(&dom.document, Around::default(), 0);
    let expected = oracle.blocks();
    let found: Vec<(String, String)> = ours
        .blocks
        .iter()
        .map(|block| (block.kind.to_string(), block.text.clone()))
        .collect();
    tally.pages += 1;
    tally.blocks += expected.len().max(found.len());
    let mut counts: BTreeMap<&(String, String), usize> = BTreeMap::new();
    for block in &expected {
        *counts.entry(block).or_default() += 1;
    }
    let mut equal = 0;
    for block in &found {
        if let Some(count) = counts.get_mut(block)
            && *count > 0
        {
            *count -= 1;
            equal += 1;
        }
    }
    tally.equal_blocks += equal;
    if expected == found {
        tally.equal_pages += 1;
    } else {
        let at = expected.iter().zip(&found).take_while(|(a, b)| a == b).count();
        let show = |list: &[(String, String)]| {
            list.iter()
                .skip(at)
                .take(2)
                .map(|(kind, text)| format!("{kind} {text:.160?}"))
                .collect::<Vec<_>>()
                .join(" | ")
        };
        report(format!(
            "block {at} of {}/{}, {equal} equal\n  tree {}\n  ours {}",
            expected.len(),
            found.len(),
            show(&expected),
            show(&found)
        ));
    }
    let visible = histogram([oracle.visible.as_str()].into_iter());
    let in_blocks = histogram(ours.blocks.iter().map(|block| block.text.as_str()));
    if visible == in_blocks {
        tally.complete_pages += 1;
    } else {
        let missing: usize = visible
            .iter()
            .map(|(c, n)| n.saturating_sub(in_blocks.get(c).copied().unwrap_or(0)))
            .sum();
        let extra: usize = in_blocks
            .iter()
            .map(|(c, n)| n.saturating_sub(visible.get(c).copied().unwrap_or(0)))
            .sum();
        report(format!("  characters: {missing} missing, {extra} too many"));
    }
}

/// Trees grow slowly in html5ever when elements nest deeply, and its teardown recurses.
const MAX_TREE_BYTES: usize = 16 << 20;

fn run(set: &str, step: usize) {
    let worker = std::thread::Builder::new().stack_size(256 << 20);
    let set = set.to_owned();
    let handle = worker.spawn(move || {
        let mut tally = Tally::default();
        corpus::pages(&set, step, |name, raw| {
            if raw.len() <= MAX_TREE_BYTES {
                compare(&raw, &mut tally, &mut |difference| {
                    println!("{name}: {difference}");
                });
            }
        })?;
        Some(tally)
    });
    let Some(tally) = handle.unwrap().join().unwrap() else {
        return;
    };
    println!("{tally:?}");
    assert!(
        tally.equal_blocks * 1000 >= tally.blocks * 999,
        "blocks differ from the tree builder's: {tally:?}"
    );
    assert!(
        tally.equal_pages * 1000 >= tally.pages * 995,
        "pages differ from the tree builder's: {tally:?}"
    );
    assert!(
        tally.complete_pages * 1000 >= tally.pages * 999,
        "characters are missing or doubled: {tally:?}"
    );
}

#[test]
fn blocks_agree_with_a_tree_builder_on_a_sample() {
    run("articles", 16);
}

#[test]
#[ignore = "takes minutes; the sample runs by default"]
fn blocks_agree_with_a_tree_builder_on_all_articles() {
    run("articles", 1);
}

#[test]
#[ignore = "takes minutes; the sample runs by default"]
fn blocks_agree_with_a_tree_builder_on_all_sites_and_revisions() {
    run("sites", 1);
    run("revisions", 8);
}

#[test]
fn small_pages_agree_with_a_tree_builder() {
    let pages = [
        "<p>a<p>b<div>c</p>d</div>",
        "<table><tr><td>a<td>b</tr></table>c",
        "<ul><li>a<b>b<li>c</b></ul>",
        "<select><option>a</div><p>b</select>c",
        "<p>a<select>b<p>c<input>d",
        "<b><p>a</b>b</p>c",
        "<a>x<a>y<div>z</a>q</div>r",
        "<svg><p>a</svg>b",
        "<svg><title>a<p>b</title>c</svg>d",
        "<math><mi>a<p>b</mi></math>c",
        "<math><annotation-xml encoding='text/html'><p>a</annotation-xml></math>b",
        "<svg><![CDATA[x]]></svg><![CDATA[y]]>z",
        "<form><div>a</form>b</div><form>c</form>",
        "<p>a<table><tr><td>b</table>c",
        "<!doctype html><p>a<table><tr><td>b</table>c",
        "<h1>a<h2>b</h1>c",
        "<dl><dt>a<dd>b<p>c<dt>d</dl>e",
        "<button><p>a<button>b</button>c</p>d",
        "<frameset><p>a</frameset>b",
        "a<frameset>b",
        "<ruby>a<rt>b<rp>c</ruby>d",
        "<option>a<option>b<optgroup>c",
        "<div><textarea></div>a</textarea>b",
        "<plaintext>a</plaintext><p>b",
        "<body>a<body>b</body>c</html>d",
        "<html><head><img></head><body><img>",
        "a<body>b",
        "<title>a</title><template>b</template><body>c",
        "<image><p>a</image>b",
        "<object><p>a</object>b</p>c",
        "<table><caption>a<tr><td>b<caption>c</table>",
        "<table><td>a<table><td>b</table>c</table>d",
        "<nobr>a<nobr>b<p>c</nobr>d",
        "<li>a<div><li>b</div>c",
        "<template><p>a</template>b",
        "<p>a</br>b<image>c",
        "<table><form><tr><td>a</form>b</table>c",
        "<marquee><p>a</marquee>b</p>c",
        "<li>a<ul><li>b</li></li>c</ul>d",
    ];
    let mut differences = Vec::new();
    for page in pages {
        let mut tally = Tally::default();
        compare(page.as_bytes(), &mut tally, &mut |difference| {
            differences.push(format!("{page}: {difference}"));
        });
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
