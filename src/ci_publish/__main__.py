"""``python -m ci_publish`` is ``ci-publish``."""

from ci_publish.cli import signals


def entry() -> None:
    """Run the command line of this process and exit. Signals are handled before anything else is imported."""
    signals.end_process_on_signal()
    from ci_publish.cli import main  # noqa: PLC0415  (see above)

    main.entry()


if __name__ == "__main__":
    entry()
