//! Digest chains that share their beginnings, run as a tree.

use super::chain::{Chain, Operation};

/// An operation, the chain that ends with it, and the operations after it.
#[derive(Debug, Default)]
struct Node {
    operation: Option<Operation>,
    chain: Option<usize>,
    next: Vec<Node>,
}

/// All chains of a layer.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    root: Node,
}

impl Tree {
    pub fn new(chains: &[Chain]) -> Self {
        let mut tree = Self::default();
        for (index, chain) in chains.iter().enumerate() {
            let mut node = &mut tree.root;
            for &operation in chain.operations() {
                let known = node
                    .next
                    .iter()
                    .position(|next| next.operation == Some(operation));
                let at = known.unwrap_or_else(|| {
                    node.next.push(Node {
                        operation: Some(operation),
                        ..Node::default()
                    });
                    node.next.len() - 1
                });
                node = &mut node.next[at];
            }
            node.chain.get_or_insert(index);
        }
        tree
    }

    /// Runs every chain on the message, its first digest keyed if there is a key, and hands out each
    /// chain's index and digest.
    pub fn run(&self, key: Option<&[u8]>, message: &[u8], each: &mut impl FnMut(usize, &[u8])) {
        for node in &self.root.next {
            let output = match (node.operation, key) {
                (Some(Operation::Digest(algorithm)), Some(key)) => algorithm.hmac(key, message),
                (Some(operation), _) => operation.run(message),
                (None, _) => continue,
            };
            node.after(output.as_bytes(), each);
        }
    }
}

impl Node {
    fn after(&self, output: &[u8], each: &mut impl FnMut(usize, &[u8])) {
        if let Some(chain) = self.chain {
            each(chain, output);
        }
        for next in &self.next {
            if let Some(operation) = next.operation {
                next.after(operation.run(output).as_bytes(), each);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_gives_what_each_chain_gives() {
        let chain =
            |spelled: &[&str]| Chain::new(spelled.iter().map(|one| one.parse().unwrap()).collect()).unwrap();
        let chains = [
            chain(&["sha-256"]),
            chain(&["sha-256", "hex", "sha-256"]),
            chain(&["sha-256", "sha-256"]),
            chain(&["md5", "hex", "sha-256"]),
            chain(&["sha-512", "take 32"]),
        ];
        let tree = Tree::new(&chains);
        for key in [None, Some(&b"key"[..])] {
            let mut seen = Vec::new();
            tree.run(key, b"message", &mut |chain, digest| {
                seen.push((chain, digest.to_vec()));
            });
            seen.sort();
            let expected: Vec<_> = chains
                .iter()
                .enumerate()
                .map(|(at, chain)| (at, chain.run(key, b"message").as_bytes().to_vec()))
                .collect();
            assert_eq!(seen, expected);
        }
    }
}
