"""Who this program is: the names and addresses that messages, requests and receipts carry."""

__version__ = "0.1.0"

NAME = "ci-publish"
PROJECT_URL = "https://github.com/ci-publish/ci-publish"
DOCS_URL = "https://ci-publish.github.io/ci-publish"
OPTIONS_URL = f"{DOCS_URL}/reference/options/"
ISSUES_URL = f"{PROJECT_URL}/issues"

# PyPI stores the User-Agent with every file and asks for a name, a version and a way to reach the authors.
USER_AGENT = f"{NAME}/{__version__} (+{PROJECT_URL})"
