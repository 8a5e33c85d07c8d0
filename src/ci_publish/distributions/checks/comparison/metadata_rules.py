"""Rules that compare the metadata of a release with that of the previous release (pure)."""

from collections.abc import Iterable
from functools import partial
from typing import Final

from packaging.utils import canonicalize_name

from ci_publish.distributions.checks.comparison.requirements import (
    Key,
    Requirements,
    extra_of_requirement,
    format_requirement,
    format_without_marker,
    is_narrower_specifier,
    parse_requirements,
)
from ci_publish.distributions.checks.comparison.stated import Stated
from ci_publish.distributions.checks.rules import Rule, note_hint
from ci_publish.distributions.faults import Fault, list_first
from ci_publish.hints import Hint
from ci_publish.model.distribution import CoreMetadata
from ci_publish.model.problem import Severity
from ci_publish.model.release import Comparison

_SHOWN: Final = 8
_LONGEST_LICENSE: Final = 200


def _metadata_of_both_releases(comparison: Comparison) -> tuple[CoreMetadata, CoreMetadata] | None:
    """Return the metadata of this release and of the previous one, if both are known."""
    before = None if comparison.before is None else comparison.before.metadata
    return None if before is None or comparison.ours.metadata is None else (comparison.ours.metadata, before)


def _requirements_of_both_releases(comparison: Comparison) -> tuple[Requirements, Requirements] | None:
    if (both := _metadata_of_both_releases(comparison)) is None:
        return None
    ours, before = (parse_requirements(each.all("requires-dist")) for each in both)
    return None if ours is None or before is None else (ours, before)


def _projects_of_requirements(found: Requirements) -> set[str]:
    return {name for name, _ in found}


def _dependency_removed(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if (both := _requirements_of_both_releases(comparison)) is not None:
        ours, before = both
        names = _projects_of_requirements(before) - _projects_of_requirements(ours)
        gone = [key for key in sorted(before) if key[0] in names and not extra_of_requirement(key)]
        if texts := [format_requirement(key, before[key]) for key in gone]:
            yield Fault(rule="dependency-removed", message=f"No longer required: {_list_first_texts(texts)}.")


def _dependency_added(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if (both := _requirements_of_both_releases(comparison)) is not None:
        ours, before = both
        names = _projects_of_requirements(ours) - _projects_of_requirements(before)
        if new := [format_requirement(key, each) for key, each in sorted(ours.items()) if key[0] in names]:
            yield Fault(rule="dependency-added", message=f"Newly required: {_list_first_texts(new)}.")


def _changed_dependency_faults(rule: str, verb: str, comparison: Comparison, _: Stated) -> Iterable[Fault]:
    """Yield a fault that lists the requirements that changed in the way that *rule* is about."""
    if (both := _requirements_of_both_releases(comparison)) is None:
        return
    ours, before = both
    new = _projects_of_requirements(ours) - _projects_of_requirements(before)
    gone = _projects_of_requirements(before) - _projects_of_requirements(ours)
    texts: list[str] = []
    for key in sorted(ours.keys() | before.keys()):
        if key[0] in new or (key[0] in gone and not extra_of_requirement(key)):
            continue  # the rules about whole dependencies report it
        changed, text = _requirement_change(key, ours, before)
        texts += [text] if changed == rule else []
    if texts:
        yield Fault(rule=rule, message=f"{verb}: {_list_first_texts(texts)}.")


def _requirement_change(key: Key, ours: Requirements, before: Requirements) -> tuple[str | None, str]:
    """Return the rule about the change of a requirement, None if it did not change, and a description."""
    if key not in ours or key not in before:
        there, verb = (ours, "added") if key in ours else (before, "removed")
        return "dependency-changed", f"{format_requirement(key, there[key])} {verb}"
    new, old = ours[key], before[key]
    text = f"{format_requirement(key, old)} to {format_without_marker(new)}"
    if (new.specifier, new.extras, new.url) == (old.specifier, old.extras, old.url):
        return None, text
    if new.extras != old.extras or new.url != old.url:
        return "dependency-changed", text
    if is_narrower_specifier(new.specifier, old.specifier):
        return "dependency-tightened", text
    if is_narrower_specifier(old.specifier, new.specifier):
        return "dependency-loosened", text
    return "dependency-changed", text


def _extra_removed(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if (both := _metadata_of_both_releases(comparison)) is not None:
        ours, before = map(_declared_extras, both)
        if gone := sorted(before - ours):
            yield Fault(rule="extra-removed", message=f"Removed extras: {_list_first_texts(gone)}.")


def _extra_added(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if (both := _metadata_of_both_releases(comparison)) is not None:
        ours, before = map(_declared_extras, both)
        if new := sorted(ours - before):
            yield Fault(rule="extra-added", message=f"New extras: {_list_first_texts(new)}.")


def _declared_extras(metadata: CoreMetadata) -> set[str]:
    return {canonicalize_name(extra.strip()) for extra in metadata.all("provides-extra")}


def _license_changed(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    """Compare the first of expression, short text and classifiers that both releases have."""
    if (both := _metadata_of_both_releases(comparison)) is None:
        return
    for say in (_license_expression, _license_text, _license_classifiers):
        ours, before = say(both[0]), say(both[1])
        if ours and before:
            if ours.casefold() != before.casefold():
                yield Fault(rule="license-changed", message=f"The license is {ours}; it was {before}.")
            return


def _license_expression(metadata: CoreMetadata) -> str:
    return " ".join((metadata.first("license-expression") or "").split())


def _license_text(metadata: CoreMetadata) -> str:
    """Return the field License, empty if it is the text of a license."""
    text = " ".join((metadata.first("license") or "").split())
    return text if len(text) <= _LONGEST_LICENSE else ""


def _license_classifiers(metadata: CoreMetadata) -> str:
    return ", ".join(sorted(each for each in metadata.all("classifier") if each.startswith("License :: ")))


def _project_urls_changed(comparison: Comparison, _: Stated) -> Iterable[Fault]:
    if (both := _metadata_of_both_releases(comparison)) is None:
        return
    ours, before = map(_project_urls_by_label, both)
    changes: list[str] = []
    for label in sorted(ours.keys() | before.keys()):
        if ours.get(label) != before.get(label):
            change = "new" if label not in before else "gone" if label not in ours else "another address"
            changes.append(f"{label} ({change})")
    if changes:
        yield Fault(rule="project-urls-changed", message=f"Project URLs: {_list_first_texts(changes)}.")


def _project_urls_by_label(metadata: CoreMetadata) -> dict[str, str]:
    links = {"Home-Page": home} if (home := metadata.first("home-page")) else {}
    for entry in metadata.all("project-url"):
        label, _, url = (part.strip() for part in entry.partition(","))
        links[label] = url.rstrip("/")
    return links


def _list_first_texts(texts: list[str]) -> str:
    return list_first(texts, _SHOWN, ", and")


_NO_ACTION: Final = "No action needed if this is intended."

RULES: Final = (
    Rule(
        id="dependency-removed",
        pypi=Severity.WARNING,
        adjustable=True,
        compare=_dependency_removed,
        cause=(
            "The release no longer requires a dependency of the previous release. Dependencies of extras do not count."
        ),
        source="Core metadata specification, Requires-Dist. A build with the wrong configuration is a common cause.",
        example="1.0 requires `requests>=2`, but 1.1 does not",
        fix=Hint(
            "If it is still imported, add it back.",
            note_hint("dependency-removed", "If it was removed on purpose"),
        ),
    ),
    Rule(
        id="extra-removed",
        pypi=Severity.WARNING,
        adjustable=True,
        compare=_extra_removed,
        cause="The release no longer has an extra of the previous release.",
        source=(
            "Core metadata specification, Provides-Extra. For a missing extra, pip prints a warning and installs "
            "nothing."
        ),
        example="1.0 has the extra `http2`, but 1.1 does not",
        fix=Hint("Keep an empty extra of that name.", note_hint("extra-removed", "If it was removed on purpose")),
    ),
    Rule(
        id="license-changed",
        pypi=Severity.WARNING,
        adjustable=True,
        compare=_license_changed,
        cause="The licence differs from the previous release.",
        source="Core metadata specification, License-Expression and License.",
        example="MIT before, GPL-3.0-only now",
        fix="Correct `license` in pyproject.toml, unless this is intended.",
    ),
    Rule(
        id="dependency-added",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=_dependency_added,
        cause="The release has requirements that the previous release does not have.",
        source="Core metadata specification, Requires-Dist.",
        example="1.1 requires `idna>=3`, but 1.0 does not",
        fix=_NO_ACTION,
    ),
    Rule(
        id="dependency-tightened",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=partial(_changed_dependency_faults, "dependency-tightened", "Tightened"),
        cause="A requirement excludes versions that it allowed before.",
        source="Core metadata specification, Requires-Dist; PEP 440.",
        example="`idna>=2` before, `idna>=3` now",
        fix=_NO_ACTION,
    ),
    Rule(
        id="dependency-loosened",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=partial(_changed_dependency_faults, "dependency-loosened", "Loosened"),
        cause="A requirement allows versions that it excluded before.",
        source="Core metadata specification, Requires-Dist; PEP 440.",
        example="`idna<3` before, `idna` now",
        fix=_NO_ACTION,
    ),
    Rule(
        id="dependency-changed",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=partial(_changed_dependency_faults, "dependency-changed", "Changed"),
        cause="The extras, marker or version range of a requirement changed in some other way.",
        source="Core metadata specification, Requires-Dist; PEP 508.",
        example="`idna>=2,<3` before, `idna>=3,<4` now",
        fix=_NO_ACTION,
    ),
    Rule(
        id="extra-added",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=_extra_added,
        cause="The release has extras that the previous release does not have.",
        source="Core metadata specification, Provides-Extra.",
        example="the first release with the extra `http2`",
        fix="No action needed.",
    ),
    Rule(
        id="project-urls-changed",
        pypi=Severity.NOTE,
        adjustable=True,
        compare=_project_urls_changed,
        cause="Project URLs have changed.",
        source="Core metadata specification, Project-URL and Home-page.",
        example="`Documentation` points to a different address",
        fix=_NO_ACTION,
    ),
)
