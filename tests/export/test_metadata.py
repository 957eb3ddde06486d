"""Which name goes to which output of a file whose outputs the converter has shuffled."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from reflexarc.export.metadata import output_names
from reflexarc.perception.card import Card
from reflexarc.perception.modelfile import read_card
from reflexarc.perception.runtime import load_model
from reflexarc.perception.tasks import default_model_path


def test_each_output_is_called_what_it_is() -> None:
    """The packaged pose net: four maps, told apart by their channels."""
    path = default_model_path("pose")
    card: Card = read_card(path)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
    tensors = model.subgraphs[0].tensors
    channels = [int(tensors[index].shape[-1]) for index in model.subgraphs[0].outputs]
    maps = load_model(path, device="cpu").run(np.zeros((192, 192, 3), np.uint8))
    by_name = {name: one.shape[-1] for name, one in zip(card.outputs, maps, strict=True)}
    assert [by_name[name] for name in output_names(model, card)] == channels
    assert len(set(output_names(model, card))) == len(card.outputs)
