//! Tables `snapshots` and `blocks` as Parquet, zstd, with Common Crawl's column names where they exist.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::{ExportError, Outgoing, surt};
use crate::page::{article_key, host};
use crate::warc::http::media_type;

/// Bytes of values held before they are written as a row group.
const GROUP_BYTES: usize = 32 << 20;

/// The table of snapshots.
const SNAPSHOTS: &str = "message snapshots {
    required binary url (STRING);
    required binary url_surtkey (STRING);
    optional binary url_host_name (STRING);
    optional binary url_protocol (STRING);
    required binary article (STRING);
    optional int64 fetch_time (TIMESTAMP(MILLIS,true));
    optional int32 fetch_status;
    required binary content_digest (STRING);
    optional binary content_mime_type (STRING);
    optional binary content_charset (STRING);
    optional binary content_languages (STRING);
    required int64 content_length;
    required int64 n;
    required boolean revision;
    optional binary article_hash (STRING);
    optional binary title (STRING);
    optional binary byline (STRING);
    optional binary published (STRING);
}";

/// The table of blocks.
const BLOCKS: &str = "message blocks {
    required binary url (STRING);
    required binary url_surtkey (STRING);
    optional binary url_host_name (STRING);
    required binary article (STRING);
    optional int64 fetch_time (TIMESTAMP(MILLIS,true));
    required binary content_digest (STRING);
    required int64 n;
    required int32 block_index;
    required binary kind (STRING);
    required boolean body;
    required int64 range_start;
    required int64 range_end;
    required binary text (STRING);
    required binary hash (STRING);
    required binary form_hash (STRING);
    optional binary declared (STRING);
    optional binary id (STRING);
}";

/// A value of one row.
enum Cell {
    Text(Option<Vec<u8>>),
    Long(Option<i64>),
    Int(Option<i32>),
    Bool(bool),
}

impl Cell {
    fn text(value: impl AsRef<str>) -> Self {
        Self::Text(Some(value.as_ref().as_bytes().to_vec()))
    }

    fn maybe(value: Option<impl AsRef<str>>) -> Self {
        Self::Text(value.map(|value| value.as_ref().as_bytes().to_vec()))
    }

    fn size(&self) -> usize {
        match self {
            Self::Text(Some(bytes)) => bytes.len() + 24,
            _ => 9,
        }
    }
}

/// One table, written row group by row group.
struct Table<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Vec<Cell>>,
    held: usize,
}

impl<W: Write + Send> Table<W> {
    fn new(out: W, schema: &str) -> Result<Self, ParquetError> {
        let schema = Arc::new(parse_message_type(schema)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_created_by(concat!("pressmark ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let columns = schema.get_fields().iter().map(|_| Vec::new()).collect();
        Ok(Self {
            writer: SerializedFileWriter::new(out, schema, Arc::new(properties))?,
            columns,
            held: 0,
        })
    }

    fn push(&mut self, row: Vec<Cell>) -> Result<(), ParquetError> {
        for (column, cell) in self.columns.iter_mut().zip(row) {
            self.held += cell.size();
            column.push(cell);
        }
        if self.held >= GROUP_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        if self.held == 0 {
            return Ok(());
        }
        self.held = 0;
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let cells = std::mem::take(column);
            let Some(mut writer) = group.next_column()? else {
                break;
            };
            // Required columns ignore the levels; optional ones need a 1 for each value there is.
            let levels: Vec<i16> = cells
                .iter()
                .map(|cell| {
                    i16::from(!matches!(
                        cell,
                        Cell::Text(None) | Cell::Long(None) | Cell::Int(None)
                    ))
                })
                .collect();
            match cells.first() {
                Some(Cell::Text(_)) => {
                    let values: Vec<ByteArray> = cells
                        .into_iter()
                        .filter_map(|cell| match cell {
                            Cell::Text(value) => value.map(ByteArray::from),
                            _ => None,
                        })
                        .collect();
                    writer
                        .typed::<ByteArrayType>()
                        .write_batch(&values, Some(&levels), None)?;
                }
                Some(Cell::Long(_)) => {
                    let values: Vec<i64> = cells
                        .into_iter()
                        .filter_map(|cell| match cell {
                            Cell::Long(value) => value,
                            _ => None,
                        })
                        .collect();
                    writer
                        .typed::<Int64Type>()
                        .write_batch(&values, Some(&levels), None)?;
                }
                Some(Cell::Int(_)) => {
                    let values: Vec<i32> = cells
                        .into_iter()
                        .filter_map(|cell| match cell {
                            Cell::Int(value) => value,
                            _ => None,
                        })
                        .collect();
                    writer
                        .typed::<Int32Type>()
                        .write_batch(&values, Some(&levels), None)?;
                }
                Some(Cell::Bool(_)) => {
                    let values: Vec<bool> = cells
                        .into_iter()
                        .filter_map(|cell| match cell {
                            Cell::Bool(value) => Some(value),
                            _ => None,
                        })
                        .collect();
                    writer.typed::<BoolType>().write_batch(&values, None, None)?;
                }
                None => {}
            }
            writer.close()?;
        }
        group.close()?;
        Ok(())
    }

    fn finish(mut self) -> Result<(), ParquetError> {
        self.flush()?;
        self.writer.close()?;
        Ok(())
    }
}

/// Writes the two tables.
pub struct ParquetExport<S: Write + Send, B: Write + Send> {
    snapshots: Table<S>,
    blocks: Table<B>,
    body_only: bool,
}

impl<S: Write + Send, B: Write + Send> ParquetExport<S, B> {
    /// Writes the table of snapshots to `snapshots` and that of blocks to `blocks`; with `body_only`,
    /// only blocks of the article's body.
    pub fn new(snapshots: S, blocks: B, body_only: bool) -> Result<Self, ExportError> {
        Ok(Self {
            snapshots: Table::new(snapshots, SNAPSHOTS)?,
            blocks: Table::new(blocks, BLOCKS)?,
            body_only,
        })
    }

    /// Writes one snapshot and its blocks.
    pub fn add(&mut self, outgoing: &Outgoing) -> Result<(), ExportError> {
        let page = &outgoing.page;
        let document = outgoing.document.as_ref();
        let key = surt(&page.address);
        let host = host(&page.address);
        let article = article_key(&page.address);
        let time = page.moment.map(|moment| moment.0.div_euclid(1_000_000));
        let n = Cell::Long(i64::try_from(outgoing.n).ok());
        let charset = document
            .map(|document| document.charset.name)
            .filter(|name| !name.is_empty());
        self.snapshots.push(vec![
            Cell::text(&page.address),
            Cell::text(&key),
            Cell::maybe(host.as_ref()),
            Cell::maybe(page.address.split_once("://").map(|(scheme, _)| scheme)),
            Cell::text(&article),
            Cell::Long(time),
            Cell::Int(page.status.map(i32::from)),
            Cell::text(outgoing.body.to_string()),
            Cell::maybe(page.header("Content-Type").map(media_type)),
            Cell::maybe(charset),
            Cell::maybe(document.and_then(|document| document.language.as_ref())),
            Cell::Long(i64::try_from(page.body.len()).ok()),
            n,
            Cell::Bool(outgoing.revision),
            Cell::maybe(outgoing.article_hash.map(|hash| hash.to_string())),
            Cell::maybe(document.and_then(|d| d.headline.as_ref().or(d.title.as_ref()))),
            Cell::maybe(document.and_then(|document| document.byline.as_ref())),
            Cell::maybe(document.and_then(|document| document.published.as_ref())),
        ])?;
        let blocks = document
            .map(|document| document.blocks.as_slice())
            .unwrap_or_default();
        for (index, block) in blocks.iter().enumerate() {
            if self.body_only && !block.body {
                continue;
            }
            self.blocks.push(vec![
                Cell::text(&page.address),
                Cell::text(&key),
                Cell::maybe(host.as_ref()),
                Cell::text(&article),
                Cell::Long(time),
                Cell::text(outgoing.body.to_string()),
                Cell::Long(i64::try_from(outgoing.n).ok()),
                Cell::Int(i32::try_from(index).ok()),
                Cell::text(block.kind.as_str()),
                Cell::Bool(block.body),
                Cell::Long(i64::try_from(block.range.start).ok()),
                Cell::Long(i64::try_from(block.range.end).ok()),
                Cell::text(&block.text),
                Cell::text(block.text_hash.to_string()),
                Cell::text(block.form_hash.to_string()),
                Cell::maybe(block.declared.as_ref()),
                Cell::maybe(block.id.as_ref()),
            ])?;
        }
        Ok(())
    }

    /// Ends both files.
    pub fn finish(self) -> Result<(), ExportError> {
        self.snapshots.finish()?;
        self.blocks.finish()?;
        Ok(())
    }
}
