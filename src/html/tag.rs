//! Tag names: a number for every name the rules speak of, and the sets those rules are made of.

/// What the tree construction rules and `blocks-v1` know about a tag name, as bits.
pub(super) mod class {
    /// Stops the search of an unspecific end tag.
    pub const SPECIAL: u32 = 1;
    /// Ends an element scope.
    pub const SCOPE: u32 = 1 << 1;
    /// Its end tag is implied by the end of what surrounds it.
    pub const IMPLIED: u32 = 1 << 2;
    /// Its start tag closes an open `p`.
    pub const CLOSES_P: u32 = 1 << 3;
    /// Its end tag needs the element in scope and closes all inside it.
    pub const SCOPED_END: u32 = 1 << 4;
    /// A formatting element: its end tag may cross block elements.
    pub const FORMATTING: u32 = 1 << 5;
    /// Has no content and no end tag.
    pub const VOID: u32 = 1 << 6;
    /// Its start tag ends foreign content.
    pub const BREAKOUT: u32 = 1 << 7;
    /// `h1` to `h6`.
    pub const HEADING: u32 = 1 << 8;
    /// Part of a table's skeleton, ignored outside tables.
    pub const TABLE_PART: u32 = 1 << 9;
    /// `blocks-v1`: a block element.
    pub const BLOCK: u32 = 1 << 10;
    /// `blocks-v1`: an element of block or table display that is no block element.
    pub const BOUNDARY: u32 = 1 << 11;
    /// `text-v1`: what is inside is no text.
    pub const DROPPED: u32 = 1 << 12;
    /// `blocks-v1`: makes a block of an element without text.
    pub const MEDIA: u32 = 1 << 13;
    /// `form-v1`: emphasis.
    pub const EMPHASIS: u32 = 1 << 14;
    /// The tokenizer reads its content as text without markup.
    pub const RAW: u32 = 1 << 15;
    /// May stand in the head: does not open the body.
    pub const IN_HEAD: u32 = 1 << 16;
}

use class::{
    BLOCK, BOUNDARY, BREAKOUT, CLOSES_P, DROPPED, EMPHASIS, FORMATTING, HEADING, IMPLIED, IN_HEAD, MEDIA,
    RAW, SCOPE, SCOPED_END, SPECIAL, TABLE_PART, VOID,
};

macro_rules! tags {
    ($($tag:ident $name:literal $class:expr;)*) => {
        /// A tag name the rules speak of; every other name is [`Tag::Unknown`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Tag { $($tag,)* Unknown }

        /// How many names are known.
        pub(super) const KNOWN: usize = Tag::Unknown as usize;

        const CLASSES: [u32; KNOWN + 1] = [$($class,)* 0];

        /// The known names in lower case, in the order of [`Tag`].
        pub(super) const NAMES: [&str; KNOWN + 1] = [$($name,)* ""];

        const TAGS: [Tag; KNOWN + 1] = [$(Tag::$tag,)* Tag::Unknown];
    };
}

tags! {
    A "a" FORMATTING;
    Address "address" BLOCK | SPECIAL | CLOSES_P | SCOPED_END;
    AnnotationXml "annotation-xml" 0;
    Applet "applet" SPECIAL | SCOPE | SCOPED_END;
    Area "area" SPECIAL | VOID;
    Article "article" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END;
    Aside "aside" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END;
    Audio "audio" DROPPED | MEDIA;
    B "b" FORMATTING | BREAKOUT | EMPHASIS;
    Base "base" SPECIAL | VOID | IN_HEAD;
    Basefont "basefont" SPECIAL | VOID | IN_HEAD;
    Bgsound "bgsound" SPECIAL | VOID | IN_HEAD;
    Big "big" FORMATTING | BREAKOUT;
    Blockquote "blockquote" BLOCK | SPECIAL | CLOSES_P | SCOPED_END | BREAKOUT;
    Body "body" BOUNDARY | SPECIAL | BREAKOUT;
    Br "br" SPECIAL | VOID | BREAKOUT;
    Button "button" SPECIAL | SCOPED_END;
    Canvas "canvas" DROPPED | MEDIA;
    Caption "caption" BLOCK | SPECIAL | SCOPE | TABLE_PART;
    Center "center" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END | BREAKOUT;
    Code "code" FORMATTING | BREAKOUT;
    Col "col" SPECIAL | VOID | TABLE_PART;
    Colgroup "colgroup" SPECIAL | TABLE_PART;
    Datalist "datalist" DROPPED;
    Dd "dd" BLOCK | SPECIAL | IMPLIED | BREAKOUT;
    Del "del" EMPHASIS;
    Desc "desc" 0;
    Details "details" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END;
    Dialog "dialog" BOUNDARY | CLOSES_P | SCOPED_END;
    Dir "dir" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END;
    Div "div" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END | BREAKOUT;
    Dl "dl" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END | BREAKOUT;
    Dt "dt" BLOCK | SPECIAL | IMPLIED | BREAKOUT;
    Em "em" FORMATTING | BREAKOUT | EMPHASIS;
    Embed "embed" SPECIAL | VOID | BREAKOUT | MEDIA;
    Fieldset "fieldset" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END;
    Figcaption "figcaption" BLOCK | SPECIAL | CLOSES_P | SCOPED_END;
    Figure "figure" BLOCK | SPECIAL | CLOSES_P | SCOPED_END;
    Font "font" FORMATTING;
    Footer "footer" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END;
    ForeignObject "foreignobject" 0;
    Form "form" BOUNDARY | SPECIAL | CLOSES_P;
    Frame "frame" SPECIAL | VOID | TABLE_PART;
    Frameset "frameset" SPECIAL;
    H1 "h1" BLOCK | SPECIAL | CLOSES_P | HEADING | BREAKOUT;
    H2 "h2" BLOCK | SPECIAL | CLOSES_P | HEADING | BREAKOUT;
    H3 "h3" BLOCK | SPECIAL | CLOSES_P | HEADING | BREAKOUT;
    H4 "h4" BLOCK | SPECIAL | CLOSES_P | HEADING | BREAKOUT;
    H5 "h5" BLOCK | SPECIAL | CLOSES_P | HEADING | BREAKOUT;
    H6 "h6" BLOCK | SPECIAL | CLOSES_P | HEADING | BREAKOUT;
    Head "head" SPECIAL | TABLE_PART | BREAKOUT | IN_HEAD;
    Header "header" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END;
    Hgroup "hgroup" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END;
    Hr "hr" BOUNDARY | SPECIAL | VOID | CLOSES_P | BREAKOUT;
    Html "html" BOUNDARY | SPECIAL | SCOPE;
    I "i" FORMATTING | BREAKOUT | EMPHASIS;
    Iframe "iframe" DROPPED | MEDIA | SPECIAL | RAW;
    Image "image" 0;
    Img "img" SPECIAL | VOID | BREAKOUT | MEDIA;
    Input "input" SPECIAL | VOID;
    Ins "ins" EMPHASIS;
    Keygen "keygen" SPECIAL | VOID;
    Legend "legend" BLOCK;
    Li "li" BLOCK | SPECIAL | IMPLIED | BREAKOUT;
    Link "link" SPECIAL | VOID | IN_HEAD;
    Listing "listing" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END | BREAKOUT;
    Main "main" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END;
    Mark "mark" EMPHASIS;
    Marquee "marquee" SPECIAL | SCOPE | SCOPED_END;
    Math "math" 0;
    Menu "menu" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END | BREAKOUT;
    Meta "meta" SPECIAL | VOID | BREAKOUT | IN_HEAD;
    Mglyph "mglyph" 0;
    Malignmark "malignmark" 0;
    Mi "mi" 0;
    Mn "mn" 0;
    Mo "mo" 0;
    Ms "ms" 0;
    Mtext "mtext" 0;
    Nav "nav" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END;
    Nobr "nobr" FORMATTING | BREAKOUT;
    Noembed "noembed" DROPPED | SPECIAL | RAW;
    Noframes "noframes" DROPPED | SPECIAL | RAW | IN_HEAD;
    Noscript "noscript" DROPPED | SPECIAL | RAW | IN_HEAD;
    Object "object" DROPPED | MEDIA | SPECIAL | SCOPE | SCOPED_END;
    Ol "ol" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END | BREAKOUT;
    Optgroup "optgroup" BOUNDARY | IMPLIED;
    Opt "option" BOUNDARY | IMPLIED;
    P "p" BLOCK | SPECIAL | IMPLIED | CLOSES_P | BREAKOUT;
    Param "param" SPECIAL | VOID;
    Picture "picture" MEDIA;
    Plaintext "plaintext" BOUNDARY | SPECIAL | CLOSES_P;
    Pre "pre" BLOCK | SPECIAL | CLOSES_P | SCOPED_END | BREAKOUT;
    Rb "rb" IMPLIED;
    Rp "rp" IMPLIED;
    Rt "rt" IMPLIED;
    Rtc "rtc" IMPLIED;
    Ruby "ruby" BREAKOUT;
    S "s" FORMATTING | BREAKOUT | EMPHASIS;
    Script "script" DROPPED | SPECIAL | RAW | IN_HEAD;
    Search "search" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END;
    Section "section" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END;
    Select "select" DROPPED | SPECIAL | SCOPE | SCOPED_END;
    Small "small" FORMATTING | BREAKOUT;
    Source "source" SPECIAL | VOID;
    Span "span" BREAKOUT;
    Strike "strike" FORMATTING | BREAKOUT;
    Strong "strong" FORMATTING | BREAKOUT | EMPHASIS;
    Style "style" DROPPED | SPECIAL | RAW | IN_HEAD;
    Sub "sub" BREAKOUT | EMPHASIS;
    Summary "summary" BLOCK | SPECIAL | CLOSES_P | SCOPED_END;
    Sup "sup" BREAKOUT | EMPHASIS;
    Svg "svg" DROPPED;
    Table "table" BOUNDARY | SPECIAL | SCOPE | BREAKOUT;
    Tbody "tbody" BOUNDARY | SPECIAL | TABLE_PART;
    Td "td" BLOCK | SPECIAL | SCOPE | TABLE_PART;
    Template "template" DROPPED | SPECIAL | SCOPE | IN_HEAD;
    Textarea "textarea" DROPPED | SPECIAL | RAW;
    Tfoot "tfoot" BOUNDARY | SPECIAL | TABLE_PART;
    Th "th" BLOCK | SPECIAL | SCOPE | TABLE_PART;
    Thead "thead" BOUNDARY | SPECIAL | TABLE_PART;
    Time "time" 0;
    Title "title" DROPPED | SPECIAL | RAW | IN_HEAD;
    Tr "tr" BOUNDARY | SPECIAL | TABLE_PART;
    Track "track" SPECIAL | VOID;
    Tt "tt" FORMATTING | BREAKOUT;
    U "u" FORMATTING | BREAKOUT | EMPHASIS;
    Ul "ul" BOUNDARY | SPECIAL | CLOSES_P | SCOPED_END | BREAKOUT;
    Var "var" BREAKOUT;
    Video "video" DROPPED | MEDIA;
    Wbr "wbr" SPECIAL | VOID;
    Xmp "xmp" BOUNDARY | SPECIAL | CLOSES_P | RAW;
}

/// Places in the table of names: a power of two, well over their number.
const PLACES: usize = 512;

/// The known names packed into numbers, each at the first free place from the one its number hashes
/// to; 0 is a free place.
const TABLE: [(u128, Tag); PLACES] = {
    let mut table = [(0, Tag::Unknown); PLACES];
    let mut at = 0;
    while at < KNOWN {
        let packed = pack(NAMES[at].as_bytes());
        let mut place = place(packed);
        while table[place].0 != 0 {
            place = (place + 1) % PLACES;
        }
        table[place] = (packed, TAGS[at]);
        at += 1;
    }
    table
};

/// A name of at most 16 bytes as a number, letters in lower case. The tokenizer's names start with a
/// letter, so no two of them are packed into the same number.
const fn pack(name: &[u8]) -> u128 {
    let mut packed = 0;
    let mut at = 0;
    while at < name.len() {
        packed = packed << 8 | name[at].to_ascii_lowercase() as u128;
        at += 1;
    }
    packed
}

const fn place(packed: u128) -> usize {
    let folded = (packed ^ (packed >> 64)) as u64;
    (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55) as usize
}

impl Tag {
    /// The tag of a name in any case.
    pub fn of(name: &[u8]) -> Self {
        if name.len() > 16 {
            return Self::Unknown;
        }
        let packed = pack(name);
        let mut place = place(packed);
        loop {
            let (known, tag) = TABLE[place];
            if known == packed || known == 0 {
                return tag;
            }
            place = (place + 1) % PLACES;
        }
    }

    /// Whether the tag has one of the classes in `bits`.
    pub fn is(self, bits: u32) -> bool {
        CLASSES[self as usize] & bits != 0
    }

    /// The name in lower case; empty for an unknown one.
    pub fn name(self) -> &'static str {
        NAMES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_finds_its_tag_in_any_case() {
        for name in &NAMES[..KNOWN] {
            let tag = Tag::of(name.as_bytes());
            assert_eq!(tag.name(), *name);
            assert_eq!(Tag::of(name.to_ascii_uppercase().as_bytes()), tag);
        }
        for unknown in ["", "x", "pp", "a-very-long-custom-name", "p\0"] {
            assert_eq!(Tag::of(unknown.as_bytes()), Tag::Unknown, "{unknown:?}");
        }
    }
}
