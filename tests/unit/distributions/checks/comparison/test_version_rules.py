import pytest

from tests.unit.distributions.checks.comparison.compared_releases import compared, found, release


@pytest.mark.parametrize(
    ("ours", "newest", "line", "rule"),
    [
        ("1.1", "1.0", True, None),
        ("1.0.1", "2.3", True, "version-back-port"),
        ("1.0", "2.3", False, "version-below-newest"),
        ("2.0", "1.9", False, None),
        ("21.0", "2.0", False, "version-skipped"),
        ("4.0", "1.9", False, "version-skipped"),
        ("3.0", "1.9", False, None),
        ("2026.1", "2024.9", False, None),
        ("1!1.0", "20.0", False, None),
        ("1.0", None, False, None),
    ],
)
def test_a_version_beside_the_newest(ours: str, newest: str | None, line: bool, rule: str | None) -> None:
    comparison = compared(release(ours), None, newest=newest, line=line)
    assert [name for name, _ in found(comparison)] == ([rule] if rule else [])


def test_how_many_major_versions_are_skipped() -> None:
    assert found(compared(release("21.0"), None, newest="2.0")) == [
        ("version-skipped", "21.0 follows 2.0: 18 major versions are skipped.")
    ]


@pytest.mark.parametrize(
    ("ours", "before", "told"),
    [
        (">=3.10", ">=3.9", [("requires-python-narrowed", "Python 3.9 is no longer supported.")]),
        (">=3.9", ">=3.10", [("requires-python-widened", "Python 3.9 is now supported.")]),
        (
            ">=3.10,<3.13",
            ">=3.9,<3.12",
            [
                ("requires-python-narrowed", "Python 3.9 is no longer supported."),
                ("requires-python-widened", "Python 3.12 is now supported."),
            ],
        ),
        ("", ">=3.10", [("requires-python-widened", "Python 2.7 to 3.9 are now supported.")]),
        (">=3.10", ">=3.8", [("requires-python-narrowed", "Python 3.8, 3.9 are no longer supported.")]),
        (">=3.9,!=3.9.1", ">=3.9", [("requires-python-narrowed", "Fewer releases of Python are supported.")]),
        (">=3.9", ">=3.9,!=3.9.1", [("requires-python-widened", "More releases of Python are supported.")]),
        (">=3.9,!=3.9.2", ">=3.9,!=3.9.1", [("requires-python-narrowed", "Fewer releases of Python are supported.")]),
        (">=3.9", ">=3.9.0", []),
        (">=3.9", "nonsense", []),
        (">=3.9", None, []),
    ],
)
def test_requires_python(ours: str, before: str | None, told: list[tuple[str, str]]) -> None:
    comparison = compared(release("1.1", requires=ours), release("1.0", requires=before))
    cut = [(rule, text.partition(" Requires-Python")[0]) for rule, text in found(comparison) if "requires" in rule]
    assert cut == told


def test_both_texts_of_requires_python_are_shown() -> None:
    ((_, told),) = found(compared(release("1.1", requires=">=3.9"), release("1.0", requires="")))
    assert told.endswith(" Requires-Python is >=3.9; it was absent.")
