//! Snapshots as NDJSON: blocks with hashes and labels, plain text, or whole pages.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Outgoing;

/// What an NDJSON line holds besides address, moment and hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NdjsonContent {
    /// Every block with its kind, range, label, text and hashes.
    #[default]
    Blocks,
    /// Headline and text, a line for each block: for corpus builders.
    Text,
    /// The page itself, with status, headers and metadata: `add` reads it back.
    Pages,
}

/// Writes snapshots as NDJSON, one line each.
pub struct NdjsonExport<W> {
    out: W,
    content: NdjsonContent,
    body_only: bool,
}

impl<W: Write> NdjsonExport<W> {
    /// Writes to `out`; with `body_only`, only blocks of the article's body.
    pub fn new(out: W, content: NdjsonContent, body_only: bool) -> Self {
        Self {
            out,
            content,
            body_only,
        }
    }

    /// Writes one snapshot.
    pub fn add(&mut self, outgoing: &Outgoing) -> io::Result<()> {
        let page = &outgoing.page;
        let mut line = Map::new();
        line.insert("url".to_owned(), json!(page.address));
        line.insert("fetched_at".to_owned(), json!(page.moment));
        match self.content {
            NdjsonContent::Blocks => {
                line.insert("n".to_owned(), json!(outgoing.n));
                line.insert("status".to_owned(), json!(page.status));
                line.insert("bytes".to_owned(), json!(page.body.len()));
                line.insert("raw".to_owned(), json!(outgoing.body));
                line.insert("article_hash".to_owned(), json!(outgoing.article_hash));
                line.insert("revision".to_owned(), json!(outgoing.revision));
                self.document(outgoing, &mut line);
                line.insert("blocks".to_owned(), self.blocks(outgoing));
            }
            NdjsonContent::Text => {
                self.document(outgoing, &mut line);
                line.insert("text".to_owned(), json!(self.text(outgoing)));
            }
            NdjsonContent::Pages => {
                pages(outgoing, &mut line);
            }
        }
        serde_json::to_writer(&mut self.out, &Value::Object(line))?;
        self.out.write_all(b"\n")
    }

    /// Ends the output and gives it back.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn document(&self, outgoing: &Outgoing, line: &mut Map<String, Value>) {
        let Some(document) = &outgoing.document else {
            return;
        };
        let title = document.headline.as_ref().or(document.title.as_ref());
        line.insert("title".to_owned(), json!(title));
        line.insert("byline".to_owned(), json!(document.byline));
        line.insert("published".to_owned(), json!(document.published));
        line.insert("language".to_owned(), json!(document.language));
        if self.content == NdjsonContent::Blocks {
            line.insert("charset".to_owned(), json!(document.charset.name));
        }
    }

    fn blocks(&self, outgoing: &Outgoing) -> Value {
        let blocks = outgoing
            .document
            .iter()
            .flat_map(|document| document.blocks.iter());
        blocks
            .enumerate()
            .filter(|(_, block)| block.body || !self.body_only)
            .map(|(index, block)| {
                json!({
                    "index": index,
                    "kind": block.kind.as_str(),
                    "range": [block.range.start, block.range.end],
                    "body": block.body,
                    "text": block.text,
                    "hash": block.text_hash,
                    "form_hash": block.form_hash,
                    "declared": block.declared,
                    "id": block.id,
                })
            })
            .collect()
    }

    /// Texts of the blocks, a line each. A page whose body was not found gives all of its text.
    fn text(&self, outgoing: &Outgoing) -> String {
        let Some(document) = &outgoing.document else {
            return String::new();
        };
        let labelled = document.blocks.iter().any(|block| block.body);
        let texts: Vec<&str> = document
            .blocks
            .iter()
            .filter(|block| block.body || !labelled && !self.body_only)
            .map(|block| block.text.as_str())
            .filter(|text| !text.is_empty())
            .collect();
        texts.join("\n")
    }
}

/// The keys from which `add` makes the same snapshot again.
pub(super) fn pages(outgoing: &Outgoing, line: &mut Map<String, Value>) {
    let page = &outgoing.page;
    described(outgoing, line);
    match std::str::from_utf8(&page.body) {
        Ok(text) => line.insert("html".to_owned(), json!(text)),
        Err(_) => line.insert("body_base64".to_owned(), json!(STANDARD.encode(&page.body))),
    };
}

/// Keys that `add` does not read as metadata. Metadata has one where the source called it otherwise by
/// `--map`; written back, it would be taken for a body or a status.
const OWN_KEYS: [&str; 7] = [
    "url",
    "fetched_at",
    "html",
    "body_base64",
    "path",
    "status",
    "headers",
];

/// Status, headers and metadata, where there are any.
pub(super) fn described(outgoing: &Outgoing, line: &mut Map<String, Value>) {
    let page = &outgoing.page;
    if let Some(status) = page.status {
        line.insert("status".to_owned(), json!(status));
    }
    if !page.headers.is_empty() {
        line.insert("headers".to_owned(), json!(page.headers));
    }
    for (name, value) in &page.metadata {
        if !line.contains_key(name) && !OWN_KEYS.contains(&name.as_str()) {
            line.insert(name.clone(), value.clone());
        }
    }
}
