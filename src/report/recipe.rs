//! Recipes, and what the finder found.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::recipe::{BlockRef, FindReport, Recipe};
use crate::report::layout::{Accent, Look, cell, columns, fit, number, printable};

/// The JSON line of a recipe.
#[must_use]
pub fn line(recipe: &Recipe) -> Value {
    json!({
        "name": recipe.label(),
        "note": recipe.note,
        "identity": recipe.identity(),
        "toml": recipe.to_toml(),
    })
}

/// One row: name and note.
pub fn row(recipe: &Recipe, look: Look, out: &mut impl Write) -> io::Result<()> {
    let name = cell(&recipe.label(), 28);
    let room = look.width.saturating_sub(columns(&name) + 1).max(20);
    writeln!(
        out,
        "{} {}",
        look.paint(Accent::Strong, name),
        fit(&recipe.note, room)
    )
}

/// The JSON object of a search.
#[must_use]
pub fn found_object(report: &FindReport, pages: &[&str], seconds: f64) -> Value {
    let places = |list: &[BlockRef]| -> Vec<Value> {
        list.iter()
            .map(|place| json!({"page": pages.get(place.page), "block": place.block}))
            .collect()
    };
    let found: Vec<Value> = report
        .found
        .iter()
        .map(|found| {
            json!({
                "recipe": found.recipe.label(),
                "toml": found.recipe.to_toml(),
                "fits_all": found.fits_all(),
                "reproduced": places(&found.reproduced),
                "missed": places(&found.missed),
                "equals": found.equals,
            })
        })
        .collect();
    json!({
        "type": "summary",
        "declared": report.declared.len(),
        "malformed": report.malformed.len(),
        "recipes": report.recipes,
        "digests": report.digests,
        "space": report.space,
        "seconds": (seconds * 1000.0).round() / 1000.0,
        "found": found,
    })
}

/// What `recipe find` prints: each recipe as TOML that `--recipe` accepts, with how far it fits in
/// comments; or that none fits, with the number tried.
pub fn found(
    report: &FindReport,
    pages: &[&str],
    seconds: f64,
    look: Look,
    out: &mut impl Write,
) -> io::Result<()> {
    let effort = format!("{} recipes tried in {seconds:.2} s", number(report.recipes));
    if report.declared.is_empty() {
        return writeln!(
            out,
            "# no block declares a hash that can be read; nothing to search for"
        );
    }
    if report.found.is_empty() {
        writeln!(
            out,
            "# none reproduces two of the {} declared hashes: {effort}",
            number(report.declared.len() as u64)
        )?;
        return writeln!(
            out,
            "{}",
            look.paint(
                Accent::Faint,
                "# a recipe of your own can be tried with --recipe FILE; docs/recipes.md has its form"
            )
        );
    }
    for found in &report.found {
        writeln!(
            out,
            "# reproduces {} of {} declared hashes; {effort}",
            found.reproduced.len(),
            report.declared.len()
        )?;
        if found.equals > 0 {
            writeln!(
                out,
                "# {} other recipes give the same on these pages",
                number(found.equals)
            )?;
        }
        for missed in &found.missed {
            writeln!(
                out,
                "# misses block {} of {}",
                missed.block,
                // A line break in a name would end the comment.
                printable(pages.get(missed.page).unwrap_or(&""))
            )?;
        }
        writeln!(out, "{}", found.recipe.to_toml())?;
    }
    writeln!(
        out,
        "{}",
        look.paint(
            Accent::Faint,
            "# for `check --recipe`, put one of them into a file; --keep makes the first a rule of the site"
        )
    )
}
