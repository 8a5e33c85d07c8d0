"""Whether the files of one release say the same about it (pure)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ci_publish.distributions.faults import Fault
from ci_publish.model.core_metadata_form import core_metadata_form_fields
from ci_publish.model.distribution import Collection, Distribution, Kind

_FIRST_STATIC_VERSION: Final = (2, 2)


_MAY_DIFFER: Final = frozenset({"metadata_version", "dynamic"})


def release_metadata_differs(collection: Collection) -> Iterable[Fault]:
    """Yield a fault for each release whose files differ in what must be the same."""
    for (project, version), files in distributions_by_release(collection).items():
        for fields, pair in _differing_metadata_fields(files):
            names = f"{pair[0].filename} and {pair[1].filename}"
            yield Fault(
                rule="release-metadata-differs", message=f"{project} {version}: {names} differ in {', '.join(fields)}."
            )


def _differing_metadata_fields(
    files: list[Distribution],
) -> Iterator[tuple[list[str], tuple[Distribution, Distribution]]]:
    """Yield the fields in which files of a release differ from its first file, the sdist if there is one."""
    # An sdist's metadata is that of its wheels since metadata 2.2 (PEP 643).
    comparable = [
        file for file in files if file.kind is Kind.WHEEL or _parse_metadata_version(file) >= _FIRST_STATIC_VERSION
    ]
    if not comparable:
        return
    first, *rest = sorted(comparable, key=lambda file: file.kind is Kind.WHEEL)
    expected = _comparable_metadata_form(first)
    dynamic = {name.lower().replace("-", "_") for name in first.metadata.all("dynamic")}
    dynamic |= {{"classifier": "classifiers", "project_url": "project_urls"}.get(name, name) for name in dynamic}
    for file in rest:
        found = _comparable_metadata_form(file)
        fields = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        if different := [name for name in fields if name not in _MAY_DIFFER | dynamic]:
            yield different, (first, file)


def _comparable_metadata_form(file: Distribution) -> Mapping[str, list[str]]:
    """Return the form with its repeated fields in a fixed order."""
    form: dict[str, list[str]] = defaultdict(list)
    for name, value in core_metadata_form_fields(file.metadata):
        # Folding differs between backends; a description is too long to be split into words.
        form[name].append(value.replace("\r\n", "\n").strip() if name == "description" else " ".join(value.split()))
    return {name: sorted(values) for name, values in form.items()}


def _parse_metadata_version(file: Distribution) -> tuple[int, ...]:
    parts = file.metadata.metadata_version.split(".")
    return tuple(map(int, parts)) if all(map(str.isdecimal, parts)) else ()


def distributions_by_release(collection: Collection) -> Mapping[tuple[str, str], list[Distribution]]:
    """Return the distributions by release."""
    releases: dict[tuple[str, str], list[Distribution]] = defaultdict(list)
    for file in collection.distributions:
        releases[file.release].append(file)
    return releases
