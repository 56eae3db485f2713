"""Read what is wrong off the messages of TensorFlow's errors."""

import re

FAILED = "assertion failed: "
# Lines about the place in the graph and in Python, and blank ones.
_PLACE = re.compile(
    r"Graph execution error:|Detected at node |<stack traces unavailable>|\s+File |"
    r"\d+ root error\(s\) found|\s*$"
)


def reason(message: str) -> str:
    r"""Return the line of an error's message that says what is wrong, without places in a graph.

    Args:
        message: of a `tf.errors.OpError`, or of the C API.

    >>> reason("assertion failed: [too long]\n\t [[{{node Assert}}]] [Op:__inference_f_1]")
    'assertion failed: [too long]'
    """
    # Not by `splitlines`: TensorFlow quotes values, and some of their characters end lines too.
    lines = message[max(0, message.find(FAILED)) :].split("\n")
    line = next((line for line in lines if not _PLACE.match(line)), "no reason given")
    line = re.sub(r" \[Op:\w+\]$", "", line).strip()
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in line)
