//! Quirks mode by the document type, for the one place where it decides about text: whether a
//! table closes an open paragraph.

const PREFIXES: [&str; 55] = [
    "+//silmaril//dtd html pro v0r11 19970101//",
    "-//as//dtd html 3.0 aswedit + extensions//",
    "-//advasoft ltd//dtd html 3.0 aswedit + extensions//",
    "-//ietf//dtd html 2.0 level 1//",
    "-//ietf//dtd html 2.0 level 2//",
    "-//ietf//dtd html 2.0 strict level 1//",
    "-//ietf//dtd html 2.0 strict level 2//",
    "-//ietf//dtd html 2.0 strict//",
    "-//ietf//dtd html 2.0//",
    "-//ietf//dtd html 2.1e//",
    "-//ietf//dtd html 3.0//",
    "-//ietf//dtd html 3.2 final//",
    "-//ietf//dtd html 3.2//",
    "-//ietf//dtd html 3//",
    "-//ietf//dtd html level 0//",
    "-//ietf//dtd html level 1//",
    "-//ietf//dtd html level 2//",
    "-//ietf//dtd html level 3//",
    "-//ietf//dtd html strict level 0//",
    "-//ietf//dtd html strict level 1//",
    "-//ietf//dtd html strict level 2//",
    "-//ietf//dtd html strict level 3//",
    "-//ietf//dtd html strict//",
    "-//ietf//dtd html//",
    "-//metrius//dtd metrius presentational//",
    "-//microsoft//dtd internet explorer 2.0 html strict//",
    "-//microsoft//dtd internet explorer 2.0 html//",
    "-//microsoft//dtd internet explorer 2.0 tables//",
    "-//microsoft//dtd internet explorer 3.0 html strict//",
    "-//microsoft//dtd internet explorer 3.0 html//",
    "-//microsoft//dtd internet explorer 3.0 tables//",
    "-//netscape comm. corp.//dtd html//",
    "-//netscape comm. corp.//dtd strict html//",
    "-//o'reilly and associates//dtd html 2.0//",
    "-//o'reilly and associates//dtd html extended 1.0//",
    "-//o'reilly and associates//dtd html extended relaxed 1.0//",
    "-//sq//dtd html 2.0 hotmetal + extensions//",
    "-//softquad software//dtd hotmetal pro 6.0::19990601::extensions to html 4.0//",
    "-//softquad//dtd hotmetal pro 4.0::19971010::extensions to html 4.0//",
    "-//spyglass//dtd html 2.0 extended//",
    "-//sun microsystems corp.//dtd hotjava html//",
    "-//sun microsystems corp.//dtd hotjava strict html//",
    "-//w3c//dtd html 3 1995-03-24//",
    "-//w3c//dtd html 3.2 draft//",
    "-//w3c//dtd html 3.2 final//",
    "-//w3c//dtd html 3.2//",
    "-//w3c//dtd html 3.2s draft//",
    "-//w3c//dtd html 4.0 frameset//",
    "-//w3c//dtd html 4.0 transitional//",
    "-//w3c//dtd html experimental 19960712//",
    "-//w3c//dtd html experimental 970421//",
    "-//w3c//dtd w3 html//",
    "-//w3o//dtd w3 html 3.0//",
    "-//webtechs//dtd mozilla html 2.0//",
    "-//webtechs//dtd mozilla html//",
];

const NAMES: [&str; 3] = [
    "-//w3o//dtd w3 html strict 3.0//en//",
    "-/w3c/dtd html 4.0 transitional/en",
    "html",
];

/// Longer document types are quirky: none of the known ones comes near.
const MAX_DOCTYPE: usize = 4096;

/// Whether a document type, as it stands between `<!doctype` and `>`, means quirks mode.
pub(super) fn is_quirky(doctype: &str) -> bool {
    if doctype.len() > MAX_DOCTYPE {
        return true;
    }
    let doctype = doctype.to_ascii_lowercase();
    let Some(rest) = doctype.trim_ascii_start().strip_prefix("html") else {
        return true;
    };
    if !rest.is_empty() && !rest.starts_with(|c: char| c.is_ascii_whitespace()) {
        return true;
    }
    let rest = rest.trim_ascii_start();
    let (public, system) = if let Some(rest) = rest.strip_prefix("public") {
        let Some((public, rest)) = quoted(rest) else {
            return true;
        };
        let system = quoted(rest).map(|(system, _)| system);
        // Anything else behind the public identifier, as an address without quotes, is an error.
        if system.is_none() && !rest.trim_ascii().is_empty() {
            return true;
        }
        (Some(public), system)
    } else if let Some(rest) = rest.strip_prefix("system") {
        let Some((system, _)) = quoted(rest) else {
            return true;
        };
        (None, Some(system))
    } else {
        return !rest.is_empty();
    };
    let strict_4 = |public: &str| {
        public.starts_with("-//w3c//dtd html 4.01 frameset//")
            || public.starts_with("-//w3c//dtd html 4.01 transitional//")
    };
    public.is_some_and(|public| {
        NAMES.contains(&public)
            || PREFIXES.iter().any(|prefix| public.starts_with(prefix))
            || (system.is_none() && strict_4(public))
    }) || system == Some("http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd")
}

/// A quoted string and what follows it; a missing closing quote means quirks mode.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text[1..].split_once(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_types_decide_about_quirks() {
        for standard in [
            " html",
            "html ",
            " HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"",
            " html SYSTEM 'about:legacy-compat'",
            " html PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" \"http://www.w3.org/TR/html4/loose.dtd\"",
            " html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"x\"",
        ] {
            assert!(!is_quirky(standard), "{standard}");
        }
        for quirky in [
            "",
            " svg",
            " html x",
            " html public",
            " html public \"a",
            " HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\"",
            " html PUBLIC '-//W3C//DTD HTML 4.0 Transitional//EN' 'x'",
            " html PUBLIC \"html\"",
            " html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd",
            " html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd",
        ] {
            assert!(is_quirky(quirky), "{quirky}");
        }
    }
}
