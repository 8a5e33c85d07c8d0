"""What an sdist needs to be built: ``build-system.requires`` of its pyproject.toml, PEP 518 (pure)."""

import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def parse_build_requirements(pyproject: bytes | None) -> tuple[str, ...]:
    """Return the normalised names of the projects that a build requires; none if the file is invalid or names none."""
    try:
        system = tomllib.loads((pyproject or b"").decode()).get("build-system", {})
        return tuple(str(canonicalize_name(Requirement(each).name)) for each in system["requires"])
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return ()
