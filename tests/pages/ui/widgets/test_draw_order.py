"""The numbers of draws."""

from pages.ui.widgets.draw_order import numbered


def test_every_draw_has_a_later_number_and_its_own_data() -> None:
    draws = [numbered({"status": str(i)}) for i in range(50)]
    assert [draw["status"] for draw in draws] == [str(i) for i in range(50)]
    numbers = [draw["drawn"] for draw in draws]
    assert numbers == sorted(numbers)
    assert numbers[-1] < 2**53, "a number of JavaScript's"
