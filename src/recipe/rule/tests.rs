use super::*;

const SALTED: &str = r#"
name = "daily-news"
version = 3
scope = "inner-html"
steps = ["resolve-references", "drop-attributes data-*", "trim"]
message = "{attribute:id}|{content}\n"
key = "{page:address}"
digest = ["sha-512", "take 32"]
spelling = "base64"
"#;

#[test]
fn toml_reads_back_to_the_same_recipe() {
    let recipe = Recipe::from_toml(SALTED).unwrap();
    assert_eq!(recipe.label(), "daily-news-v3");
    assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe);
    let through_serde = toml::to_string(&recipe).unwrap();
    assert_eq!(Recipe::from_toml(&through_serde).unwrap(), recipe);
}

#[test]
fn identity_is_the_rule_without_its_name() {
    let recipe = Recipe::from_toml(SALTED).unwrap();
    let mut renamed = recipe.clone();
    renamed.name = "other".into();
    renamed.version = 9;
    renamed.note = "words".into();
    assert_eq!(recipe.identity(), renamed.identity());
    renamed.steps.pop();
    assert_ne!(recipe.identity(), renamed.identity());
}

#[test]
fn errors_say_what_is_wrong() {
    for (toml, word) in [
        ("name = \"a\"\nscope = \"body\"", "body"),
        ("name = \"a\"\nscope = \"text\"\nsteps = [\"squeeze\"]", "squeeze"),
        ("name = \"a\"\nscope = \"text\"\ndigest = \"crc\"", "crc"),
        ("name = \"a\"\nscope = \"text\"\ncolour = 1", "colour"),
        ("name = \"A b\"\nscope = \"text\"", "A b"),
        ("name = \"a\"\nscope = \"text\"\nmessage = \"{pid}\"", "pid"),
        ("name = \"a\"", "scope"),
        (
            "name = \"a\"\nscope = \"text\"\ndigest = \"md5\"\nspelling = \"integrity\"",
            "integrity",
        ),
    ] {
        let error = Recipe::from_toml(toml).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}
