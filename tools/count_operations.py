"""Multiply-accumulates of the networks in Tests/Fixtures/applications by TensorFlow's profiler, for Tests/ModelConformanceTests/CostTests.

    python tools/count_operations.py tfk_VGG16 tfk_ResNet50 …

pip packages: tensorflow 2.21, tf_keras 2.21. Run from the repository's root.
"""

import sys

import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
from tensorflow.python.profiler.model_analyzer import profile
from tensorflow.python.profiler.option_builder import ProfileOptionBuilder

COUNTED = ("Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2")


def count(name):
    """Multiply-accumulates of one network for one picture of the fixture's size."""
    arrays = np.load(f"Tests/Fixtures/applications/{name}.npz")
    model = tf_keras.models.model_from_json(bytes(arrays["architecture"].astype(np.uint8)).decode())
    size = int(np.ravel(arrays["size"])[0])
    spec = tf.TensorSpec([1, size, size, 3], tf.float32)
    function = tf.function(lambda x: model(x, training=False)).get_concrete_function(spec)
    frozen = convert_variables_to_constants_v2(function)
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(frozen.graph.as_graph_def(), name="")
        kinds = {operation.name: operation.type for operation in graph.get_operations()}
        options = ProfileOptionBuilder(ProfileOptionBuilder.float_operation()).with_empty_output().build()

        def total(node):
            own = node.float_ops if kinds.get(node.name) in COUNTED else 0
            return own + sum(map(total, node.children))

        return total(profile(graph, options=options)) // 2


for name in sys.argv[1:]:
    print(name, count(name))
