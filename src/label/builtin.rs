//! The site rules that come with the program.

/// Read before the user's rules, in the same language. The rules for images stand under `*`,
/// because a saved copy of a page has no host, and an image's host says enough.
pub const BUILTIN: &str = r#"
[[site]]
hosts = ["*"]

[[site.image]]
hosts = ["*.daumcdn.net", "*.kakaocdn.net"]
parameter = "fname"

[[site]]
hosts = ["v.daum.net", "news.v.daum.net", "*.v.daum.net", "*.media.daum.net"]
article = ["section[dmcf-sid]", "div.article_view", "[itemprop=articleBody]"]
title = ["h3.tit_view", "h2.tit_view"]
ignore = [".foot_view", ".layer_util", ".alex-area"]
"#;
