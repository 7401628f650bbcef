//! Which elements are open: tree construction as far as it decides where text belongs. Implied end
//! tags, scopes, tables and foreign content as in the HTML Standard; no foster parenting and no
//! adoption agency, so source order is kept. Every step takes constant time or is paid for by the
//! elements it closes.

use std::ops::Range;

use super::names::{NameId, Names};
use super::quirks::is_quirky;
use super::tag::{Tag, class};
use super::token::{AttributeSpan, Token, Tokenizer};

/// Open elements at most; deeper ones take the place of the innermost.
pub const MAX_DEPTH: usize = 4096;

/// A start tag as the tree sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'t> {
    pub tag: Tag,
    /// Byte range of the start tag in the text; empty for a tag that was implied.
    pub range: (usize, usize),
    pub attributes: &'t [AttributeSpan],
    /// SVG or `MathML`.
    pub foreign: bool,
}

/// What a reader of pages makes of the tree.
pub(super) trait Sink {
    /// What the sink wants to know about an open element again.
    type State: Copy;

    /// The state outside all elements.
    fn root(&self) -> Self::State;
    /// An element opens inside one of state `parent`.
    fn open(&mut self, element: &Element<'_>, parent: Self::State) -> Self::State;
    /// An element without content: `br`, `img`, `hr` ...
    fn void(&mut self, element: &Element<'_>, parent: Self::State);
    /// The element of this state ends: its content at `inner_end`, itself at `end`.
    fn close(&mut self, state: Self::State, inner_end: usize, end: usize);
    /// An element of block display begins and ends here that has no tag of its own.
    fn boundary(&mut self, state: Self::State, at: usize);
    /// Characters of the element of this state; `literal`: without references.
    fn text(&mut self, state: Self::State, range: Range<usize>, literal: bool);
    /// The raw text of a `title`, `script` ... element whose attributes are given.
    fn raw(&mut self, element: &Element<'_>, state: Self::State, range: Range<usize>);
    /// A second `html` or `body` tag: it only brings attributes.
    fn merge(&mut self, element: &Element<'_>);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Integration {
    None,
    /// HTML start tags and text inside are HTML.
    Html,
    /// The same but for `mglyph` and `malignmark`.
    MathText,
    /// Only `svg` inside is read by the HTML rules.
    Annotation,
}

/// One open element. Positions are one more than the index in the stack; 0: none. The positions of
/// barriers include the element itself, so that looking them up at the top takes no search.
#[derive(Debug, Clone, Copy)]
struct Open<S> {
    id: NameId,
    tag: Tag,
    foreign: bool,
    svg: bool,
    integration: Integration,
    /// Its end tag was seen although elements inside it are still open.
    ended: bool,
    /// The next outer open element of the same name.
    same: u32,
    special: u32,
    /// Innermost special element other than `address`, `div` and `p`.
    item_barrier: u32,
    scope: u32,
    list_scope: u32,
    button_scope: u32,
    table_scope: u32,
    html: u32,
    state: S,
}

#[allow(clippy::struct_excessive_bools)] // each is a flag of the Standard's parser
struct Tree<'a, S: Sink> {
    text: &'a str,
    tokens: Tokenizer<'a>,
    names: Names,
    stack: Vec<Open<S::State>>,
    sink: S,
    /// Stray table parts are boundaries: the text is a piece of a page.
    fragment: bool,
    quirks: bool,
    before_doctype: bool,
    seen_html: bool,
    seen_body: bool,
    frameset_ok: bool,
    /// The form element pointer is set; the position of the form while it is open.
    form: Option<u32>,
}

/// Reads a whole text into a sink and gives the sink back.
pub(super) fn read_tree<S: Sink>(text: &str, sink: S, fragment: bool) -> S {
    let mut tree = Tree {
        text,
        tokens: Tokenizer::new(text),
        names: Names::new(),
        stack: Vec::with_capacity(64),
        sink,
        fragment,
        quirks: true,
        before_doctype: true,
        seen_html: false,
        seen_body: false,
        frameset_ok: true,
        form: None,
    };
    tree.run();
    tree.sink
}

impl<S: Sink> Tree<'_, S> {
    fn run(&mut self) {
        loop {
            self.tokens.foreign = self.stack.last().is_some_and(|top| top.foreign);
            match self.tokens.next() {
                Token::Text(range) => self.characters(range, false),
                Token::Literal(range) => self.characters(range, true),
                Token::Start {
                    range,
                    name,
                    self_closing,
                } => {
                    self.before_doctype = false;
                    if self.start(range, name, self_closing) {
                        break;
                    }
                }
                Token::End { range, name } => {
                    self.before_doctype = false;
                    self.end(&range, &name);
                }
                Token::Doctype(range) => {
                    if self.before_doctype {
                        self.quirks = is_quirky(&self.text[range]);
                        self.before_doctype = false;
                    }
                }
                Token::Comment => {}
                Token::Eof => break,
            }
        }
        let end = self.text.len();
        self.pop_to(1, end, end);
    }

    fn state(&self) -> S::State {
        self.stack
            .last()
            .map_or_else(|| self.sink.root(), |top| top.state)
    }

    fn characters(&mut self, range: Range<usize>, literal: bool) {
        if (self.before_doctype || self.frameset_ok)
            && self.text[range.clone()]
                .bytes()
                .any(|b| !matches!(b, b'\t' | b'\n' | 0x0c | b'\r' | b' '))
        {
            self.before_doctype = false;
            self.frameset_ok = false;
            // Text opens the body, unless it belongs to something in the head.
            self.seen_body |= self.stack.len() <= usize::from(self.seen_html);
        }
        let state = self.state();
        self.sink.text(state, range, literal);
    }

    /// Handles a start tag; whether the rest of the page is to be ignored.
    fn start(&mut self, range: Range<usize>, name: Range<usize>, self_closing: bool) -> bool {
        let tag = Tag::of(&self.text.as_bytes()[name.clone()]);
        let span = Span {
            tag,
            name: (name.start, name.end),
            range: (range.start, range.end),
        };
        if let Some(top) = self.stack.last()
            && top.foreign
            && !self.is_html_start(tag)
        {
            let breaks_out = tag.is(class::BREAKOUT) || (tag == Tag::Font && self.has_font_attribute());
            if !breaks_out {
                let svg = self.stack.last().is_some_and(|top| top.svg);
                self.push_foreign(span, svg, self_closing);
                return false;
            }
            self.leave_foreign(range.start);
        }
        self.start_html(span, self_closing)
    }

    /// Whether a start tag is read by the HTML rules although the current element is foreign.
    fn is_html_start(&self, tag: Tag) -> bool {
        match self.stack.last().map_or(Integration::None, |top| top.integration) {
            Integration::None => false,
            Integration::Html => true,
            Integration::MathText => !matches!(tag, Tag::Mglyph | Tag::Malignmark),
            Integration::Annotation => tag == Tag::Svg,
        }
    }

    fn has_font_attribute(&self) -> bool {
        ["color", "face", "size"]
            .iter()
            .any(|name| find(self.text, self.tokens.attributes(), name).is_some())
    }

    /// Closes foreign elements up to an HTML element or an integration point.
    fn leave_foreign(&mut self, at: usize) {
        while let Some(top) = self.stack.last()
            && top.foreign
            && !matches!(top.integration, Integration::Html | Integration::MathText)
        {
            self.pop(at, at);
        }
    }

    fn start_html(&mut self, span: Span, self_closing: bool) -> bool {
        let at = span.range.0;
        let tag = span.tag;
        if !self.seen_body
            && !tag.is(class::IN_HEAD)
            && !matches!(tag, Tag::Html | Tag::Body | Tag::Frameset)
            && self.names.innermost_of(Tag::Template) == 0
        {
            self.seen_body = true;
        }
        match tag {
            Tag::Html | Tag::Body => self.start_root(span),
            Tag::Image => {
                return self.start_html(
                    Span {
                        tag: Tag::Img,
                        ..span
                    },
                    self_closing,
                );
            }
            Tag::Frameset => {
                let ignores_rest = self.frameset_ok && !self.fragment;
                return ignores_rest;
            }
            Tag::Li => {
                self.frameset_ok = false;
                self.close_item(&[Tag::Li], at);
                self.close_p(at);
                self.push(span);
            }
            Tag::Dd | Tag::Dt => {
                self.frameset_ok = false;
                self.close_item(&[Tag::Dd, Tag::Dt], at);
                self.close_p(at);
                self.push(span);
            }
            Tag::Table => {
                self.frameset_ok = false;
                if self.is_in_table() {
                    self.pop_to(self.names.innermost_of(Tag::Table), at, at);
                }
                if !self.quirks {
                    self.close_p(at);
                }
                self.push(span);
            }
            Tag::Form => {
                if self.form.is_some() && self.names.innermost_of(Tag::Template) == 0 {
                    return false;
                }
                self.close_p(at);
                if self.is_in_table() {
                    self.form = Some(0);
                    let state = self.state();
                    self.sink.boundary(state, at);
                } else {
                    self.push(span);
                    self.form = Some(self.stack.len() as u32);
                }
            }
            Tag::Button => {
                self.frameset_ok = false;
                self.close_in_scope(Tag::Button, at);
                self.push(span);
            }
            Tag::A | Tag::Nobr => {
                self.end_formatting(Names::known(tag), at, at);
                self.push(span);
            }
            Tag::Select => {
                self.frameset_ok = false;
                if !self.close_in_scope(Tag::Select, at) {
                    self.push(span);
                }
            }
            Tag::Input => {
                self.frameset_ok &= find(self.text, self.tokens.attributes(), "type")
                    .is_some_and(|kind| kind.eq_ignore_ascii_case("hidden"));
                self.close_in_scope(Tag::Select, at);
                self.void(span);
            }
            Tag::Opt | Tag::Optgroup => {
                if self.is_in_scope(Tag::Select) {
                    while let Some(top) = self.stack.last()
                        && top.tag.is(class::IMPLIED)
                        && !(tag == Tag::Opt && top.tag == Tag::Optgroup)
                    {
                        self.pop(at, at);
                    }
                } else if self.is_current(Tag::Opt) {
                    self.pop(at, at);
                }
                self.push(span);
            }
            Tag::Rb | Tag::Rtc | Tag::Rp | Tag::Rt => {
                if self.is_in_scope(Tag::Ruby) {
                    while let Some(top) = self.stack.last()
                        && top.tag.is(class::IMPLIED)
                        && !(matches!(tag, Tag::Rp | Tag::Rt) && top.tag == Tag::Rtc)
                    {
                        self.pop(at, at);
                    }
                }
                self.push(span);
            }
            Tag::Svg | Tag::Math => self.push_foreign(span, tag == Tag::Svg, self_closing),
            Tag::Plaintext => {
                self.close_p(at);
                self.push(span);
                let rest = self.tokens.rest();
                let state = self.state();
                self.sink.text(state, rest, true);
            }
            _ if tag.is(class::TABLE_PART) => self.start_table_part(span),
            _ => {
                if tag.is(class::CLOSES_P) {
                    self.close_p(at);
                    if tag.is(class::HEADING)
                        && self.stack.last().is_some_and(|top| top.tag.is(class::HEADING))
                    {
                        self.pop(at, at);
                    }
                }
                if tag.is(class::VOID) {
                    self.frameset_ok &= !matches!(
                        tag,
                        Tag::Area | Tag::Br | Tag::Embed | Tag::Img | Tag::Keygen | Tag::Wbr | Tag::Hr
                    );
                    self.void(span);
                } else if tag.is(class::RAW) {
                    self.start_raw(span);
                } else {
                    if matches!(
                        tag,
                        Tag::Pre | Tag::Listing | Tag::Applet | Tag::Marquee | Tag::Object
                    ) {
                        self.frameset_ok = false;
                    }
                    self.push(span);
                }
            }
        }
        false
    }

    /// `html` and `body`: the first of each is an element that lasts to the end of the page.
    fn start_root(&mut self, span: Span) {
        let seen = if span.tag == Tag::Html {
            &mut self.seen_html
        } else {
            self.frameset_ok = false;
            &mut self.seen_body
        };
        let first = !std::mem::replace(seen, true);
        let outermost = self.stack.is_empty() || (span.tag == Tag::Body && self.is_current(Tag::Html));
        if first && outermost && !self.fragment {
            self.push(span);
        } else {
            let element = span.element(self.tokens.attributes());
            self.sink.merge(&element);
        }
    }

    /// An element whose content has no markup.
    fn start_raw(&mut self, span: Span) {
        self.frameset_ok &= !matches!(span.tag, Tag::Textarea | Tag::Xmp | Tag::Iframe);
        self.push(span);
        let range = self.tokens.raw_text(span.tag.name());
        let state = self.state();
        let element = span.element(self.tokens.attributes());
        self.sink.raw(&element, state, range);
    }

    fn start_table_part(&mut self, span: Span) {
        let at = span.range.0;
        let table = self.names.innermost_of(Tag::Table);
        if table == 0 || self.names.innermost_of(Tag::Template) > table {
            if self.fragment && span.tag.is(class::BLOCK | class::BOUNDARY) {
                let state = self.state();
                self.sink.boundary(state, at);
            }
            return;
        }
        let row = self.names.innermost_of(Tag::Tr);
        let group = [Tag::Tbody, Tag::Thead, Tag::Tfoot]
            .map(|tag| self.names.innermost_of(tag))
            .into_iter()
            .max()
            .unwrap_or(0);
        match span.tag {
            Tag::Td | Tag::Th => {
                if row > table {
                    self.pop_to(row + 1, at, at);
                } else {
                    self.open_group(table, group, at);
                    self.push_implied(Tag::Tr, at);
                }
                self.push(span);
            }
            Tag::Tr => {
                self.open_group(table, group, at);
                self.push(span);
            }
            Tag::Tbody | Tag::Thead | Tag::Tfoot | Tag::Caption => {
                self.pop_to(table + 1, at, at);
                self.push(span);
            }
            Tag::Col | Tag::Colgroup => self.pop_to(table + 1, at, at),
            _ => {}
        }
    }

    /// Closes what is inside the open row group of the table; opens one if there is none.
    fn open_group(&mut self, table: u32, group: u32, at: usize) {
        if group > table {
            self.pop_to(group + 1, at, at);
        } else {
            self.pop_to(table + 1, at, at);
            self.push_implied(Tag::Tbody, at);
        }
    }

    fn end(&mut self, range: &Range<usize>, name: &Range<usize>) {
        let bytes = &self.text.as_bytes()[name.clone()];
        let tag = Tag::of(bytes);
        if self.stack.last().is_some_and(|top| top.foreign) {
            if matches!(tag, Tag::P | Tag::Br) {
                self.leave_foreign(range.start);
            } else {
                let id = self.names.id(tag, bytes, true);
                let position = self.names.innermost(id);
                if position > self.stack.last().map_or(0, |top| top.html) {
                    self.pop_to(position, range.start, range.end);
                    return;
                }
            }
        }
        let (at, end) = (range.start, range.end);
        match tag {
            Tag::Html | Tag::Body | Tag::Head => {}
            Tag::P => {
                if self.is_in_button_scope() {
                    self.pop_to(self.names.innermost_of(Tag::P), at, end);
                } else {
                    let state = self.state();
                    self.sink.boundary(state, at);
                }
            }
            Tag::Br => {
                self.frameset_ok = false;
                self.tokens_void(Tag::Br, range);
            }
            Tag::Li => {
                let position = self.names.innermost_of(Tag::Li);
                if position != 0 && position >= self.stack.last().map_or(0, |top| top.list_scope) {
                    self.pop_to(position, at, end);
                }
            }
            Tag::Dd | Tag::Dt => {
                self.close_in_scope_at(tag, at, end);
            }
            Tag::Form => self.end_form(at, end),
            Tag::Template => self.pop_to(self.names.innermost_of(Tag::Template), at, end),
            Tag::Table => {
                let table = self.names.innermost_of(Tag::Table);
                if table != 0 && table >= self.table_scope() {
                    self.pop_to(table, at, end);
                }
            }
            _ if tag.is(class::TABLE_PART) => {
                let position = self.names.innermost_of(tag);
                if position > self.table_scope() {
                    self.pop_to(position, at, end);
                } else if self.fragment && tag.is(class::BLOCK | class::BOUNDARY) {
                    let state = self.state();
                    self.sink.boundary(state, at);
                }
            }
            _ if tag.is(class::HEADING) => {
                let position = [Tag::H1, Tag::H2, Tag::H3, Tag::H4, Tag::H5, Tag::H6]
                    .map(|tag| self.names.innermost_of(tag))
                    .into_iter()
                    .max()
                    .unwrap_or(0);
                if position != 0 && position >= self.scope() {
                    self.pop_to(position, at, end);
                }
            }
            _ if tag.is(class::FORMATTING) => self.end_formatting(Names::known(tag), at, end),
            _ if tag.is(class::SCOPED_END) => {
                self.close_in_scope_at(tag, at, end);
            }
            _ => {
                let id = self.names.id(tag, bytes, false);
                let position = self.names.innermost(id);
                if position != 0 && position >= self.stack.last().map_or(0, |top| top.special) {
                    self.pop_to(position, at, end);
                }
            }
        }
    }

    /// The end tag of a formatting element. With block elements open inside, the element ends here
    /// and they stay: what the adoption agency does to text, without moving any.
    fn end_formatting(&mut self, id: NameId, at: usize, end: usize) {
        let position = self.names.innermost(id);
        let Some(top) = self.stack.last() else { return };
        if position == 0 || position < top.scope {
            return;
        }
        if position >= top.special {
            self.pop_to(position, at, end);
            return;
        }
        if let Some(element) = self.stack.get_mut(position as usize - 1) {
            element.ended = true;
            let (state, same) = (element.state, element.same);
            self.names.set_innermost(id, same);
            self.sink.close(state, at, end);
        }
    }

    fn end_form(&mut self, at: usize, end: usize) {
        if self.names.innermost_of(Tag::Template) != 0 {
            self.close_in_scope_at(Tag::Form, at, end);
            return;
        }
        let Some(position) = self.form.take() else {
            return;
        };
        if position == 0 || position < self.scope() {
            return;
        }
        while let Some(top) = self.stack.last()
            && top.tag.is(class::IMPLIED)
        {
            self.pop(at, at);
        }
        // A form that is not the innermost element stays open for what is inside it.
        if self.stack.len() as u32 == position {
            self.pop(at, end);
        }
    }

    fn close_p(&mut self, at: usize) {
        if self.is_in_button_scope() {
            self.pop_to(self.names.innermost_of(Tag::P), at, at);
        }
    }

    /// Closes an open list item of the list that a new one belongs to.
    fn close_item(&mut self, tags: &[Tag], at: usize) {
        let barrier = self.stack.last().map_or(0, |top| top.item_barrier);
        if let Some(element) = (barrier as usize)
            .checked_sub(1)
            .and_then(|index| self.stack.get(index))
            && tags.contains(&element.tag)
            && !element.foreign
        {
            self.pop_to(barrier, at, at);
        }
    }

    fn is_in_scope(&self, tag: Tag) -> bool {
        let position = self.names.innermost_of(tag);
        position != 0 && position >= self.scope()
    }

    fn is_in_button_scope(&self) -> bool {
        let position = self.names.innermost_of(Tag::P);
        position != 0 && position >= self.stack.last().map_or(0, |top| top.button_scope)
    }

    /// Whether tags are read by the rules for tables: inside a table but in no cell or caption.
    fn is_in_table(&self) -> bool {
        let table = self.names.innermost_of(Tag::Table);
        let inner = [Tag::Td, Tag::Th, Tag::Caption, Tag::Template]
            .map(|tag| self.names.innermost_of(tag))
            .into_iter()
            .max();
        table != 0 && inner.is_none_or(|inner| inner < table)
    }

    fn scope(&self) -> u32 {
        self.stack.last().map_or(0, |top| top.scope)
    }

    fn table_scope(&self) -> u32 {
        self.stack.last().map_or(0, |top| top.table_scope)
    }

    fn is_current(&self, tag: Tag) -> bool {
        self.stack
            .last()
            .is_some_and(|top| top.tag == tag && !top.foreign)
    }

    fn close_in_scope(&mut self, tag: Tag, at: usize) -> bool {
        self.close_in_scope_at(tag, at, at)
    }

    fn close_in_scope_at(&mut self, tag: Tag, at: usize, end: usize) -> bool {
        let found = self.is_in_scope(tag);
        if found {
            self.pop_to(self.names.innermost_of(tag), at, end);
        }
        found
    }

    /// Reports an element without content.
    fn void(&mut self, span: Span) {
        let state = self.state();
        let element = span.element(self.tokens.attributes());
        self.sink.void(&element, state);
    }

    fn tokens_void(&mut self, tag: Tag, range: &Range<usize>) {
        let span = Span {
            tag,
            name: (range.start, range.start),
            range: (range.start, range.end),
        };
        let state = self.state();
        self.sink.void(&span.element(&[]), state);
    }

    fn push(&mut self, span: Span) {
        let name = &self.text.as_bytes()[span.name.0..span.name.1];
        let id = self.names.id(span.tag, name, false);
        self.push_open(span, id, false, false, Integration::None);
    }

    fn push_implied(&mut self, tag: Tag, at: usize) {
        let span = Span {
            tag,
            name: (at, at),
            range: (at, at),
        };
        self.push_open(span, Names::known(tag), false, false, Integration::None);
    }

    fn push_foreign(&mut self, span: Span, svg: bool, self_closing: bool) {
        let integration = match span.tag {
            Tag::ForeignObject | Tag::Desc | Tag::Title if svg => Integration::Html,
            Tag::Mi | Tag::Mo | Tag::Mn | Tag::Ms | Tag::Mtext if !svg => Integration::MathText,
            Tag::AnnotationXml if !svg => match find(self.text, self.tokens.attributes(), "encoding") {
                Some(kind)
                    if kind.eq_ignore_ascii_case("text/html")
                        || kind.eq_ignore_ascii_case("application/xhtml+xml") =>
                {
                    Integration::Html
                }
                _ => Integration::Annotation,
            },
            _ => Integration::None,
        };
        let name = &self.text.as_bytes()[span.name.0..span.name.1];
        let id = self.names.id(span.tag, name, true);
        self.push_open(span, id, true, svg, integration);
        if self_closing {
            self.pop(span.range.1, span.range.1);
        }
    }

    fn push_open(&mut self, span: Span, id: NameId, foreign: bool, svg: bool, integration: Integration) {
        if self.stack.len() >= MAX_DEPTH {
            self.pop(span.range.0, span.range.0);
        }
        let parent = self.state();
        let implied = span.range.0 == span.range.1;
        let attributes: &[AttributeSpan] = if implied { &[] } else { self.tokens.attributes() };
        let element = Element {
            foreign,
            ..span.element(attributes)
        };
        let state = self.sink.open(&element, parent);
        let position = self.stack.len() as u32 + 1;
        let tag = span.tag;
        let below = self.stack.last();
        let barrier = |is: bool, outer: fn(&Open<S::State>) -> u32| {
            if is { position } else { below.map_or(0, outer) }
        };
        // An integration point ends scopes as a table cell does.
        let point = matches!(integration, Integration::Html | Integration::MathText);
        let html = !foreign;
        let special = (html && tag.is(class::SPECIAL)) || point;
        let scope = (html && tag.is(class::SCOPE)) || point;
        let open = Open {
            id,
            tag,
            foreign,
            svg,
            integration,
            ended: false,
            same: self.names.innermost(id),
            special: barrier(special, |below| below.special),
            item_barrier: barrier(
                special && !matches!(tag, Tag::Address | Tag::Div | Tag::P),
                |below| below.item_barrier,
            ),
            scope: barrier(scope, |below| below.scope),
            list_scope: barrier(scope || (html && matches!(tag, Tag::Ol | Tag::Ul)), |below| {
                below.list_scope
            }),
            button_scope: barrier(scope || (html && tag == Tag::Button), |below| below.button_scope),
            table_scope: barrier(
                html && matches!(tag, Tag::Html | Tag::Table | Tag::Template),
                |below| below.table_scope,
            ),
            html: barrier(html, |below| below.html),
            state,
        };
        self.stack.push(open);
        self.names.set_innermost(id, position);
    }

    /// Closes the innermost element: its content ends at `inner_end`, itself at `end`.
    fn pop(&mut self, inner_end: usize, end: usize) {
        let Some(open) = self.stack.pop() else { return };
        if !open.ended {
            self.names.set_innermost(open.id, open.same);
            self.sink.close(open.state, inner_end, end);
        }
        if open.tag == Tag::Form && self.form == Some(self.stack.len() as u32 + 1) {
            self.form = Some(0);
        }
    }

    /// Closes the element at `position` and all inside it, which end where its end tag begins. Does
    /// nothing for position 0.
    fn pop_to(&mut self, position: u32, at: usize, end: usize) {
        if position == 0 {
            return;
        }
        while self.stack.len() > position as usize {
            self.pop(at, at);
        }
        if self.stack.len() == position as usize {
            self.pop(at, end);
        }
    }
}

/// A start tag without its attributes.
#[derive(Debug, Clone, Copy)]
struct Span {
    tag: Tag,
    name: (usize, usize),
    range: (usize, usize),
}

impl Span {
    fn element(self, attributes: &[AttributeSpan]) -> Element<'_> {
        Element {
            tag: self.tag,
            range: self.range,
            attributes,
            foreign: false,
        }
    }
}

/// The value as written of the first attribute of this name (lower case).
pub(super) fn find<'a>(text: &'a str, attributes: &[AttributeSpan], name: &str) -> Option<&'a str> {
    find_span(text, attributes, name).map(|(start, end)| &text[start..end])
}

/// Where that value stands.
pub(super) fn find_span(text: &str, attributes: &[AttributeSpan], name: &str) -> Option<(usize, usize)> {
    attributes
        .iter()
        .find(|a| a.name.1 - a.name.0 == name.len() && text[a.name.0..a.name.1].eq_ignore_ascii_case(name))
        .map(|a| a.value)
}
