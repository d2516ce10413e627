"""docs/REGULATIONS.md covers every article of the five texts, is up to date, and names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from evidence.io.regime_files import all_shipped
from evidence.model import REGIMES
from tests.regimes import make_docs
from tests.regimes.shown_by import BY_ARTICLE, shown_by

ROOT = Path(__file__).resolve().parents[2]
ARTICLES = {"pingluo": 15, "general": 21, "weixian": 25, "changzhi": 35, "xuchang": 25}
"""So many articles the five texts have."""
ROW = re.compile(r"\| (pingluo|general|weixian|changzhi|xuchang) (\d+) \| (.+) \| (.+) \|")
OPENINGS = {
    "pingluo 8": "局行政执法相关科室应当制定执法行为用语指引",
    "general 16": "日常执法的影像资料保存期限不少于一年",
    "weixian 14": "行政执法人员应当在每天工作结束后及时存储",
    "weixian 24": "本制度自发布之日起施行",
    "changzhi 29": "行政执法人员应当在行政执法行为终结之日起30日内",
    "xuchang 6": "文字记录即通过案卷制作",
    "xuchang 19": "音像记录采用视音频记录的",
}


def test_the_five_regulations_are_there_with_every_article_in_order() -> None:
    assert [one.name for one in all_shipped()] == list(REGIMES)
    numbers = {one.name: [article.number for article in one.articles] for one in all_shipped()}
    assert numbers == {name: [str(one) for one in range(1, count + 1)] for name, count in ARTICLES.items()}


def test_articles_are_quoted_under_their_own_number_and_without_the_headings_between_them() -> None:
    texts = {f"{one.name} {article.number}": article.text for one in all_shipped() for article in one.articles}
    for place, opening in OPENINGS.items():
        assert texts[place].startswith(opening)
    for place, text in texts.items():
        assert not re.search(r"^第.{1,4}[条章]", text, re.MULTILINE), place
        assert re.search(r"[。；;]$", text), place


def test_there_is_one_row_for_every_article() -> None:
    rows = [ROW.fullmatch(line) for line in make_docs.REGULATIONS.read_text("utf-8").splitlines()]
    told = [(row[1], row[2]) for row in rows if row]
    assert told == [(name, str(one)) for name, count in ARTICLES.items() for one in range(1, count + 1)]


def test_the_documents_are_up_to_date() -> None:
    hint = "run python -m tests.regimes.make_docs"
    assert make_docs.REGULATIONS.read_text("utf-8") == make_docs.regulations(), hint
    present = make_docs.REGIMES.read_text("utf-8")
    assert present == make_docs.regimes(present), hint


def test_the_example_in_the_manual_can_be_used() -> None:
    from evidence.regimes.reading import read_regime

    (example,) = re.findall(r"```toml\n(.+?)```", make_docs.REGIMES.read_text("utf-8"), re.DOTALL)
    assert read_regime(example, "docs/REGIMES.md").name == "ours"


def test_every_test_that_is_named_exists() -> None:
    named = {test for one in all_shipped() for article in one.articles for test in shown_by(one.name, article)}
    files = {test.split("::")[0] for test in named}
    there = {
        f"{file}::{node.name}"
        for file in files for node in ast.parse((ROOT / file).read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }  # fmt: skip
    assert named - there == set()


def test_every_article_names_a_test_and_every_name_is_of_an_article() -> None:
    articles = {
        f"{one.name} {article.number}": shown_by(one.name, article) for one in all_shipped() for article in one.articles
    }
    assert [place for place, tests in articles.items() if not tests] == []
    assert set(BY_ARTICLE) - set(articles) == set()


@pytest.mark.parametrize("name", REGIMES)
def test_nothing_is_said_to_be_done_without_a_sentence(name: str) -> None:
    (regime,) = [one for one in all_shipped() if one.name == name]
    for article in regime.articles:
        assert article.gist.endswith(".")
        assert article.does.endswith(".")
        assert re.search("[\u4e00-\u9fff]", article.text)
