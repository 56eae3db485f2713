from typing import NoReturn

from ftkeras.errors import UserError


class ParameterServer:
    """Not to be had: Keras 3 does not support TensorFlow's parameter servers (keras#18624)."""

    def open(self) -> NoReturn:
        """Refuses.

        Raises:
            UserError: always, with the reason.
        """
        raise UserError(
            "strategy=parameter_server: Keras 3 does not support parameter servers "
            "(keras#18624); multi_worker trains on several machines."
        )

    def get_config(self) -> dict:
        return {}
