//! Every vector of `archive/vectors/` against the reader: what is promised to strangers is what the
//! code does.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use pressmark::html::{self, ReadOptions};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Fewer would mean that a file was lost.
const VECTORS_AT_LEAST: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    #[serde(rename = "note")]
    _note: Option<String>,
    html: Option<String>,
    base64: Option<String>,
    charset: Option<String>,
    encoding: Option<String>,
    had_errors: Option<bool>,
    blocks: Vec<Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    kind: String,
    text: String,
    sha256: String,
    range: Option<[usize; 2]>,
    /// Absent: not asked. Null: the block declares none.
    #[serde(default, deserialize_with = "present")]
    declared: Option<Value>,
    form: Option<String>,
    form_sha256: Option<String>,
}

/// Tells a null from an absent key.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

fn vectors() -> Vec<Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("archive/vectors");
    let mut vectors = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        for (number, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            let vector = serde_json::from_str(line);
            vectors.push(vector.unwrap_or_else(|error| panic!("{}:{}: {error}", path.display(), number + 1)));
        }
    }
    vectors
}

fn sha256(bytes: &str) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

impl Vector {
    fn raw(&self) -> Vec<u8> {
        match (&self.html, &self.base64) {
            (Some(html), None) => html.clone().into_bytes(),
            (None, Some(coded)) => base64::engine::general_purpose::STANDARD.decode(coded).unwrap(),
            _ => panic!("{}: either html or base64", self.name),
        }
    }

    /// All that the reader does otherwise.
    fn disagreements(&self) -> Vec<String> {
        let raw = self.raw();
        let options = ReadOptions {
            http_charset: self.charset.as_deref(),
            ..ReadOptions::default()
        };
        let page = html::read(&raw, &options);
        let mut told = Vec::new();
        let mut differ = |what: &str, expected: &dyn std::fmt::Debug, found: &dyn std::fmt::Debug| {
            told.push(format!(
                "{}: {what}: expected {expected:?}, found {found:?}",
                self.name
            ));
        };
        if self
            .encoding
            .as_deref()
            .is_some_and(|name| name != page.charset.name)
        {
            differ("encoding", &self.encoding, &page.charset.name);
        }
        if self.had_errors.is_some_and(|had| had != page.charset.had_errors) {
            differ("had_errors", &self.had_errors, &page.charset.had_errors);
        }
        let short = |kind: &str, text: &str| format!("{kind} {text:?}");
        let expected: Vec<_> = self
            .blocks
            .iter()
            .map(|block| short(&block.kind, &block.text))
            .collect();
        let found: Vec<_> = page
            .blocks
            .iter()
            .map(|block| short(block.kind.as_str(), &block.text))
            .collect();
        if expected != found {
            differ("blocks", &expected, &found);
            return told;
        }
        for (n, (expected, found)) in self.blocks.iter().zip(&page.blocks).enumerate() {
            if expected.sha256 != found.text_hash.to_string() {
                differ(&format!("hash of block {n}"), &expected.sha256, &found.text_hash);
            }
            if let Some([start, end]) = expected.range
                && (start..end) != found.range
            {
                let slice = String::from_utf8_lossy(&raw[found.range.clone()]).into_owned();
                differ(
                    &format!("range of block {n}"),
                    &(start..end),
                    &(&found.range, slice),
                );
            }
            if let Some(declared) = &expected.declared
                && declared.as_str() != found.declared.as_deref()
            {
                differ(&format!("declared hash of block {n}"), declared, &found.declared);
            }
            if let Some(form) = &expected.form_sha256
                && *form != found.form_hash.to_string()
            {
                differ(&format!("form of block {n}"), &expected.form, &found.marks);
            }
        }
        told
    }
}

#[test]
fn vectors_are_what_the_reader_does() {
    let told: Vec<_> = vectors().iter().flat_map(Vector::disagreements).collect();
    assert!(
        told.is_empty(),
        "{} disagreements:\n{}",
        told.len(),
        told.join("\n")
    );
}

#[test]
fn vectors_agree_with_themselves() {
    let vectors = vectors();
    assert!(vectors.len() >= VECTORS_AT_LEAST, "{} vectors", vectors.len());
    let mut names = HashSet::new();
    for vector in &vectors {
        assert!(names.insert(&vector.name), "{} stands twice", vector.name);
        let length = vector.raw().len();
        for block in &vector.blocks {
            assert_eq!(block.sha256, sha256(&block.text), "{}", vector.name);
            assert_eq!(
                block.form_sha256,
                block.form.as_deref().map(sha256),
                "{}",
                vector.name
            );
            assert!(
                block
                    .range
                    .is_none_or(|[start, end]| start <= end && end <= length),
                "{}",
                vector.name
            );
        }
    }
}
