//! `stamp`: content hashes written into a page.

use std::path::PathBuf;

use super::arguments::Reading;
use super::failure::Failure;
use super::recipe::by_name;
use super::terminal::{Terminal, tell_user};
use super::{CommandResult, Global, Outcome, opened};
use crate::page::Page;
use crate::recipe::{self, PageInput};
use crate::report::layout::counted;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The page: a file, a snapshot of the archive, or - for standard input
    #[arg(value_name = "PAGE")]
    page: String,
    /// Recipe to hash by: a built-in name or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "text-v1")]
    recipe: String,
    /// Stamp every block, not only those of the article's body
    #[arg(long)]
    all: bool,
    /// File to write the stamped page to [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn run(global: &Global, arguments: &Arguments, terminal: &mut Terminal) -> CommandResult {
    let recipe = by_name(&arguments.recipe)?;
    let archive = opened::shelf(global, opened::snapshot_among([&arguments.page]))?;
    let reader = arguments.reading.reader(global)?;
    let named = opened::page(archive.as_ref(), &arguments.page)?;
    let document = reader.read(&named.page);
    let input = PageInput {
        address: Some(&named.page.address),
        attribute: reader.declared_attribute(),
        ..PageInput::new(&named.page.body, &document)
    };
    let any_body = document.blocks.iter().any(|block| block.body);
    let wanted = |_: usize, block: &crate::block::Block| {
        (arguments.all || block.body || !any_body) && !(block.text.is_empty() && block.marks.is_empty())
    };
    let around = Page {
        body: Vec::new(),
        ..named.page.clone()
    };
    let read = |bytes: &[u8]| {
        reader.read(&Page {
            body: bytes.to_vec(),
            ..around.clone()
        })
    };
    let stamped = recipe::stamp(input, &recipe, wanted, read)
        .map_err(|error| Failure::from(error).at_page(&named.name))?;
    match &arguments.output {
        Some(path) => {
            std::fs::write(path, &stamped.bytes).map_err(|error| Failure::at(path.display(), error))?;
        }
        None => terminal.write(&stamped.bytes)?,
    }
    let mut said = vec![format!(
        "{}: stamped {}",
        named.name,
        counted(stamped.stamped as u64, "block")
    )];
    if stamped.left_out > 0 {
        said.push(format!(
            "left out {} without an element of their own",
            stamped.left_out
        ));
    }
    if stamped.absorbed > 0 {
        said.push(format!(
            "{} now belong to a stamped one around them",
            stamped.absorbed
        ));
    }
    tell_user(&said.join(", "));
    Ok(Outcome::found_if(stamped.stamped == 0))
}
