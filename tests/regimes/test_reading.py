"""A regulation that somebody writes with a text editor: it can be used, or its first wrong line is named."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evidence.errors import ConfigError
from evidence.io.command import main
from evidence.model import REGIMES
from evidence.regimes.lines import Lines
from evidence.regimes.model import ArticleKind
from evidence.regimes.reading import read_regime

SIXTH = """\
# 第六个制度
name = "sixth"
title = "某县执法全过程记录制度"
issuer = "某县"

[[article]]
number = "1"
kind = "outside"
text = "目的。"
gist = "Aim."
does = "Nothing."

[[article]]
number = "2"
kind = "checked"
text = '''
执法人员应当在3个工作日内存储，
[[article]] 保存两年。
'''
gist = "Stored within 3 working days, kept two years."
does = "Looks that it was done."

[[article.check]]
check = "offload"
working_days = 3

[[article.check]]
check = "keep_routine"
months = 24

[[article.check]]
check = "statement"
phrases = [
    "time",
    "being_recorded",
]
"""


def test_a_sixth_regulation_needs_no_code() -> None:
    regime = read_regime(SIXTH, "sixth.toml")
    assert (regime.name, [one.number for one in regime.articles]) == ("sixth", ["1", "2"])
    article = regime.articles[1]
    assert article.kind is ArticleKind.CHECKED
    assert article.text == "执法人员应当在3个工作日内存储，\n[[article]] 保存两年。"
    assert [(rule.check, dict(rule.values)) for rule in article.rules] == [
        ("offload", {"working_days": 3}),
        ("keep_routine", {"months": 24}),
        ("statement", {"phrases": ("time", "being_recorded")}),
    ]


WRONG = [
    # what stands there, what is written instead, the line, what is said of it
    ('name = "sixth"', 'name = "Sechs"', 2, "'Sechs' is no name of a regulation"),
    ('name = "sixth"\n', "", 1, "lacks name"),
    ('issuer = "某县"', "issuer = 3", 4, "issuer is no text"),
    ('issuer = "某县"', 'issuer = "某县"\nlevel = 3', 5, "nothing here is called level"),
    ('title = "某县执法全过程记录制度"', 'title = "某县', 3, "is no TOML"),
    ('title = "某县执法全过程记录制度"', "title = 某县", 3, "is no TOML"),
    ('number = "2"', 'number = "3"', 14, "article 3 stands where article 2 should"),
    ('number = "2"', 'number = "第二"', 14, "'第二' is no number of an article"),
    ('number = "2"', "number = 2", 14, "number is no text"),
    ('kind = "checked"', 'kind = "perhaps"', 15, "'perhaps' is no kind of article"),
    ('kind = "checked"', 'kind = "outside"', 15, "has a check, and its kind is outside"),
    ('kind = "outside"', 'kind = "checked"', 6, "is to be checked, and has no check"),
    ('gist = "Stored within 3 working days, kept two years."\n', "", 13, "lacks gist"),
    ('does = "Nothing."', 'does = " "', 11, "does is no text"),
    ('check = "offload"', 'check = "of_load"', 24, "'of_load' is no check"),
    ('check = "offload"\n', "", 23, "lacks check"),
    ("working_days = 3", "working_days = 0", 25, "working_days cannot be '0' (it is a whole number from 1 to 250)"),
    ("working_days = 3", "working_days = true", 25, "working_days cannot be 'True'"),
    ("working_days = 3", 'working_days = "3"', 25, "working_days cannot be '3'"),
    ("working_days = 3", "same_day = false", 25, "same_day cannot be 'False' (it is true, or left out)"),
    ("working_days = 3", "hours = 3", 25, "nothing here is called hours"),
    ("working_days = 3", "working_days = 3\nsame_day = true", 23, "wants exactly one of same_day, working_days"),
    ("working_days = 3\n", "", 23, "wants exactly one of same_day, working_days"),
    ("months = 24", "years = 2", 29, "nothing here is called years (known are check, months, policy"),
    ("months = 24\n", "", 27, "lacks months"),
    ('    "being_recorded",', '    "being_filmed",', 33, "phrases cannot be"),
    ('check = "keep_routine"', 'check = "keep_routine"\npolicy = ""', 29, "policy is no text"),
    ('[[article.check]]\ncheck = "offload"', '[article.check]\ncheck = "offload"', 27, "is no TOML"),
    (SIXTH, 'name = "a6"\ntitle = "x"\nissuer = "x"\narticle = []\n', 4, "is no list of articles"),
    (SIXTH, 'name = "a6"\ntitle = "x"\nissuer = "x"\narticle = 3\n', 4, "is no list of articles"),
    (SIXTH, 'name = "a6"\ntitle = "x"\nissuer = "x"\n', 1, "lacks article"),
    (SIXTH, "", 1, "lacks name"),
    (SIXTH, f"name = {'9' * 5000}\n", 1, "is no TOML"),
    (SIXTH, f"name = {'[' * 5000}\n", 1, "is no TOML"),
]


@pytest.mark.parametrize(("old", "new", "line", "told"), WRONG)
def test_a_wrong_one_is_refused_with_file_line_and_reason(old: str, new: str, line: int, told: str) -> None:
    assert SIXTH.count(old) >= 1
    with pytest.raises(ConfigError) as refused:
        read_regime(SIXTH.replace(old, new, 1), "sixth.toml")
    assert str(refused.value).startswith(f"sixth.toml:{line}: ")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@given(text=st.text(max_size=200) | st.text(st.sampled_from('[]="\n#abc.{},1'), max_size=40))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_regime(text, "any.toml")
    assert str(refused.value).startswith("any.toml:")


@example(start=200, length=37, put="\r\r")  # no line of a file, though Python's splitlines() counts them
@given(start=st.integers(0, len(SIXTH) - 1), length=st.integers(1, 60), put=st.text(max_size=10))
def test_any_slip_of_the_pen_is_read_or_refused_in_one_line(start: int, length: int, put: str) -> None:
    changed = SIXTH[:start] + put + SIXTH[start + length :]
    line = None
    try:
        read_regime(changed, "any.toml")
    except ConfigError as refused:
        line = int(str(refused).split(":")[1])
    assert line is None or 1 <= line <= len(changed.split("\n"))


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for place, one in enumerate(value):
            yield from leaves(one, (*path, place))
    else:
        yield path


@pytest.mark.parametrize("regime", REGIMES)
def test_the_line_of_every_value_is_the_line_that_names_it(regime: str) -> None:
    text = files("evidence.regimes").joinpath(f"{regime}.toml").read_text("utf-8")
    lines, found = Lines(text), 0
    numbers = []
    for path in leaves(tomllib.loads(text)):
        numbers.append(lines.of(path))
        assert text.split("\n")[numbers[-1] - 1].startswith(f"{path[-1]} = ")
        found += 1
    assert numbers == sorted(set(numbers))
    assert found > 70


# --- the command

Captured = pytest.CaptureFixture[str]


def test_check_says_that_a_file_can_be_used(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "sixth.toml"
    file.write_text(SIXTH, "utf-8")
    assert main(["regimes", "check", str(file)]) == 0
    assert capsys.readouterr().out.startswith(f"{file}: 可以使用 can be used\n  sixth: 2 条 articles")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (SIXTH.replace("months = 24", "months = 0").encode(), "sixth.toml:29: months cannot be '0'"),
        (SIXTH.encode("gb18030"), "sixth.toml:1: is not UTF-8"),
        (None, "sixth.toml: cannot be read: No such file or directory"),
    ],
)
def test_check_names_the_line_and_ends_with_2(
    content: bytes | None, told: str, tmp_path: Path, capsys: Captured
) -> None:
    file = tmp_path / "sixth.toml"
    if content is not None:
        file.write_bytes(content)
    assert main(["regimes", "check", str(file)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert told in err


def test_list_and_show(capsys: Captured) -> None:
    assert main(["regimes", "list"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[::2]] == list(REGIMES)
    assert main(["regimes", "show", "weixian", "14"]) == 0
    out = capsys.readouterr().out
    assert "第14条 art. 14  [软件检查 checked]" in out
    assert "每天工作结束后及时存储" in out
    assert "检查 check: offload same_day true" in out
    assert main(["regimes", "show", "xuchang"]) == 0
    assert capsys.readouterr().out.count(" art. ") == 25


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "beijing"], "beijing: is no regulation (one of pingluo, general"),
        (["show", "weixian", "26"], "weixian art. 26: is not there (1 to 25)"),
        (["show", "none.toml"], "none.toml: cannot be read"),
    ],
)
def test_what_is_not_there_is_one_line(arguments: list[str], told: str, capsys: Captured) -> None:
    assert main(["regimes", *arguments]) == 2
    assert told in capsys.readouterr().err
