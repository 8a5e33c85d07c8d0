"""How a release's description looks on PyPI: rendered by the same library, in the same formats."""

from email.message import EmailMessage

import readme_renderer.markdown
import readme_renderer.rst
import readme_renderer.txt

from ci_publish.rehearsal.answers import HELP
from ci_publish.rehearsal.records import Fields


def rendered(description: str, content_type: str | None) -> str | None:
    """Return the description as safe HTML, or None where PyPI cannot render it (`warehouse/utils/readme.py`)."""
    match _media_type(content_type):
        case "text/markdown":
            return readme_renderer.markdown.render(description)
        case None | "text/x-rst":
            return readme_renderer.rst.render(description)
        case "text/plain":
            return f"<pre>{readme_renderer.txt.render(description)}</pre>"
        case _:
            return readme_renderer.txt.render(description)


def shown(description: str, content_type: str | None) -> str:
    """Return the description as safe HTML in any case: as plain text where it cannot be rendered."""
    return rendered(description, content_type) or str(readme_renderer.txt.render(description))


def description_problem(fields: Fields) -> str | None:
    """Return PyPI's words for a description that cannot be rendered, None for one that can, or for none."""
    texts = dict(reversed(fields))
    description, content_type = texts.get("description", ""), texts.get("description_content_type")
    if not description or rendered(description, content_type) is not None:
        return None
    subject = f"for '{content_type}'" if content_type else "in the default format of reStructuredText"
    return f"The description failed to render {subject}. See {HELP}#description-content-type for more information."


def _media_type(content_type: str | None) -> str | None:
    if not content_type:
        return None
    message = EmailMessage()
    message["Content-Type"] = content_type
    return message.get_content_type()
