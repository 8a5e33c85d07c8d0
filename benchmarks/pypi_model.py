"""A model of what PyPI's database does to uploads of one release, on a real PostgreSQL.

Warehouse (the software of PyPI) inserts a file, which fires a trigger that updates *every* row of the release's files;
only then does it store the file, and commits afterwards. Two uploads of one release that are between insert and commit
may lock these rows in different orders. PostgreSQL ends one of them after ``deadlock_timeout`` (1 s), and the server
answers 500. The tables and the trigger here are our own and only have that effect; each upload is a transaction: work
before the insert, insert, storing for a settable time, commit. Eighteen run at once: three workers of six threads.
"""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue

import psycopg

WORKERS = 18

_SCHEMA = """
DROP TABLE IF EXISTS files, releases;
CREATE TABLE releases (
    id serial PRIMARY KEY, project text, version text, requires_python text, UNIQUE (project, version)
);
CREATE TABLE files (
    id serial PRIMARY KEY, release_id int NOT NULL REFERENCES releases, filename text UNIQUE, sha256 text,
    requires_python text, note text
);
CREATE INDEX files_of_release ON files (release_id);
CREATE OR REPLACE FUNCTION copy_requires_python() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE files SET requires_python = releases.requires_python
    FROM releases WHERE releases.id = files.release_id AND files.release_id = NEW.release_id;
    RETURN NULL;
END $$;
CREATE TRIGGER files_requires_python AFTER INSERT ON files FOR EACH ROW EXECUTE FUNCTION copy_requires_python();
"""


@dataclass(frozen=True)
class Durations:
    """Seconds that the server works before the insert, and that it stores the file between insert and commit.

    The default is what Warehouse takes on this kind of machine, run as its developers do: about 55 ms for each upload.
    """

    work: float = 0.035
    storing: float = 0.015


class Database:
    """The two tables; uploads run in threads with a connection each."""

    def __init__(self, connection: str, durations: Durations) -> None:
        self._durations = durations
        self.deadlocks = 0
        self._connections: SimpleQueue[psycopg.Connection] = SimpleQueue()
        self._threads = ThreadPoolExecutor(WORKERS, "upload")
        self._open = [psycopg.connect(connection) for _ in range(WORKERS)]
        for each in self._open:
            self._connections.put(each)
        with self._connection() as first:
            first.execute(_SCHEMA)

    async def upload(self, project: str, version: str, filename: str, sha256: str) -> int:
        """Store a file in a thread; return the HTTP status that the index answers."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.store, project, version, filename, sha256)

    def store(self, project: str, version: str, filename: str, sha256: str) -> int:
        """Store a file; return the HTTP status that the index answers."""
        time.sleep(self._durations.work)
        try:
            with self._connection() as connection, connection.transaction():
                row = connection.execute("SELECT sha256 FROM files WHERE filename = %s", (filename,)).fetchone()
                if row is not None:
                    return 200 if row[0] == sha256 else 400
                release = self._release(connection, project, version)
                connection.execute(
                    "INSERT INTO files (release_id, filename, sha256, note) VALUES (%s, %s, %s, %s)",
                    (release, filename, sha256, "x" * 500),
                )
                time.sleep(self._durations.storing)
        except psycopg.errors.DeadlockDetected:
            self.deadlocks += 1
            return 500
        except psycopg.errors.UniqueViolation:
            return 500
        return 200

    def _release(self, connection: psycopg.Connection, project: str, version: str) -> int:
        asked = (project, version)
        row = connection.execute("SELECT id FROM releases WHERE project = %s AND version = %s", asked).fetchone()
        if row is None:
            insert = "INSERT INTO releases (project, version, requires_python) VALUES (%s, %s, '>=3.11') RETURNING id"
            row = connection.execute(insert, asked).fetchone()
        assert row is not None
        return int(row[0])

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        connection = self._connections.get()
        try:
            yield connection
            connection.commit()
        finally:
            self._connections.put(connection)

    def close(self) -> None:
        """End all threads and connections."""
        self._threads.shutdown()
        for each in self._open:
            each.close()
