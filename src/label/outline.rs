//! The elements of a page that a label looks at, containers and blocks together, as one tree in
//! source order.

use crate::block::{Attribute, Document, Kind};

/// Index into [`Outline::nodes`].
pub type NodeId = u32;

/// One element: a container, or a block's own start tag.
pub struct Node<'a> {
    /// Tag name; empty for an anonymous block and for one of an unknown tag.
    pub tag: &'a str,
    /// What the start tag says.
    pub attributes: &'a [Attribute],
    /// The enclosing element; always a smaller index.
    pub parent: Option<NodeId>,
    /// Whether it is a container, or a block with another element inside.
    pub encloses: bool,
}

impl Node<'_> {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| &*attribute.name == name)
            .map(|attribute| &*attribute.value)
    }
}

/// The tree: parents stand before their children.
pub struct Outline<'a> {
    pub nodes: Vec<Node<'a>>,
    /// For every block the node that stands for it.
    pub of_block: Vec<NodeId>,
}

impl<'a> Outline<'a> {
    /// Merges the two ordered lists of a document. Nesting is read from the byte ranges, because a
    /// container does not know the block it stands in.
    pub fn new(document: &'a Document) -> Self {
        let Document {
            blocks, containers, ..
        } = document;
        let mut nodes: Vec<Node<'a>> = Vec::with_capacity(blocks.len() + containers.len());
        let mut of_block = Vec::with_capacity(blocks.len());
        let mut open: Vec<(NodeId, usize)> = Vec::new();
        let mut containers = containers.iter().peekable();
        let mut blocks = blocks.iter().peekable();
        loop {
            let block_next = match (containers.peek(), blocks.peek()) {
                (Some(container), Some(block)) => block.range.start < container.range.start,
                (None, _) => true,
                (Some(_), None) => false,
            };
            let (tag, attributes, range) = if block_next {
                let Some(block) = blocks.next() else { break };
                let tag = match block.kind {
                    Kind::Text | Kind::Other => "",
                    kind => kind.as_str(),
                };
                of_block.push(nodes.len() as NodeId);
                (tag, &*block.attributes, &block.range)
            } else {
                let Some(container) = containers.next() else { break };
                (&*container.tag, &*container.attributes, &container.range)
            };
            while open.last().is_some_and(|&(_, end)| end <= range.start) {
                open.pop();
            }
            let id = nodes.len() as NodeId;
            let parent = open.last().map(|&(parent, _)| parent);
            if let Some(parent) = parent {
                nodes[parent as usize].encloses = true;
            }
            nodes.push(Node {
                tag,
                attributes,
                parent,
                encloses: !block_next,
            });
            open.push((id, range.end));
        }
        Self { nodes, of_block }
    }
}
