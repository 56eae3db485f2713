"""Parameter servers, which Keras 3 does not support."""

from typing import NoReturn

from ftkeras.errors import UserError


class ParameterServer:
    """Not available: Keras 3 does not support TensorFlow's parameter servers (keras#18624)."""

    def open(self) -> NoReturn:
        """Raise UserError.

        Raises:
            UserError: always, with the reason.
        """
        raise UserError(
            "strategy=parameter_server: Keras 3 does not support parameter servers "
            "(keras#18624); use multi_worker to train on several machines."
        )

    def get_config(self) -> dict:
        return {}
