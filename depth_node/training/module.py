# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The Lightning module: two networks, one objective, one optimiser."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import lightning
import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.config.network import NetworkConfig
from depth_node.config.training import TrainConfig
from depth_node.datasets.augmentation import Augmentation, mirror_chosen
from depth_node.datasets.randomness import Draws
from depth_node.datasets.sample import Sample
from depth_node.datasets.triplets import OFFSETS
from depth_node.distributed import rank, total, world_size
from depth_node.geometry.pose import sideways_transform
from depth_node.losses.distillation import distillation_loss
from depth_node.losses.objective import LossTerms, SelfSupervisedLoss
from depth_node.losses.velocity import velocity_loss
from depth_node.networks.decoders import SCALES
from depth_node.networks.factory import build_depth_network, build_pose_network
from depth_node.networks.layers import channels_last
from depth_node.training.frozen_networks import FrozenSemantics, Teacher
from depth_node.training.optimizer import build_optimiser


class SelfSupervisedModule(lightning.LightningModule):
    """Depth and motion learnt together from video alone (docs/papers.md, Loss), guided where the network is.

    Attributes:
        steps_done: steps of the run that are behind when training begins; more than 0 in a resumed run.
    """

    def __init__(
        self,
        network: NetworkConfig,
        config: TrainConfig,
        semantics: FrozenSemantics | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.semantics = semantics
        channels = semantics.network.channels if semantics else ()
        imagenet = config.pretrained and not config.initial  # which would only be replaced
        self.depth = build_depth_network(network, pretrained=imagenet, semantic_channels=channels)
        self.pose = build_pose_network(network, pretrained=config.pretrained)
        # Half precision doubles its gain in this layout, on tensor cores and AMX alike.
        channels_last(self)
        self.objective = SelfSupervisedLoss(config.loss, network.min_depth, network.max_depth)
        self.augmentation = Augmentation(config.augment)
        self.teacher = teacher
        if not config.distillation.photometric:
            self.pose.requires_grad_(False)  # nothing teaches it, and several processes would wait for its gradients
        self.steps_done = 0
        self._validated: list[Tensor] = []

    def training_step(self, batch: Sample, _: int) -> Tensor:
        """One batch: mirror, jitter, predict depth and motion, score on the unjittered colours."""
        count = len(batch.target)
        places = range(rank() * count, (rank() + 1) * count)
        draws = Draws.of_step(self.config.seed, self.trainer.global_step, places)
        clean = self.augmentation.mirror(batch.as_input(), draws)
        terms = self._score(clean, self.augmentation.jitter(clean, draws), draws)
        self._log_terms("train", total(terms.stacked()) / world_size())
        return terms.total

    def on_validation_epoch_start(self) -> None:
        """Forget what an interrupted validation has left."""
        self._validated = []

    def validation_step(self, batch: Sample, _: int) -> None:
        """The same objective without augmentation."""
        clean = batch.as_input()
        terms = self._score(clean, clean, Draws.of_frames(self.config.seed, clean.index.tolist()))
        # Sums of terms and of frames. Processes may have different numbers of batches: they meet at the end only.
        values = terms.stacked().double()
        self._validated.append(torch.cat([values, values.new_ones(1)]) * len(clean.target))

    def on_validation_epoch_end(self) -> None:
        """Means over the frames of all processes."""
        nothing = torch.zeros(len(LossTerms.__dataclass_fields__) + 1, dtype=torch.double, device=self.device)
        sums = total(torch.stack([nothing, *self._validated]).sum(0))
        self._log_terms("val", (sums[:-1] / sums[-1]).float())

    def _score(self, clean: Sample, seen: Sample, draws: Draws) -> LossTerms:
        # Networks may run in half precision; geometry and losses must not (pixel coordinates need the bits).
        disparities = [disparity.float() for disparity in self._disparities_of(seen, clean.mirrored)]
        if self.config.distillation.photometric or not self.training:
            motion = self._motion(seen).float()
            with torch.autocast(clean.target.device.type, enabled=False):
                terms = self._explain(disparities, clean, motion, draws)
        else:
            nothing = torch.zeros((), device=clean.target.device)
            terms = LossTerms(*[nothing] * len(LossTerms.__dataclass_fields__))
        return self._add_teacher(terms, disparities, clean)

    def _disparities_of(self, seen: Sample, mirrored: Tensor) -> list[Tensor]:
        """Disparities of the targets; where `mirrored` (B,) says so, by way of their mirror image."""
        scales = self.config.loss.scales
        if not self.config.augment.flip_depth_only:
            return self.disparities(seen.target, scales)
        turned = self.disparities(mirror_chosen(seen.target, mirrored), scales)
        return [mirror_chosen(disparity, mirrored) for disparity in turned]

    def _explain(self, disparities: list[Tensor], clean: Sample, motion: Tensor, draws: Draws) -> LossTerms:
        """Score depth and motion on the pictures, and motion on the distances where that is asked for."""
        T_source_target = motion
        if clean.sources.shape[1] > len(OFFSETS):
            T_source_target = torch.cat([motion, sideways_transform(clean.baseline)[:, None]], 1)
        ignore = None
        if self.config.loss.mask_moving and self.semantics:
            ignore = self.semantics.moving(clean.target)
        terms = self.objective(disparities, clean.target, clean.sources, clean.K, T_source_target, ignore, draws.noise)
        weight = self.config.loss.velocity
        if weight == 0:
            return terms
        difference = velocity_loss(motion, clean.distance)
        return replace(terms, total=terms.total + weight * difference, velocity=difference.detach())

    def disparities(self, image: Tensor, scales: int = SCALES) -> list[Tensor]:
        """Disparities of (B, 3, H, W) images in 0..1, finest first, guided by the semantics of the same images."""
        guided = self.semantics is not None and self.depth.guidance is not None
        maps = self.semantics.maps(image) if self.semantics and guided else None
        return self.depth(image, scales, maps)

    def _add_teacher(self, terms: LossTerms, disparities: list[Tensor], clean: Sample) -> LossTerms:
        if self.teacher is None:
            return terms
        network, config = self.depth.config, self.config.distillation
        wanted = self.teacher.depth(clean.target)
        difference = distillation_loss(disparities, wanted, network.min_depth, network.max_depth, config.compare)
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

    def _log_terms(self, stage: str, terms: Tensor) -> None:
        names = tuple(LossTerms.__dataclass_fields__)
        self.log_dict({f"{stage}/{name}": value for name, value in zip(names, terms, strict=True)})
        self.log(f"{stage}_loss", terms[names.index("total")], prog_bar=True, logger=False)

    def configure_optimizers(self) -> Any:
        """See `build_optimiser`."""
        steps = int(self.trainer.estimated_stepping_batches)
        optimizer, schedule = build_optimiser(self.config, self.depth, self.pose, steps, self.steps_done)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Limit the norm of all gradients together, where that is asked for."""
        if self.config.clip_gradient:
            self.clip_gradients(optimizer, self.config.clip_gradient, "norm")
