# The live node in a container. The full installation, or with INSTALL=serve the one that runs exported networks only
# and has no PyTorch in it. No machine of this project's tests has Docker: this file has not been built yet.
#
#   docker build --tag depth_node .
#   docker build --tag depth_node:serve --build-arg INSTALL=serve .
#   docker run --rm --network host --shm-size 512m --volume $PWD:/models depth_node:serve \
#     checkpoint:=/models/mine.onnx image:=/camera/image_raw
#
# A GPU needs the full installation and `docker run --gpus all`. --shm-size: Docker's 64 MB of shared memory are too
# few for large messages. --network host: ROS 2 discovers by multicast.
FROM ros:jazzy

ARG INSTALL=full
ARG TORCH_INDEX=https://download.pytorch.org/whl/cu128
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip python3-venv \
      ros-jazzy-cv-bridge ros-jazzy-sensor-msgs-py ros-jazzy-tf-transformations ros-jazzy-ros2launch ros-jazzy-launch-ros \
      python3-numpy python3-opencv python3-yaml python3-pil python3-transforms3d python3-rich python3-jinja2 \
      python3-matplotlib && rm -rf /var/lib/apt/lists/*

# Beside the packages from apt, which cv_bridge and rclpy are built for. Of the others one pip each, by kind.
RUN python3 -m venv --system-site-packages /opt/venv
ENV PATH=/opt/venv/bin:$PATH
RUN if [ "$INSTALL" = serve ]; then \
      pip install --no-cache-dir openvino; \
    else \
      pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" torch torchvision && \
      pip install --no-cache-dir timm safetensors rosbags segmentation-models-pytorch filelock openvino; \
    fi

COPY . /ws/src/depth_node
WORKDIR /ws
RUN . /opt/ros/jazzy/setup.sh && python -m colcon build --packages-select depth_node

ENV DEPTH_NODE_CACHE=/cache
VOLUME /cache
RUN printf '#!/bin/bash\n. /ws/install/setup.bash\nexec ros2 launch depth_node depth.launch.py "$@"\n' > /start && chmod +x /start
ENTRYPOINT ["/start"]
