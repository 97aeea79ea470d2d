import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from depth_node.data.calibration import CameraCalibration
from depth_node.ros.frames import translation_at
from depth_node.ros.outputs import millimetres


def test_millimetres_say_nothing_where_metres_do_not():
    depth = np.array([[1.2344, 0.0, -1.0, np.nan], [np.inf, -np.inf, 65.535, 65.536]], np.float32)
    assert millimetres(depth).tolist() == [[1234, 0, 0, 0], [0, 0, 65535, 0]]


def test_a_stereo_camera_keeps_its_baseline():
    eye = (1.0, 0, 0, 0, 1, 0, 0, 0, 1)
    projection = (400.0, 0, 320, -200, 0, 400, 96, 0, 0, 0, 1, 0)  # 0.5 m to the right
    camera = CameraCalibration(640, 192, "plumb_bob", (), eye, eye, projection)
    K = np.array([[100.0, 0, 79.6], [0, 100, 23.6], [0, 0, 1]])
    assert translation_at(K, camera).tolist() == [-50.0, 0, 0]
    mono = CameraCalibration(640, 192, "plumb_bob", (), eye, eye, (0.0,) * 12)
    assert translation_at(K, mono).tolist() == [0, 0, 0]
