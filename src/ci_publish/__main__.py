"""``python -m ci_publish`` is ``ci-publish``."""

from ci_publish.cli.main import entry

if __name__ == "__main__":
    entry()
