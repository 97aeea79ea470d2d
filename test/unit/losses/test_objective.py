import torch

from depth_node.config.training import LossConfig
from depth_node.geometry.disparity import depth_to_disparity
from depth_node.geometry.pose import transform_from_axis_angle
from depth_node.geometry.warp import backproject
from depth_node.losses.objective import SelfSupervisedLoss

HEIGHT, WIDTH, DEPTH = 32, 64, 5.0
K = torch.tensor([[[40.0, 0.0, 31.5], [0.0, 40.0, 15.5], [0.0, 0.0, 1.0]]])


def wall(shift):
    """A textured wall at DEPTH seen by a camera moved to the right by `shift`."""
    points = backproject(torch.full((1, 1, HEIGHT, WIDTH), DEPTH), K) + torch.tensor([shift, 0.0, 0.0]).reshape(
        1, 3, 1, 1
    )
    x, y = points[:, :1], points[:, 1:2]
    return torch.cat([torch.sin(3 * x) * torch.cos(2 * y), torch.sin(2 * x + y), torch.cos(4 * y - x)], 1) * 0.4 + 0.5


def score(depth):
    loss = SelfSupervisedLoss(LossConfig(), 0.1, 100.0)
    sources = torch.stack([wall(-0.5), wall(0.5)], 1)
    motion = torch.stack(
        [transform_from_axis_angle(torch.zeros(1, 3), torch.tensor([[x, 0.0, 0.0]])) for x in (0.5, -0.5)], 1
    )
    disparity = depth_to_disparity(torch.tensor(depth), 0.1, 100.0)
    pyramid = [torch.full((1, 1, HEIGHT >> i, WIDTH >> i), float(disparity)) for i in range(4)]
    return loss(pyramid, wall(0.0), sources, K, motion)


def test_true_depth_explains_the_scene_and_beats_standing_still():
    torch.manual_seed(0)
    terms = score(DEPTH)
    assert terms.photometric < 0.03
    assert terms.identity > 5 * terms.photometric
    assert terms.moving > 0.9


def test_true_depth_is_the_best_of_several():
    torch.manual_seed(0)
    errors = {depth: float(score(depth).photometric) for depth in (2.0, 3.5, DEPTH, 8.0, 20.0)}
    assert min(errors, key=errors.get) == DEPTH


def test_auto_mask_can_be_switched_off():
    loss = SelfSupervisedLoss(LossConfig(auto_mask=False), 0.1, 100.0)
    image = wall(0.0)
    terms = loss([torch.full((1, 1, HEIGHT, WIDTH), 0.5)], image, image[:, None], K, torch.eye(4)[None, None])
    assert terms.moving == 1
