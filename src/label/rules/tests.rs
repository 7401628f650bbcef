use super::*;

const USER: &str = r#"
[[site]]
hosts = ["news.example", "*.example"]
article = ["div#story", "article.main"]
ignore = [".ad"]

[[site]]
hosts = ["news.example"]
ignore = [".promo"]
recipe = "sha256-text-v1"

[[site.image]]
hosts = ["thumbs.example"]
parameter = "src"

[[site]]
hosts = ["hash.example"]

[site.recipe]
name = "found"
scope = "text"
steps = ["trim", "nfc"]
"#;

fn named(name: &str) -> SiteRecipe {
    SiteRecipe::Named(name.to_owned())
}

#[test]
fn builtin_rules_read_and_know_daum() {
    let rules = Rules::builtin();
    assert!(rules.sites.len() >= 2, "the built-in text was not read");
    for host in ["v.daum.net", "news.v.daum.net", "V.Daum.net."] {
        let rule = rules.for_host(Some(host));
        assert_eq!(rule.article[0].to_string(), "section[dmcf-sid]", "{host}");
    }
    assert!(rules.for_host(Some("daum.net.example")).article.is_empty());
    assert!(rules.for_host(None).article.is_empty());
    assert!(
        !rules.for_host(None).images.is_empty(),
        "saved copies have no host"
    );
}

#[test]
fn user_rules_override_key_by_key() {
    let rules = Rules::builtin().with_toml(USER).unwrap();
    let news = rules.for_host(Some("news.example"));
    assert_eq!(news.article.len(), 2);
    assert_eq!(news.ignore[0].to_string(), ".promo");
    assert_eq!(news.recipe, Some(named("sha256-text-v1")));
    assert_eq!(news.images[0].hosts, ["thumbs.example"]);
    assert!(
        news.images.len() > 1,
        "built-in image rules stay, behind the user's"
    );
    let other = rules.for_host(Some("blog.example"));
    assert_eq!(other.ignore[0].to_string(), ".ad");
    assert_eq!(other.recipe, None);

    let daum = Rules::builtin()
        .with_toml("[[site]]\nhosts = ['v.daum.net']\nrecipe = 'mine'")
        .unwrap();
    let daum = daum.for_host(Some("v.daum.net"));
    assert_eq!(daum.article[0].to_string(), "section[dmcf-sid]");
    assert_eq!(daum.recipe, Some(named("mine")));
}

#[test]
fn the_longest_pattern_wins_and_a_pattern_is_no_bare_suffix() {
    let toml = "[[site]]\nhosts=['*.b.example']\nrecipe='b'\n[[site]]\nhosts=['*.example']\nrecipe='all'";
    let rules = Rules::builtin().with_toml(toml).unwrap();
    let recipe = |host| rules.for_host(Some(host)).recipe.clone();
    assert_eq!(recipe("a.b.example"), Some(named("b")));
    assert_eq!(recipe("b.example"), Some(named("all")));
    assert_eq!(recipe("myexample"), None);
}

#[test]
fn errors_name_line_and_key() {
    for (toml, line, part) in [
        (
            "[[site]]\nhosts = ['a.example']\narticle = [\n  'div',\n  'p > a']",
            5,
            "`article`",
        ),
        ("[[site]]\nhosts = ['a.example']\n\nartcle = ['div']", 4, "artcle"),
        ("[[site]]\nhosts = ['a.example']\ntitle = 'h1'", 3, "sequence"),
        ("[[site]]\narticle = ['div']", 1, "hosts"),
        ("[[site]]\nhosts = []", 2, "`hosts`"),
        ("[[site]]\nhosts = ['http://a.example/']", 2, "`hosts`"),
        ("\n[[site]\n", 2, ""),
        (
            "[[site]]\nhosts = ['a']\n[[site.image]]\nhosts = ['b']\n",
            4,
            "`image`",
        ),
    ] {
        let error = Rules::builtin().with_toml(toml).unwrap_err().to_string();
        assert!(
            error.contains(&format!("line {line},")) || error.contains(&format!("line {line}:")),
            "{toml}\n{error}"
        );
        assert!(error.contains(part), "{toml}\n{error}");
    }
}

#[test]
fn a_shown_rule_reads_back() {
    let rules = Rules::builtin().with_toml(USER).unwrap();
    for host in ["news.example", "v.daum.net", "hash.example"] {
        let rule = rules.for_host(Some(host));
        let empty = Rules {
            attribute: None,
            everywhere: SiteRule::default(),
            sites: vec![],
        };
        let again = empty.with_toml(&rule.to_string()).unwrap();
        assert_eq!(again.for_host(Some(host)), rule, "{rule}");
    }
}

#[test]
fn a_recipe_may_be_written_out() {
    let rules = Rules::builtin().with_toml(USER).unwrap();
    let Some(SiteRecipe::Written(table)) = &rules.for_host(Some("hash.example")).recipe else {
        panic!("no table");
    };
    assert_eq!(table["steps"].as_array().unwrap().len(), 2);
    let wrong = Rules::builtin().with_toml("[[site]]\nhosts = ['a.example']\nrecipe = 7");
    let error = wrong.unwrap_err().to_string();
    assert!(
        error.contains("line 3") && error.contains("name, the path"),
        "{error}"
    );
}

#[test]
fn a_kept_recipe_overrides_the_recipe_and_nothing_else() {
    let recipe = "name = \"kept\"\nsteps = []\n";
    let entry = recipe_entry(&["news.example", "other.example"], recipe, "Kept by a test.");
    let rules = Rules::builtin().with_toml(&format!("{USER}\n{entry}")).unwrap();
    for host in ["news.example", "other.example"] {
        let kept = &rules.for_host(Some(host)).recipe;
        assert!(matches!(kept, Some(SiteRecipe::Written(table)) if table["name"].as_str() == Some("kept")));
    }
    let before = Rules::builtin().with_toml(USER).unwrap();
    let [before, after] = [&before, &rules].map(|rules| rules.for_host(Some("news.example")));
    assert_eq!((&before.ignore, &before.article), (&after.ignore, &after.article));
}

#[test]
fn the_attribute_of_declared_hashes_is_set_once_and_leaves_the_rules_alone() {
    let once = with_attribute(USER, "Data-Sum");
    let twice = with_attribute(&format!("# Mine.\n{once}"), "data-hash");
    assert_eq!(twice.matches("attribute").count(), 1, "{twice}");
    assert!(twice.contains("# Mine."));
    let rules = |toml: &str| Rules::builtin().with_toml(toml).unwrap();
    assert_eq!(rules(&once).attribute(), Some("data-sum"));
    assert_eq!(rules(&twice).attribute(), Some("data-hash"));
    assert_eq!(rules(USER).attribute(), None);
    assert_eq!(
        rules(&twice).for_host(Some("news.example")),
        rules(USER).for_host(Some("news.example"))
    );
}
