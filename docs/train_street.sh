#!/usr/bin/env bash
# Makes the checkpoint that ships with the package, from nothing but this repository:
#   docs/train_street.sh FOLDER
# Two cores need about two hours; on a GPU raise DRIVES, FRAMES and the steps.
set -euo pipefail

work=${1:?name a folder to work in}
: "${DRIVES:=10}" "${FRAMES:=90}" "${COARSE_STEPS:=2200}" "${FINE_STEPS:=700}" "${DEVICE:=auto}"

bags=()
for ((i = 1; i <= DRIVES; i++)); do
  street=$work/street/$((100 + i))
  # No car at ego speed: without resampling it would be learnt as infinitely far.
  [ -d "$street" ] || depth simulate --output "$street" --seed $((100 + i)) --frames "$FRAMES" \
    --no_lead_car --no_lidar --traffic 0.6
  bags+=("$street/bag")
done
depth record "${bags[@]}" --output "$work/recorded" --val_fraction 0.05

common=(--data "$work/recorded" --network.architecture lite_hr_depth --network.pose posenet --no_pretrained
  --workers 0 --device "$DEVICE" --save_every 100)
# Motion and layout are learnt at half the size, at a quarter of the cost; the full size then adds detail.
depth train "${common[@]}" --output "$work/coarse" --network.height 96 --network.width 320 \
  --batch_size 8 --steps "$COARSE_STEPS" --learning_rate 4e-4 --decay_at 0.85
depth train "${common[@]}" --output "$work/fine" --network.height 192 --network.width 640 \
  --batch_size 4 --steps "$FINE_STEPS" --learning_rate 2e-4 --decay_at 0.7 --initial "$work/coarse/last.safetensors"

depth export "$work/fine/last.safetensors" --output "$work/lite_hr_depth_street_640x192.safetensors"
# Metres: the factor between network units and the exact depth of one training drive.
depth evaluate --checkpoint "$work/lite_hr_depth_street_640x192.safetensors" --store_scale --crop none \
  --sequence "$work/recorded"/*/*_drive_0001_sync --ground_truth_dir "$work/street/101/ground_truth"
