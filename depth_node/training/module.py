"""The Lightning module: two networks, one objective, one optimiser."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import lightning
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depth_node.config.network import NetworkConfig
from depth_node.config.training import TrainConfig
from depth_node.data.augmentation import Augmentation
from depth_node.data.dataset import OFFSETS
from depth_node.data.sample import Sample
from depth_node.losses.distillation import distillation_loss
from depth_node.losses.objective import LossTerms, SelfSupervisedLoss
from depth_node.networks.decoders import SCALES
from depth_node.networks.factory import build_depth_network, build_pose_network
from depth_node.training.frozen import FrozenSemantics, Teacher

DECAY_FACTOR = 0.1


class SelfSupervisedModule(lightning.LightningModule):
    """Depth and motion learnt together from video alone (fact sheet A.4, B.5), guided where the network is."""

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
        self.depth = build_depth_network(network, pretrained=config.pretrained, semantic_channels=channels)
        self.pose = build_pose_network(network, pretrained=config.pretrained)
        # Half precision doubles its gain in this layout, on tensor cores and AMX alike.
        for conv in (layer for layer in self.modules() if isinstance(layer, nn.Conv2d)):
            conv.to(memory_format=torch.channels_last)
        self.objective = SelfSupervisedLoss(config.loss, network.min_depth, network.max_depth)
        self.augmentation = Augmentation(config.augment)
        self.teacher = teacher

    def training_step(self, batch: Sample, _: int) -> Tensor:
        """One batch: mirror, jitter, predict depth and motion, score on the unjittered colours."""
        clean = self.augmentation.mirror(batch.as_input())
        terms = self._score(clean, self.augmentation.jitter(clean))
        self._log_terms("train", terms)
        return terms.total

    def validation_step(self, batch: Sample, _: int) -> None:
        """The same objective without augmentation."""
        clean = batch.as_input()
        self._log_terms("val", self._score(clean, clean), batch_size=len(clean.target))

    def _score(self, clean: Sample, seen: Sample) -> LossTerms:
        # Networks may run in half precision; geometry and losses must not (pixel coordinates need the bits).
        disparities = [disparity.float() for disparity in self.disparities(seen.target)]
        if self.config.distillation.photometric or not self.training:
            motion = self._motion(seen).float()
            with torch.autocast(clean.target.device.type, enabled=False):
                terms = self.objective(disparities, clean.target, clean.sources, clean.K, motion)
        else:
            nothing = torch.zeros((), device=clean.target.device)
            terms = LossTerms(*[nothing] * len(LossTerms.__dataclass_fields__))
        return self._add_teacher(terms, disparities, clean)

    def disparities(self, image: Tensor, scales: int = SCALES) -> list[Tensor]:
        """Disparities of (B, 3, H, W) images in 0..1, finest first, guided by the semantics of the same images."""
        guided = self.semantics is not None and self.depth.guidance is not None
        maps = self.semantics.maps(image) if self.semantics and guided else None
        return self.depth(image, scales, maps)

    def _add_teacher(self, terms: LossTerms, disparities: list[Tensor], clean: Sample) -> LossTerms:
        if self.teacher is None:
            return terms
        network = self.depth.config
        difference = distillation_loss(
            disparities, self.teacher.depth(clean.target), network.min_depth, network.max_depth
        )
        total = terms.total + self.config.distillation.weight * difference
        return replace(terms, total=total, distillation=difference.detach())

    def _motion(self, seen: Sample) -> Tensor:
        """T_source_target (B, S, 4, 4). A pose network sees whole pictures, so that K plays no part in its input."""
        factor = self.config.pose_shrink
        if factor == 1:
            return self.pose(seen.target, seen.sources, OFFSETS)
        target = F.avg_pool2d(seen.target, factor)
        sources = F.avg_pool2d(seen.sources.flatten(0, 1), factor).unflatten(0, seen.sources.shape[:2])
        return self.pose(target, sources, OFFSETS)

    def _log_terms(self, stage: str, terms: LossTerms, **how: Any) -> None:
        values = {f"{stage}/{name}": getattr(terms, name).detach() for name in LossTerms.__dataclass_fields__}
        self.log_dict(values, **how)
        self.log(f"{stage}_loss", terms.total.detach(), prog_bar=True, logger=False, **how)

    def configure_optimizers(self) -> Any:
        """Adam over both networks; the rate falls to a tenth late in the run (fact sheet B.6)."""
        optimizer = torch.optim.Adam(self.parameters(), lr=self.config.learning_rate)
        total = int(self.trainer.estimated_stepping_batches)
        milestone = max(1, round(self.config.decay_at * total))
        schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [milestone], gamma=DECAY_FACTOR)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
