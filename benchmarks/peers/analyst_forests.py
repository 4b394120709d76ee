"""A simulated analyst with coniferest's forests, run by a Python that has them: groups in, rankings' precision out.

`python analyst_forests.py GROUPS.npz` prints JSON; the loop is that of `bench_analyst`.
"""

import json
import sys

import numpy as np
from coniferest.aadforest import AADForest
from coniferest.label import Label
from coniferest.pineforest import PineForest

STEP, TOP, STOPS = 10, 100, (0, 20, 50, 100)


def analyst(forest, rows, truth):
    """Precision at the top before and after verdicts, and how many of the verdicts were on real ones."""
    judged, found = [], {}
    forest.fit(rows)
    while True:
        order = np.argsort(forest.score_samples(rows))
        if len(judged) in STOPS:
            false = {i for i in judged if not truth[i]}
            found[len(judged)] = float(np.mean([truth[i] for i in order if i not in false][:TOP]))
        if len(judged) >= STOPS[-1]:
            return {"precision": [found[stop] for stop in STOPS], "real": int(truth[judged].sum())}
        known = set(judged)
        judged += [int(i) for i in order if i not in known][:STEP]
        labels = np.where(truth[judged], Label.ANOMALY, Label.REGULAR)
        forest.fit_known(rows, rows[judged], labels)


def main():
    with np.load(sys.argv[1]) as given:
        rows, truth = given["rows"], given["truth"]
    forests = {
        "AAD": AADForest(n_trees=100, n_subsamples=256, random_seed=0, n_jobs=1),
        "Pine": PineForest(n_trees=100, n_subsamples=256, random_seed=0, n_jobs=1),
    }
    print(json.dumps({name: analyst(forest, rows, truth) for name, forest in forests.items()}))


if __name__ == "__main__":
    main()
