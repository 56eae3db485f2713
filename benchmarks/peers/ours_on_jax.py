"""Our network and batchings on Keras's JAX backend, in mixed bfloat16, compiled by XLA.

Variants: `packed`; `bucketed`, with lengths of 128, 256 and so on; `padded`, to `max_length`. A
variant has one to four shapes, all compiled before the first step.
"""

import itertools
import pathlib
import sys

import jax
from turns import Turns, given

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from on_jax import Training, batch_of, batching_of, encoder_of, examples_of, plan_of


def batching_and_filling(asked: dict):
    """Return the variant's batching, and the size that its batches are padded to."""
    sizes = {name: asked[name] for name in ("batch_size", "max_length")}
    rows, width = {"rows": asked["batch_size"]}, {"width": asked["max_length"]}
    name = asked["variant"]
    keys = {"multiple": 128} if name == "bucketed" else {}
    filled = {"packed": {}, "bucketed": rows, "padded": rows | width}[name]
    return batching_of(name, **sizes, **keys), filled


def memory() -> int:
    """Return the device's peak memory in bytes."""
    return jax.devices()[0].memory_stats()["peak_bytes_in_use"]


def main() -> None:
    asked, latest = given(), []
    turns = Turns(asked["steps"], settle=lambda: jax.block_until_ready(latest), memory=memory)
    vocabulary = asked["vocabulary"]
    examples = examples_of(asked["reviews"], vocabulary, asked["max_length"])
    batching, filled = batching_and_filling(asked)
    encoder = encoder_of(asked, "mixed_bfloat16")
    training = Training(encoder, peak=5e-5, steps=32_000)
    state = training.first_state()

    def batches(epoch):
        for positions in plan_of(examples, batching, 0, epoch):
            yield positions, batch_of(examples, batching, positions, **filled)

    shapes = {inputs["token_ids"].shape: (inputs, labels) for _, (inputs, labels) in batches(0)}
    for batch in shapes.values():
        state, loss = training.step(state, batch)
        latest[:] = [loss]
    for positions, batch in itertools.chain.from_iterable(map(batches, itertools.count())):
        lengths = examples.lengths[positions[positions >= 0]].tolist()
        turns.add_batch(lengths, computed=batch[0]["token_ids"].size)
        state, loss = training.step(state, batch)
        latest[:] = [loss]
        turns.step_done()


if __name__ == "__main__":
    main()
