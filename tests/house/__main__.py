"""`make house`: print the figures of the shape of the code beside what is wanted of them."""

import sys

from rich.console import Console
from rich.table import Table

from tests.house.figures import House
from tests.house.path import walk


def main() -> None:
    house = House()
    table = Table("figure", "now", "wanted", title="The house in figures")
    for row in rows(house, walked="--static" not in sys.argv[1:]):
        table.add_row(*row)
    Console(width=118).print(table)


def rows(house: House, *, walked: bool) -> list[tuple[str, str, str]]:
    once, functions = house.private_helpers_called_once
    middle, largest, folder = house.files_in_a_folder
    bad, docstrings = house.docstrings_without_a_subject
    tests, product = house.lines
    circles = "; ".join(" and ".join(circle) for circle in house.circles) or "none"
    return [
        ("functions and files of one POST /validate", _path() if walked else "not walked", "≤ 120 in ≤ 35"),
        ("private helpers that are called once", f"{once} of {functions}, {once / functions:.0%}", "≤ 8 %"),
        ("files in a folder, median and largest", f"{middle:g} and {largest} ({folder}/)", "≤ 8 and ≤ 16"),
        ("docstrings without a subject", f"{bad} of {docstrings}, {bad / docstrings:.0%}", "≤ 3 %"),
        ("modules that only one sibling imports", str(house.modules_for_one_sibling), "≤ 20"),
        *((f"files that name {what}", str(count), _WANTED[what]) for what, count in house.files_to_add.items()),
        ("settings, a family counted as one", str(house.settings), "≤ 45"),
        ("lines of tests and of the product", f"{tests:,} : {product:,} = {tests / product:.2f}", "≤ 1.3, ≤ 35,000"),
        ("packages in an import circle", circles, "none"),
    ]


_WANTED = {"a cloud (IBM Cloud)": "≤ 15", "a workflow (the dry run)": "≤ 10", "a resource (API keys)": "≤ 12"}


def _path() -> str:
    seen = walk()
    return f"{len(seen)} in {len({path for path, _ in seen})}"


if __name__ == "__main__":
    main()
