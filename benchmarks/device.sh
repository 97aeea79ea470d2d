#!/usr/bin/env bash
# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
#
# What a GPU can show: the tests that need one, then times of networks, whole frames and training steps.
#
#   benchmarks/device.sh [OUTPUT]      # OUTPUT (default device/) gets tests.txt, gpu.txt and gpu.json
#
# Needs a CUDA device, and a Python ($PYTHON, default python3) with torch for CUDA, timm, segmentation-models-pytorch,
# opencv, safetensors, rosbags, rich and pytest; no network, no data. Takes about four minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
output=${1:-device}
python=${PYTHON:-python3}
mkdir -p "$output"
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}
failed=0
"$python" -m pytest -q -p no:cacheprovider -m gpu test/unit/networks test/unit/inference test/unit/training 2>&1 | tee "$output/tests.txt" || failed=1
"$python" benchmarks/gpu.py --rounds "${ROUNDS:-100}" --json "$output/gpu.json" 2>&1 | tee "$output/gpu.txt" || failed=1
exit $failed
