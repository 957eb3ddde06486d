"""YuNet through OpenCV's own FaceDetectorYN.

No package carries YuNet's file, so the net here is a stand-in of the same twelve outputs,
made of two layers: it sees a face of 64 x 64 pixels wherever a cell is white.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from reflexarc.perception import Frame
from reflexarc.perception.modelfile import ModelFileError
from reflexarc.perception.opened import watch_opened
from reflexarc.perception.tasks import open_task

Image = npt.NDArray[np.uint8]

# Of a face whose box is 8 x 8 cells of 8 pixels, from its cell: eyes, nose, lip corners.
_POINTS = ((-2, -2), (2, -2), (0, 0), (-1.5, 2), (1.5, 2))


@pytest.fixture(scope="module")
def yunet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outputs as in face_detection_yunet_2023mar.onnx: (1, cells, n) for three strides."""
    nodes, outputs, constants = [], [], []

    def constant(name: str, value: npt.NDArray[np.generic]) -> str:
        constants.append(numpy_helper.from_array(value, name))
        return name

    for stride in (8, 16, 32):
        mean = constant(f"mean{stride}", np.full((1, 3, stride, stride), 1, np.float32))
        nodes.append(
            helper.make_node("Conv", ["input", mean], [f"sum{stride}"], strides=[stride] * 2)
        )
        white = constant(f"white{stride}", np.float32(3 * 254 * stride**2))
        nodes.append(helper.make_node("Greater", [f"sum{stride}", white], [f"is{stride}"]))
        nodes.append(helper.make_node("Cast", [f"is{stride}"], [f"f{stride}"], to=1))
        flat = constant(f"flat{stride}", np.array([1, 1, -1], np.int64))
        nodes.append(helper.make_node("Reshape", [f"f{stride}", flat], [f"r{stride}"]))
        nodes.append(helper.make_node("Transpose", [f"r{stride}"], [f"t{stride}"], perm=[0, 2, 1]))
        # Only the finest grid sees anything.
        share = constant(f"share{stride}", np.float32(0.81 if stride == 8 else 0))
        box = np.array([0.5, 0.5, np.log(8), np.log(8)], np.float32)
        points = np.array(_POINTS, np.float32).ravel() + 0.5
        for name, row in (("cls", None), ("obj", None), ("bbox", box), ("kps", points)):
            out = f"{name}_{stride}"
            if row is None:
                nodes.append(helper.make_node("Mul", [f"t{stride}", share], [out]))
            else:
                zero = constant(f"zero{out}", np.zeros((1, 1, len(row)), np.float32))
                value = constant(f"row{out}", row.reshape(1, 1, -1))
                nodes.append(helper.make_node("Mul", [f"t{stride}", zero], [f"z{out}"]))
                nodes.append(helper.make_node("Add", [f"z{out}", value], [out]))
            outputs.append(
                helper.make_tensor_value_info(
                    out, TensorProto.FLOAT, [1, None, 1 if row is None else len(row)]
                )
            )
    entry = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, None, None])
    graph = helper.make_graph(nodes, "yunet", [entry], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path_factory.mktemp("yunet") / "yunet.onnx"
    onnx.save(model, path)
    return path


def test_a_face_is_where_yunet_says(yunet: Path) -> None:
    task = open_task("faces", yunet)
    image = np.zeros((480, 640, 3), np.uint8)
    image[240:272, 320:352] = 255
    first = task.process(Frame(image, 0, 0, "clip"))
    (face,) = first.detections
    assert (face.label, face.track) == ("face", 1)
    assert face.score == pytest.approx(0.81, abs=0.01)
    middle = (face.box.x + face.box.width / 2, face.box.y + face.box.height / 2)
    assert middle == pytest.approx((336, 256), abs=20)
    right_eye, left_eye, nose, mouth, *ears = face.keypoints
    assert right_eye.x < nose.x < left_eye.x
    assert right_eye.y < nose.y < mouth.y
    # It knows nothing of ears.
    assert [ear.score for ear in ears] == [0, 0]
    assert nose.score > 0.8


def test_no_face(yunet: Path) -> None:
    task = open_task("faces", yunet)
    for shape in ((480, 640, 3), (1, 1, 3), (3, 900, 3)):
        assert task.process(Frame(np.zeros(shape, np.uint8), 0, 0, "clip")).detections == ()


def test_a_recording_hears_of_the_file(yunet: Path) -> None:
    with watch_opened() as files:
        open_task("faces", yunet)
    assert files == {yunet: "opencv"}


def test_what_is_no_yunet_is_refused(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 320, 320])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 320, 320])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "other", [value], [out])
    other = tmp_path / "other.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), other
    )
    torn = tmp_path / "torn.onnx"
    torn.write_bytes(other.read_bytes()[:40])
    for path in (other, torn, tmp_path / "none.onnx"):
        with pytest.raises(ModelFileError, match=f"a YuNet file .*{path.name}"):
            open_task("faces", path)
