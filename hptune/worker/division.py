"""What to write where the rows cannot be divided into so many folds: scikit-learn only says that they cannot."""

from __future__ import annotations

import numpy as np

from hptune.cv import CvSpec, Rowset, TimeSeries


def undivided(cv: CvSpec, rows: Rowset, *, plain: str = "folds", held_groups: int = 0) -> str:
    """Return what of the rows does not go with the folds, and the mend; "" where the number of folds is not the reason.

    `plain` is the key that the number of folds stands at, `held_groups` how many groups were held out before.
    """
    if isinstance(cv, TimeSeries):
        return _in_order(cv, rows.rows, plain)
    folds = getattr(cv, "folds", None)
    if folds is None:
        return ""
    if cv.uses_groups and rows.groups is not None:
        what, found = "groups", len(set(np.asarray(rows.groups).tolist()))
    else:
        what, found = "rows", rows.rows
    if found >= folds:
        return ""
    held = f" ({found + held_groups} groups, {held_groups} held out)" if held_groups and what == "groups" else ""
    most = f"write {plain}: {found}" + (" or fewer" if what == "rows" else "")
    mend = most if found > 1 else f"there is nothing to divide: give more {what}"
    return f"expected at least {folds} {what} for {folds} folds, found {found}{held}; {mend}"


def _in_order(cv: TimeSeries, rows: int, plain: str) -> str:
    def size(folds: int) -> int:
        return max(cv.test_size or rows // (folds + 1), 1)

    def fits(folds: int, gap: int) -> bool:
        return rows > size(folds) * folds + gap

    if fits(cv.folds, cv.gap):
        return ""
    tested, mends = size(cv.folds) * cv.folds, []
    if cv.gap and fits(cv.folds, 0):
        mends.append(f"gap: {rows - tested - 1} (the largest)")
    fewer = next((folds for folds in range(cv.folds - 1, 1, -1) if fits(folds, cv.gap)), None)
    if fewer is not None:
        mends.append(f"{plain}: {fewer}")
    apart = f" and a gap of {cv.gap:,}" if cv.gap else ""
    what = (
        f"{cv.folds} folds of {size(cv.folds):,} test rows{apart} take {tested + cv.gap + 1:,} rows, found {rows:,}"
    )
    return f"{what}; {'write ' + ' or '.join(mends) if mends else 'give more rows, or a smaller gap and test_size'}"
