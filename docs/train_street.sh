#!/usr/bin/env bash
# Makes a checkpoint like the shipped one, from nothing but this repository:
#   docs/train_street.sh FOLDER
# Two otherwise idle cores need about six hours; on a GPU raise DRIVES, FRAMES and the steps.
set -euo pipefail

work=${1:?name a folder to work in}
: "${DRIVES:=22}" "${FRAMES:=75}" "${SEMANTIC_STEPS:=2400}" "${DEVICE:=auto}"
: "${COARSE_STEPS:=2800}" "${GUIDED_STEPS:=300}" "${FINE_STEPS:=350}" "${STANDING_STEPS:=480}" "${LAST_STEPS:=2200}"

bags=() truths=()
for ((i = 1; i <= DRIVES; i++)); do
  street=$work/street/$((100 + i))
  # No car at ego speed: without resampling it would be learnt as infinitely far.
  [ -d "$street" ] || depth simulate --output "$street" --seed $((100 + i)) --frames "$FRAMES" \
    --no_lead_car --no_lidar --traffic 0.6
  bags+=("$street/bag") truths+=("$street/ground_truth")
done
depth record "${bags[@]}" --output "$work/recorded" --val_fraction 0.02

# The semantic network, at mixed sizes, so that it serves both sizes of the depth network.
depth train-semantic --data "$work/recorded" --ground_truth_dir "${truths[@]}" --output "$work/semantic" \
  --network.encoder tu-lcnet_075 --network.pyramid_channels 64 --network.segmentation_channels 32 --no_pretrained \
  --smallest 0.45 --largest 1.1 --batch_size 8 --steps "$SEMANTIC_STEPS" --learning_rate 2e-3 --decay cosine \
  --pixels 12288 --class_weights log --val_fraction 0.03 --device "$DEVICE"

common=(--data "$work/recorded" --network.architecture lite_hr_depth --network.pose posenet --no_pretrained
  --workers 0 --device "$DEVICE" --save_every 50)
half=(--network.height 96 --network.width 320) whole=(--network.height 192 --network.width 640)
guided=(--network.guided --semantic "$work/semantic/best.safetensors")
# Depth and motion are learnt from video at half the size, at a quarter of the cost, first without guidance ...
depth train "${common[@]}" --output "$work/coarse" "${half[@]}" --batch_size 8 --steps "$COARSE_STEPS" \
  --learning_rate 4e-4 --decay_at 0.9
depth train "${common[@]}" --output "$work/guided" "${half[@]}" "${guided[@]}" --batch_size 4 --steps "$GUIDED_STEPS" \
  --learning_rate 2e-4 --decay_at 0.7 --initial "$work/coarse/last.safetensors"
# ... and the net of full size then learns from the one of half size.
depth train "${common[@]}" --output "$work/fine" "${whole[@]}" "${guided[@]}" --batch_size 4 --steps "$FINE_STEPS" \
  --learning_rate 3e-4 --decay_at 0.7 --initial "$work/guided/last.safetensors" \
  --distillation.teacher "$work/guided/last.safetensors" --no_distillation.photometric

# Moving cars have taught wrong depth so far. Streets where cars only park and queue, also in the own lane, put it right.
standing=()
for ((i = 1; i <= 56; i++)); do
  street=$work/street/$((i <= 40 ? 300 + i : 460 + i)) queue=(--frames 75 --parked 0.9)
  ((i <= 40)) || queue=(--frames 50 --parked 0.7 --queue 0.6 --speed $((5 + i % 4)))
  [ -d "$street" ] || depth simulate --output "$street" --seed "$(basename "$street")" --no_lead_car --no_lidar \
    --traffic 0 --pedestrians 0.6 "${queue[@]}"
  standing+=("$street/bag")
done
depth record "${standing[@]}" --output "$work/standing" --val_fraction 0.02
common=(--data "$work/standing" "${common[@]:2}" --precision bf16)
depth train "${common[@]}" --output "$work/pose" "${half[@]}" --batch_size 8 --steps "$STANDING_STEPS" \
  --learning_rate 3e-4 --decay_at 0.8 --initial "$work/coarse/last.safetensors"
depth train "${common[@]}" --output "$work/last" "${whole[@]}" "${guided[@]}" --batch_size 3 --steps "$LAST_STEPS" \
  --learning_rate 2e-4 --decay_at 0.8 --ema 0.99 --pose_shrink 2 --initial "$work/fine/last.safetensors" \
  --initial_pose "$work/pose/last.safetensors"

weights=$work/guided_lite_hr_depth_street_640x192.safetensors
depth export "$work/last/last.safetensors" --output "$weights" --half
# Metres: the factor between network units and the exact depth of one training drive.
depth evaluate --checkpoint "$weights" --store_scale --crop none \
  --sequence "$work/recorded"/*/*_drive_0001_sync --ground_truth_dir "$work/street/101/ground_truth"
