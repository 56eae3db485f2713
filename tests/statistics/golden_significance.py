"""Reference p-values computed by statsmodels 0.15, so that the tests do not need it.

`python tests/statistics/golden_significance.py` prints MCNEMAR and HOLM again, in an environment
that has statsmodels.
"""

TABLES = (
    [[59, 6], [16, 80]],
    [[10, 0], [5, 3]],
    [[101, 121], [59, 33]],
    [[1, 1], [7, 12]],
)
P_VALUES = (
    [0.01, 0.04, 0.03, 0.005],
    [0.5],
    [0.9, 0.8, 0.02],
    [0.001, 0.001, 0.2, 0.04, 0.04],
)

MCNEMAR = [
    ([[59, 6], [16, 80]], 0.052478790283203125),
    ([[10, 0], [5, 3]], 0.0625),
    ([[101, 121], [59, 33]], 4.4344492637551645e-06),
    ([[1, 1], [7, 12]], 0.0703125),
]
HOLM = [
    ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
    ([0.5], [0.5]),
    ([0.9, 0.8, 0.02], [1.0, 1.0, 0.06]),
    ([0.001, 0.001, 0.2, 0.04, 0.04], [0.005, 0.005, 0.2, 0.12, 0.12]),
]


def main() -> None:
    from statsmodels.stats.contingency_tables import mcnemar
    from statsmodels.stats.multitest import multipletests

    print("MCNEMAR =", [(table, float(mcnemar(table, exact=True).pvalue)) for table in TABLES])
    print("HOLM =", [(p, multipletests(p, method="holm")[1].tolist()) for p in P_VALUES])


if __name__ == "__main__":
    main()
