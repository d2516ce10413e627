"""The live view for a terminal, over ssh too: `liuhen health --watch`. Needs only what `liuhen health` reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Footer, Static

from device.health.card import spoken
from device.health.output import Told
from evidence.errors import LiuhenError
from evidence.health import Item, State, counted

REFRESH_S = 1.0
STYLES = {State.OK: "green", State.UNKNOWN: "cyan", State.WARNING: "yellow", State.CRITICAL: "bold white on red"}
COLUMNS = ("item", "state", "reading", "limit")


class HealthScreen(App[None]):
    """A table of the items; below it what to do about the selected one."""

    CSS = """
    #head { height: 1; padding: 0 1; }
    #items { height: 1fr; }
    #todo { height: auto; min-height: 2; padding: 0 1; border-top: solid gray; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "quit"), ("s", "self_test", "self-test")]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, tell: Callable[[], Told], self_test: str) -> None:
        """`tell` gives the card of the moment or raises LiuhenError; `self_test` is the command for it."""
        super().__init__()
        self._tell = tell
        self._self_test = self_test
        self._items: tuple[Item, ...] = ()
        self._error = ""
        self.state = State.UNKNOWN

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield DataTable(id="items", cursor_type="row")
        yield Static(id="todo")
        yield Footer()

    def on_mount(self) -> None:
        """Begin."""
        table = self.query_one(DataTable)
        for name in COLUMNS:
            table.add_column(name, key=name)
        table.focus()
        self.refresh_card()
        self.set_interval(REFRESH_S, self.refresh_card)

    def refresh_card(self) -> None:
        """Read again; while that fails, what was last read stays and the reason stands above it."""
        try:
            told = self._tell()
        except LiuhenError as error:
            self._error, self.state = str(error), State.UNKNOWN
            self.query_one("#head", Static).update(Text(self._error, style=STYLES[State.CRITICAL]))
            return
        self._error = ""
        card = told.card
        self.state = card.state
        head = Text.assemble(
            (card.device, "bold"), "  ", (card.state.value.upper(), STYLES[card.state]), f"  {card.software}",
            f"  {card.at.local():%Y-%m-%d %H:%M:%S %z}  up {spoken(card.at.boot_us / 1e6)}",
        )  # fmt: skip
        self.query_one("#head", Static).update(head)
        self._show(card.items)

    def on_data_table_row_highlighted(self, _: DataTable.RowHighlighted) -> None:
        """Another item was selected."""
        self._show_todo()

    def action_self_test(self) -> None:
        """How to test the hardware: not from here, because the recorder has it."""
        self.query_one("#todo", Static).update(
            Text(f"Self-test: stop the recorder (systemctl stop liuhen-recorder), then run: {self._self_test}")
        )

    def _show(self, items: tuple[Item, ...]) -> None:
        table = self.query_one(DataTable)
        if [item.name for item in items] != [item.name for item in self._items]:
            table.clear()
            for item in items:
                table.add_row(*_cells(item), key=item.name)
        changed = [new for new, old in zip(items, self._items, strict=False) if new != old]
        self._items = items
        for item in changed:
            for column, cell in zip(COLUMNS, _cells(item), strict=True):
                table.update_cell(item.name, column, cell, update_width=True)
        if changed:
            self._show_todo()

    def _show_todo(self) -> None:
        place = self.query_one(DataTable).cursor_row
        if not 0 <= place < len(self._items):
            return
        item = self._items[place]
        self.query_one("#todo", Static).update(Text(_todo(item)))


def _todo(item: Item) -> str:
    if item.state is State.OK:
        return f"{item.name} is well."
    if counted(item) is State.OK:
        return f"{item.name} is not known: this board does not measure it."
    return f"{item.name} is {item.state}: {item.todo}"


def _cells(item: Item) -> tuple[Text, ...]:
    texts = (item.name, item.state.value, item.reading, item.limit)
    return tuple(
        Text(text, style=STYLES[item.state] if name == "state" else "")
        for name, text in zip(COLUMNS, texts, strict=True)
    )
