"""Upload a folder to the Hugging Face Hub."""

import pathlib

from ftkeras.errors import UserError

REMEDY = "log in with `hf auth login`, or set HF_TOKEN to a token that may write"


def require_token() -> None:
    """Raise UserError unless this machine has a token for the Hub."""
    import huggingface_hub

    if huggingface_hub.get_token() is None:
        raise UserError(f"push needs a token of the Hugging Face Hub: {REMEDY}.")


def upload(folder: pathlib.Path, repo: str, *, private: bool) -> str:
    """Upload a folder as a model repository, in one commit; return its address.

    The repository is created if there is none. Files of it that the folder lacks stay.

    Args:
        folder: config.json, the weights, the tokenizer's files and README.md.
        repo: `owner/name`.
        private: whether only its owner sees a new repository.

    Raises:
        UserError: the Hub refuses the token or the files, or can't be reached; or `private` is
            asked for, but the repository is there and public.
    """
    import huggingface_hub
    from huggingface_hub import errors

    hub = huggingface_hub.HfApi()
    try:
        address = hub.create_repo(repo, private=private, exist_ok=True)
        # `private` has no effect on a repository that exists.
        if private and not hub.model_info(repo).private:
            raise UserError(
                f"repo={repo} exists and is public, so `private` can't be kept; make it private "
                "in its settings, or name another one."
            )
        hub.upload_folder(
            repo_id=repo, folder_path=folder, commit_message="Upload a model made with ftkeras"
        )
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        reason = getattr(error, "server_message", None) or _first_line(error)
        remedy = f"; {REMEDY}" if status in (401, 403) else ""
        raise UserError(f"repo={repo}: the Hub refused it ({reason}){remedy}.") from error
    except errors.OfflineModeIsEnabled:
        raise UserError(
            f"repo={repo}: HF_HUB_OFFLINE is set, so nothing can be uploaded."
        ) from None
    except UserError:
        raise
    except Exception as error:  # the transport's errors differ from version to version
        raise UserError(f"repo={repo} can't be uploaded: {_first_line(error)}") from error
    return str(address)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
