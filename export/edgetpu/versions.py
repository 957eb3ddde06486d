"""The newest version of each builtin that compiler 16 can parse.

The compiler (July 2021) reads a model with the TFLite of its time, and refuses the
whole file when one operation is newer: "Didn't find op for builtin opcode ...".
The table is TensorFlow's `lite/kernels/register.cc` of that autumn; four operations
that had just been raised there are as compiler 16 reports them: CONV_2D 6
(google-coral/edgetpu#631), QUANTIZE 3 (#879), TRANSPOSE_CONV 4 (#845) and EXP 2
(google-coral/libedgetpu#71) are refused. GELU and later are unknown to it.
"""

_ONE = (
    "ADD_N BROADCAST_ARGS CALL_ONCE CEIL COMPLEX_ABS CONV_3D CONV_3D_TRANSPOSE COS CUMSUM CUSTOM "
    "DENSIFY ELU EMBEDDING_LOOKUP_SPARSE EXP EXPAND_DIMS FLOOR FLOOR_MOD HARD_SWISH HASHTABLE "
    "HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_LOOKUP HASHTABLE_SIZE IF IMAG L2_POOL_2D "
    "LOCAL_RESPONSE_NORMALIZATION LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LSH_PROJECTION "
    "MATRIX_DIAG MATRIX_SET_DIAG NEG NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 ONE_HOT POW "
    "PRELU RANGE RANK REAL REDUCE_ALL REDUCE_ANY RELU_0_TO_1 RELU_N1_TO_1 RESHAPE "
    "REVERSE_SEQUENCE RFFT2D ROUND SCATTER_ND SEGMENT_SUM SELECT_V2 SHAPE SIN SKIP_GRAM SQRT "
    "SQUARE UNIQUE WHILE ZEROS_LIKE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE"
)

MAX_VERSION = dict.fromkeys(_ONE.split(), 1) | {
    "ABS": 4,
    "ADD": 4,
    "ARG_MAX": 3,
    "ARG_MIN": 3,
    "AVERAGE_POOL_2D": 3,
    "BATCH_MATMUL": 4,
    "BATCH_TO_SPACE_ND": 3,
    "BIDIRECTIONAL_SEQUENCE_LSTM": 3,
    "BIDIRECTIONAL_SEQUENCE_RNN": 3,
    "BROADCAST_TO": 3,
    "CAST": 4,
    "CONCATENATION": 3,
    "CONV_2D": 5,
    "DEPTHWISE_CONV_2D": 6,
    "DEPTH_TO_SPACE": 2,
    "DEQUANTIZE": 5,
    "DIV": 2,
    "EMBEDDING_LOOKUP": 3,
    "EQUAL": 3,
    "FAKE_QUANT": 2,
    "FILL": 3,
    "FLOOR_DIV": 2,
    "FULLY_CONNECTED": 9,
    "GATHER": 5,
    "GATHER_ND": 3,
    "GREATER": 2,
    "GREATER_EQUAL": 2,
    "L2_NORMALIZATION": 2,
    "LEAKY_RELU": 2,
    "LESS": 2,
    "LESS_EQUAL": 2,
    "LOGISTIC": 3,
    "LOG_SOFTMAX": 2,
    "LSTM": 4,
    "MAXIMUM": 4,
    "MAX_POOL_2D": 3,
    "MEAN": 3,
    "MINIMUM": 4,
    "MIRROR_PAD": 2,
    "MUL": 5,
    "NOT_EQUAL": 3,
    "PACK": 3,
    "PAD": 4,
    "PADV2": 4,
    "QUANTIZE": 2,
    "REDUCE_MAX": 3,
    "REDUCE_MIN": 3,
    "REDUCE_PROD": 2,
    "RELU": 3,
    "RELU6": 3,
    "RESIZE_BILINEAR": 4,
    "RESIZE_NEAREST_NEIGHBOR": 4,
    "REVERSE_V2": 3,
    "RNN": 3,
    "RSQRT": 2,
    "SELECT": 2,
    "SLICE": 5,
    "SOFTMAX": 3,
    "SPACE_TO_BATCH_ND": 3,
    "SPACE_TO_DEPTH": 2,
    "SPARSE_TO_DENSE": 3,
    "SPLIT": 4,
    "SPLIT_V": 2,
    "SQUARED_DIFFERENCE": 2,
    "SQUEEZE": 2,
    "STRIDED_SLICE": 6,
    "SUB": 5,
    "SUM": 2,
    "SVDF": 4,
    "TANH": 3,
    "TILE": 3,
    "TOPK_V2": 2,
    "TRANSPOSE": 5,
    "TRANSPOSE_CONV": 3,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 3,
    "UNIDIRECTIONAL_SEQUENCE_RNN": 3,
    "UNPACK": 4,
    "WHERE": 2,
}
