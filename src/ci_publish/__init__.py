"""Publish Python distributions from CI without stored secrets.

    import ci_publish

    receipt = ci_publish.publish(ci_publish.Settings(paths=("dist",)))

Importing this package is cheap; the rooms are imported when a name is first used.
"""

from typing import TYPE_CHECKING, Any

from ci_publish.about import __version__

if TYPE_CHECKING:
    from ci_publish.app.commands import attest, check, plan, publish, verify
    from ci_publish.app.composition import Surroundings
    from ci_publish.app.settings import Settings
    from ci_publish.errors import CiPublishError
    from ci_publish.model.receipt import Receipt
    from ci_publish.publishing.context import Destination, Options, Run

__all__ = [
    "CiPublishError",
    "Destination",
    "Options",
    "Receipt",
    "Run",
    "Settings",
    "Surroundings",
    "__version__",
    "attest",
    "check",
    "plan",
    "publish",
    "verify",
]

_HOMES = {
    "CiPublishError": "errors",
    "Destination": "publishing.context",
    "Options": "publishing.context",
    "Receipt": "model.receipt",
    "Run": "publishing.context",
    "Settings": "app.settings",
    "Surroundings": "app.composition",
    "attest": "app.commands",
    "check": "app.commands",
    "plan": "app.commands",
    "publish": "app.commands",
    "verify": "app.commands",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (the types are those of the TYPE_CHECKING block)
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415  (see above)

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
