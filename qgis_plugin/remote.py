"""An engine on another machine, or in a container: how to reach it, and what files are called there.

    command   ssh -o BatchMode=yes gpu-server /opt/mamol/bin/python
    folders   /home/ann/data = /mnt/data; /home/ann/maps = /mnt/maps

The command takes the place of the interpreter. Its job goes through its stdin, so that a remote shell never sees a name
from a project, and files are read where they are: both machines must see them, under whatever names. Standard library
only.
"""

import json
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from .failures import OPTIONS_PAGE
from .translation import tr

Folders = Sequence[tuple[str, str]]


class RemoteError(ValueError):
    """The settings of the remote engine, or a file, will not do; the text says what to change."""


def split_command(text: str) -> list[str]:
    """Program and arguments of a command line, quoted as in a shell; no shell is involved.

    Raises:
        RemoteError: a quote is left open, or the program is not there.
    """
    try:
        words = command_words(text)
    except ValueError as error:
        raise RemoteError(
            tr('The command of the remote engine, "{command}", cannot be understood: a quote is left open.').format(
                command=text
            )
        ) from error
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise RemoteError(
            tr('The command of the remote engine, "{command}", begins with a program that is not there.').format(
                command=text
            )
        )
    return [program, *words[1:]]


def command_words(text: str, windows: bool = os.name == "nt") -> list[str]:
    """Words of a command line without their quotes.

    On Windows, whose own shell it is like, a backslash separates folders and escapes nothing, and only double quotes
    are quotes.

    Raises:
        ValueError: a quote is left open.
    """
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    if windows:
        lexer.escape, lexer.quotes = "", '"'
    return list(lexer)


def parse_folders(text: str) -> list[tuple[str, str]]:
    """Pairs (folder here, the same folder there) of `here = there; here = there`; nearer ones first.

    Raises:
        RemoteError: a pair has no equals sign, or a folder here is not a full name.
    """
    pairs = []
    for part in filter(str.strip, text.split(";")):
        here, equals, there = (piece.strip() for piece in part.partition("="))
        if not equals or not there or not PurePath(here).is_absolute():
            raise RemoteError(
                tr('"{part}" does not say how a folder is called there; expected HERE = THERE with full names.').format(
                    part=part.strip()
                )
            )
        pairs.append((here, there))
    return sorted(pairs, key=lambda pair: -len(PurePath(pair[0]).parts))


def there(value: Any, folders: Folders) -> Any:
    """A job, or a part of one, with the names that its files have there; all else stays as it is.

    Without folders, names are the same there.

    Raises:
        RemoteError: a file lies in none of the folders.
    """
    if isinstance(value, Mapping):
        return {key: there(item, folders) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [there(item, folders) for item in value]
    if isinstance(value, str) and folders and PurePath(value).is_absolute():
        return _name_there(PurePath(value), folders)
    return value


def config_there(text: str, folders: Folders) -> str:
    """A training's configuration, as `training_config` writes it, with the names that its files have there."""
    return re.sub(
        r'^path = (".*")$',
        lambda match: f"path = {json.dumps(there(json.loads(match[1]), folders), ensure_ascii=False)}",
        text,
        flags=re.MULTILINE,
    )


def job_line(job: Mapping[str, Any], folders: Folders) -> str:
    """A job as the one line that the engine reads with `--job -`."""
    given = {key: value for key, value in job.items() if value is not None}
    return json.dumps(there(given, folders), ensure_ascii=False) + "\n"


def _name_there(path: PurePath, folders: Folders) -> str:
    path = PurePath(os.path.normpath(path))
    for here, name in folders:
        try:
            inside = path.relative_to(os.path.normpath(Path(here)))
        except ValueError:
            continue
        return "/".join([name.rstrip("/"), *inside.parts])
    raise RemoteError(
        tr(
            "{path} lies in no folder that the remote engine sees ({folders}). Choose a file or folder in one of them, "
            "or name its folder in {page}."
        ).format(path=path, folders=", ".join(here for here, _ in folders), page=OPTIONS_PAGE)
    )
