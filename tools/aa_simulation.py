"""How often the subtitle report sees what is not there: `python -m tools.aa_simulation`."""

from __future__ import annotations

import json
import random

from insights.statistics.simulate import aa_false_positives

RUNS, PER_ARM, LOOKS, RATE = 2_000, 2_000, 50, 0.9


def main() -> None:
    lot = random.Random(6)
    found = aa_false_positives(
        lambda n: sum(lot.random() < RATE for _publication in range(n)), runs=RUNS, per_arm=PER_ARM, looks=LOOKS
    )
    print(json.dumps({
        "runs": RUNS, "per_arm": PER_ARM, "looks": LOOKS, "rate": RATE,
        "false_positives": {"fixed": found.fixed, "always_valid": found.always_valid},
    }))  # fmt: skip


if __name__ == "__main__":
    main()
