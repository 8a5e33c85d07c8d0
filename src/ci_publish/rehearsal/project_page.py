"""The pages for people."""

from werkzeug.wrappers import Response

from ci_publish.rehearsal.records import Project, Release, State

STYLESHEET = ""


def page(content: str) -> Response:
    return Response(content, content_type="text/html; charset=utf-8")


def home(state: State) -> str:
    return str(sorted(state.projects))


def project(project: Project, release: Release | None, base_url: str) -> str:
    return project.name
