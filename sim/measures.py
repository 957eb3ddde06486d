"""The simulated robot's measures are those that its robot.yaml tells the real one's software."""

from __future__ import annotations

from reflexarc.sim.description import Measures
from reflexarc.sim.scenario import Scenario


def measures_of(scenario: Scenario) -> Measures:
    """The robot's measures: what the scenario's robot settings say, as in robot.yaml.

    Raises:
        DescriptionError: no rover can have these.
    """
    geometry = scenario.robot.get("geometry") or {}
    mount = scenario.robot.get("camera") or {}
    width, height = scenario.view.size
    usual = Measures()
    return Measures(
        wheel_diameter_m=float(geometry.get("wheel_diameter_m", usual.wheel_diameter_m)),
        wheel_separation_m=float(geometry.get("wheel_separation_m", usual.wheel_separation_m)),
        counts_per_revolution=int(
            geometry.get("counts_per_revolution", usual.counts_per_revolution)
        ),
        camera_hfov_deg=float(mount.get("horizontal_fov_deg", usual.camera_hfov_deg)),
        camera_width=width,
        camera_height=height,
    )
