"""A table's lines and cells, as the README and the page draw them."""

from red_core.measure.tables import Line, Section, layout, summarise


def section(record: dict, block: str, question: str) -> Section:
    (found,) = [
        each
        for each in layout(summarise(record)).sections
        if (each.block, each.question) == (block, question)
    ]
    return found


def line(found: Section, key: str) -> Line:
    (only,) = [each for each in found.lines if each.key == key]
    return only


def test_the_lines_are_the_methods_in_order(record: dict) -> None:
    signal = section(record, "psi", "signal")
    assert [each.key for each in signal.lines] == [
        "cnn",
        "m-inf",
        "bsd-gan-best",
        "bsd-gan-best/rules",
    ]
    attack = section(record, "psi", "attack")
    assert [each.key for each in attack.lines] == ["bsd-gan-best", "bsd-gan-best/rules"]
    assert attack.columns == ("linf", "l2", "l1", "mean", "none", "overall")


def test_the_best_of_every_column_is_marked(record: dict) -> None:
    signal = section(record, "psi", "signal")
    marked = {
        column: [each.key for each in signal.lines if each.cells[column].best]
        for column in signal.columns
    }
    assert marked["linf"] == ["bsd-gan-best"]
    assert marked["none"] == ["cnn"]
    assert marked["l2"] == ["bsd-gan-best"]
    record["blocks"]["psi"]["linf"]["m-inf"] = record["blocks"]["psi"]["linf"]["bsd-gan-best"]
    signal = section(record, "psi", "signal")
    both = [each.key for each in signal.lines if each.cells["linf"].best]
    assert both == ["m-inf", "bsd-gan-best"]  # a tie is told as one


def test_the_papers_figure_stands_beside_ours(record: dict) -> None:
    signal = section(record, "psi", "signal")
    assert line(signal, "m-inf").cells["linf"].paper == 0.903
    assert line(signal, "m-inf").cells["none"].paper == 0.991
    assert line(signal, "bsd-gan-best").cells["mean"].paper == 0.8423
    attack = section(record, "psi", "attack")
    assert line(attack, "bsd-gan-best").cells["l1"].paper == 0.958
    assert line(attack, "bsd-gan-best").cells["none"].paper is None


def test_other_numbers_of_images_are_told(record: dict) -> None:
    cells = line(section(record, "psi", "signal"), "bsd-gan-best").cells
    assert cells["l1"].other_n
    assert cells["l1"].n == 10
    assert cells["mean"].other_n
    assert not cells["linf"].other_n


def test_the_white_box_block_says_who_was_attacked_through_psi(record: dict) -> None:
    signal = section(record, "white-box", "signal")
    robust = line(signal, "m-inf").cells
    assert robust["linf"].value == 0.5  # its own, not the 0.75 on psi's attacks
    assert not robust["linf"].through_psi
    assert robust["none"].value == 0.75  # clean images are the same
    ours = line(signal, "bsd-gan-best").cells
    assert ours["linf"].through_psi
    assert ours["mean"].through_psi
    assert not ours["none"].through_psi
    assert not line(signal, "cnn").cells["linf"].through_psi  # psi is its own network
    assert robust["linf"].best  # of those that were attacked through themselves
    assert not ours["linf"].best
    questions = [each.question for each in layout(summarise(record)).sections]
    assert questions == ["signal", "attack", "signal"]  # no mere repetition


def test_an_own_attack_that_was_not_measured_is_not_filled_in(record: dict) -> None:
    del record["blocks"]["white-box"]["l2"]
    cells = line(section(record, "white-box", "signal"), "m-inf").cells
    assert "l2" not in cells
    assert "mean" not in cells
    assert cells["linf"].value == 0.5


def test_a_table_of_differences(record: dict) -> None:
    cell = record["blocks"]["psi"]["linf"]["bsd-gan-best"]
    smooth = cell | {"signal": record["true"]}
    pair = {"bsd-gan-best": cell, "bsd-gan-best-smooth": smooth}
    made = layout(summarise(record | {"table": "4", "blocks": {"psi": {"linf": pair}}}))
    first = made.sections[0]
    assert first.difference
    assert [each.title for each in first.lines] == [
        "Δ_signal, BSD-GAN best",
        "Δ_attack, BSD-GAN best",
    ]
    delta = first.lines[0].cells["linf"]
    assert delta.value == -0.05
    assert delta.low < delta.value < delta.high
    assert delta.paper == -0.01
    assert [each.question for each in made.sections[1:]] == ["signal", "attack"]
