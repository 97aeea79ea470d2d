# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Writes a simulated drive as a ROS 2 bag (rosbags; mcap or sqlite3): camera, lidar, odometry, IMU, GNSS and tf."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from depth_node.config.street import StreetConfig
from depth_node.image_file import encode_image
from depth_node.kitti.mercator import Mercator
from depth_node.simulation import lidar, rig
from depth_node.simulation.drive import Frame

IMAGE, COMPRESSED, INFO = "/camera/image_raw", "/camera/image_raw/compressed", "/camera/camera_info"
POINTS, ODOMETRY, TF, TF_STATIC = "/lidar/points", "/odom", "/tf", "/tf_static"
IMU, FIX = "/imu/data", "/gps/fix"
BAG_VERSION: Literal[8] = 8  # the last one that every ROS 2 release since Humble reads
_STORAGES = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}
_NEVER = QosTime(9223372036, 854775807)


class BagWriter:
    """A bag under construction; use as a context manager."""

    def __init__(self, path: Path, config: StreetConfig) -> None:
        """Start a bag in the new folder `path`."""
        self._config = config
        self._store = get_typestore(Stores.ROS2_HUMBLE)
        self._writer = Writer(path, version=BAG_VERSION, storage_plugin=_STORAGES[config.storage])
        self._image_topic = IMAGE if config.image == "raw" else COMPRESSED
        self._connections: dict[str, Any] = {}

    def __enter__(self) -> BagWriter:
        """Open the bag and announce its topics."""
        self._writer.open()
        kind = "Image" if self._config.image == "raw" else "CompressedImage"
        topics = {self._image_topic: f"sensor_msgs/msg/{kind}", INFO: "sensor_msgs/msg/CameraInfo"}
        if self._config.lidar:
            topics[POINTS] = "sensor_msgs/msg/PointCloud2"
        topics |= {ODOMETRY: "nav_msgs/msg/Odometry", IMU: "sensor_msgs/msg/Imu", FIX: "sensor_msgs/msg/NavSatFix"}
        topics |= {TF: "tf2_msgs/msg/TFMessage", TF_STATIC: "tf2_msgs/msg/TFMessage"}
        for topic, name in topics.items():
            qos = _qos(QosDurability.TRANSIENT_LOCAL if topic == TF_STATIC else QosDurability.VOLATILE)
            self._connections[topic] = self._writer.add_connection(
                topic, name, typestore=self._store, offered_qos_profiles=[qos]
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the bag; what was written stays readable."""
        self._writer.close()

    def write_frame(self, frame: Frame) -> None:
        """Image, camera info and lidar points of one instant, all with the same stamp."""
        header = self._header(frame.stamp_ns, rig.CAMERA)
        self._write(self._image_topic, frame.stamp_ns, self._image(header, frame.picture.rgb))
        self._write(
            INFO,
            frame.stamp_ns,
            camera_info(
                self._store.types, header, rig.intrinsics(self._config), self._config.width, self._config.height
            ),
        )
        if frame.points is not None:
            cloud = self._cloud(self._header(frame.stamp_ns, rig.LIDAR), frame.points)
            self._write(POINTS, frame.stamp_ns, cloud)

    def write_odometry(
        self, stamp_ns: int, T_odom_base: NDArray[np.float64], linear: NDArray[np.float64], angular: NDArray[np.float64]
    ) -> None:
        """Pose (4, 4) of base_link in odom and its own velocity (m/s, rad/s), as Odometry and as tf."""
        T = self._store.types
        header = self._header(stamp_ns, rig.ODOM)
        transform = self._transform(header, rig.BASE, T_odom_base)
        t, q = transform.transform.translation, transform.transform.rotation
        pose = T["geometry_msgs/msg/Pose"](position=T["geometry_msgs/msg/Point"](t.x, t.y, t.z), orientation=q)
        vector = T["geometry_msgs/msg/Vector3"]
        motion = T["geometry_msgs/msg/Twist"](linear=vector(*map(float, linear)), angular=vector(*map(float, angular)))
        covariance = np.zeros(36)
        odometry = T["nav_msgs/msg/Odometry"](
            header=header,
            child_frame_id=rig.BASE,
            pose=T["geometry_msgs/msg/PoseWithCovariance"](pose=pose, covariance=covariance),
            twist=T["geometry_msgs/msg/TwistWithCovariance"](twist=motion, covariance=covariance),
        )
        self._write(ODOMETRY, stamp_ns, odometry)
        self._write(TF, stamp_ns, T["tf2_msgs/msg/TFMessage"](transforms=[transform]))

    def write_inertial(
        self, stamp_ns: int, R_map_ins: NDArray[np.float64], rates: NDArray[np.float64], force: NDArray[np.float64]
    ) -> None:
        """Attitude (3, 3) against east, north, up, rates (3,) rad/s and specific force (3,) m/s^2, as Imu."""
        from transforms3d.quaternions import mat2quat

        T = self._store.types
        vector = T["geometry_msgs/msg/Vector3"]
        w, x, y, z = map(float, mat2quat(R_map_ins))
        unknown = np.zeros(9)
        imu = T["sensor_msgs/msg/Imu"](
            header=self._header(stamp_ns, rig.INS),
            orientation=T["geometry_msgs/msg/Quaternion"](x=x, y=y, z=z, w=w),
            orientation_covariance=unknown,
            angular_velocity=vector(*map(float, rates)),
            angular_velocity_covariance=unknown,
            linear_acceleration=vector(*map(float, force)),
            linear_acceleration_covariance=unknown,
        )
        self._write(IMU, stamp_ns, imu)

    def write_fix(self, stamp_ns: int, position: NDArray[np.float64]) -> None:
        """Where a point of odom (3,) m lies on the map, as NavSatFix; metres are laid out as KITTI's tools do."""
        T = self._store.types
        mercator = Mercator(rig.ORIGIN[0])
        east, north = mercator.metres(*rig.ORIGIN[:2]) + position[:2]
        latitude, longitude = mercator.degrees(float(east), float(north))
        fix = T["sensor_msgs/msg/NavSatFix"](
            header=self._header(stamp_ns, rig.INS),
            status=T["sensor_msgs/msg/NavSatStatus"](status=0, service=1),
            latitude=latitude,
            longitude=longitude,
            altitude=rig.ORIGIN[2] + float(position[2]),
            position_covariance=np.zeros(9),
            position_covariance_type=0,
        )
        self._write(FIX, stamp_ns, fix)

    def write_mounting(self, stamp_ns: int, mounts: Sequence[tuple[str, NDArray[np.float64]]]) -> None:
        """Where sensors sit on base_link: pairs of frame and T_base_sensor (4, 4), as latched tf."""
        header = self._header(stamp_ns, rig.BASE)
        transforms = [self._transform(header, frame, transform) for frame, transform in mounts]
        message = self._store.types["tf2_msgs/msg/TFMessage"](transforms=transforms)
        self._write(TF_STATIC, stamp_ns, message)

    def _write(self, topic: str, stamp_ns: int, message: Any) -> None:
        data = self._store.serialize_cdr(message, message.__msgtype__)
        self._writer.write(self._connections[topic], stamp_ns, data)

    def _header(self, stamp_ns: int, frame: str) -> Any:
        T = self._store.types
        stamp = T["builtin_interfaces/msg/Time"](sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
        return T["std_msgs/msg/Header"](stamp=stamp, frame_id=frame)

    def _image(self, header: Any, rgb: NDArray[np.uint8]) -> Any:
        T = self._store.types
        if self._config.image == "compressed":
            quality = [cv2.IMWRITE_JPEG_QUALITY, self._config.jpeg_quality]
            jpeg = np.frombuffer(encode_image(rgb, ".jpg", quality), np.uint8)
            encoding = f"{self._config.encoding}; jpeg compressed bgr8"
            return T["sensor_msgs/msg/CompressedImage"](header=header, format=encoding, data=jpeg)
        height, width, _ = rgb.shape
        pixels = np.ascontiguousarray(rgb if self._config.encoding == "rgb8" else rgb[..., ::-1])
        return T["sensor_msgs/msg/Image"](
            header=header,
            height=height,
            width=width,
            encoding=self._config.encoding,
            is_bigendian=0,
            step=3 * width,
            data=pixels.reshape(-1),
        )

    def _cloud(self, header: Any, points: NDArray[np.void]) -> Any:
        T = self._store.types
        kinds = {"f": 7, "u": 4}  # PointField.FLOAT32, UINT16
        fields = []
        for name in lidar.POINT.names or ():
            kind, offset = dict(lidar.POINT.fields or {})[name][:2]
            field = T["sensor_msgs/msg/PointField"]
            fields.append(field(name=name, offset=int(offset), datatype=kinds[kind.kind], count=1))
        size = lidar.POINT.itemsize
        return T["sensor_msgs/msg/PointCloud2"](
            header=header,
            height=1,
            width=len(points),
            fields=fields,
            is_bigendian=False,
            point_step=size,
            row_step=size * len(points),
            data=np.frombuffer(points.tobytes(), np.uint8),
            is_dense=True,
        )

    def _transform(self, header: Any, child: str, transform: NDArray[np.float64]) -> Any:
        from transforms3d.quaternions import mat2quat

        T = self._store.types
        w, x, y, z = map(float, mat2quat(transform[:3, :3]))
        shift = T["geometry_msgs/msg/Vector3"](*map(float, transform[:3, 3]))
        turn = T["geometry_msgs/msg/Quaternion"](x=x, y=y, z=z, w=w)
        both = T["geometry_msgs/msg/Transform"](translation=shift, rotation=turn)
        return T["geometry_msgs/msg/TransformStamped"](header=header, child_frame_id=child, transform=both)


def camera_info(types: Any, header: Any, K: NDArray[np.float64], width: int, height: int) -> Any:
    """CameraInfo of a pinhole camera.

    Args:
        types: the type store's.
        header: stamp and frame of the picture.
        K: (3, 3) intrinsics, pixels.
        width: pixels.
        height: pixels.
    """
    region = types["sensor_msgs/msg/RegionOfInterest"](x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    return types["sensor_msgs/msg/CameraInfo"](
        header=header,
        height=height,
        width=width,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=K.ravel(),
        r=np.eye(3).ravel(),
        p=np.column_stack([K, np.zeros(3)]).ravel(),
        binning_x=0,
        binning_y=0,
        roi=region,
    )


def _qos(durability: QosDurability) -> Qos:
    return Qos(
        QosHistory.KEEP_LAST,
        10,
        QosReliability.RELIABLE,
        durability,
        _NEVER,
        _NEVER,
        QosLiveliness.AUTOMATIC,
        _NEVER,
        False,
    )
