"""Whether the files of one release have the same metadata (pure)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from packaging.version import Version

from ci_publish.distributions.faults import Fault
from ci_publish.model.core_metadata_form import core_metadata_form_fields
from ci_publish.model.distribution import Collection, Distribution, Kind

_FIRST_STATIC_VERSION: Final = Version("2.2")
_MAY_DIFFER: Final = frozenset({"metadata_version", "dynamic"})


def release_metadata_differs(collection: Collection) -> Iterable[Fault]:
    """Yield a fault for each file that differs from the first file of its release, the sdist if there is one."""
    for (project, version), files in distributions_by_release(collection).items():
        # An sdist's metadata is that of its wheels since metadata 2.2 (PEP 643).
        formats = [(file, file.metadata.format_version) for file in files]
        comparable = [
            file for file, known in formats if file.kind is Kind.WHEEL or (known and known >= _FIRST_STATIC_VERSION)
        ]
        if not comparable:
            continue
        first, *rest = sorted(comparable, key=lambda file: file.kind is Kind.WHEEL)
        expected = _comparable_metadata_form(first)
        dynamic = {name.lower().replace("-", "_") for name in first.metadata.all("dynamic")}
        dynamic |= {{"classifier": "classifiers", "project_url": "project_urls"}.get(name, name) for name in dynamic}
        for file in rest:
            found = _comparable_metadata_form(file)
            fields = sorted((expected.keys() | found.keys()) - _MAY_DIFFER - dynamic)
            if different := [name for name in fields if expected.get(name) != found.get(name)]:
                names = f"{first.filename} and {file.filename} differ in {', '.join(different)}"
                yield Fault(rule="release-metadata-differs", message=f"{project} {version}: {names}.")


def _comparable_metadata_form(file: Distribution) -> Mapping[str, list[str]]:
    """Return the form with its repeated fields in a fixed order."""
    form: dict[str, list[str]] = defaultdict(list)
    for name, value in core_metadata_form_fields(file.metadata):
        # Folding differs between backends; a description is too long to be split into words.
        form[name].append(value.replace("\r\n", "\n").strip() if name == "description" else " ".join(value.split()))
    return {name: sorted(values) for name, values in form.items()}


def distributions_by_release(collection: Collection) -> Mapping[tuple[str, str], list[Distribution]]:
    """Return the distributions by release."""
    releases: dict[tuple[str, str], list[Distribution]] = defaultdict(list)
    for file in collection.distributions:
        releases[file.release].append(file)
    return releases
