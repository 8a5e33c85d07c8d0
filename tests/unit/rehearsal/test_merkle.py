from __future__ import annotations

import hashlib

import pytest

from ci_publish.rehearsal.merkle import MerkleTree, merkle_leaf_hash, merkle_node_hash


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle_node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def root_from_proof(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """RFC 9162 §2.1.3.2, word for word."""
    node_index, last, result = index, size - 1, leaf
    for sibling in proof:
        assert last > 0
        if node_index % 2 == 1 or node_index == last:
            result = merkle_node_hash(sibling, result)
            while node_index % 2 == 0 and node_index != 0:
                node_index, last = node_index >> 1, last >> 1
        else:
            result = merkle_node_hash(result, sibling)
        node_index, last = node_index >> 1, last >> 1
    assert last == 0
    return result


def test_roots_and_proofs_of_every_small_tree() -> None:
    tree, leaves = MerkleTree(), []
    for number in range(70):
        leaf = merkle_leaf_hash(str(number).encode())
        leaves.append(leaf)
        assert tree.append(leaf) == number
        root = naive_root(leaves)
        assert tree.root() == root
        assert len(tree) == number + 1
        for index in range(number + 1):
            assert root_from_proof(leaves[index], index, number + 1, tree.inclusion_proof(index)) == root


def test_known_vectors() -> None:
    # RFC 6962's empty tree, and the first leaf of Certificate Transparency's test data: the empty string.
    assert MerkleTree().root() == hashlib.sha256(b"").digest()
    assert merkle_leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@pytest.mark.parametrize("index", [-1, 1])
def test_no_proof_for_a_leaf_that_is_not_there(index: int) -> None:
    tree = MerkleTree()
    tree.append(merkle_leaf_hash(b"a"))
    with pytest.raises(IndexError, match=f"no leaf {index} in a tree of 1"):
        tree.inclusion_proof(index)
