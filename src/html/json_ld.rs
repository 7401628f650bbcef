//! The few fields of JSON-LD that speak of an article. Everything else is skipped while it is read,
//! so that a large object costs no memory.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::text::collapse;

/// Longer scripts are not read, in bytes.
pub const MAX_JSON_LD: usize = 4 << 20;

/// Objects nested deeper are skipped.
const MAX_NESTING: u32 = 8;

/// What the page's JSON-LD says about its article.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Article {
    pub headline: Option<String>,
    pub author: Option<String>,
    pub published: Option<String>,
    pub modified: Option<String>,
    /// The object's `@type` names some kind of article or posting.
    certain: bool,
}

impl Article {
    /// Takes what is missing from `other`; all of it if only `other` is an article.
    pub fn merge(&mut self, mut other: Self) {
        if other.certain && !self.certain {
            std::mem::swap(self, &mut other);
        }
        self.headline = self.headline.take().or(other.headline);
        self.author = self.author.take().or(other.author);
        self.published = self.published.take().or(other.published);
        self.modified = self.modified.take().or(other.modified);
    }
}

/// Reads a script; what is no JSON says nothing.
pub(super) fn read(script: &str) -> Article {
    if script.len() > MAX_JSON_LD {
        return Article::default();
    }
    let json = script.trim();
    let json = json
        .strip_prefix("<!--")
        .map_or(json, |rest| rest.trim_end_matches("-->"));
    let mut deserializer = serde_json::Deserializer::from_str(json.trim().trim_end_matches(';'));
    Node { depth: 0 }
        .deserialize(&mut deserializer)
        .unwrap_or_default()
}

/// Reads an object or a list of objects.
struct Node {
    depth: u32,
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Article;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Article, D::Error> {
        from.deserialize_any(self)
    }
}

/// Values that hold nothing of interest.
macro_rules! nothing {
    ($($name:ident $type:ty),*) => {
        $(fn $name<E>(self, _: $type) -> Result<Self::Value, E> { Ok(Self::Value::default()) })*
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
    };
}

impl<'de> Visitor<'de> for Node {
    type Value = Article;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON-LD")
    }

    nothing!(visit_bool bool, visit_i64 i64, visit_u64 u64, visit_f64 f64, visit_str &str);

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Article, A::Error> {
        let mut article = Article::default();
        if self.depth >= MAX_NESTING {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(article);
        }
        while let Some(found) = list.next_element_seed(Node {
            depth: self.depth + 1,
        })? {
            article.merge(found);
        }
        Ok(article)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Article, A::Error> {
        let mut article = Article::default();
        let mut inner = Article::default();
        while let Some(key) = object.next_key::<std::borrow::Cow<'de, str>>()? {
            match &*key {
                "@type" => {
                    let kinds = object.next_value_seed(Words { depth: 0 })?;
                    article.certain = ["Article", "Posting", "Report", "Review"]
                        .iter()
                        .any(|kind| kinds.contains(kind));
                }
                "headline" => article.headline = text(&object.next_value_seed(Words { depth: 0 })?),
                "author" => article.author = text(&object.next_value_seed(Words { depth: 0 })?),
                "datePublished" => article.published = text(&object.next_value_seed(Words { depth: 0 })?),
                "dateModified" => article.modified = text(&object.next_value_seed(Words { depth: 0 })?),
                "@graph" | "mainEntity" if self.depth < MAX_NESTING => {
                    inner.merge(object.next_value_seed(Node {
                        depth: self.depth + 1,
                    })?);
                }
                _ => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        article.merge(inner);
        Ok(article)
    }
}

fn text(words: &str) -> Option<String> {
    let text = collapse(words);
    (!text.is_empty()).then_some(text)
}

/// Reads a string, an object's `name`, or a list of them, joined by a comma.
struct Words {
    depth: u32,
}

impl<'de> DeserializeSeed<'de> for Words {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<String, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Words {
    type Value = String;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }

    nothing!(visit_bool bool, visit_i64 i64, visit_u64 u64, visit_f64 f64);

    fn visit_str<E>(self, value: &str) -> Result<String, E> {
        Ok(value.to_owned())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<String, A::Error> {
        let mut words = String::new();
        if self.depth >= MAX_NESTING {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(words);
        }
        while let Some(word) = list.next_element_seed(Words {
            depth: self.depth + 1,
        })? {
            if !words.is_empty() && !word.is_empty() {
                words.push_str(", ");
            }
            words.push_str(&word);
        }
        Ok(words)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<String, A::Error> {
        let mut words = String::new();
        while let Some(key) = object.next_key::<std::borrow::Cow<'de, str>>()? {
            if &*key == "name" && self.depth < MAX_NESTING {
                words = object.next_value_seed(Words {
                    depth: self.depth + 1,
                })?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_in_a_graph_wins_over_the_page_around_it() {
        let article = read(
            r#" {"@context": "x", "@graph": [
                {"@type": "WebPage", "datePublished": "2001", "headline": "page"},
                {"@type": ["NewsArticle"], "headline": " The \n headline ", "datePublished": "2024-01-02",
                 "author": [{"@type": "Person", "name": "A"}, "B"], "image": {"deep": [[1, {"x": null}]]}}
            ]} "#,
        );
        assert_eq!(article.headline.as_deref(), Some("The headline"));
        assert_eq!(article.author.as_deref(), Some("A, B"));
        assert_eq!(article.published.as_deref(), Some("2024-01-02"));
        assert_eq!(article.modified, None);
    }

    #[test]
    fn what_is_no_json_ld_says_nothing() {
        for script in ["", "{", "[1, null, \"x\", true]", "{\"author\": {\"name\": {}}}"] {
            assert_eq!(read(script), Article::default(), "{script}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(read(&deep), Article::default());
        let nested = format!("{}{{\"headline\":\"x\"}}{}", "[".repeat(20), "]".repeat(20));
        assert_eq!(read(&nested), Article::default());
    }
}
