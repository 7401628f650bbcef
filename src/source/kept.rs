//! Pages kept in memory, compressed, for revisits whose originals cannot be read again.

use std::collections::VecDeque;

use crate::page::Page;

/// Most bytes of compressed bodies, addresses, headers and metadata kept; the oldest go first. The archive
/// has most of those: what is read is committed long before so much has come in.
const MAX_KEPT: usize = 64 << 20;

/// Counted for every page beside its texts, and for every header beside its own.
const OVERHEAD: usize = 2048;
const HEADER_OVERHEAD: usize = 64;

/// The last pages of inputs that cannot be read again.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pages: VecDeque<Packed>,
    /// Number of the first page in `pages`.
    first: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Packed {
    /// Without its body.
    page: Page,
    body: Vec<u8>,
    length: usize,
    /// Bytes it holds in memory, about.
    cost: usize,
}

/// What a page costs beside its body.
fn cost(page: &Page) -> usize {
    let headers: usize = page
        .headers
        .iter()
        .map(|(name, value)| name.len() + value.len() + HEADER_OVERHEAD)
        .sum();
    let metadata = serde_json::to_vec(&page.metadata).map_or(0, |text| text.len());
    OVERHEAD + page.address.len() + headers + metadata
}

impl Kept {
    /// Keeps a page; its number. `None` if it cannot be compressed.
    pub(super) fn put(&mut self, page: &Page) -> Option<u64> {
        let body = zstd::bulk::compress(&page.body, 1).ok()?;
        let packed = Packed {
            cost: body.len() + cost(page),
            body,
            length: page.body.len(),
            page: Page {
                address: page.address.clone(),
                headers: page.headers.clone(),
                metadata: page.metadata.clone(),
                body: Vec::new(),
                ..*page
            },
        };
        self.bytes += packed.cost;
        self.pages.push_back(packed);
        while self.bytes > MAX_KEPT
            && let Some(gone) = self.pages.pop_front()
        {
            self.bytes -= gone.cost;
            self.first += 1;
        }
        Some(self.first + self.pages.len() as u64 - 1)
    }

    /// The page of a number, unless it is gone.
    pub(super) fn get(&self, number: u64) -> Option<Page> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let packed = self.pages.get(at)?;
        Some(Page {
            body: zstd::bulk::decompress(&packed.body, packed.length).ok()?,
            ..packed.page.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_pages_are_kept_within_the_limit() {
        let mut kept = Kept::default();
        let mut noise = 1_u64;
        let pages: Vec<Page> = (0..40)
            .map(|n| Page {
                address: format!("https://news.example/{n}"),
                status: Some(200),
                body: (0..1 << 19)
                    .flat_map(|_| {
                        noise ^= noise << 13;
                        noise ^= noise >> 7;
                        noise ^= noise << 17;
                        (noise as u32).to_le_bytes()
                    })
                    .collect(),
                ..Page::default()
            })
            .collect();
        let numbers: Vec<u64> = pages.iter().map(|page| kept.put(page).unwrap()).collect();
        assert!(kept.bytes <= MAX_KEPT);
        assert_eq!(kept.get(numbers[0]), None);
        assert_eq!(kept.get(numbers[39]).as_ref(), Some(&pages[39]));
        let there = numbers.iter().filter(|n| kept.get(**n).is_some()).count();
        assert_eq!(there, 31, "as many pages of 2 MiB as fit into 64 MiB");
        assert_eq!(kept.get(40), None);
    }

    #[test]
    fn long_headers_count_too() {
        let mut kept = Kept::default();
        let page = Page {
            headers: vec![("X-Long".to_owned(), "a".repeat(1 << 20))],
            body: b"<p>short</p>".to_vec(),
            ..Page::default()
        };
        for _ in 0..70 {
            kept.put(&page).unwrap();
        }
        assert_eq!(
            kept.pages.len(),
            63,
            "as many headers of 1 MiB as fit into 64 MiB"
        );
    }
}
