"""Write personal_data.jsonl: 500 sentences, 400 with one of ten kinds and 100 with look-alikes.

Run it by hand, with Faker installed: `python -m tests.dossiers.make_personal_data`. Faker makes the
personal data, which are of nobody.
"""

import json
import pathlib
import random

SENTENCES = (
    "Please contact {} before Friday.",
    "The form says {}, which is not what I told you.",
    "My details: {}.",
    "I have been waiting for weeks and nobody at {} answers.",
    "He wrote '{}' on the back of the receipt, and left.",
)
# What looks like personal data and is none: {} is a number that fails its check.
LOOK_ALIKES = (
    lambda rng: f"Order {rng.randrange(10**12, 10**13)}1 arrived on 12.11.2020 at 10:45:30.",
    lambda rng: f"It costs {rng.randrange(100, 999)}.{rng.randrange(10, 99)} dollars, 3-4 days.",
    lambda rng: (
        f"Updated to version {rng.randrange(1, 20)}.{rng.randrange(20)}.{rng.randrange(9)}."
    ),
    lambda rng: f"The score was {rng.randrange(2, 9)}:0 in {rng.randrange(1900, 2020)}, they said.",
    lambda rng: f"I read {rng.randrange(20, 900)} pages and gave it {rng.randrange(1, 5)} stars.",
    lambda rng: f"See @user{rng.randrange(99)} and page {rng.randrange(99)}: a 5 star film!",
    lambda rng: (
        f"Part AB{rng.randrange(10, 99)}-{rng.randrange(100, 999)} of set {rng.randrange(99)}."
    ),
    lambda rng: (
        f"Chapter {rng.randrange(1, 30)} of The Long Way Home took {rng.randrange(60)} minutes."
    ),
    lambda rng: (
        f"ISBN 978-0-{rng.randrange(100, 999)}-{rng.randrange(10000, 99999)}-{rng.randrange(9)}"
    ),
    lambda rng: (
        f"In {rng.randrange(1000, 2030)} about {rng.randrange(10**6, 10**7):,} people saw it."
    ),
)


def nino(rng: random.Random) -> str:
    """Return a number by the rules of HMRC's manual, NIM39110; those of Faker are not valid."""
    first, second = rng.choice("ABCEGHJKLMNOPRSTWXYZ"), rng.choice("ABCEGHJKLMNPRSTWXYZ")
    if first + second in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"):
        return nino(rng)
    pairs = [f"{rng.randrange(100):02}" for _ in range(3)]
    return rng.choice(("", " ")).join([first + second, *pairs, rng.choice("ABCD")])


def main() -> None:
    """Write the file beside this script."""
    from faker import Faker

    fakers = {name: Faker(name) for name in ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES")}
    for number, faker in enumerate(fakers.values()):
        faker.seed_instance(number)
    us, gb, de, fr, es = fakers.values()
    rng = random.Random(0)
    makers = {
        "e-mail address": lambda: rng.choice((us, gb, de, fr, es)).email(),
        "bank account (IBAN)": lambda: rng.choice((gb, de, fr, es)).iban(),
        "card number": lambda: us.credit_card_number(),
        "French NIR": lambda: fr.ssn(),
        "Spanish DNI or NIE": lambda: rng.choice((es.nif, es.nie))(),
        "US social security number": lambda: us.ssn(),
        "UK national insurance number": lambda: nino(rng),
        "IP address": lambda: rng.choice((us.ipv4, us.ipv6))(),
        "telephone number": lambda: rng.choice((us, gb)).phone_number(),
        "postal address": lambda: rng.choice((us, de)).street_address(),
    }
    rows = []
    for kind, make in makers.items():
        for number in range(40):
            value, sentence = make(), SENTENCES[number % len(SENTENCES)]
            start = sentence.index("{}")
            rows.append(
                {"text": sentence.format(value), "kind": kind, "span": [start, start + len(value)]}
            )
    rows += [{"text": LOOK_ALIKES[n % 10](rng), "kind": None, "span": None} for n in range(100)]
    rng.shuffle(rows)
    path = pathlib.Path(__file__).with_name("personal_data.jsonl")
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


if __name__ == "__main__":
    main()
