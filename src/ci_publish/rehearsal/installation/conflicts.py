"""Which requirements cannot be met, found by asking an installer for some of them at a time (pure).

The wording of pip and uv changes from release to release, and neither says which line of Requires-Dist to correct.
Source: U. Junker, "QuickXplain: Preferred Explanations and Relaxations for Over-Constrained Problems", AAAI 2004.
"""

from collections.abc import Callable

Requirements = tuple[str, ...]


def find_unmet_requirements(requirements: Requirements, resolves: Callable[[Requirements], bool]) -> Requirements:
    """Return the fewest of *requirements* that do not resolve together, in their order; () where all of them do.

    One that resolves nowhere is returned alone. *resolves* is called about 2 log2(n) times for each that is returned.
    """
    return (
        ()
        if not requirements or resolves(requirements)
        else _fewest_unmet_requirements((), requirements, resolves, more=False)
    )


def _fewest_unmet_requirements(
    given: Requirements, candidates: Requirements, resolves: Callable[[Requirements], bool], *, more: bool
) -> Requirements:
    """Return those of *candidates* that do not resolve together with *given*; *more*: *given* is still to be tried."""
    if more and not resolves(given):
        return ()
    if len(candidates) == 1:
        return candidates
    first, second = candidates[: len(candidates) // 2], candidates[len(candidates) // 2 :]
    of_second = _fewest_unmet_requirements(given + first, second, resolves, more=True)
    of_first = _fewest_unmet_requirements(given + of_second, first, resolves, more=bool(of_second))
    return of_first + of_second
