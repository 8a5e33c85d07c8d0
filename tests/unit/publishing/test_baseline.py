from dataclasses import replace

import pytest
from packaging.version import Version

from ci_publish.model.distribution import CoreMetadata
from ci_publish.model.index import ProjectListing, PublishedFile
from ci_publish.publishing.baseline import (
    baseline_version,
    comparable_file_pair,
    comparison_with_listing,
    listed_release,
    listed_releases,
    local_release,
    newest_other_version,
    why_no_baseline,
)
from tests.unit.fakes import sdist, wheel


def listed(*versions: str, **changes: object) -> ProjectListing:
    """Return a listing with a wheel and an sdist of each version; a trailing ``-`` marks a yanked one."""
    files: dict[str, PublishedFile] = {}
    for text in versions:
        version = text.removesuffix("-")
        for filename in (f"demo-{version}-py3-none-any.whl", f"demo-{version}.tar.gz"):
            files[filename] = PublishedFile(
                filename=filename, url=f"https://f.example/{filename}", sha256=None, size=100, yanked=text.endswith("-")
            )
    return ProjectListing(project="demo", files=files, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ours", "versions", "before"),
    [
        ("1.1", "1.0", "1.0"),
        ("1.1", "0.9 1.0 1.1", "1.0"),
        ("1.1", "0.9 1.0-", "0.9"),
        ("1.1", "1.0 1.1rc1", "1.0"),
        ("1.1rc2", "1.0 1.1rc1", "1.1rc1"),
        ("1.1rc1", "1.0", "1.0"),
        ("1.1.dev1", "1.0", "1.0"),
        ("1.4.3", "1.4.1 1.4.2 1.5.0 2.0", "1.4.2"),
        ("1.4.0", "1.3.9 2.0", "1.3.9"),
        ("1.1.post1", "1.0 1.1", "1.1"),
        ("1!0.1", "9.0", "9.0"),
        ("1.0", "1.0rc1", None),
        ("1.0", "2.0", None),
        ("1.0", "0.9-", None),
        ("1.0", "", None),
    ],
)
def test_the_highest_release_below_that_is_not_yanked(ours: str, versions: str, before: str | None) -> None:
    found = baseline_version(Version(ours), listed_releases(listed(*versions.split())))
    assert (None if found is None else str(found)) == before


@pytest.mark.parametrize(
    ("ours", "versions", "highest"),
    [("1.0", "2.0 1.0", "2.0"), ("1.0", "1.0", None), ("1.0", "2.0rc1", None), ("1.0rc1", "2.0rc1", "2.0rc1")],
)
def test_the_newest_other_release(ours: str, versions: str, highest: str | None) -> None:
    found = newest_other_version(Version(ours), listed_releases(listed(*versions.split())))
    assert (None if found is None else str(found)) == highest


@pytest.mark.parametrize(
    ("ours", "versions", "why"),
    [
        ("1.0", "", "this is the first release"),
        ("1.0", "1.0", "this is the first release"),
        ("1.0", "2.0", "every other release is higher"),
        ("1.0", "0.9-", "the earlier ones are yanked or pre-releases"),
    ],
)
def test_why_there_is_nothing_to_compare_with(ours: str, versions: str, why: str) -> None:
    assert why_no_baseline(Version(ours), listed_releases(listed(*versions.split()))) == why


def test_forwarded_files_and_those_of_no_distribution_do_not_count() -> None:
    names = listed("1.0").files
    strange = {name: replace(names["demo-1.0.tar.gz"], filename=name) for name in ("index.html", "other-9.0.tar.gz")}
    inherited = {name: replace(file, inherited=True) for name, file in listed("3.0").files.items()}
    found = listed_releases(ProjectListing(project="demo", files={**names, **strange, **inherited}))
    assert [str(version) for version in found] == ["1.0"]


def test_yanked_files_count_only_where_there_are_no_others() -> None:
    files = listed_releases(listed("1.0"))[Version("1.0")]
    yanked = [replace(file, published=replace(file.published, yanked="why")) for file in files]
    assert len(listed_release("demo", Version("1.0"), [files[0], yanked[1]]).files) == 1
    assert len(listed_release("demo", Version("1.0"), yanked).files) == 2


def test_requires_python_is_what_the_index_says() -> None:
    files = listed_releases(listed("1.0"))[Version("1.0")]
    assert listed_release("demo", Version("1.0"), files).requires_python is None
    said = [replace(files[0], published=replace(files[0].published, requires_python=">=3.9")), files[1]]
    assert listed_release("demo", Version("1.0"), said).requires_python == ">=3.9"


def test_files_that_only_the_index_has_of_our_version_are_ours() -> None:
    ours = local_release([wheel(version="1.1")], listed_releases(listed("1.0", "1.1")))
    assert sorted(file.name.text for file in ours.files) == ["demo-1.1-py3-none-any.whl", "demo-1.1.tar.gz"]
    assert [file.size for file in ours.files] == [10, 100]
    assert ours.requires_python == ""


def test_our_requires_python_is_that_of_the_metadata() -> None:
    metadata = CoreMetadata(metadata_version="2.1", name="demo", version="1.1", fields=(("requires-python", ">=3.9"),))
    assert local_release([replace(wheel(), metadata=metadata)], {}).requires_python == ">=3.9"


def test_what_the_project_has() -> None:
    listing = listed("1.0", "1.1", "2.0")
    comparison = comparison_with_listing(
        local_release([wheel(version="1.1.1")], {}), [wheel(version="1.1.1")], listing, listed_releases(listing)
    )
    assert (comparison.newest, comparison.line, comparison.new_size) == ("2.0", True, 10)
    assert (comparison.project_size, comparison.largest) == (600, 100)
    alone = comparison_with_listing(local_release([wheel()], {}), [], ProjectListing(project="demo"), {})
    assert (alone.newest, alone.line, alone.project_size, alone.largest) == (None, False, 0, 0)


def test_a_size_that_the_index_does_not_show_leaves_the_sum_unknown() -> None:
    listing = listed("1.0")
    files = {name: replace(file, size=None) for name, file in listing.files.items()}
    assert (
        comparison_with_listing(local_release([wheel()], {}), [], replace(listing, files=files), {}).project_size
        is None
    )


def test_metadata_is_compared_with_that_of_a_file_of_the_same_tags_if_there_is_one() -> None:
    files = listed_releases(listed("1.0"))[Version("1.0")]
    served = [replace(file, published=replace(file.published, core_metadata=True)) for file in files]
    assert comparable_file_pair([wheel()], files) is None
    assert comparable_file_pair([], served) is None
    both = comparable_file_pair([sdist(), wheel(tag="py2"), wheel()], served)
    assert both is not None
    assert (both[0].filename, both[1].name.text) == ("demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl")
    other = comparable_file_pair([wheel(tag="py2")], served)
    assert other is not None
    assert other[0].filename == "demo-1.0-py2-none-any.whl"
