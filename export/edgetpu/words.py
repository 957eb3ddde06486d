"""The compiler's own words.

Collected from logs of versions 2.0 to 16.0 in the issues of google-coral/edgetpu
(the number after each is one of them), so that a search for our reason finds theirs.
"""

MAPPED = "Mapped to Edge TPU"
SUBGRAPH = "More than one subgraph is not supported"  # 461
NOT_SUPPORTED = "Operation not supported"  # 272
VERSION = "Operation version not supported"  # 420
DATA_TYPE = "Operation is working on an unsupported data type"  # 490
UNSPECIFIED = (
    "Operation is otherwise supported, but not mapped due to some unspecified limitation"  # 512
)
RANK = "Tensor has unsupported rank (up to 3 innermost dimensions mapped)"  # 537
NOT_CONSTANT = "Filter, bias, or other param is not constant at compile-time"  # 25
TWO_D = "For example, a fully-connected or softmax layer with 2D output"  # 27

# Said of the whole model; then nothing is compiled.
NOT_PARSED = "Model could not be parsed"  # 631
NOT_QUANTIZED = "Model not quantized"  # 168
FAILED = "Compilation failed"  # 829
NO_OP = (
    "Didn't find op for builtin opcode '{op}' version '{version}'. An older version of this "
    "builtin might be supported. Are you using an old TFLite binary with a newer model?"
)
DYNAMIC = (
    "Attempting to use a delegate that only supports static-sized tensors with a graph that has "
    "dynamic-sized tensors."
)
FLEX = "Regular TensorFlow ops are not supported by this interpreter."  # 479
CUSTOM = "Encountered unresolved custom op: {op}."
