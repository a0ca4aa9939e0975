"""Identifiers of patients, as tables, folders and files write them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..answers import clean as clean
from ..answers import identifier_key as identifier_key
from ..answers import number_key as number_key
from ..errors import DataError


def match_identifiers(names: Iterable[str], others: Iterable[str], where: str) -> dict[str, str]:
    """Return, for each name, the other identifier that means the same patient; names without one are left out.

    The same text in any case comes first. A number may have lost its leading zeros.

    Args:
        names: of the patients, such as folders.
        others: identifier keys, such as those of a table.
        where: shown in the message.

    Raises:
        DataError: if numbers differ only in leading zeros and it is not clear which is meant.
    """
    names, others = list(names), list(others)
    exact = {name: key for name in names if (key := identifier_key(name)) in set(others)}
    ours, theirs = _by_number(names), _by_number(others)
    for number, group in ours.items():
        left = [name for name in group if name not in exact]
        if number not in theirs or {identifier_key(name) for name in group} == set(theirs[number]):
            continue
        if len(set(map(identifier_key, group))) > 1 or len(theirs[number]) > 1:
            both = sorted({*group, *theirs[number]})
            raise DataError(
                f"{where}: {' and '.join(both)} differ only in leading zeros, so that it is not clear which patient "
                "is meant; write every identifier in full, as text"
            )
        exact |= dict.fromkeys(left, theirs[number][0])
    return exact


def _by_number(identifiers: Iterable[str]) -> Mapping[str, list[str]]:
    groups = defaultdict(list)
    for identifier in identifiers:
        groups[number_key(identifier)].append(identifier)
    return groups
