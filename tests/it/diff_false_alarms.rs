//! What is no edit raises no alarm, from the stream of a crawler to what `log` says: the same article in
//! another encoding, with other advertisements, counters, scripts, class names, attribute orders and
//! thumbnails; a page that came broken.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::command::{Run, pressmark, pressmark_with_input};

const ADDRESS: &str = "https://www.haedam-news.example/v/1";

/// What may differ between two deliveries of one article.
struct Delivery {
    charset: &'static str,
    class: &'static str,
    image: &'static str,
    advertisement: &'static str,
    reads: u32,
    script: &'static str,
    /// Attributes of the link in the first paragraph.
    link: &'static str,
}

const PLAIN: Delivery = Delivery {
    charset: "utf-8",
    class: "story",
    image: "https://img.haedam.example/2026/pump.jpg",
    advertisement: "여름 이불 반값",
    reads: 17,
    script: "var a = 1;",
    link: r#"href="/tag/water" title="수도""#,
};

impl Delivery {
    fn html(&self) -> String {
        let Self {
            charset,
            class,
            image,
            advertisement,
            reads,
            script,
            link,
        } = self;
        format!(
            r#"<!doctype html><html lang="ko"><head><meta charset="{charset}"><title>상수관 교체 - 해담일보</title>
<meta property="og:title" content="상수관 교체"><script>{script}</script></head><body>
<nav class="{class}-menu"><ul><li><a href="/">첫 화면</a></li><li><a href="/city">시정</a></li></ul></nav>
<div class="ad"><p>{advertisement}</p></div>
<article class="{class}" itemprop="articleBody"><h1 class="{class}-title">상수관 교체</h1>
<p class="{class}-p">해담시는 낡은 <a {link}>상수관</a> 47㎞를 내년까지 바꾼다고 12일 밝혔다. 시는 이 일에 310억 원을 쓴다.</p>
<figure><img src="{image}" alt="양수장"></figure>
<p class="{class}-p">공사는 동쪽 마을부터 시작하고, 물이 끊기는 시간은 하루 전에 집마다 알린다고 시는 설명했다.</p>
<p class="{class}-p">시의회는 지난달 예산을 두고 세 번 표결했으며, 마지막 표결에서 한 표 차이로 통과시켰다.</p>
</article><aside><p>읽은 사람 {reads}명</p></aside><script>{script}</script></body></html>"#
        )
    }

    fn bytes(&self) -> Vec<u8> {
        let encoding = encoding_rs::Encoding::for_label(self.charset.as_bytes()).unwrap();
        let html = self.html();
        let (bytes, _, lost) = encoding.encode(&html);
        assert!(!lost, "the sample fits its encoding");
        bytes.into_owned()
    }
}

fn archive(bodies: &[Vec<u8>]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut stream = String::new();
    for (at, body) in bodies.iter().enumerate() {
        let body = base64::engine::general_purpose::STANDARD.encode(body);
        let moment = format!("2026-03-{:02}T06:00:00Z", at + 1);
        stream.push_str(&json!({"url": ADDRESS, "fetched_at": moment, "body_base64": body}).to_string());
        stream.push('\n');
    }
    pressmark_with_input(folder.path(), &["add", "-"], stream.as_bytes()).expect_code(0);
    folder
}

fn log(folder: &tempfile::TempDir) -> Vec<Value> {
    pressmark(folder.path(), &["log", "--json", ADDRESS])
        .expect_code(0)
        .json()
}

fn ledger(folder: &tempfile::TempDir) -> Run {
    pressmark(folder.path(), &["log", "--json", "--edits"]).expect_code(0)
}

#[test]
fn another_delivery_of_the_same_article_is_no_revision() {
    let deliveries = [
        PLAIN,
        Delivery {
            charset: "euc-kr",
            ..PLAIN
        },
        Delivery {
            advertisement: "봄 신발 새로 나왔습니다",
            ..PLAIN
        },
        Delivery {
            reads: 20_931,
            ..PLAIN
        },
        Delivery {
            script: "var b = '<p>새 문단</p>'; document.title = b;",
            ..PLAIN
        },
        Delivery {
            class: "css-x81k2",
            ..PLAIN
        },
        Delivery {
            link: r#"title="수도" href="/tag/water""#,
            ..PLAIN
        },
        Delivery {
            image: "//thumb.haedam.example/R640x0/?fname=https%3A%2F%2Fimg.haedam.example%2F2026%2Fpump.jpg",
            ..PLAIN
        },
        Delivery {
            image: "https://cdn2.haedam.example/C120x80/?v=3&fname=http://img.haedam.example/2026/pump.jpg",
            charset: "euc-kr",
            class: "b2",
            reads: 3,
            ..PLAIN
        },
    ];
    let folder = archive(&deliveries.iter().map(Delivery::bytes).collect::<Vec<_>>());
    let log = log(&folder);
    assert_eq!(log.len(), deliveries.len());
    for (at, line) in log.iter().enumerate() {
        assert_eq!(line["revision"], at == 0, "{line}");
        assert_eq!(line["kind"], if at == 0 { "first" } else { "same" }, "{line}");
    }
    assert_eq!(ledger(&folder).out, "");
    let rows = pressmark(folder.path(), &["log", ADDRESS]).expect_code(0).out;
    assert_eq!(rows.matches('*').count(), 1, "{rows}");
    assert_eq!(rows.matches("unchanged").count(), deliveries.len() - 1, "{rows}");

    // The whole page is another matter.
    let all = pressmark(folder.path(), &["log", "--json", "--edits", "--all"]).expect_code(0);
    assert!(all.json().iter().all(|edit| edit["place"] == "outside"));
    assert!(
        all.out.contains("20,931") || all.out.contains("20931"),
        "{}",
        all.out
    );
}

#[test]
fn a_real_edit_among_other_deliveries_is_found() {
    let edited = String::from_utf8(PLAIN.bytes()).unwrap().replace("47㎞", "74㎞");
    let other = Delivery {
        charset: "euc-kr",
        class: "css-x81k2",
        ..PLAIN
    };
    let folder = archive(&[PLAIN.bytes(), other.bytes(), edited.into_bytes()]);
    let lines = ledger(&folder).json();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (
            &lines[0]["class"],
            &lines[0]["n"],
            &lines[0]["deleted"],
            &lines[0]["inserted"]
        ),
        (&json!("numeric"), &json!(3), &json!("47"), &json!("74"))
    );
    assert_eq!(lines[0]["first"], 1);
}

#[test]
fn a_page_that_came_broken_is_suspect_and_no_edit() {
    let broken = "<!doctype html><title>해담일보</title><p>로그인이 필요합니다.</p>";
    let mut edited = PLAIN.html();
    edited = edited.replace("세 번", "네 번");
    let bodies = [
        PLAIN.bytes(),
        broken.as_bytes().to_vec(),
        PLAIN.bytes(),
        broken.as_bytes().to_vec(),
        edited.into_bytes(),
        broken.as_bytes().to_vec(),
    ];
    let folder = archive(&bodies);
    let kinds: Vec<String> = log(&folder)
        .iter()
        .map(|line| line["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds,
        ["first", "suspect", "same", "suspect", "revision", "suspect"]
    );
    let ledger = ledger(&folder);
    let lines = ledger.json();
    assert_eq!(lines.len(), 1, "{}", ledger.out);
    assert_eq!((&lines[0]["n"], &lines[0]["previous"]), (&json!(5), &json!(3)));
    assert!(
        ledger
            .err
            .contains("left out 3 snapshots whose extraction is suspect"),
        "{}",
        ledger.err
    );
    let rows = pressmark(folder.path(), &["log", ADDRESS]).expect_code(0).out;
    assert!(rows.contains("2 ? 2026-03-02"), "{rows}");
    assert!(rows.contains("as 1 was"), "{rows}");
    // The notice stands in the diff of two pages, on the terminal and in HTML, and in the history.
    let pair = [&format!("{ADDRESS}@1"), &format!("{ADDRESS}@2")];
    let terminal = pressmark(folder.path(), &["diff", pair[0], pair[1]])
        .expect_code(1)
        .out;
    assert!(terminal.contains("suspect: the extraction"), "{terminal}");
    for page in [
        vec!["diff", "--html", pair[0], pair[1]],
        vec!["diff", "--html", ADDRESS],
    ] {
        let html = pressmark(folder.path(), &page).expect_code(1).out;
        assert!(html.contains("Suspect: the extraction"), "{html}");
    }
    // Blame shows the newest page that is not suspect.
    let blame = pressmark(folder.path(), &["blame", "--json", ADDRESS])
        .expect_code(0)
        .json();
    let last = blame.last().unwrap();
    assert_eq!((&last["first"], &last["changed"]), (&json!(1), &json!(5)));
}

#[test]
fn a_jump_that_stays_is_told_late_but_in_order() {
    let broken = "<!doctype html><title>해담일보</title><p>기사가 옮겨졌습니다.</p>".as_bytes();
    let folder = archive(&[PLAIN.bytes(), broken.to_vec(), [broken, b" "].concat()]);
    let kinds: Vec<Value> = log(&folder).iter().map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["first", "suspect", "same"]);
    let ledger = ledger(&folder);
    assert!(ledger.json().iter().all(|line| line["n"] == 2), "{}", ledger.out);
    assert!(ledger.json().len() >= 4, "{}", ledger.out);
    assert_eq!(ledger.err, "");
}

/// Every pack of the archive in a folder.
fn packs(folder: &tempfile::TempDir) -> std::collections::BTreeSet<std::path::PathBuf> {
    let dirs = std::fs::read_dir(folder.path().join("articles.pressmark/packs")).unwrap();
    dirs.flat_map(|dir| std::fs::read_dir(dir.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect()
}

#[test]
fn a_page_whose_hashes_are_those_of_the_one_before_is_not_read() {
    let other = Delivery {
        script: "var b = 2;",
        advertisement: "가을 외투",
        ..PLAIN
    };
    let folder = archive(&[PLAIN.bytes()]);
    let before = packs(&folder);
    let body = base64::engine::general_purpose::STANDARD.encode(other.bytes());
    let line = json!({"url": ADDRESS, "fetched_at": "2026-04-01T06:00:00Z", "body_base64": body});
    pressmark_with_input(folder.path(), &["add", "-"], line.to_string().as_bytes()).expect_code(0);
    let after = packs(&folder);
    let new: Vec<_> = after.difference(&before).collect();
    assert_eq!(new.len(), 1);
    // Nothing of the second snapshot can be read any more, and `log` does not notice.
    let length = std::fs::metadata(new[0]).unwrap().len();
    std::fs::write(new[0], vec![0; usize::try_from(length).unwrap()]).unwrap();
    let second = format!("{ADDRESS}@2");
    assert_ne!(pressmark(folder.path(), &["cat", &second]).code, 0);
    let kinds: Vec<_> = log(&folder)
        .into_iter()
        .map(|line| line["kind"].clone())
        .collect();
    assert_eq!(kinds, ["first", "same"]);
    assert_eq!(ledger(&folder).out, "");
}
