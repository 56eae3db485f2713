#!/bin/bash
# Fine-tune on a Cloud TPU VM: create it, install ftkeras, train, and copy the export to a bucket.
#
#   PROJECT=my-project ZONE=us-central2-b BUCKET=gs://my-bucket deploy/tpu_vm.sh --task=imdb
#
# The flags of train follow the script's name. It needs the gcloud command, signed in. It follows
# Google's guide but has never been run, as no TPU was available.
# Source: https://cloud.google.com/tpu/docs/run-calculation-tensorflow.

set -euo pipefail

: "${PROJECT:?a Google Cloud project}" "${ZONE:?such as us-central2-b}" "${BUCKET:?gs://…}"
NAME=${NAME:-ftkeras}
TYPE=${TYPE:-v4-8}
# The runtime must have a TensorFlow version that ftkeras supports, and its TPU library.
RUNTIME=${RUNTIME:-tpu-vm-tf-2.21.0-pjrt}
HERE=$(cd "$(dirname "$0")/.." && pwd)

tpu() {
    gcloud compute tpus tpu-vm "$1" "$NAME" --project="$PROJECT" --zone="$ZONE" "${@:2}"
}

tpu describe >/dev/null 2>&1 ||
    tpu create --accelerator-type="$TYPE" --version="$RUNTIME"

# Install a wheel rather than the checkout, so that exactly what was built is run.
WHEELS=$(mktemp -d)
python -m pip wheel --quiet --no-deps --wheel-dir "$WHEELS" "$HERE"
tpu ssh --command="rm -f ftkeras-*.whl"
gcloud compute tpus tpu-vm scp --project="$PROJECT" --zone="$ZONE" "$WHEELS"/*.whl "$NAME":
# Uninstall first: pip would keep an earlier call's ftkeras, as its version is the same.
tpu ssh --command="pip uninstall --quiet --yes ftkeras;
    pip install --quiet --upgrade-strategy=only-if-needed ./ftkeras-*.whl"

# packed gives batches of one shape, which a TPU needs. The flags are quoted for the remote shell.
FLAGS=$(printf ' %q' "--strategy=tpu(name='local')" --batching=packed --run_dir=run "$@")
tpu ssh --command="python3 -m ftkeras.main train$FLAGS"
tpu ssh --command="gcloud storage cp --recursive saved_models run $(printf %q "$BUCKET")"

echo "done: $BUCKET. The TPU is billed until you run: gcloud compute tpus tpu-vm delete $NAME --zone=$ZONE"
