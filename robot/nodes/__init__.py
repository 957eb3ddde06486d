"""ROS 2: the only place where rclpy is imported."""
