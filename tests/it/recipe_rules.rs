//! Rules made by a separate script (`recipe_rules/stamp.py`), not by our recipe code, are found.

use std::fs;
use std::path::Path;

use pressmark::html::{ReadOptions, read};
use pressmark::recipe::{FindOptions, PageInput, Recipe, find, hash};

const ADDRESS: &str = "https://news.example/2026/0412/mill-library";

#[test]
fn unusual_rules_of_a_separate_script_are_found() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/recipe_rules");
    let mut pages: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
        .collect();
    pages.sort();
    assert!(pages.len() >= 10, "{pages:?}");
    for path in pages {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let raw = fs::read(&path).unwrap();
        let attribute = match name.as_str() {
            "08-md5-tag" => "data-hash",
            "09-integrity-utf16" => "integrity",
            "12-letters-sha1" => "data-content-hash",
            _ => "contents-hash",
        };
        let options = ReadOptions {
            declared_attribute: attribute,
            ..ReadOptions::default()
        };
        let document = read(&raw, &options);
        let page = PageInput {
            address: Some(ADDRESS),
            attribute,
            ..PageInput::new(&raw, &document)
        };
        let report = find(&[page], &FindOptions::default(), &|_| {});
        assert_eq!(report.declared.len(), 8, "{name}");
        let Some(found) = report.found.first() else {
            panic!("{name}: not found among {} recipes", report.recipes);
        };
        assert!(
            found.fits_all(),
            "{name}: misses {:?} by\n{}",
            found.missed,
            found.recipe.to_toml()
        );
        // What is printed is what `--recipe` accepts, and it gives the declared hashes.
        let again = Recipe::from_toml(&found.recipe.to_toml()).unwrap();
        for place in &report.declared {
            let declared = document.blocks[place.block].declared.as_deref();
            let given = hash(&again, page, place.block).unwrap().to_string();
            assert_eq!(Some(given.as_str()), declared, "{name}");
        }
    }
}
