"""The Merkle tree of a transparency log, as RFC 6962 §2.1 defines it (pure).

Appending costs O(1) hashes on average, a root or an inclusion proof O(log² n), so that a log of many thousands of
entries stays fast.
"""

from __future__ import annotations

import hashlib


def merkle_leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf (RFC 6962 §2.1: prefix 0x00)."""
    return hashlib.sha256(b"\x00" + data).digest()


def merkle_node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 6962 §2.1: prefix 0x01)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class MerkleTree:
    """An append-only tree over leaf hashes; not safe across threads."""

    __slots__ = ("_levels",)

    def __init__(self) -> None:
        """Start with no leaves."""
        # _levels[k][i] is the hash of the complete subtree over the leaves i * 2**k … (i + 1) * 2**k - 1
        self._levels: list[list[bytes]] = [[]]

    def __len__(self) -> int:
        """Return the number of leaves."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> int:
        """Append a leaf hash and return its index."""
        self._levels[0].append(leaf)
        height = 0
        while len(self._levels[height]) % 2 == 0:
            left, right = self._levels[height][-2:]
            if len(self._levels) == height + 1:
                self._levels.append([])
            self._levels[height + 1].append(merkle_node_hash(left, right))
            height += 1
        return len(self) - 1

    def root(self) -> bytes:
        """Return the root hash of the whole tree; that of no leaves is the hash of nothing."""
        return self._subtree_hash(0, len(self)) if len(self) else hashlib.sha256().digest()

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Return a leaf's audit path in the whole tree, from the leaf up; raises `IndexError` for an unknown leaf."""
        if not 0 <= index < len(self):
            raise IndexError(f"no leaf {index} in a tree of {len(self)}")
        return self._audit_path(index, 0, len(self))

    def _audit_path(self, index: int, start: int, size: int) -> list[bytes]:
        if size == 1:
            return []
        left = _largest_power_of_two_below(size)
        if index - start < left:
            return [*self._audit_path(index, start, left), self._subtree_hash(start + left, size - left)]
        return [*self._audit_path(index, start + left, size - left), self._subtree_hash(start, left)]

    def _subtree_hash(self, start: int, size: int) -> bytes:
        # Every start is a multiple of the power of two below it, so that complete subtrees are always at hand.
        if size & (size - 1) == 0:
            height = size.bit_length() - 1
            return self._levels[height][start >> height]
        left = _largest_power_of_two_below(size)
        return merkle_node_hash(self._subtree_hash(start, left), self._subtree_hash(start + left, size - left))


def _largest_power_of_two_below(size: int) -> int:
    """Return the largest power of two that is smaller than `size` (RFC 6962 §2.1: k)."""
    return 1 << ((size - 1).bit_length() - 1)
