//! Containers that hold the body on many sites.

use super::outline::Node;

/// How surely an element holds the body, 0 being the surest; `None` if nothing tells.
pub fn rank(node: &Node) -> Option<u8> {
    if node.tag == "section" && node.attribute("dmcf-sid").is_some() {
        return Some(0);
    }
    if node
        .attribute("itemprop")
        .is_some_and(|value| value.eq_ignore_ascii_case("articleBody"))
    {
        return Some(1);
    }
    (node.tag == "article").then_some(2)
}

/// Number of ranks.
pub const RANKS: u8 = 3;
