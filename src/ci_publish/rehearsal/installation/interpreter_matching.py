"""Which files support which interpreters (pure)."""

from collections.abc import Mapping, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from ci_publish.model.distribution import Distribution, Kind
from ci_publish.model.filename import DistributionFilename
from ci_publish.rehearsal.installation.interpreters import FoundInterpreter

_SHOWN = 3


def fits_interpreter(file: Distribution, interpreter: FoundInterpreter) -> bool:
    """Return whether an installer may choose *file* for *interpreter*: by its tags and its Requires-Python.

    The tags of a compressed set are not expanded.
    """
    try:
        if not SpecifierSet(file.metadata.first("requires-python") or "").contains(
            interpreter.version, prereleases=True
        ):
            return False
    except InvalidSpecifier:
        pass  # installers take no notice of it
    if file.kind is Kind.SDIST:
        return True
    tags = DistributionFilename.parse(file.filename).tags
    return any(
        all(part in accepted for part, accepted in zip(tag.split("-", 2), tags, strict=True))
        for tag in interpreter.tags
    )


def describe_needed_interpreter(file: Distribution) -> str:
    """Return what an interpreter needs for *file*, as people read it: its tag, and its Requires-Python."""
    requires = file.metadata.first("requires-python")
    python = f"Python {requires}" if requires else ""
    if file.kind is Kind.SDIST:
        return python or "Python"
    tag = "-".join(file.filename.removesuffix(".whl").split("-")[-3:])
    return f"{tag} and {python}" if python else tag


def applying_requirements(
    file: Distribution, interpreter: FoundInterpreter, extras: Sequence[str] = ()
) -> tuple[Requirement, ...]:
    """Return what *file*, with *extras*, requires on *interpreter*, without the markers."""
    found = []
    for text in file.metadata.all("requires-dist"):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        marker, requirement.marker = requirement.marker, None
        if marker is None or any(marker.evaluate({**interpreter.markers, "extra": extra}) for extra in ("", *extras)):
            found.append(requirement)
    return tuple(found)


def requirements_without_sibling_version(
    file: Distribution, siblings: Mapping[str, Sequence[str]], interpreter: FoundInterpreter
) -> tuple[Requirement, ...]:
    """Return the requirements of *file* for a project of this run that no version of this run satisfies.

    *siblings* holds the versions of each project (normalised). Requirements of extras do not count.
    """
    return tuple(
        requirement
        for requirement in applying_requirements(file, interpreter)
        if (versions := siblings.get(canonicalize_name(requirement.name)))
        and not any(requirement.specifier.contains(Version(each), prereleases=True) for each in versions)
    )


def requirement_texts_by_project(file: Distribution) -> Mapping[str, str]:
    """Return what *file* requires: each project (normalised) with its whole requirement, those of extras included."""
    found = dict[str, str]()
    for text in file.metadata.all("requires-dist"):
        try:
            found[canonicalize_name(Requirement(text).name)] = text
        except InvalidRequirement:
            continue
    return found
