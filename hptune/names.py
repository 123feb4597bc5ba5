"""What a parameter or a metric may be called: its name is printed, and written into comments, scripts and logs."""

from __future__ import annotations

import unicodedata

_REFUSED = ("Cc", "Zl", "Zp")  # control characters, line and paragraph separators


def unfit(name: str) -> str:
    """Return what is wrong with a name and the mend, "" if nothing is."""
    wrong = next((one for one in name if one != "\t" and unicodedata.category(one) in _REFUSED), None)
    if wrong is None:
        return ""
    return (
        f"expected a name on one line without control characters, found the character U+{ord(wrong):04X} in "
        f"{name[:60]!r}: rename it"
    )
