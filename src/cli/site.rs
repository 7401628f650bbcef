//! `site`: the rules for the pages of a site.

use serde_json::json;

use super::arguments::Reading;
use super::terminal::Terminal;
use super::{CommandResult, Global, Outcome, opened};
use crate::block::Document;
use crate::html;
use crate::label::{self, LABELLER, Override, Selector, SiteRule};
use crate::report::layout::{Accent, cell, columns, counted, fit};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Print the rule that holds for a host, as TOML
    Show(Show),
    /// Show which rule labelled which block of a page, and why
    Test(Test),
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// A host such as v.daum.net; without it, the rule for every host
    host: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Test {
    /// The page: a file or a snapshot of the archive
    #[arg(value_name = "PAGE")]
    page: String,
    /// Apply the rule of this host instead of the page's own
    #[arg(long)]
    host: Option<String>,
    /// Print one JSON object a block
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn run(global: &Global, command: &Command, terminal: &mut Terminal) -> CommandResult {
    match command {
        Command::Show(show) => {
            let rules = opened::rules(global)?;
            terminal.write(rules.for_host(show.host.as_deref()).to_string().as_bytes())?;
            Ok(Outcome::Clean)
        }
        Command::Test(test) => explain(global, test, terminal),
    }
}

fn explain(global: &Global, arguments: &Test, terminal: &mut Terminal) -> CommandResult {
    let rules = opened::rules(global)?;
    let reader = arguments.reading.reader(global)?;
    let named = opened::page(global, &arguments.page)?;
    let host = arguments
        .host
        .clone()
        .or_else(|| crate::page::host(&named.page.address));
    let rule = rules.for_host(host.as_deref());
    let document = reader.read(&named.page);
    let declared = html::read(
        &named.page.body,
        &html::ReadOptions {
            http_charset: named.page.http_charset(),
            declared_attribute: reader.declared_attribute(),
        },
    );
    let facts = facts(&declared, rule);
    let look = terminal.look();
    if !arguments.json {
        terminal.line(&look.paint(Accent::Strong, fit(&named.name, look.width)))?;
        terminal.line(&format!("rule      host {}, {LABELLER}", rule.host))?;
        for fact in &facts {
            let line = match &fact.text {
                Some(text) => format!("{:<9} {}: {text}", fact.key, fact.by),
                None => format!("{:<9} none", fact.key),
            };
            terminal.line(&fit(&line, look.width))?;
        }
    }
    let reasons = label::explain(&document, rule);
    let longest = reasons
        .iter()
        .map(|reason| columns(&format!("{}: {}", reason.by, reason.detail)))
        .max()
        .unwrap_or_default();
    let width = longest.min(look.width.saturating_sub(20) * 3 / 5);
    for (reason, block) in reasons.iter().zip(&document.blocks) {
        if arguments.json {
            terminal.json(reason)?;
            continue;
        }
        let head = format!(
            "{:>5} {} {} {} ",
            reason.block,
            cell(block.kind.as_str(), 10),
            if reason.body { '*' } else { ' ' },
            cell(&format!("{}: {}", reason.by, reason.detail), width)
        );
        let room = look.width.saturating_sub(columns(&head)).max(8);
        let text = fit(&block.text, room);
        let text = if reason.body {
            text
        } else {
            look.paint(Accent::Faint, text)
        };
        terminal.line(format!("{head}{text}").trim_end())?;
    }
    let body = reasons.iter().filter(|reason| reason.body).count();
    if arguments.json {
        let mut summary = json!({
            "type": "summary",
            "page": named.name,
            "rule": rule.host,
            "labeller": LABELLER,
            "blocks": reasons.len(),
            "body": body,
        });
        for fact in &facts {
            summary[fact.key] = json!({"text": fact.text, "by": fact.by});
        }
        terminal.json(&summary)?;
    } else {
        terminal.line(&format!(
            "{body} of {} are the body (*)",
            counted(reasons.len() as u64, "block")
        ))?;
    }
    Ok(Outcome::Clean)
}

/// Headline, byline or time of a page, and what told it.
struct Fact {
    key: &'static str,
    text: Option<String>,
    by: String,
}

fn facts(declared: &Document, rule: &SiteRule) -> [Fact; 3] {
    let [title, byline, published] = label::overrides(declared, rule);
    let fact = |key, selectors: &[Selector], selected: Option<Override>, page: &Option<String>| match selected
    {
        Some(found) => Fact {
            key,
            text: Some(found.text),
            by: selectors
                .get(found.selector)
                .map_or_else(String::new, |selector| {
                    format!("rule \"{selector}\" of {}", rule.host)
                }),
        },
        None => Fact {
            key,
            text: page.clone(),
            by: "declared by the page".to_owned(),
        },
    };
    [
        match (&declared.headline, &title, &declared.title) {
            (None, None, Some(title)) => Fact {
                key: "title",
                text: Some(title.clone()),
                by: "the page's <title>".to_owned(),
            },
            _ => fact("title", &rule.title, title, &declared.headline),
        },
        fact("byline", &rule.byline, byline, &declared.byline),
        fact("published", &rule.published, published, &declared.published),
    ]
}
