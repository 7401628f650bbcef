//! Simple selectors: what a site rule can ask of an element.

use std::fmt;
use std::str::FromStr;

use super::outline::{Node, Outline};

/// Parts that a selector may have; a bound on the work for one element.
const MAX_PARTS: usize = 16;

/// A simple selector: `tag`, `#id`, `.class`, `[attr]`, `[attr=value]`, `[attr^=value]`,
/// `[attr$=value]`, `[attr*=value]`, joined without space for one element and with spaces for a
/// descendant. `section[dmcf-sid] p.lead` is a `p` of class `lead` somewhere in such a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    written: String,
    parts: Vec<Vec<Test>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Tag(String),
    Class(String),
    Attribute {
        name: String,
        operator: Operator,
        value: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Present,
    Equal,
    Prefix,
    Suffix,
    Contains,
}

/// The text is no simple selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{selector}` is no simple selector: {why} (known are tag, #id, .class, [attr], [attr=value] and the descendant space)"
)]
pub struct SelectorError {
    selector: String,
    why: String,
}

impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.written)
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(written: &str) -> Result<Self, SelectorError> {
        let fail = |why: String| SelectorError {
            selector: written.to_owned(),
            why,
        };
        let mut parts = Vec::new();
        let mut rest = written.trim();
        while !rest.is_empty() {
            let (part, after) = part(rest).map_err(fail)?;
            if parts.len() == MAX_PARTS {
                return Err(fail(format!("more than {MAX_PARTS} parts")));
            }
            parts.push(part);
            rest = after.trim_start();
        }
        if parts.is_empty() {
            return Err(fail("it is empty".to_owned()));
        }
        Ok(Self {
            written: written.trim().to_owned(),
            parts,
        })
    }
}

/// Reads the tests of one element; returns what follows.
fn part(written: &str) -> Result<(Vec<Test>, &str), String> {
    let mut tests = Vec::new();
    let mut rest = written;
    let mut universal = false;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            break;
        }
        match first {
            '*' if tests.is_empty() && !universal => {
                universal = true;
                rest = &rest[1..];
            }
            '#' => {
                let (value, after) = name(&rest[1..])?;
                tests.push(Test::Attribute {
                    name: "id".to_owned(),
                    operator: Operator::Equal,
                    value: value.to_owned(),
                });
                rest = after;
            }
            '.' => {
                let (class, after) = name(&rest[1..])?;
                tests.push(Test::Class(class.to_owned()));
                rest = after;
            }
            '[' => {
                let (test, after) = attribute(&rest[1..])?;
                tests.push(test);
                rest = after;
            }
            _ if tests.is_empty() && !universal => {
                let (tag, after) = name(rest)?;
                tests.push(Test::Tag(tag.to_ascii_lowercase()));
                rest = after;
            }
            other => return Err(format!("`{other}` is not expected here")),
        }
    }
    Ok((tests, rest))
}

fn name(written: &str) -> Result<(&str, &str), String> {
    let end = written
        .find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))
        .unwrap_or(written.len());
    if end == 0 {
        let found = written
            .chars()
            .next()
            .map_or("the end".to_owned(), |c| format!("`{c}`"));
        return Err(format!("a name is expected, not {found}"));
    }
    Ok(written.split_at(end))
}

fn attribute(written: &str) -> Result<(Test, &str), String> {
    let (attribute, rest) = name(written.trim_start())?;
    let attribute = attribute.to_ascii_lowercase();
    let rest = rest.trim_start();
    let unclosed = || "`[` without `]`".to_owned();
    if let Some(rest) = rest.strip_prefix(']') {
        let (operator, value) = (Operator::Present, String::new());
        return Ok((
            Test::Attribute {
                name: attribute,
                operator,
                value,
            },
            rest,
        ));
    }
    let operators = [
        ("^=", Operator::Prefix),
        ("$=", Operator::Suffix),
        ("*=", Operator::Contains),
        ("=", Operator::Equal),
    ];
    let Some((operator, rest)) = operators
        .iter()
        .find_map(|&(sign, operator)| rest.strip_prefix(sign).map(|rest| (operator, rest.trim_start())))
    else {
        return Err("`=`, `^=`, `$=`, `*=` or `]` is expected after the name of an attribute".to_owned());
    };
    let (value, rest) = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].split_once(quote).ok_or_else(unclosed)?,
        _ => rest.split_at(rest.find(']').ok_or_else(unclosed)?),
    };
    let rest = rest.trim_start().strip_prefix(']').ok_or_else(unclosed)?;
    Ok((
        Test::Attribute {
            name: attribute,
            operator,
            value: value.trim().to_owned(),
        },
        rest,
    ))
}

impl Test {
    fn holds(&self, node: &Node) -> bool {
        match self {
            Self::Tag(tag) => node.tag == tag,
            Self::Class(class) => node
                .attribute("class")
                .is_some_and(|classes| classes.split_ascii_whitespace().any(|one| one == class)),
            Self::Attribute {
                name,
                operator,
                value,
            } => node.attribute(name).is_some_and(|found| match operator {
                Operator::Present => true,
                Operator::Equal => found == value,
                Operator::Prefix => !value.is_empty() && found.starts_with(&**value),
                Operator::Suffix => !value.is_empty() && found.ends_with(&**value),
                Operator::Contains => !value.is_empty() && found.contains(&**value),
            }),
        }
    }
}

impl Selector {
    /// For every node whether the selector selects that very node. Linear: every node hands its
    /// children the number of leading parts that its own path has met.
    pub(super) fn select(&self, outline: &Outline) -> Vec<bool> {
        let last = self.parts.len() - 1;
        let mut met: Vec<u8> = Vec::with_capacity(outline.nodes.len());
        let mut selected = Vec::with_capacity(outline.nodes.len());
        for node in &outline.nodes {
            let before = node.parent.map_or(0, |parent| usize::from(met[parent as usize]));
            let holds = |part: usize| self.parts[part].iter().all(|test| test.holds(node));
            selected.push(before == last && holds(last));
            let advance = before < last && holds(before);
            met.push((before + usize::from(advance)) as u8);
        }
        selected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{Attribute, Block, Container, Document, Kind};

    fn attributes(pairs: &[(&'static str, &str)]) -> Vec<Attribute> {
        pairs
            .iter()
            .map(|&(name, value)| Attribute {
                name: name.into(),
                value: value.into(),
            })
            .collect()
    }

    fn page() -> Document {
        let section = Container {
            parent: None,
            tag: "section".into(),
            attributes: attributes(&[("dmcf-sid", "x"), ("class", "wide  story")]),
            range: 0..100,
        };
        let div = Container {
            parent: Some(0),
            tag: "div".into(),
            attributes: vec![],
            range: 10..90,
        };
        let p = Block {
            kind: Kind::P,
            range: 20..80,
            container: Some(1),
            attributes: attributes(&[("id", "lead"), ("data-kind", "quote-long")]),
            ..Block::default()
        };
        Document {
            containers: vec![section, div],
            blocks: vec![p],
            ..Document::default()
        }
    }

    fn selects(selector: &str) -> Vec<bool> {
        let page = page();
        selector.parse::<Selector>().unwrap().select(&Outline::new(&page))
    }

    #[test]
    fn each_form_selects_its_element() {
        for (selector, expected) in [
            ("section", [true, false, false]),
            ("*", [true, true, true]),
            ("section[dmcf-sid]", [true, false, false]),
            (".story", [true, false, false]),
            (".sto", [false, false, false]),
            ("#lead", [false, false, true]),
            ("p#lead", [false, false, true]),
            ("section.story p", [false, false, true]),
            ("section div p", [false, false, true]),
            ("div section p", [false, false, false]),
            ("[data-kind='quote-long']", [false, false, true]),
            ("[data-kind^=quote]", [false, false, true]),
            ("[data-kind$=\"long\"]", [false, false, true]),
            ("[ data-kind *= te-lo ]", [false, false, true]),
            ("SECTION", [true, false, false]),
        ] {
            assert_eq!(selects(selector), expected, "{selector}");
        }
    }

    #[test]
    fn what_is_no_simple_selector_is_named() {
        for (selector, part) in [
            ("", "empty"),
            ("div > p", "`>`"),
            ("a, b", "`,`"),
            ("p:first-child", "`:`"),
            ("[x", "is expected"),
            ("[x=y", "without"),
            ("[x='y]", "without"),
            (".", "the end"),
            ("div*", "`*`"),
        ] {
            let error = selector.parse::<Selector>().unwrap_err().to_string();
            assert!(error.contains(part), "{selector}: {error}");
        }
        assert!("p ".repeat(MAX_PARTS + 1).parse::<Selector>().is_err());
    }
}
