import pytest

from ci_publish.model.distribution import CoreMetadata
from tests.unit.distributions.checks.comparison.compared_releases import compared, found, release


def metadata(*fields: tuple[str, str]) -> CoreMetadata:
    return CoreMetadata(metadata_version="2.4", name="demo", version="1", fields=fields)


def requiring(*lines: str) -> CoreMetadata:
    return metadata(*(("requires-dist", line) for line in lines))


def told(ours: CoreMetadata | None, before: CoreMetadata | None) -> list[tuple[str, str]]:
    comparison = compared(release("1.1", metadata=ours), release("1.0", metadata=before))
    return found(comparison)


# What is planted (ours, before) and what is found; a release beside itself has no finding.
PLANTED = {
    "a dependency is dropped": (
        requiring("idna>=3"),
        requiring("idna>=3", "requests>=2", 'requests>=2; extra == "x"'),
        [
            ("dependency-removed", "No longer required: requests>=2."),
            ("dependency-changed", "Changed: requests>=2 (extra x) removed."),
        ],
    ),
    "an extra needs less": (
        requiring("idna>=3"),
        requiring("idna>=3", 'requests>=2; extra == "x"'),
        [("dependency-changed", "Changed: requests>=2 (extra x) removed.")],
    ),
    "a dependency is added": (
        requiring("idna>=3", "requests"),
        requiring("idna>=3"),
        [("dependency-added", "Newly required: requests.")],
    ),
    "a dependency is tightened": (
        requiring("idna>=3"),
        requiring("idna>=2"),
        [("dependency-tightened", "Tightened: idna>=2 to idna>=3.")],
    ),
    "a dependency is loosened": (
        requiring("idna"),
        requiring("idna<3"),
        [("dependency-loosened", "Loosened: idna<3 to idna.")],
    ),
    "a dependency moves": (
        requiring("idna>=3,<4"),
        requiring("idna>=2,<3"),
        [("dependency-changed", "Changed: idna<3,>=2 to idna<4,>=3.")],
    ),
    "a dependency gets an extra": (
        requiring("httpx[http2]>=1"),
        requiring("httpx>=1"),
        [("dependency-changed", "Changed: httpx>=1 to httpx[http2]>=1.")],
    ),
    "a marker is another one": (
        requiring('idna; python_version < "3.10"'),
        requiring('idna; python_version < "3.9"'),
        [
            (
                "dependency-changed",
                'Changed: idna (where python_version < "3.10") added, idna (where python_version < "3.9") removed.',
            )
        ],
    ),
    "an extra is gone": (
        metadata(("provides-extra", "all")),
        metadata(("provides-extra", "all"), ("provides-extra", "HTTP_2")),
        [("extra-removed", "Removed extras: http-2.")],
    ),
    "an extra is new": (
        metadata(("provides-extra", "all")),
        metadata(),
        [("extra-added", "New extras: all.")],
    ),
    "the license is another one": (
        metadata(("license-expression", "GPL-3.0-only")),
        metadata(("license-expression", "MIT")),
        [("license-changed", "The license is GPL-3.0-only; it was MIT.")],
    ),
    "the license's classifier is another one": (
        metadata(("classifier", "License :: A License"), ("classifier", "Topic :: Software")),
        metadata(("classifier", "License :: B License")),
        [
            (
                "license-changed",
                "The license is License :: A License; it was License :: B License.",
            )
        ],
    ),
    "addresses change": (
        metadata(("home-page", "https://a/"), ("project-url", "Docs, https://d2/"), ("project-url", "New, https://n/")),
        metadata(("project-url", "Docs, https://d/"), ("project-url", "Old, https://o/")),
        [
            (
                "project-urls-changed",
                "Project URLs: Docs (another address), Home-Page (new), New (new), Old (gone).",
            )
        ],
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_one_planted_difference_is_found(what: str) -> None:
    ours, before, expected = PLANTED[what]
    assert told(ours, before) == expected


@pytest.mark.parametrize("what", PLANTED)
def test_a_twin_without_the_difference_has_no_finding(what: str) -> None:
    ours, _, _ = PLANTED[what]
    twin = CoreMetadata(metadata_version="2.4", name="demo", version="1", fields=tuple(reversed(ours.fields)))
    assert told(ours, twin) == []


@pytest.mark.parametrize(
    ("ours", "before"),
    [
        (metadata(("license-expression", "MIT")), metadata(("license", "MIT License"))),
        (metadata(("license", "mit")), metadata(("license", "MIT"))),
        (metadata(("license", "x" * 300)), metadata(("license", "y" * 300))),
        (metadata(("license", "MIT")), metadata()),
        (metadata(("project-url", "Docs, https://d/")), metadata(("project-url", "Docs, https://d"))),
        (requiring("Re_Quests >= 2"), requiring("re-quests>=2")),
        (requiring("not a requirement !"), requiring("idna")),
        (requiring("idna"), None),
        (None, requiring("idna")),
    ],
)
def test_what_is_the_same_or_cannot_be_compared(ours: CoreMetadata | None, before: CoreMetadata | None) -> None:
    assert told(ours, before) == []


def test_a_first_release_has_no_metadata_before() -> None:
    assert found(compared(release("1.0", metadata=requiring("idna")), None)) == []


def test_many_dependencies_are_one_line() -> None:
    ((_, line),) = told(requiring(), requiring(*(f"p{number}" for number in range(20))))
    assert line.endswith(", and 12 more.")
