"""Serve a model of another library over HTTP with Starlette on uvicorn, as ftkeras does.

    python benchmarks/peers/front.py pytorch|tensorflow CHECKPOINT PORT MAX_LENGTH THREADS

`pytorch` is transformers' BertForSequenceClassification, eager, in inference mode. `tensorflow` is
transformers 4's TFBertForSequenceClassification, written by `save_pretrained(saved_model=True)`: a
SavedModel that takes token ids, so the server has to tokenize. Both tokenize with the `tokenizers`
library (Rust). THREADS requests run at once, without batching; with PyTorch they share the cores.
"""

import asyncio
import concurrent.futures
import json
import os
import sys
import tempfile

import numpy as np
import tokenizers
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


def pytorch(checkpoint: str, threads: int):
    """Return a function from token ids and mask to probabilities."""
    import torch
    import transformers

    torch.set_num_threads(max(1, os.cpu_count() // threads))
    model = transformers.BertForSequenceClassification.from_pretrained(checkpoint).eval()

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            logits = model(torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits
            return torch.softmax(logits, dim=-1).numpy()

    return run


def tensorflow(checkpoint: str, threads: int):
    """Return a function from token ids and mask to probabilities."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import safetensors.numpy
    import tensorflow as tf
    import transformers
    from transformers.modeling_tf_pytorch_utils import load_pytorch_state_dict_in_tf2_model

    model = transformers.TFBertForSequenceClassification(
        transformers.BertConfig.from_pretrained(checkpoint)
    )
    # `from_pretrained` fails with safetensors 0.8, whose files can't be iterated.
    load_pytorch_state_dict_in_tf2_model(
        model, safetensors.numpy.load_file(f"{checkpoint}/model.safetensors")
    )
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder, saved_model=True)
        loaded = tf.saved_model.load(f"{folder}/saved_model/1")
    signature = loaded.signatures["serving_default"]
    takes = signature.structured_input_signature[1]

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        dtype = next(iter(takes.values())).dtype
        inputs = {name: tf.constant(given[name], dtype) for name in takes}
        return tf.nn.softmax(signature(**inputs)["logits"]).numpy()

    run.loaded = loaded  # keep a reference: a signature refers to its variables weakly
    return run


def application(run, tokenizer: tokenizers.BertWordPieceTokenizer, threads: int) -> Starlette:
    """Return the application that answers `:predict`."""
    pool = concurrent.futures.ThreadPoolExecutor(threads)

    def answer(texts: list[str]) -> dict:
        encoded = tokenizer.encode_batch(texts)
        ids = np.array([one.ids for one in encoded], np.int64)
        mask = np.array([one.attention_mask for one in encoded], np.int64)
        return {"predictions": [{"probabilities": row.tolist()} for row in run(ids, mask)]}

    async def predict(request):
        body = await request.json()
        loop = asyncio.get_running_loop()
        return JSONResponse(await loop.run_in_executor(pool, answer, body["instances"]))

    return Starlette(routes=[Route("/v1/models/{name}", predict, methods=["POST"])])


def main(kind: str, checkpoint: str, port: str, max_length: str, threads: str) -> None:
    with open(f"{checkpoint}/tokenizer_config.json", encoding="utf-8") as file:
        lowercase = json.load(file).get("do_lower_case", True)
    tokenizer = tokenizers.BertWordPieceTokenizer(f"{checkpoint}/vocab.txt", lowercase=lowercase)
    tokenizer.enable_truncation(int(max_length))
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id("[PAD]"))
    run = {"pytorch": pytorch, "tensorflow": tensorflow}[kind](checkpoint, int(threads))
    run(np.array([[101, 102]]), np.array([[1, 1]]))
    app = application(run, tokenizer, int(threads))
    uvicorn.run(app, port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
