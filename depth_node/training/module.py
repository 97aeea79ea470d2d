# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Self-supervised learning as a task of the loop: two networks, one objective, one optimizer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.tensorboard import SummaryWriter

from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.depth import CheckpointInfo, save_checkpoint
from depth_node.config.network import SCALES, NetworkConfig
from depth_node.config.training import TrainConfig
from depth_node.datasets.augmentation import Augmentation, mirror_chosen
from depth_node.datasets.randomness import Draws
from depth_node.datasets.sample import Sample, joined
from depth_node.datasets.teacher_labels import TeacherLabels
from depth_node.datasets.triplets import OFFSETS
from depth_node.datasets.zoom import draw_zoom
from depth_node.distributed import rank, total, world_size
from depth_node.geometry.disparity import disparity_to_depth
from depth_node.geometry.pose import sideways_transform
from depth_node.losses.camera_height import camera_height_loss
from depth_node.losses.distillation import distillation_loss
from depth_node.losses.label_distance import label_loss
from depth_node.losses.objective import LossTerms, SelfSupervisedLoss
from depth_node.losses.velocity import velocity_loss
from depth_node.losses.zoom_consistency import zoom_loss
from depth_node.networks.factory import build_depth_network, build_pose_network
from depth_node.networks.layers import channels_last
from depth_node.training.frozen_networks import FrozenSemantics, Teacher
from depth_node.training.learnt_focal import LearntFocalLength
from depth_node.training.optimizer import build_optimizer
from depth_node.training.run.validation_pictures import COUNT, show_validation
from depth_node.training.task import Task, Terms

LOSS_TERMS = tuple(LossTerms.__dataclass_fields__)
FOCAL = "focal"
"""What metrics.csv calls the learnt focal length, as a share of the width."""
UNIT_CAMERA = TrainingCamera(1, 1, 1.0, 1.0, 0.0, 0.0)
"""Where no camera is described, the factor itself is logged."""
HEIGHT_STEPS = 50
"""Steps over which the usual height of the road follows the network."""


class SelfSupervisedModule(Task):
    """Depth and motion learnt together from video alone (docs/papers.md, Loss), guided where the network is."""

    terms = LOSS_TERMS

    def __init__(
        self,
        network: NetworkConfig,
        config: TrainConfig,
        semantics: FrozenSemantics | None = None,
        teacher: Teacher | None = None,
        info: CheckpointInfo | None = None,
        labels: TeacherLabels | None = None,
    ) -> None:
        """Build the networks.

        Args:
            network: what to build.
            config: how to train.
            semantics: guide the depth network, where it is guided.
            teacher: of depth, beside the pictures or instead of them.
            info: what checkpoints say; without it the networks alone.
            labels: says what the labels of samples are; they teach in place of a teacher.
        """
        super().__init__()
        self.config = config
        self.info = info or CheckpointInfo(network=network)
        self.clip = config.clip_gradient
        self.semantics = semantics
        channels = semantics.network.channels if semantics else ()
        imagenet = config.pretrained and not config.initial  # which would only be replaced
        self.depth = build_depth_network(network, pretrained=imagenet, semantic_channels=channels)
        self.pose = build_pose_network(network, pretrained=config.pretrained)
        self.focal = LearntFocalLength() if network.learn_intrinsics else None
        if self.focal is not None:
            self.terms = (*self.terms, FOCAL)
        # Half precision doubles its gain in this layout, on tensor cores and AMX alike.
        channels_last(self)
        self.objective = SelfSupervisedLoss(config.loss, network.min_depth, network.max_depth)
        self.augmentation = Augmentation(config.augment)
        self.teacher = teacher
        self.labels = labels
        if not config.distillation.photometric:
            self.pose.requires_grad_(False)  # nothing teaches it, and several processes would wait for its gradients
        self._validated: list[Tensor] = []
        # Sums of the logarithm of the road's height under the camera (network units) and of weights; later ones count
        # more. Sums rather than a mean: they can be averaged along with the weights, before a road was seen too.
        self.register_buffer("road_heights", torch.zeros(2), persistent=config.loss.camera_height > 0)
        self.road_heights: Tensor

    def training_step(self, batch: Sample, step: int) -> tuple[Tensor, Terms]:
        """One batch: mirror, jitter, predict depth and motion, score on the unjittered colours."""
        count = len(batch.target)
        draws = Draws.of_step(self.config.seed, step, range(rank() * count, (rank() + 1) * count))
        clean = self.augmentation.mirror(self._as_input(batch), draws)
        # Gradients of zero rather than none: several processes wait for those of all weights.
        share = 0.0 if step < self.config.pose_first else 1.0
        terms = self._score(clean, self.augmentation.jitter(clean, draws), draws, share)
        return terms.total, self._named(total(terms.stacked()) / world_size())

    def start_validation(self) -> None:
        """See `Task`."""
        self._validated = []

    def validation_step(self, batch: Sample) -> None:
        """The same objective without augmentation."""
        clean = self._as_input(batch)
        terms = self._score(clean, clean, Draws.of_frames(self.config.seed, clean.index.tolist()))
        # Sums of terms and of frames. Processes may have different numbers of batches: they meet at the end only.
        values = terms.stacked().double()
        self._validated.append(torch.cat([values, values.new_ones(1)]) * len(clean.target))

    def end_validation(self) -> Terms:
        """Means over the frames of all processes."""
        device = next(self.parameters()).device
        nothing = torch.zeros(len(LOSS_TERMS) + 1, dtype=torch.double, device=device)
        sums = total(torch.stack([nothing, *self._validated]).sum(0))
        return self._named((sums[:-1] / sums[-1]).float())

    def error(self, validated: Mapping[str, float]) -> float:
        """How badly unseen frames are explained, or depth differs from a teacher's where nothing else teaches."""
        return validated["photometric" if self.config.distillation.photometric else "distillation"]

    def save(self, path: Path, steps: int, metrics: Mapping[str, float]) -> None:
        """Write a checkpoint with all networks."""
        info = self.info.with_training(**self.info.training, steps=steps, metrics=dict(metrics))
        if self.config.loss.camera_height > 0:
            height = float(self._usual_height().exp())
            known = math.isfinite(height)
            scale = self.config.camera_height / height if known else 1.0
            info = replace(info, scale=scale, scale_source=info.scale_source if known else "none")
        if self.focal is not None and info.camera is not None:
            info = replace(info, camera=self.focal.camera(info.camera))
        save_checkpoint(path, info, self.depth, self.pose, self.semantics.network if self.semantics else None)

    def draw(self, batches: Sequence[Sample], folder: Path, board: SummaryWriter, step: int) -> None:
        """Show images from all over the validation frames, their disparities, how neighbours explain them, the mask."""
        each = -(-COUNT // len(batches))
        shown = self._as_input(joined([batch.first(each) for batch in batches]).first(COUNT))
        disparity = self.disparities(shown.target, scales=1)[0].float()
        with torch.autocast(shown.target.device.type, enabled=False):
            T_source_target = self._transforms(shown, self._motion(shown).float())
            views = self.objective.views(disparity, shown.target, shown.sources, shown.K, T_source_target)
        show_validation(shown.target, disparity, *views, folder, board, step)

    def optimizer(self, steps: int, done: int) -> tuple[Optimizer, LambdaLR]:
        """See `build_optimizer`."""
        return build_optimizer(self.config, self.depth, self.pose, steps, done, self.focal)

    def _as_input(self, batch: Sample) -> Sample:
        """Bytes to floats, with the learnt focal length where there is one."""
        batch = batch.as_input()
        return batch if self.focal is None else replace(batch, K=self.focal(batch.K))

    def _score(self, clean: Sample, seen: Sample, draws: Draws, share: float = 1.0) -> LossTerms:
        """The objective; depth takes this `share` of its gradients, 0 or 1."""
        # Networks may run in half precision; geometry and losses must not (pixel coordinates need the bits).
        disparities = [disparity.float() for disparity in self._disparities_of(seen, clean.mirrored)]
        if share == 0:
            disparities = [disparity.detach() + 0 * disparity for disparity in disparities]
        if self.config.distillation.photometric or not self.training:
            motion = self._motion(seen).float()
            with torch.autocast(clean.target.device.type, enabled=False):
                terms = self._explain(disparities, clean, motion, draws)
        else:
            nothing = torch.zeros((), device=clean.target.device)
            terms = LossTerms(*[nothing] * len(LOSS_TERMS))
        terms = self._add_zoom(terms, disparities[0], seen, draws)
        return self._add_teacher(terms, disparities, clean)

    def _add_zoom(self, terms: LossTerms, disparity: Tensor, seen: Sample, draws: Draws) -> LossTerms:
        """What an enlarged part of the picture looks like, against the whole, where that is asked for."""
        weight, network = self.config.loss.zoom, self.depth.config
        if weight == 0 or not self.training:
            return terms
        height, width = seen.target.shape[-2:]
        zoom = draw_zoom(draws, self.config.augment.zoom, height, width, seen.target.device)
        enlarged = self.disparities(zoom.of(seen.target), scales=1)[0].float()
        difference = zoom_loss(zoom.of(disparity), enlarged, zoom.factor, network.min_depth, network.max_depth)
        return replace(terms, total=terms.total + weight * difference, zoom=difference.detach())

    def _disparities_of(self, seen: Sample, mirrored: Tensor) -> list[Tensor]:
        """Disparities of the targets; where `mirrored` (B,) says so, by way of their mirror image."""
        scales = self.config.loss.scales
        if not self.config.augment.flip_depth_only:
            return self.disparities(seen.target, scales)
        turned = self.disparities(mirror_chosen(seen.target, mirrored), scales)
        return [mirror_chosen(disparity, mirrored) for disparity in turned]

    def _explain(self, disparities: list[Tensor], clean: Sample, motion: Tensor, draws: Draws) -> LossTerms:
        """Score depth and motion on the pictures, and in metres where that is asked for."""
        T_source_target = self._transforms(clean, motion)
        ignore = None
        if self.config.loss.mask_moving and self.semantics:
            ignore = self.semantics.moving(clean.target)
        terms = self.objective(disparities, clean.target, clean.sources, clean.K, T_source_target, ignore, draws.noise)
        return self._add_metres(terms, disparities[0], clean, motion)

    def _add_metres(self, terms: LossTerms, disparity: Tensor, clean: Sample, motion: Tensor) -> LossTerms:
        """What makes depth metric, where that is asked for."""
        config, network = self.config.loss, self.depth.config
        if config.velocity > 0:
            difference = velocity_loss(motion, clean.distance)
            terms = replace(terms, total=terms.total + config.velocity * difference, velocity=difference.detach())
        if config.camera_height > 0:
            ground = self.semantics.road(clean.target) if self.semantics else None
            depth = disparity_to_depth(disparity, network.min_depth, network.max_depth)
            difference, height = camera_height_loss(depth, clean.K, ground, motion, self._usual_height())
            self._remember_height(height)
            total = terms.total + config.camera_height * difference
            terms = replace(terms, total=total, camera_height=difference.detach())
        return terms

    @torch.no_grad()
    def _remember_height(self, height: Tensor) -> None:
        """Let the usual height of the road follow that of a training batch, of all processes together."""
        if self.training:
            seen = total(torch.stack([height.nan_to_num(), (~height.isnan()).to(height)]))
            self.road_heights.lerp_(seen / world_size(), 1.0 / HEIGHT_STEPS)

    def _usual_height(self) -> Tensor:
        """() logarithm of the road's usual height under the camera, network units; NaN before one was seen."""
        return self.road_heights[0] / self.road_heights[1]

    def _transforms(self, clean: Sample, motion: Tensor) -> Tensor:
        """T_source_target of all sources: the neighbours', and the stereo partner's where there is one."""
        if clean.sources.shape[1] == len(OFFSETS):
            return motion
        return torch.cat([motion, sideways_transform(clean.baseline)[:, None]], 1)

    def disparities(self, image: Tensor, scales: int = SCALES) -> list[Tensor]:
        """Disparities of (B, 3, H, W) images in 0..1, finest first, guided by the semantics of the same images."""
        guided = self.semantics is not None and self.depth.guidance is not None
        maps = self.semantics.maps(image) if self.semantics and guided else None
        return self.depth(image, scales, maps)

    def _add_teacher(self, terms: LossTerms, disparities: list[Tensor], clean: Sample) -> LossTerms:
        network, config = self.depth.config, self.config.distillation
        limits = network.min_depth, network.max_depth
        if self.labels is not None:
            difference = label_loss(disparities, clean.wanted, self.labels.gives, *limits, config.drop)
        elif self.teacher is not None:
            difference = distillation_loss(disparities, self.teacher.depth(clean.target), *limits, config.compare)
        else:
            return terms
        total = terms.total + config.weight * difference
        return replace(terms, total=total, distillation=difference.detach())

    def _motion(self, seen: Sample) -> Tensor:
        """T_source_target (B, S, 4, 4). A pose network sees whole pictures, so that K plays no part in its input."""
        factor = self.config.pose_shrink
        neighbours = seen.sources[:, : len(OFFSETS)]
        if factor == 1:
            return self.pose(seen.target, neighbours, OFFSETS)
        target = F.avg_pool2d(seen.target, factor)
        sources = F.avg_pool2d(neighbours.flatten(0, 1), factor).unflatten(0, neighbours.shape[:2])
        return self.pose(target, sources, OFFSETS)

    def _named(self, terms: Tensor) -> dict[str, Tensor | float]:
        named: dict[str, Tensor | float] = dict(zip(LOSS_TERMS, terms, strict=True))
        if self.focal is not None:
            camera = self.focal.camera(self.info.camera or UNIT_CAMERA)
            named[FOCAL] = camera.fx / camera.width
        return named
