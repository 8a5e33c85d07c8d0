"""Whether the index accepts a form and a file: decided by the client's own check rules.

What PyPI's server rejects is refused here, even where the checks only warn because a newer server may accept it: a new
classifier, a new platform. A rehearsal that accepted such a file would promise more than is known.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from werkzeug.datastructures import MultiDict

from ci_publish.distributions.checks.form_validation import validate_upload_form as validate_metadata
from ci_publish.distributions.checks.server_response import pypi_upload_refusal
from ci_publish.distributions.checks.table import first_server_refusal
from ci_publish.distributions.faults import ServerRefusal
from ci_publish.rehearsal.index_records import Fields

FileValidator: TypeAlias = Callable[[Path, str, Fields], ServerRefusal | None]


def server_refusal_of_form(form: Fields) -> ServerRefusal | None:
    """Return why PyPI rejects the core metadata in a form; None if it accepts them."""
    return first_server_refusal(validate_metadata(MultiDict(form).to_dict(flat=False)))


def server_refusal_of_file(path: Path, filename: str, form: Fields) -> ServerRefusal | None:
    """Return why PyPI rejects the file at *path*, uploaded as *filename*; None if it accepts it."""
    return pypi_upload_refusal(path, filename, MultiDict(form).to_dict(flat=False))
