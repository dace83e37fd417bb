"""What a visit without a link sees: a photograph, or where the tables' methods differ."""

from __future__ import annotations

from functools import cache

import numpy as np

from pages.ui.compare.compare_request import CompareRequest, first_choice
from pages.ui.tables.answers import AnswersError, read_answers
from red_core.data.assets import AssetError
from red_core.data.datasets import CLASSES
from red_core.measure.tables import TABLES, load_answers
from red_core.measure.tables.spec import PSI
from red_core.measure.tables.table_store import BUNDLED
from red_core.methods import ANSWERS
from red_core.run.photographs import has_photographs
from red_core.run.settings import RunSettings


def opening(dataset: str, count: int) -> CompareRequest:
    """The comparison that a data set with `count` examples opens on; its sweep begins at once.

    On the first photograph, where there are any.
    """
    if has_photographs(dataset):
        return CompareRequest(RunSettings(dataset=dataset, source="photograph"), sweep=True)
    index = differing(dataset, RunSettings().attack)
    settings = RunSettings(dataset=dataset, index=index if index < count else 0)
    return CompareRequest(settings, sweep=True)


@cache
def differing(dataset: str, attack: str) -> int:
    """The first bundled example on which the methods differ most under the paper's attack.

    By the kept answers of those methods that the page opens with: as near to half of them right as
    there is. 0 where no answers on the bundled examples are kept.
    """
    numbers = [number for number, table in TABLES.items() if table.dataset == dataset]
    for number in numbers:
        try:
            content = load_answers(number, BUNDLED)
            if content is None:
                continue
            answers = read_answers(content, len(CLASSES[dataset]), len(ANSWERS))
        except (AssetError, AnswersError, ValueError):  # the page Tables says which file
            continue
        found = [answers.said(PSI, attack, key) for key in first_choice(dataset)]
        said = [one.signal for one in found if one is not None and one.signal is not None]
        if not said:
            continue
        size = min(len(labels) for labels in said)
        right = np.mean([labels[:size] == answers.true[:size] for labels in said], axis=0)
        return int(np.argmin(np.abs(right - 0.5)))
    return 0
