#!/bin/bash
# Fine-tunes on a Cloud TPU VM: makes one, installs ftkeras, trains, fetches the export.
#
#   PROJECT=my-project ZONE=us-central2-b BUCKET=gs://my-bucket deploy/tpu_vm.sh --task=imdb
#
# Behind the script's name stand the flags of train. Needs the gcloud command, signed in. Written
# after Google's guide and never run: no TPU was at hand.
# Source: https://cloud.google.com/tpu/docs/run-calculation-tensorflow.

set -euo pipefail

: "${PROJECT:?a Google Cloud project}" "${ZONE:?such as us-central2-b}" "${BUCKET:?gs://…}"
NAME=${NAME:-ftkeras}
TYPE=${TYPE:-v4-8}
# The runtime must hold the TensorFlow that ftkeras is tested with, and its TPU library.
RUNTIME=${RUNTIME:-tpu-vm-tf-2.21.0-pjrt}
HERE=$(cd "$(dirname "$0")/.." && pwd)

tpu() {
    gcloud compute tpus tpu-vm "$1" "$NAME" --project="$PROJECT" --zone="$ZONE" "${@:2}"
}

tpu describe >/dev/null 2>&1 ||
    tpu create --accelerator-type="$TYPE" --version="$RUNTIME"

# A wheel, not the checkout: what is there is what was built.
WHEELS=$(mktemp -d)
python -m pip wheel --quiet --no-deps --wheel-dir "$WHEELS" "$HERE"
gcloud compute tpus tpu-vm scp --project="$PROJECT" --zone="$ZONE" "$WHEELS"/*.whl "$NAME":
tpu ssh --command="pip install --quiet --upgrade-strategy=only-if-needed ./ftkeras-*.whl"

# packed gives batches of one shape, which a TPU wants; quoted once for the shell over there.
FLAGS=$(printf ' %q' "--strategy=tpu(name='local')" --batching=packed --run_dir=run "$@")
tpu ssh --command="python3 -m ftkeras.main train$FLAGS"
tpu ssh --command="gcloud storage cp --recursive saved_models run $(printf %q "$BUCKET")"

echo "done: $BUCKET; the TPU goes on costing until: gcloud compute tpus tpu-vm delete $NAME --zone=$ZONE"
