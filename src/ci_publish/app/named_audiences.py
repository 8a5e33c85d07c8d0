"""``--audience``: the OIDC audience for an index whose audience is not its own host (pure).

In a run with several indexes each name is bound to one of them, ``INDEX=NAME``; no audience holds an equals sign.
"""

from collections.abc import Mapping, Sequence

from ci_publish.errors import ConfigurationError
from ci_publish.hints import Hint, option
from ci_publish.http.urls import url_host
from ci_publish.identity.audiences import named_audience_objection
from ci_publish.model.index import Endpoints


def named_audiences(entries: Sequence[str], indexes: Mapping[str, Endpoints]) -> dict[str, str]:
    """Return the audience of each index that one was named for; keys are those of *indexes*, as the user wrote them.

    Raises ConfigurationError for a name that is bound to no index of the run, for two names for one index, and for an
    audience that the index never gets.
    """
    found: dict[str, str] = {}
    for entry in entries:
        written, name = (text.strip() for text in entry.rpartition("=")[::2])
        for address in _indexes_of_audience_entry(entry, written, indexes):
            index = indexes[address]
            if found.get(address, name) != name:
                message = f"Two audiences are set for {index.name}: {found[address]} and {name}."
                raise ConfigurationError(message, hints=("Remove one of them.",))
            found[address] = name
            if reason := named_audience_objection(name, url_host(index.upload)):
                raise ConfigurationError(
                    f"The audience {name!r} cannot be used for {index.name}: {reason}.",
                    detail="With a token for it, the index could impersonate this job elsewhere.",
                    hints=("Remove the audience; an index should use its own host as the audience.",),
                )
    return found


def _indexes_of_audience_entry(entry: str, written: str, indexes: Mapping[str, Endpoints]) -> list[str]:
    if not written:
        if len(indexes) > 1:
            raise ConfigurationError(
                f"The audience {entry} does not specify which of the {len(indexes)} indexes it is for.",
                hints=[
                    Hint("Assign it to one of them: ", option("audience", f"{url_host(each.upload)}={entry}"))
                    for each in indexes.values()
                ],
            )
        return list(indexes)
    meant = [
        address
        for address, index in indexes.items()
        if written.casefold()
        in {name.casefold() for name in (address, index.upload, index.name, url_host(index.upload))}
    ]
    if not meant:
        raise ConfigurationError(
            f"The audience {entry} is for {written}, which is not an index of this run.",
            detail=f"The indexes are {', '.join(index.upload for index in indexes.values())}.",
            hints=("Write the host or the upload URL of one of them before the equals sign.",),
        )
    return meant
