"""The one console command, `liuhen`. Each room brings its own commands by the entry point group `liuhen.commands`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points, version

from evidence.errors import LiuhenError

GROUP = "liuhen.commands"
EXIT_UNREADABLE = 2
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Command:
    """One word after `liuhen`: `configure` adds its arguments, `run` returns the exit code or raises LiuhenError."""

    help: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Find the command, run it, and turn an expected error into one line and exit code 2."""
    arguments = sys.argv[1:] if arguments is None else arguments
    known = {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}
    # Only the wanted room is imported: a dock has no camera libraries, and verify starts in a blink.
    wanted = [name for name in arguments[:1] if name in known] or list(known)
    commands: dict[str, Command] = {name: known[name].load() for name in wanted}
    options = _parser(commands).parse_args(arguments)
    try:
        code = commands[options.command].run(options)
        sys.stdout.flush()
        return code
    except LiuhenError as error:
        print(f"liuhen {options.command}: {error}", file=sys.stderr)
        return EXIT_UNREADABLE
    except BrokenPipeError:
        # Whoever reads our output has seen enough (`| head`); what is left must not be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_UNREADABLE
    except OSError as error:
        print(f"liuhen {options.command}: {error.filename}: {error.strerror}", file=sys.stderr)
        return EXIT_UNREADABLE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _parser(commands: dict[str, Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="liuhen",
        description="liuhen (留痕): a body-worn recorder and the dock that receives its evidence.",
        epilog="liuhen COMMAND --help explains one command.",
    )
    parser.add_argument("--version", action="version", version=f"liuhen {version('liuhen')}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in commands.items():
        one = subparsers.add_parser(
            name,
            help=command.help.splitlines()[0],
            description=command.help,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.configure(one)
    return parser


if __name__ == "__main__":
    sys.exit(main())
