from ci_publish.distributions.limits import MIB, digest_budget, inflate_budget


def test_budgets_grow_with_the_archive_and_digests_are_the_first_to_end() -> None:
    assert inflate_budget(0) == digest_budget(0) == 64 * MIB
    assert inflate_budget(100 * MIB) == 264 * MIB
    assert digest_budget(100 * MIB) == 114 * MIB
