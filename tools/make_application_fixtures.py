"""Makes the fixtures of keras.applications: the smallest network of each family, by tf_keras and by Keras 3.

    python make_application_fixtures.py OUT [network ...]

OUT is usually Tests/Fixtures/applications. A file `<writer>_<network>.npz` holds no weights (fixtures/applications.py makes them)
and of each layer a few elements:

    architecture   model.to_json() as bytes
    layers         names of the layers in order, as JSON in bytes, each with its output shape
    places, values, largest    for each layer: 8 places in the flat output, what Keras computes there, the largest absolute value
"""
import argparse
import json
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', TF_ENABLE_ONEDNN_OPTS='0', CUDA_VISIBLE_DEVICES='-1', KERAS_BACKEND='tensorflow')
sys.dont_write_bytecode = True

import numpy as np

from fixtures.applications import FAMILIES, build, picture, uniform
from fixtures.harness import Writer
from fixtures.outputs import calls, layer_outputs

TAKEN = 8


def text(value):
    return np.frombuffer(json.dumps(value, separators=(',', ':')).encode(), 'uint8')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out')
    parser.add_argument('networks', nargs='*')
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    for prefix in ('tfk', 'k3'):
        writer = Writer(prefix)
        for members, size in FAMILIES.values():
            name = members[0]
            if arguments.networks and name not in arguments.networks or not hasattr(writer.keras.applications, name):
                continue
            model = build(writer.keras, name, size, narrow=True)
            outputs = {key: np.asarray(value, 'float32') for key, value in layer_outputs(model, [picture(size)]).items()}
            shapes = {layer.name: list(tensors[0].shape) for layer, _, _, tensors in calls(model)}
            assert shapes.keys() == outputs.keys() and all(np.isfinite(value).all() for value in outputs.values())
            places = [((uniform(key, TAKEN) + 1) / 2 * np.float32(value.size)).astype('int64').clip(0, value.size - 1)
                      for key, value in outputs.items()]
            values = [value.ravel()[place] for value, place in zip(outputs.values(), places)]
            path = os.path.join(arguments.out, f'{prefix}_{name}.npz')
            np.savez_compressed(
                path, architecture=text(json.loads(model.to_json())),
                layers=text([[key, shapes[key]] for key in outputs]), places=np.array(places, 'int32'),
                values=np.array(values, 'float32'),
                largest=np.array([np.abs(value).max() for value in outputs.values()], 'float32'),
                size=np.array([size], 'int32'))
            print(f'{path}: {len(outputs)} layers, {os.path.getsize(path) / 1024:.0f} KB', flush=True)


if __name__ == '__main__':
    main()
