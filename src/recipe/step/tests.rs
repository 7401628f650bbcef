use super::*;

fn run(step: &str, text: &str) -> String {
    step.parse::<Step>().unwrap().apply(text, "contents-hash")
}

#[test]
fn names_read_back_and_are_different() {
    for step in Step::all() {
        assert_eq!(step.to_string().parse::<Step>().unwrap(), step);
    }
    for with in ["drop-attributes data-*", "first 100", "hex-of sha-256"] {
        assert_eq!(with.parse::<Step>().unwrap().to_string(), with);
    }
    assert_eq!(run("first 2", "가나다"), "가나");
    assert_eq!(run("hex-of md5", ""), "d41d8cd98f00b204e9800998ecf8427e");
    assert!("first x".parse::<Step>().is_err());
    assert!("drop-attributes *a*".parse::<Step>().is_err());
    assert!("dropattributes".parse::<Step>().is_err());
}

#[test]
fn line_ends_are_printed_as_a_browser_reads_them() {
    assert_eq!(
        run("serialize", "a\r\nb\rc&#13;<i title=\"d\r\ne\">f</i>"),
        "a\nb\nc\r<i title=\"d\ne\">f</i>"
    );
}

#[test]
fn the_hash_leaves_and_the_rest_stays_as_written() {
    let source = "<p  contents-hash=\"ab\"\tid=x Contents-Hash='c'>t <b contents-hash=d>u</b></p>";
    assert_eq!(run("drop-hash", source), "<p\tid=x>t <b>u</b></p>");
    assert_eq!(
        run("empty-hash", source),
        "<p  contents-hash=\"\"\tid=x Contents-Hash=\"\">t <b contents-hash=\"\">u</b></p>"
    );
    assert_eq!(run("drop-hash", "<p contents-hash=\"a\"b=\"c\">"), "<p b=\"c\">");
    assert_eq!(
        run("drop-own-attributes", source),
        "<p>t <b contents-hash=d>u</b></p>"
    );
    assert_eq!(run("drop-attributes", source), "<p>t <b>u</b></p>");
    assert_eq!(
        run("drop-attributes dmcf-*", "<p dmcf-pid=a id=b dmcf-ptype=c>"),
        "<p id=b>"
    );
}

#[test]
fn attributes_are_reordered() {
    assert_eq!(run("sort-attributes", "<p c=1\n a=2 B=3 />"), "<p a=2 B=3 c=1 />");
    assert_eq!(run("reverse-attributes", "<p c=1  a=2>x"), "<p a=2 c=1>x");
}

#[test]
fn serialisation_is_the_browsers() {
    assert_eq!(
        run(
            "serialize",
            "<P Title='a \"b\"' hidden>x &amp; y&nbsp;&#44032;<BR/></P >"
        ),
        "<p title=\"a &quot;b&quot;\" hidden=\"\">x &amp; y&nbsp;가<br></p>"
    );
    assert_eq!(run("serialize-xhtml", "a<br>b"), "a<br/>b");
    assert_eq!(run("serialize-xhtml-space", "a<br>b"), "a<br />b");
}

#[test]
fn tags_leave() {
    let source = "a<!-- x --><b>c</b><br>d &lt;";
    assert_eq!(run("strip-tags", source), "acd &lt;");
    assert_eq!(run("space-tags", source), "a c  d &lt;");
    assert_eq!(run("break-lines", source), "a<!-- x --><b>c</b>\nd &lt;");
    assert_eq!(run("drop-comments", source), "a<b>c</b><br>d &lt;");
}

#[test]
fn white_space_and_signs() {
    let text = "\u{3000} a\u{a0}\t b \r\n c\u{200b} ";
    assert_eq!(run("collapse-white-space", text), "\u{3000} a b c\u{200b} ");
    assert_eq!(run("collapse-unicode-space", text), " a b c\u{200b} ");
    assert_eq!(run("trim", text), "\u{3000} a\u{a0}\t b \r\n c\u{200b}");
    assert_eq!(run("trim-unicode", text), "a\u{a0}\t b \r\n c\u{200b}");
    assert_eq!(run("trim-lines", " a \n\n b"), "a\nb");
    assert_eq!(run("drop-white-space", text), "abc\u{200b}");
    assert_eq!(run("drop-invisible", text), "\u{3000} a\u{a0}\t b \r\n c ");
    assert_eq!(run("fold-quotes", "‘a’ “b”"), "'a' \"b\"");
    assert_eq!(run("letters-digits", "한 글, 3.5%"), "한글35");
    assert_eq!(run("drop-punctuation", "한 글, 3.5%"), "한 글 35");
    assert_eq!(run("json-ascii", "가\n😀"), "\"\\uac00\\n\\ud83d\\ude00\"");
    assert_eq!(run("percent-encode", "a b/가"), "a%20b%2F%EA%B0%80");
    assert_eq!(run("nfd", "가"), "\u{1100}\u{1161}");
}

#[test]
fn attribute_values_are_printed_as_a_browser_reads_them() {
    // In an attribute a reference without `;` before `=`, a letter or a digit is none.
    let source = "<a href='/x?a=1&region=kr&copy=2&amp;b=3'>&copy</a>";
    assert_eq!(
        run("serialize", source),
        "<a href=\"/x?a=1&amp;region=kr&amp;copy=2&amp;b=3\">\u{a9}</a>"
    );
}
