//! A page read and labelled in one go: what every command does with a page first.

use super::{Rules, SiteRule, label};
use crate::block::Document;
use crate::html::{self, ReadOptions};
use crate::page::{Page, host};

/// Reads pages by one set of site rules.
#[derive(Debug, Clone)]
pub struct Reader {
    rules: Rules,
    declared_attribute: String,
}

impl Reader {
    /// A reader that takes declared hashes from `declared_attribute`, by default `contents-hash`.
    #[must_use]
    pub fn new(rules: Rules, declared_attribute: impl Into<String>) -> Self {
        Self {
            rules,
            declared_attribute: declared_attribute.into(),
        }
    }

    /// The blocks of a page, labelled by the rule of its host.
    #[must_use]
    pub fn read(&self, page: &Page) -> Document {
        let options = ReadOptions {
            http_charset: page.http_charset(),
            declared_attribute: &self.declared_attribute,
        };
        let mut document = html::read(&page.body, &options);
        label(&mut document, self.rule(&page.address));
        document
    }

    /// The site rule that holds for an address.
    #[must_use]
    pub fn rule(&self, address: &str) -> &SiteRule {
        self.rules.for_host(host(address).as_deref())
    }

    /// The attribute that declared hashes are read from.
    #[must_use]
    pub fn declared_attribute(&self) -> &str {
        &self.declared_attribute
    }
}
